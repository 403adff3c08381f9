"""Answers and results in a notebook: they hold what they should, and escape what is not ours."""

import pandas as pd
import pytest

from latentlab.study.results import Results

EVIL = "<script>alert(1)</script> & <img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def answered(qwen, examples):
    return qwen.answer(examples[0].image, f"Follow {EVIL}", ("red circle", "<b>red</b>"))


def test_an_answer_shows_picture_steps_and_options(answered, qwen):
    html = answered._repr_html_()
    steps = qwen.plan.steps
    assert html.count("data:image/jpeg;base64,") == html.count("<svg") == steps
    for step, picks in enumerate(answered.trajectory.picks[0].tolist(), start=1):
        shown = " and ".join(f"patch {pick + 1}" for pick in picks)
        assert f"step {step}: picks {shown}" in html
    # Two outlines a pick, one wash a patch.
    assert html.count("fill='none'") == 2 * steps * qwen.plan.k
    assert html.count("opacity='0.00'/>") == steps  # the most attended patch is not dimmed
    assert html.count(" %") >= 2


def test_what_is_asked_and_answered_is_escaped(answered):
    html = answered._repr_html_()
    assert "<script" not in html and "<img" not in html and "<b>red" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;img" in html
    assert "&lt;b&gt;red&lt;/b&gt;" in html


def test_an_answer_without_picture_or_options_shows_none(qwen):
    text_only = type(qwen)(qwen.backbone, qwen.plan.replace(k=0), qwen.prompter)
    html = text_only.answer(None, "Follow the circle.")._repr_html_()
    assert "<svg" not in html and "<table" not in html
    assert "Follow the circle." in html


def test_the_cut_out_part_is_what_is_drawn(chameleon, examples):
    html = chameleon.answer(examples[0].image, "Follow.", ("A", "B"))._repr_html_()
    assert "viewBox='0 0 220 220.0'" in html  # the square that the model sees, of 84 x 56 pixels


def test_results_show_facts_and_the_lines_over_all_questions():
    total = {"domain": "all", "topic": "all", "n": 7, "accuracy": 0.5, "accuracy_low": 0.2}
    total |= {"accuracy_high": 0.8, "p_holm": 0.00001, "model": EVIL, "intervention": "drop"}
    lines = [
        total,
        total | {"domain": "digits", "n": 3},
        total | {"intervention": "none", "p_holm": None},
    ]
    run = {
        "command": "ablate",
        "config": {"data": "benchmark"},
        "checkpoints": {EVIL: "0123456789abcdef"},
        "seed": 3,
        "versions": {"latentlab": "0"},
        "git": {"commit": "f" * 40, "dirty": True},
        "platform": {"system": "here", "cpus": 2},
        "started": "2020-01-01",
        "seconds": 61.0,
    }
    rows = pd.DataFrame({"example": ["a", "b", "a"]})
    html = Results(rows, pd.DataFrame(lines), run)._repr_html_()
    assert "<script" not in html and "&lt;script&gt;" in html
    assert "(0123456789)" in html
    assert "ffffffffff, edited since" in html
    assert html.count("0.5 [0.2, 0.8]") == 2  # the line of one domain is left out
    assert "&lt;0.001" in html and ">2<" in html and ">7<" in html and ">3<" in html

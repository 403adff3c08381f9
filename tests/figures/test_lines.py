"""Changes beside those of their controls, and what training logs tell."""

import json

import pandas as pd
import pytest

from latentlab.figures.lines import (
    beside_controls,
    divided,
    names,
    number_of_hops,
    sample,
    untouched,
    with_arms,
)
from latentlab.figures.trained import folders, hardest, held_out, pooled, stages
from latentlab.measures.statistics import accuracy_interval
from latentlab.study.results import Results
from latentlab.vocabulary import CONTROL, KNOCK_OUT


def line(arm="none", kind="none", control_of=None, delta=0.0, domain="all", **changes):
    same = {"model": "m", "data": "d", "topic": "all", "hops": "all", "n": 10, "positions": None}
    ends = {"delta": delta, "delta_low": delta - 0.1, "delta_high": delta + 0.2}
    named = {"intervention": arm, "kind": kind, "control_of": control_of, "domain": domain}
    return same | named | ends | changes


SUMMARY = pd.DataFrame(
    [
        line(),
        line("zero x", KNOCK_OUT, delta=-0.5),
        line("zero x", KNOCK_OUT, delta=-0.7, domain="letters"),
        line("zero x: elsewhere", CONTROL, "zero x", delta=-0.3),
        line("zero x: elsewhere", CONTROL, "zero x", delta=-0.1, domain="letters"),
        line("drop y", KNOCK_OUT, delta=0.0, positions="held"),
        line("drop y: closed", KNOCK_OUT, "drop y", delta=-0.4, positions="closed"),
        line("drop y: empty", CONTROL, "drop y", delta=-0.2, positions="kept"),
        line("sham", CONTROL),
    ]
)


def test_every_arm_stands_beside_its_own_control_in_its_own_group():
    arms = beside_controls(SUMMARY)
    assert arms["intervention"].tolist() == ["zero x", "zero x", "drop y"]
    assert arms["control_delta"].tolist()[:2] == pytest.approx([-0.3, -0.1])
    assert arms["control_delta_low"].iloc[0] == pytest.approx(-0.4)
    assert pd.isna(arms["control_delta"].iloc[2])


def test_what_removes_the_same_stands_side_by_side_by_positions():
    arms = beside_controls(SUMMARY)
    ways = arms[["held_delta", "closed_delta", "kept_delta"]]
    assert ways.iloc[2].tolist() == pytest.approx([0.0, -0.4, -0.2])
    assert ways.iloc[:2].isna().all(axis=None)
    named = with_arms(SUMMARY)
    assert named["arm"].tolist()[-4:] == ["drop y"] * 3 + ["sham"]
    assert named["arm"].iloc[3] == "zero x: elsewhere"
    assert named["positions"].tolist()[:5] == [""] * 5


def test_lines_are_divided_by_one_column_only():
    crossed = [line(domain="letters", topic="sans"), line(domain=float("nan"))]
    lines = pd.concat([SUMMARY, pd.DataFrame(crossed)])
    assert divided(lines, "domain")["domain"].tolist() == ["letters", "letters"]
    assert divided(lines, "question_type").empty
    assert len(untouched(SUMMARY)) == 1


def test_names_keep_their_order():
    assert names(["b", "a", "b"]) == ["b", "a"]
    assert [number_of_hops(hops) for hops in ("1", "4")] == ["1 hop", "4 hops"]


def test_captions_say_who_was_asked_what():
    lines = pd.DataFrame(
        {"model": ["a", "b", "c"], "data": ["x", "x", "y"], "n": [5, 5, 7]},
    )
    assert sample(lines) == "a, b on 5 questions each of x; c on 7 questions of y"


HELD_OUT = {
    "all": {"n": 30, "accuracy": 0.5, "low": 0.4, "high": 0.6},
    "letters/1": {"n": 10, "accuracy": 1.0, "low": 0.8, "high": 1.0},
    "letters/12": {"n": 8, "accuracy": 0.25, "low": 0.1, "high": 0.5},
    "digits/12": {"n": 12, "accuracy": 0.5, "low": 0.3, "high": 0.7},
}
LOG = [
    {"stage": "start", "update": 5, "loss": 1.0, "cpu_seconds": 3.0},
    {"stage": "start", "update": 10, "held_out": HELD_OUT, "cpu_seconds": 60.0},
    {"stage": "end", "update": 20, "held_out": HELD_OUT, "cpu_seconds": 30.0},
]


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "metrics.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in LOG))
    (folder / "config.yaml").write_text(
        "stages:\n- name: start\n- name: end\n  latent_steps: 2\n", encoding="utf-8"
    )
    return folder


def test_a_log_is_read_stage_by_stage_with_what_it_took_so_far(model):
    lines = held_out(model / "metrics.jsonl")
    ends = lines[lines["domain"] == "all"]
    assert ends["stage"].tolist() == ["start", "end"]
    assert ends["updates"].tolist() == [10, 30]
    assert ends["cpu_minutes"].tolist() == [1.0, 1.5]
    assert set(lines["hops"]) == {"all", "1", "12"}
    assert stages(model)["latent_steps"].tolist() == [0] * 4 + [2] * 4


def test_the_hardest_questions_are_those_of_most_hops(model):
    lines = held_out(model / "metrics.jsonl").iloc[:4]
    assert hardest(lines)["domain"].tolist() == ["letters", "digits"]
    together, wanted = pooled(hardest(lines)), accuracy_interval([True] * 8 + [False] * 12)
    assert together["n"] == 20
    assert together["accuracy"] == pytest.approx(wanted.mean)
    assert together["accuracy_low"] == pytest.approx(wanted.low)
    unknown = lines.assign(hops="all")
    assert len(hardest(unknown)) == 3


def test_a_model_without_a_log_has_no_lines(tmp_path):
    assert stages(tmp_path).empty
    assert held_out(tmp_path / "metrics.jsonl").empty


def test_models_are_found_by_path_and_by_name(model):
    run = {"config": {"model": [str(model), "ivtlr", "some/hub-model"]}}
    found = folders(Results(pd.DataFrame(), pd.DataFrame(), run))
    assert found["model"] == model
    assert found[str(model)] == model
    assert (found["ivtlr"] / "latentlab.json").is_file()
    assert not found["some/hub-model"].exists()

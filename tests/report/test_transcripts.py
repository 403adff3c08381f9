"""What models wrote, call by call: marked words, replayed pictures, and the panel in a browser."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageChops

from latentlab.data import load_data
from latentlab.methods import METHODS
from latentlab.methods.taught import TAUGHT
from latentlab.methods.taught.chain_of_focus import enlarged
from latentlab.methods.taught.lesson import place
from latentlab.methods.taught.scaffold import dotted_cells
from latentlab.report.marking import marked
from latentlab.report.page import render
from latentlab.report.replay import pictures_of
from latentlab.report.traces import viewer_data
from latentlab.report.transcripts import cost
from latentlab.study.results import read_results
from latentlab.trace.records import ANSWER
from tests.report.conftest import EVIL

HERE = Path(__file__).parent
LOOK = "".join((HERE / name).read_text(encoding="utf-8") for name in ("tools.js", "words.js"))
EMPTY = pd.Series({"autoregressive_steps": 1, "forward_tokens": pd.NA, "pictures": 2})


@pytest.fixture(scope="module")
def example():
    return load_data("benchmark", limit=1)[0]


def looks(example):
    """What a model says that zooms rightly, up to its answer."""
    trace, hops = example.trace, example.hops
    said = [f"{trace.at(hop)} {place(trace.cells[hop])}" for hop in range(hops)]
    return [*said, f"Answer {example.answer}"]


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and ImageChops.difference(one, other).getbbox() is None


def test_words_are_ticked_on_the_walk_and_crossed_off_it(example):
    trace = example.trace
    off = next(name for name in trace.objects if name not in map(trace.at, range(example.hops + 1)))
    pieces = marked(f"so {trace.at(1)}, {off}: x{off}x", example)
    assert pieces == ["so ", (trace.at(1), True), ", ", (off, False), f": x{off}x"]
    assert marked("", example) == []
    bare = dataclasses.replace(example, trace=None)
    assert marked(f"so {off}", bare) == [f"so {off}"]


def test_crops_are_those_that_the_replies_ask_for(example):
    replies = looks(example)
    said = [(f"look {i}", reply) for i, reply in enumerate(replies, 1)]
    shown = pictures_of(TAUGHT["chain_of_focus"].method, example, "Answer", said)
    assert [len(pictures) for pictures in shown] == [1, *[1] * example.hops]
    assert same(shown[0][0], dotted_cells(example.image))
    for hop, (crop,) in enumerate(shown[1:]):
        assert same(crop, enlarged(example.image, example.trace.cells[hop]))


def test_a_dotted_picture_is_shown_and_the_question_s_own_is_not(example):
    said = [("reasoning and answer", f"Answer {example.answer}")]
    for method in (TAUGHT["scaffold"].method, METHODS["scaffold"]):
        ((dots,),) = pictures_of(method, example, "Answer", said)
        assert not same(dots, example.image)
    graph = [("scene graph", "{}"), ("answer", "Answer")]
    assert pictures_of(METHODS["ccot"], example, "Answer", graph) == [(), ()]


def test_replies_that_a_method_would_not_have_asked_for_show_nothing(example):
    method = TAUGHT["chain_of_focus"].method
    said = [("look 1", "Answer red"), ("look 2", "more"), ("glance", "")]
    assert [len(one) for one in pictures_of(method, example, "Answer", said)] == [1, 0, 0]
    assert pictures_of(method, example, "Answer", [("glance", "")]) == [()]


def test_a_cost_is_told_as_far_as_it_is_known():
    assert cost(EMPTY) == "1 step, 2 pictures"
    known = pd.Series({"autoregressive_steps": 1200, "forward_tokens": 1, "pictures": 1})
    assert cost(known) == "1,200 steps, 1 position, 1 picture"


def written_rows(results, examples, model, method, replies, taught):
    """Answers of a model that says what a test wants."""
    rows = results.rows
    alone = (rows["record"] == ANSWER) & (rows["intervention"] == "none")
    mine = rows[alone & (rows["model"] == "tiny")].copy()
    calls = [replies(examples[name]) for name in mine["example"]]
    names = ["reasoning and answer"] if method == "own" else [f"look {i}" for i in range(1, 10)]
    said = [[{"call": n, "said": s} for n, s in zip(names, c, strict=False)] for c in calls]
    return mine.assign(
        model=model,
        method=method,
        taught=taught,
        marker="Answer",
        calls_said=[json.dumps(one) for one in said],
        calls=[len(one) for one in said],
        pictures=[len(one) for one in said],
        forward_tokens=np.arange(len(mine)) + 100,
        failed="",
        choice=pd.array([None] * len(mine), dtype="Int64"),
        correct=True,
    )


@pytest.fixture(scope="module")
def results(world):
    """Recorded answers of both kinds; one of the writers is hostile."""
    found = read_results(world.config.results / "traces")
    examples = {one.id: one for one in load_data(world.data)}
    frames = [
        found.rows,
        written_rows(found, examples, "chain_of_focus", "chain_of_focus", looks, True),
        written_rows(
            found, examples, "evil", "own", lambda one: [f"{EVIL}\u202e Answer {EVIL}"], False
        ),
    ]
    return dataclasses.replace(found, rows=pd.concat(frames, ignore_index=True))


@pytest.fixture(scope="module")
def page(results, tmp_path_factory):
    path = tmp_path_factory.mktemp("written") / "page.html"
    path.write_text(render([], [], viewer_data(results, 6), "", []), encoding="utf-8")
    return path


def test_the_viewer_is_given_every_call(results, example):
    data = viewer_data(results, 3)
    zooms, evil = data["written"]
    assert [model["name"] for model in data["models"]] == ["tiny", "twin"]
    assert (zooms["name"], zooms["paper"]) == ("chain_of_focus", "Chain-of-Focus, arXiv 2505.15436")
    assert list(zooms["answers"]) == list(data["examples"])
    answer = next(iter(zooms["answers"].values()))
    path = next(iter(data["examples"].values()))["path"]
    assert [call["said"][0] for call in answer["calls"][:-1]] == [(n, True) for n in path[:-1]]
    assert answer["calls"][-1]["said"] == [] and answer["text"] == path[-1]
    assert [len(call["pictures"]) for call in answer["calls"]] == [1] * 5
    assert all(uri.startswith("data:image/webp") for uri in data["pictures"])
    said = next(iter(evil["answers"].values()))["calls"][0]["said"]
    assert evil["paper"] == "" and said == [f"{EVIL}\u202e"]


def test_answers_in_words_alone_make_a_page_without_a_stage(results):
    rows = results.rows[results.rows["calls_said"].notna()]
    data = viewer_data(dataclasses.replace(results, rows=rows), 3)
    assert data["models"] == [] and len(data["examples"]) == 3
    text = render([], [], data, "", [])
    assert 'id="answers"' in text and 'id="viewer"' not in text and 'id="data"' not in text
    assert text.count('<details class="fold">') == 3 and "<img src=x" not in text


def test_the_still_picture_holds_the_panel_too(page):
    text = page.read_text(encoding="utf-8")
    still = text[text.index('id="still"') :]
    still = still[: still.index("</section>")]
    assert "The same question, answered in words" in still and "look 2" in still
    assert len(re.findall(r'<img src="data:image/webp', still)) == 5
    assert "&lt;script&gt;" in still and r"\u202e" in still and "\u202e" not in text


@pytest.mark.parametrize("width", [390, 1280])
def test_the_panel_follows_the_question(browse, page, results, width):
    found = browse(LOOK, width=width, report=page, milliseconds=4000)
    data = viewer_data(results, 6)
    assert found["first"][0] != found["second"][0]
    for example, (zooms, evil) in (found["first"], found["second"]):
        path = data["examples"][example]["path"]
        calls = [[f"look {i}", [[n, "on the true walk"]], 1] for i, n in enumerate(path, 1)]
        calls[-1][1] = []
        assert zooms[:2] == ["chain_of_focus", calls] and evil[0] == "evil"
    assert found["problems"] == found["logged"] == found["wide"] == []
    assert found["hacked"] is None and found["foreign"] == 0
    assert found["stop"] == 0 and found["name"] == "The same question, answered in words"
    assert found["hidden"]

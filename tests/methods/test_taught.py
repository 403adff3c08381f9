"""Methods that models are trained for: the teacher, the calls, and what can go wrong in them."""

import dataclasses
import json
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.checkpoint import load, save
from latentlab.data import Benchmark, BenchmarkConfig
from latentlab.data.scene import GRID
from latentlab.errors import UserError
from latentlab.methods.replay import replay, transcript_in
from latentlab.methods.run import question_of, run_method
from latentlab.methods.speaker import Speaker
from latentlab.methods.taught import TAUGHT, lesson_of
from latentlab.methods.taught.lesson import ROWS, cell_of, place
from latentlab.methods.taught.scaffold import dotted_cells
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.by_method import run_by, run_own
from latentlab.training.tiny import tiny_reasoner
from tests.methods.scripted import Script

EXAMPLES = list(Benchmark(BenchmarkConfig(hops=(1, 2, 4, 8), size=8)))


@pytest.fixture(scope="module")
def model():
    return tiny_reasoner(LatentPlan(steps=0, k=0))


def asked(model, name, *lines, example=EXAMPLES[0]):
    """What a method makes of given replies, and the calls it made."""
    script = Script(**{example.id: lines})
    (told,) = run_method(model, lesson_of(name).method, [example], speaker=script)
    return told, [call for _, call in script.calls]


@pytest.mark.parametrize("name", TAUGHT)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.hops}")
def test_who_replies_as_the_teacher_does_is_right(model, name, example):
    lesson = lesson_of(name)
    taught = list(lesson.taught(question_of(model, example, 64)))
    prompter, speaker = model.prompter, Speaker(model)
    said = [prompter.decode(prompter.encode(reply)) for _, reply in taught]
    told, calls = asked(model, name, *said, example=example)
    assert example.choices[told.answer.choice] == example.answer
    assert told.failures == ()
    assert len(calls) == len(taught)
    for call, (expected, _) in zip(calls, taught, strict=True):
        batches = [speaker.batch([one], ["e"]) for one in (call, expected)]
        assert torch.equal(*(batch.input_ids for batch in batches))
        assert torch.equal(*(batch.pixels["pixel_values"] for batch in batches))


@pytest.mark.parametrize("name", TAUGHT)
def test_what_a_teacher_writes_on_the_way_is_known_to_the_tokenizer(model, name):
    prompter = model.prompter
    unknown = prompter.tokenizer.unk_token_id
    for example in EXAMPLES:
        for reply in lesson_of(name).replies(example):
            assert unknown not in prompter.encode(reply)


@pytest.mark.parametrize("name", sorted(TAUGHT.keys() - {"ccot"}))
def test_rationales_leave_the_answer_out(name):
    # The scene graph lists every cell, so the answer is in it as all other objects are.
    for example in EXAMPLES:
        steps = " ".join(lesson_of(name).replies(example))
        assert (example.answer in steps) == (example.answer in example.question)


def test_a_scene_graph_says_what_the_picture_says():
    (example, *_) = EXAMPLES
    (graph,) = lesson_of("ccot").replies(example)
    pairs = [pair.split() for pair in graph.split(", ")]
    names = {" ".join(pair[:2]): " ".join(pair[2:]) for pair in pairs}
    assert list(names) == list(example.trace.objects)
    walk = [example.trace.at(0)]
    for _ in range(example.hops):
        walk.append(names[walk[-1]])
    assert walk[-1] == example.answer


def test_a_rationale_is_handed_to_the_second_call(model):
    told, calls = asked(model, "multimodal_cot", "red circle", "Answer : blue square")
    assert [call.answers for call in calls] == [False, True]
    assert calls[1].turns[0].parts[-1].endswith("red circle Answer")
    assert told.answer.new_tokens == 6


def test_a_cell_that_is_named_is_shown_enlarged(model):
    example = EXAMPLES[2]
    _, calls = asked(model, "chain_of_focus", "red star two three", "Answer : A", example=example)
    (crop,) = calls[1].turns[2].parts
    assert crop.size == (56, 56)
    cell = np.asarray(example.image.crop((56, 28, 84, 56)).convert("L"), float)
    shown = np.asarray(crop.resize((28, 28), Image.Resampling.BOX).convert("L"), float)
    assert np.corrcoef(cell.ravel(), shown.ravel())[0, 1] > 0.95


@pytest.mark.parametrize(
    ("lines", "failures", "calls"),
    [
        (("red star",), ("no cell", "no marker", "no answer"), 1),
        (("",), ("no cell", "no marker", "no answer"), 1),
        (("five one",), ("no cell", "no marker", "no answer"), 1),
        (("one one",) * 9, ("endless zoom", "no marker", "no answer"), 9),
        (("Answer : ",), ("no answer",), 1),
    ],
)
def test_what_goes_wrong_while_looking_is_told(model, lines, failures, calls):
    told, made = asked(model, "chain_of_focus", *lines)
    assert told.failures == failures
    assert len(made) == calls


def test_cells_and_their_names_are_one_to_one():
    assert [cell_of(f"red star, {place(cell)}") for cell in range(16)] == list(range(16))
    assert cell_of("three") is None
    assert cell_of("one five") is None


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.topic)
def test_every_cell_gets_a_dot_and_a_label_of_its_own_and_little_else_changes(example):
    before = np.asarray(example.image, int)
    after = np.asarray(dotted_cells(example.image), int)
    changed = (before != after).any(-1).reshape(4, 28, 4, 28).swapaxes(1, 2).reshape(16, 28, 28)
    assert (changed.sum((1, 2)) >= 14).all()
    assert not changed[:, 12:].any()
    assert not changed[:, :, :18].any()
    labels = [tuple(map(tuple, np.argwhere(cell))) for cell in changed]
    assert len(set(labels)) > 8  # noise may hide a pixel that was black or white already


def test_a_small_picture_has_dots_where_there_is_room():
    assert dotted_cells(Image.new("RGB", (30, 20))).size == (30, 20)


@pytest.mark.parametrize("name", ["scaffold", "chain_of_focus"])
def test_a_question_without_a_picture_is_refused(model, name):
    unseen = dataclasses.replace(EXAMPLES[0], image=None)
    with pytest.raises(UserError, match="no picture"):
        asked(model, name, "x", example=unseen)


def test_a_method_nobody_teaches_is_refused_with_near_names():
    with pytest.raises(UserError, match="scaffold"):
        lesson_of("scafold")


def test_a_model_keeps_the_method_it_was_trained_for(model, tmp_path):
    model.method = "capimagine"
    try:
        save(model, tmp_path / "mine")
    finally:
        model.method = ""
    loaded = load(str(tmp_path / "mine"))
    assert loaded.method == "capimagine"
    rows = run_own(loaded, EXAMPLES[:2], "benchmark")
    assert rows["method"].tolist() == ["capimagine"] * 2
    assert (rows["forward_tokens"] > rows["new_tokens"]).all()
    assert "method" not in run_own(model, EXAMPLES[:2], "benchmark")


def test_answers_follow_the_objects_that_are_written_and_not_their_coordinates():
    """A teacher's words of `scaffold`, its places or objects exchanged for other cells'."""
    reasoner, method = load("scaffold"), lesson_of("scaffold").method
    asked = list(Benchmark(BenchmarkConfig(hops=(4,), size=24)))

    def right(shifted, moved):
        words = []
        for example in asked:
            trace = example.trace
            cells = [trace.cells[hop] for hop in (1, 2, 3)]
            told = [(trace.objects[(c + shifted) % 16], place((c + moved) % 16)) for c in cells]
            words.append(transcript_in(reasoner.prompter, [", ".join(map(" ".join, told))]))
        found = replay(reasoner, method, asked, words)
        pairs = zip(found, asked, strict=True)
        return sum(one.answer.choice == e.choices.index(e.answer) for one, e in pairs)

    assert right(shifted=0, moved=0) >= 22
    assert right(shifted=0, moved=5) >= 22
    assert right(shifted=5, moved=0) <= 4


def test_citations_follow_the_labels_and_only_where_they_cut_do_answers_need_them():
    """Pictures on which rows and columns are called otherwise than they stand."""
    rows, columns = (3, 1, 4, 2), (2, 4, 1, 3)
    moved = partial(dotted_cells, rows=rows, columns=columns)
    asked = list(Benchmark(BenchmarkConfig(hops=(4,), size=24)))
    right = {}
    for name in ("scaffold", "chain_of_focus"):
        reasoner, method = load(name), lesson_of(name).method
        shown = dataclasses.replace(method, ask=partial(method.ask, draw=moved))
        for how in (method, shown):
            found = run_by(reasoner, how, asked, "benchmark", longest=96)
            right[name, how is shown] = found["correct"].sum()
        said = " ".join(call["said"] for call in json.loads(found["calls_said"].iloc[0]))
        first = asked[0].trace.cells[1 if name == "scaffold" else 0]
        row, column = divmod(first, GRID)
        assert f" {ROWS[rows[row] - 1]} {ROWS[columns[column] - 1]}" in said
    assert abs(right["scaffold", True] - right["scaffold", False]) <= 2
    assert right["chain_of_focus", False] >= 20
    assert right["chain_of_focus", True] <= 8

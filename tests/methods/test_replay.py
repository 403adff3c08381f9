"""Replay: a model answers after given words as it does after its own, whatever the protocol."""

import pytest

from latentlab.checkpoint import load
from latentlab.data import Benchmark, BenchmarkConfig
from latentlab.methods import own
from latentlab.methods.replay import replay, transcript_in, transcript_of
from latentlab.methods.run import run_method
from latentlab.methods.taught import TAUGHT
from latentlab.methods.taught.chain_of_focus import enlarged
from latentlab.methods.taught.scaffold import dotted_cells
from tests.methods.scripted import Script

EXAMPLES = list(Benchmark(BenchmarkConfig(hops=(2, 4), size=4)))
FOCUS = TAUGHT["chain_of_focus"].method
COT = TAUGHT["multimodal_cot"].method


@pytest.fixture(scope="module")
def cot():
    return load("cot")


def asked(model, method, *words, example=EXAMPLES[0]):
    """The call that a replay ends in, and what came of it."""
    script = Script(**{example.id: ["Answer: red circle"]})
    transcript = transcript_in(model.prompter, words)
    (told,) = replay(model, method, [example], [transcript], speaker=script)
    ((_, call),) = script.calls
    return call, told


ONE_CALL = [name for name in TAUGHT if name != "multimodal_cot"]
"""Methods that the embedded `cot` comes to an answer by, though it was not trained for them."""


@pytest.mark.parametrize("name", ["cot", "cot_vision", *ONE_CALL])
def test_after_its_own_words_a_model_answers_as_by_itself(cot, name):
    model = load("cot_vision") if name == "cot_vision" else cot
    method = TAUGHT[name].method if name in TAUGHT else own.METHOD
    free = run_method(model, method, EXAMPLES)
    words = [transcript_of(model.prompter, told) for told in free]
    assert all(map(any, words))
    for told, again in zip(free, replay(model, method, EXAMPLES, words), strict=True):
        assert again.answer.choice == told.answer.choice
        assert again.answer.option_logprobs == told.answer.option_logprobs
        assert again.said[-1][1].ids == told.said[-1][1].ids
        assert again.said[-1][1].stands == told.said[-1][1].stands


@pytest.mark.parametrize("name", ["cot", "cot_vision", *TAUGHT])
def test_a_batch_answers_what_each_answers_alone(cot, name):
    model = load("cot_vision") if name == "cot_vision" else cot
    lesson = TAUGHT.get(name, TAUGHT["multimodal_cot"])
    method = lesson.method if name in TAUGHT else own.METHOD
    words = [transcript_in(model.prompter, lesson.replies(e)) for e in EXAMPLES]
    words = words if name in TAUGHT else [one[:1] for one in words]
    together = replay(model, method, EXAMPLES, words)
    for example, given, told in zip(EXAMPLES, words, together, strict=True):
        (alone,) = replay(model, method, [example], [given])
        assert alone.answer.choice == told.answer.choice
        assert alone.answer.option_logprobs == pytest.approx(told.answer.option_logprobs, abs=1e-4)


def test_crops_follow_from_the_words_that_are_given(cot):
    call, told = asked(cot, FOCUS, "red circle two three", "red square four one", "")
    dotted, *crops = call.pictures
    assert dotted == dotted_cells(EXAMPLES[0].image)
    assert crops == [enlarged(EXAMPLES[0].image, cell) for cell in (6, 12)]
    assert call.begun == tuple(cot.prompter.marker_ids)
    assert told.failures[:1] != ("no cell",)
    assert [name for name, _ in told.said] == ["look 1", "look 2", "look 3"]
    assert told.answer.new_tokens == 3  # given replies cost nothing


@pytest.mark.parametrize(
    ("words", "calls", "begun"),
    [
        ((), 1, ""),  # dropped: the answer comes at the first call that may give one
        (("red circle",), 1, "red circle"),  # no cell: the answer follows on these words
        (("red circle", "red square two two", ""), 1, "red circle"),
        (("red circle one one",) * 9, 9, "red circle one one"),  # looks without end
    ],
)
def test_an_answer_follows_on_the_words_that_end_the_looks(cot, words, calls, begun):
    call, told = asked(cot, FOCUS, *words)
    assert len(call.pictures) == len(told.said) == calls
    assert call.begun == (*cot.prompter.encode(begun), *cot.prompter.marker_ids)


def test_a_second_prompt_holds_the_rationale_that_is_given(cot):
    call, _ = asked(cot, COT, "red circle, red square", "")
    said = " ".join(part for turn in call.turns for part in turn.parts if isinstance(part, str))
    assert "red circle red square" in said
    empty, _ = asked(cot, COT)
    said = " ".join(part for turn in empty.turns for part in turn.parts if isinstance(part, str))
    assert said.endswith(f". {cot.prompter.format.answer_marker}") or "  " in said
    assert empty.begun == tuple(cot.prompter.marker_ids)


def test_words_that_never_come_to_an_answer_are_no_transcript(cot):
    script = Script(**{EXAMPLES[0].id: ["red circle one one"] * 9})
    (told,) = run_method(cot, FOCUS, EXAMPLES[:1], speaker=script)
    assert told.failures[0] == "endless zoom"
    assert transcript_of(cot.prompter, told) is None


def test_a_dropped_answer_can_stand_where_it_would_have(cot):
    method = TAUGHT["capimagine"].method
    free = run_method(cot, method, EXAMPLES)
    places = [told.said[-1][1].stands for told in free]
    dropped = [()] * len(EXAMPLES)
    held = replay(cot, method, EXAMPLES, dropped, stands=places)
    closed = replay(cot, method, EXAMPLES, dropped)
    assert [told.said[-1][1].stands for told in held] == places
    words = [len(transcript_of(cot.prompter, told)[0]) for told in free]
    for one, other, count in zip(held, closed, words, strict=True):
        assert one.said[-1][1].stands - other.said[-1][1].stands == count > 0

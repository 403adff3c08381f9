"""Words put back are the words written, to the bit; other words are what they say."""

from dataclasses import replace

import pytest
import torch

from latentlab.data import load_data
from latentlab.errors import UserError
from latentlab.prompts import Prompter, PromptFormat
from latentlab.reasoner import Reasoner
from latentlab.reasoning.donors import Donors
from latentlab.reasoning.greedy import generate
from latentlab.reasoning.orders import order_of
from latentlab.reasoning.visibility import Kind
from latentlab.study.arms import Arm
from latentlab.study.rationale import RationaleEdit, Rationales, blank_token, split
from latentlab.study.rationale_run import answer_after, write, write_all
from latentlab.study.run import run_arms
from latentlab.training.recipes import PLANS

pytestmark = pytest.mark.usefixtures("no_grad")

OWN = Rationales(("a", "b", "c", "d"), ([[1], [2, 3], [4]], [[5]], None, []))
LONGEST = 24


@pytest.fixture
def no_grad():
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def data():
    return list(load_data("benchmark:hops=1+4", limit=6))


@pytest.fixture(scope="module")
def writer(qwen, data):
    """A model that writes words of different numbers before its answers: its marker is a word of
    its own that it happens to say to some of these examples, and to others it does not."""

    def reasoner(word):
        wording = PromptFormat(
            answer_marker=word, answer_form="text", choices_in_prompt=False, step_separator=", "
        )
        prompter = Prompter(qwen.prompter.tokenizer, qwen.backbone, wording)
        return Reasoner(qwen.backbone, PLANS["cot"], prompter, qwen.placeholder_id, "writer")

    plain = reasoner("Answer:")
    with torch.no_grad():
        state = plain.rollout()(plain.prompter.batch(data, plain.plan))
        outputs = generate(plain.rollout(), state, plain.prompter.eos_id, None, LONGEST)

    def differing(token):
        places = [len(o) - o[::-1].index(token) - 1 if token in o else -1 for o in outputs]
        return len(set(places)), places.count(-1) > 0, -places.count(-1)

    word = max(sorted({token for output in outputs for token in output}), key=differing)
    return reasoner(plain.prompter.tokenizer.decode([word]))


@pytest.fixture
def state(writer, data):
    return writer.rollout()(writer.prompter.batch(data, writer.plan))


def test_what_is_put_in_place_of_the_words():
    def edit(how, **settings):
        return RationaleEdit(how, **settings).edit(OWN, 0)

    assert edit("own") == [[1, 2, 3, 4], [5], None, []]
    assert edit("drop") == [[], [], [], []]
    assert edit("reverse") == [[4, 2, 3, 1], [5], None, []]
    assert edit("first") == [[1, 1, 1], [5], None, []]
    assert edit("placeholder", blank=9) == [[9] * 4, [9], None, []]
    order = order_of("permute", 3, "a", 0)
    steps = OWN.steps[0]
    assert edit("permute")[0] == [token for i in order for token in steps[i]]
    assert edit("permute", draw=3) == RationaleEdit("permute").edit(OWN, 3)


def test_another_rationale_is_never_the_own_one_and_never_missing():
    donors = OWN.written
    assert donors.examples == ("a", "b")
    recipients = dict.fromkeys(OWN.examples, "")
    dealt = Donors(recipients, dict.fromkeys(donors.examples, ""))
    found = RationaleEdit("other", donors, dealt).edit(OWN, 0)
    assert found[:2] == [[5], [1, 2, 3, 4]]
    assert all(ids in ([1, 2, 3, 4], [5]) for ids in found[2:])
    with pytest.raises(UserError, match="at least two examples"):
        RationaleEdit("other", OWN, Donors({"a": ""}, {"a": ""})).edit(OWN, 0)


def test_steps_are_single_tokens_where_the_separator_has_none(qwen):
    assert split(qwen.prompter, [7, 8, 9]) == [[7], [8], [9]]
    assert split(qwen.prompter, []) == []


def test_steps_end_with_the_token_that_holds_their_separator(chameleon):
    tokenizer, backbone = chameleon.prompter.tokenizer, chameleon.backbone
    prompter = Prompter(tokenizer, backbone, PromptFormat(step_separator=" . "))
    ids = prompter.encode("red circle . one hop . two")
    steps = split(prompter, ids)
    assert [prompter.decode(step) for step in steps] == ["red circle .", "one hop .", "two"]
    assert [token for step in steps for token in step] == ids


def test_a_word_without_content_is_the_placeholder_or_what_comes_next(qwen):
    assert blank_token(qwen) == qwen.placeholder_id
    bare = Reasoner(qwen.backbone, qwen.plan, qwen.prompter, None)
    assert blank_token(bare) == qwen.prompter.tokenizer.unk_token_id


def test_words_are_those_before_the_last_marker(writer, state):
    prompter = writer.prompter
    (marker,) = prompter.marker_ids
    outputs = generate(writer.rollout(), state, prompter.eos_id, marker, LONGEST)
    found = write(writer, writer.rollout(), state, LONGEST)
    lengths = set()
    for output, steps in zip(outputs, found.steps, strict=True):
        assert (steps is None) == (marker not in output)
        if steps is not None:
            words = [token for step in steps for token in step]
            assert [*words, marker] == output[: len(words) + 1]
            assert marker not in output[len(words) + 1 :]
            lengths.add(len(words))
    assert len(lengths) > 1


def test_the_own_words_put_back_change_nothing_to_the_bit(writer, state, data):
    rollout = writer.rollout()
    free = writer.decode(rollout, state, data, LONGEST)
    own = RationaleEdit("own").edit(write(writer, rollout, state, LONGEST), 0)
    # Words that leave no room for marker and option would get some, and are left to themselves.
    own = [words if words and len(words) <= LONGEST - 3 else None for words in own]
    assert len({len(words) for words in own if words}) > 1
    again = answer_after(writer, rollout, state, data, own, LONGEST)
    assert [replace(answer, seconds=0) for answer in again] == [
        replace(answer, seconds=0) for answer in free
    ]


def test_answering_after_own_words_is_answering_at_once_from_there(writer, state, data):
    rollout = writer.rollout()
    own = RationaleEdit("own").edit(write(writer, rollout, state, 8), 0)
    i = next(i for i, words in enumerate(own) if words)
    example = data[i : i + 1]
    alone = writer.rollout()(writer.prompter.batch(example, writer.plan))
    (after,) = answer_after(writer, rollout, alone, example, [own[i]], 8)
    ids = torch.tensor([own[i]])
    rollout.extend(alone, ids, torch.full_like(ids, int(Kind.RATIONALE)))
    (at_once,) = writer.decode(rollout, alone, example, 8, at_once=True)
    said = f"{writer.prompter.decode(own[i])} {at_once.text}"
    assert said.startswith(after.text)
    assert len(after.text) > len(writer.prompter.decode(own[i]))
    torch.testing.assert_close(
        torch.tensor(after.option_logprobs), torch.tensor(at_once.option_logprobs)
    )


def test_other_words_reach_the_answer_and_count_as_written(writer, state, data):
    rollout = writer.rollout()
    marker = writer.prompter.marker_ids
    given = [[11, 12]] * len(data)
    answers = answer_after(writer, rollout, state, data, given, 5)
    others = answer_after(writer, rollout, state, data, [[12, 11]] * len(data), 5)
    said = writer.prompter.decode([11, 12, *marker])
    for answer, other in zip(answers, others, strict=True):
        assert answer.text.startswith(said)
        assert answer.new_tokens >= 2 + len(marker)
        assert answer.option_logprobs != other.option_logprobs


def test_without_its_words_an_answer_moves_up_or_stands_where_it_would_have(writer, state, data):
    rollout = writer.rollout()
    written = write(writer, rollout, state, LONGEST)
    drop, held = RationaleEdit("drop"), RationaleEdit("drop", held=True)
    gaps = held.gaps(written)
    assert gaps == [len(words or []) for words in RationaleEdit("own").edit(written, 0)]
    assert drop.gaps(written) == [0] * len(data)
    assert 0 in gaps
    assert any(gaps)
    nothing = drop.edit(written, 0)
    assert held.edit(written, 0) == nothing
    closed, open_ = (
        answer_after(writer, rollout, state.skip(edit.gaps(written)), data, nothing, LONGEST)
        for edit in (drop, held)
    )
    for gap, moved, stood in zip(gaps, closed, open_, strict=True):
        assert (moved.option_logprobs == stood.option_logprobs) == (gap == 0)
    # Written words take up as many positions as are left free without them.
    longest = max(range(len(gaps)), key=gaps.__getitem__)
    ids = torch.tensor([RationaleEdit("own").edit(written, 0)[longest]] * len(data))
    after = state.fork()
    rollout.extend(after, ids, torch.full_like(ids, int(Kind.RATIONALE)))
    assert after.next_position[longest] == state.skip(gaps).next_position[longest]


def test_rows_of_edited_words_do_not_depend_on_the_batch(writer, data):
    donors = write_all(writer, data, 4, max_new_tokens=LONGEST)
    assert donors.examples == write_all(writer, data, 6, max_new_tokens=LONGEST).examples
    edits = ("other", "permute", "reverse", "first", "placeholder", "drop")
    names = dict.fromkeys(donors.examples, "")
    dealt = Donors(dict.fromkeys([example.id for example in data], ""), names)
    arms = [
        Arm(),
        *(Arm("other", label=how, rationale=RationaleEdit(how, donors, dealt, 6)) for how in edits),
    ]
    frames = [
        run_arms(writer, data, arms, "benchmark", size, max_new_tokens=LONGEST) for size in (2, 6)
    ]
    for name in ("intervention", "example", "choice"):
        assert frames[0][name].equals(frames[1][name])
    odds = [frame["gold_log_odds"].to_numpy(float) for frame in frames]
    assert abs(odds[0] - odds[1]).max() < 1e-4

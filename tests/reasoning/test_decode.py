"""Without latent steps, answers and scores are those of plain transformers."""

import copy

import pytest
import torch

from latentlab.reasoning.activations import Patch, Site
from latentlab.reasoning.decode import option_logprobs
from latentlab.reasoning.greedy import generate, greedy
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.visibility import Kind

pytestmark = pytest.mark.usefixtures("no_grad")

PLAIN = LatentPlan(steps=0, positions="mrope")
NEVER = -1


def plain_inputs(reasoner, batch, text=()):
    """Inputs of the family's own forward, with text after the prompt."""
    more = torch.tensor([list(text)], dtype=torch.long).expand(len(batch.examples), -1)
    ids = torch.cat([batch.input_ids, more], dim=1)
    mask = torch.cat([batch.attention_mask, torch.ones_like(more).bool()], dim=1)
    inputs = {"input_ids": ids, "attention_mask": mask.long(), **batch.pixels}
    if "image_grid_thw" in batch.pixels:
        inputs["mm_token_type_ids"] = (ids == reasoner.backbone.image_token_id).int()
    return inputs


def plain(reasoner):
    model = copy.deepcopy(reasoner.backbone.model)
    model.set_attn_implementation("eager")
    return model


def test_greedy_answers_are_those_of_transformers(reasoner, examples):
    batch = reasoner.prompter.batch(examples, PLAIN)
    rollout = reasoner.rollout(PLAIN)
    model = plain(reasoner)
    model.generation_config.eos_token_id = None
    expected = model.generate(**plain_inputs(reasoner, batch), do_sample=False, max_new_tokens=12)[
        :, batch.input_ids.shape[1] :
    ]
    answers = generate(rollout, rollout(batch), NEVER, None, 12)
    assert answers == expected.tolist()
    # An answer ends with the end token, whichever token that is, and the others go on.
    eos = answers[0][3]
    ended = generate(rollout, rollout(batch), eos, None, 12)
    for row, answer in zip(ended, answers, strict=True):
        assert row == answer[: answer.index(eos) + 1 if eos in answer else None]


def test_option_scores_are_those_of_teacher_forcing(reasoner, examples):
    batch = reasoner.prompter.batch(examples, PLAIN)
    rollout = reasoner.rollout(PLAIN)
    prefix = [14, 15]
    options = [[[10], [11, 12, 1], [13, 1]], [[9, 9]], []]
    state = rollout(batch)
    kinds = [Kind.RATIONALE, Kind.ANSWER]
    scores = option_logprobs(rollout, state, [(prefix, kinds)] * 3, options)
    assert [len(row) for row in scores] == [3, 1, 0]
    model = plain(reasoner)
    for i, choices in enumerate(options):
        for score, choice in zip(scores[i], choices, strict=True):
            text = [*prefix, *choice]
            logits = model(**plain_inputs(reasoner, batch, text)).logits[i, -len(text) - 1 : -1]
            logprobs = logits.log_softmax(-1)[range(len(text)), text]
            assert score == pytest.approx(float(logprobs[len(prefix) :].sum()), abs=1e-4)


def test_a_state_serves_any_number_of_answers(reasoner, examples):
    plan = LatentPlan(steps=2, k=2)
    rollout = reasoner.rollout(plan)
    state = rollout(reasoner.prompter.batch(examples, plan))
    before = copy.deepcopy(state)
    options = [[[10], [11]]] * 3
    prefixes = [([14], [Kind.ANSWER])] * 3
    first = generate(rollout, state, 1, 20, 6), option_logprobs(rollout, state, prefixes, options)
    again = generate(rollout, state, 1, 20, 6), option_logprobs(rollout, state, prefixes, options)
    assert first == again
    assert torch.equal(state.kinds, before.kinds)
    assert torch.equal(state.hidden, before.hidden)
    assert torch.equal(state.next_position, before.next_position)
    assert state.cache.get_seq_length() == before.cache.get_seq_length()


def test_generated_scores_agree_with_generation(reasoner, examples):
    """What is generated greedily is at least as likely as anything else of one token."""
    plan = LatentPlan(steps=1, k=2)
    rollout = reasoner.rollout(plan)
    state = rollout(reasoner.prompter.batch(examples, plan))
    tokens = [row[0] for row in generate(rollout, state, NEVER, None, 1)]
    options = [[[token] for token in range(20)] + [[best]] for best in tokens]
    for row in option_logprobs(rollout, state, [([], [])] * 3, options):
        assert row[-1] >= max(row) - 1e-5


def test_kinds_of_generated_text_turn_at_the_marker(qwen, examples, monkeypatch):
    rollout = qwen.rollout(PLAIN)
    batch = qwen.prompter.batch(examples[:1], PLAIN)
    tokens = generate(rollout, rollout(batch), NEVER, None, 8)[0]
    marker = tokens[4]
    at = tokens.index(marker)
    seen = []
    extend = type(rollout).extend

    def recording(self, state, ids, kinds):
        seen.extend(kinds[0].tolist())
        return extend(self, state, ids, kinds)

    monkeypatch.setattr(type(rollout), "extend", recording)
    assert generate(rollout, rollout(batch), NEVER, marker, 8)[0] == tokens
    assert seen == [Kind.RATIONALE] * at + [Kind.ANSWER] * (7 - at)
    seen.clear()
    generate(rollout, rollout(batch), NEVER, None, 8)
    assert seen == [Kind.ANSWER] * 7


def test_what_was_written_is_not_run_again(reasoner, examples, monkeypatch):
    """Scores after written text are those of the same text given, and cost what is new."""
    plan = LatentPlan(steps=2, k=2, blocked=(("answer", "image"),))
    rollout = reasoner.rollout(plan)
    state = rollout(reasoner.prompter.batch(examples, plan))
    marker = generate(rollout, state, NEVER, NEVER, 3)[1][2]
    text = greedy(rollout, state, NEVER, marker, 4)
    read = text.ids.tolist()
    assert read == text.outputs and [len(row) for row in read] == [4, 4, 4]
    turned = [row.index(marker) if marker in row else 4 for row in read]
    kinds = [[Kind.RATIONALE] * at + [Kind.ANSWER] * (4 - at) for at in turned]
    assert turned[1] < 4
    # One text stops early, one parts from what was written, one goes on beyond it.
    other = (read[1][2] + 1) % 20
    prefixes = [
        (read[0][:2], kinds[0][:2]),
        ([*read[1][:2], other], kinds[1][:3]),
        ([*read[2], 9, 8], [*kinds[2], Kind.ANSWER, Kind.ANSWER]),
    ]
    for options in ([[[10], [11]], [[9]], [[3]]], [[[10], [11, 12, 1]], [[9, 9], []], []]):
        alone = option_logprobs(rollout, state, prefixes, options)
        after = option_logprobs(rollout, text, prefixes, options)
        for ours, theirs in zip(after, alone, strict=True):
            assert ours == pytest.approx(theirs, abs=1e-5)
    passes = []
    advance = type(reasoner.backbone).forward

    def counting(self, embeds, *more, **named):
        passes.append(tuple(embeds.shape[:2]))
        return advance(self, embeds, *more, **named)

    monkeypatch.setattr(type(reasoner.backbone), "forward", counting)
    short = [(row[:2], kind[:2]) for row, kind in zip(read, kinds, strict=True)]
    option_logprobs(rollout, text, short, [[[10], [11]], [[9]], []])
    assert passes == []
    option_logprobs(rollout, text, prefixes, [[[10], [11]], [[9]], [[3]]])
    assert passes == [(3, 2)]
    option_logprobs(rollout, text, short, [[[10, 4], [11, 4, 4]], [[9]], []])
    assert passes[1:] == [(3, 4)]


def test_a_text_can_be_left_where_another_parts_from_it(reasoner, examples):
    rollout = reasoner.rollout(PLAIN)
    state = rollout(reasoner.prompter.batch(examples, PLAIN))
    text = greedy(rollout, state, NEVER, None, 5)
    before = state.next_position.tolist()
    prefixes = [
        (row[:cut], [Kind.ANSWER] * cut)
        for row, cut in zip(text.ids.tolist(), (0, 3, 5), strict=True)
    ]
    prefixes[2] = (prefixes[2][0], [Kind.RATIONALE] * 5)  # other kinds are other text
    back, rest = text.upto(prefixes)
    assert back.next_position.tolist() == [before[0], before[1] + 3, before[2]]
    assert [len(ids) for ids, _ in rest] == [0, 0, 5]
    assert torch.equal(back.hidden[[0, 2]], state.hidden[[0, 2]])
    assert back.kinds[0, -3:].tolist() == [Kind.PAD] * 3
    assert back.cache.get_seq_length() == back.kinds.shape[1] == state.kinds.shape[1] + 3
    assert text.state.cache.get_seq_length() == state.kinds.shape[1] + 5  # stays as it was


def test_options_as_branches_are_options_as_rows(reasoner, examples, monkeypatch):
    """They share what is before them and see nothing of each other, whatever is blocked."""
    plan = LatentPlan(steps=2, k=2, blocked=(("answer", "latent_vision"),))
    rollout = reasoner.rollout(plan)
    state = rollout(reasoner.prompter.batch(examples, plan))
    prefixes = [([14], [Kind.ANSWER]), ([], []), ([14, 15], [Kind.ANSWER] * 2)]
    options = [[[10, 11, 12], [11, 12], [10, 11, 13, 1]], [[9, 9]], [[3], [4, 5]]]
    sizes = []
    forward = type(reasoner.backbone).forward

    def counting(self, embeds, *more, **named):
        sizes.append(tuple(embeds.shape[:2]))
        return forward(self, embeds, *more, **named)

    monkeypatch.setattr(type(reasoner.backbone), "forward", counting)
    branches = option_logprobs(rollout, state, prefixes, options)
    monkeypatch.setattr(type(reasoner.backbone), "window", 4)
    rows = option_logprobs(rollout, state, prefixes, options)
    assert sizes == [(3, 2), (3, 9), (3, 2), (9, 3)]
    for ours, theirs in zip(branches, rows, strict=True):
        assert ours == pytest.approx(theirs, abs=2e-5)


def test_a_patch_acts_on_options_side_by_side_as_on_rows(reasoner, examples, monkeypatch):
    plan = LatentPlan(steps=2, k=2)
    rollout = reasoner.rollout(plan)
    state = rollout(reasoner.prompter.batch(examples, plan))
    options = [[[10, 11, 12], [11, 12]], [[9, 9]], [[3], [4, 5, 6]]]
    prefixes = [([], [])] * 3
    new = {e.id: torch.randn(state.hidden.shape[-1]) for e in examples[:2]}
    plain = option_logprobs(rollout, state, prefixes, options)
    with Patch(Site(3, 0, position=-2), new).around(rollout):
        branches = option_logprobs(rollout, state, prefixes, options)
        monkeypatch.setattr(type(reasoner.backbone), "window", 4)
        rows = option_logprobs(rollout, state, prefixes, options)
    for ours, theirs in zip(branches, rows, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)
    moved = [ours != theirs for ours, theirs in zip(branches, plain, strict=True)]
    assert moved == [True, True, False]

"""Without latent steps, answers and scores are those of plain transformers."""

import copy

import pytest
import torch

from latentlab.reasoning.decode import generate, option_logprobs
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

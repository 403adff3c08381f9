"""Blocks of latent steps between two tokens, against a loop that recomputes everything."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from latentlab.data import Example
from latentlab.errors import UserError
from latentlab.reasoner import Reasoner
from latentlab.reasoning.activations import patched, record
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.blocks import OPENING
from latentlab.reasoning.interventions import Add, Drop, Replace
from latentlab.reasoning.knockout import Knockout, knocked_out
from latentlab.reasoning.noise import Noise
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Given, Mean, Zero
from latentlab.reasoning.unrolled import unroll
from latentlab.reasoning.visibility import Kind
from latentlab.reasoning.words import DRAFT

FIXED = LatentPlan(steps=3, k=0, start_token="one", end_token="two")
FREE = FIXED.replace(steps=6, length="free")
OWN = FIXED.replace(lead=6)
"""The model opens the block, and it has a fixed length."""

PLANS = {
    "fixed": FIXED,
    "free": FREE,
    "opened": OWN,
    "opened and free": FREE.replace(lead=6),
    "with vision": FREE.replace(k=2, steps=3, lead=6),
    "vision first": FREE.replace(k=1, steps=3, part_order="text_vision"),
    "every patch": FREE.replace(select="all", steps=2, positions="mrope"),
    "a stride": FREE.replace(stride=3, lead=6),
    "half blind": OWN.replace(blocked=(("latent", "image"), ("answer", "latent"))),
    "nothing between": FIXED.replace(steps=0),
}


@pytest.fixture
def many(examples: list[Example]) -> list[Example]:
    """Enough questions for blocks of different lengths."""
    return [
        replace(e, id=f"{e.id}-{i}", question=q) for i, q in enumerate(QUESTIONS) for e in examples
    ]


QUESTIONS = ("Follow one hop.", "Follow two hops from the red circle.", "red square", "the circle")


@pytest.fixture
def talkative(reasoner, monkeypatch) -> Reasoner:
    """A model of which it is hard to tell what it says next: one of the markers, often."""
    words = ["<eos>", "one", "two", "red", "circle"]
    ids = reasoner.prompter.tokenizer.convert_tokens_to_ids(words)
    config = reasoner.backbone.text_config
    generator = torch.Generator().manual_seed(1)
    head = 9 * torch.randn(config.hidden_size, len(ids), generator=generator)
    rare = torch.tensor([-0.9, 0.1, 0.1, 0.0, 0.0])

    def logits(hidden: Tensor) -> Tensor:
        values = torch.full((*hidden.shape[:-1], config.vocab_size), -9.0)
        values[..., ids] = (hidden @ head).sin() + rare
        return values

    monkeypatch.setattr(reasoner.backbone, "logits", logits)
    return reasoner


def recomputed(reasoner, naive, example, plan, text):
    """One example, token by token and slot by slot, each time from the first position.

    Returns the sequence, the steps taken, the tokens written and the logits from text[0] - 1 on.
    """
    embed, head = naive.model.get_input_embeddings(), reasoner.backbone.logits
    start, end = (reasoner.prompter.encode(word)[0] for word in ("one", "two"))
    sequence, said, taken = naive.prompt(example, plan), [], 0

    def append(token: int, kind: str) -> None:
        sequence.append(embed(torch.tensor(token)), kind, 0)
        sequence.next_position += 1

    opened = not plan.lead
    if opened:
        append(start, "prompt")
    while not opened and len(said) < plan.lead:
        hidden, _ = naive.forward(sequence, plan)
        said.append(int(head(hidden[-1]).argmax()))
        if said[-1] in reasoner.prompter.step_ends.stops:
            break
        append(said[-1], "rationale")
        opened = said[-1] == start
    if not opened:
        sequence, said = naive.prompt(example, plan), []
    left = [i for i, kind in enumerate(sequence.kinds) if kind == "image"]
    while opened and taken < plan.steps:
        hidden, attention = naive.forward(sequence, plan)
        if plan.length == "free" and int(head(hidden[-1]).argmax()) == end:
            break
        scores = attention[:, :, -1].mean((0, 1))
        picks = sorted(left, key=lambda i: -float(scores[i]))[: plan.k]
        if plan.select == "all":
            picks = left
        else:
            left = [i for i in left if i not in picks]
        slots = [("latent_vision", sequence.embeds[i]) for i in picks]
        slots.insert(
            0 if plan.part_order == "text_vision" else len(slots), ("latent_text", hidden[-1])
        )
        width = plan.stride or len(slots)
        for place, (kind, vector) in enumerate(slots):
            text_last = kind == "latent_text" and plan.part_order == "vision_text"
            sequence.append(vector, kind, width - 1 if text_last else place)
        sequence.next_position += width
        taken += 1
    if opened:
        append(end, "rationale")
        said.append(end)
    before = len(sequence.kinds)
    for token in text:
        append(token, "answer")
    hidden, _ = naive.forward(sequence, plan)
    return sequence, taken, said, head(hidden[before - 1 :])


def follow(reasoner, rollout, state, text):
    ids = torch.tensor([text]).expand(len(state.hidden), -1)
    return rollout.extend(state, ids, torch.full_like(ids, Kind.ANSWER))


@torch.no_grad()
def run(reasoner, examples, plan, interventions=(), own=None, text=(9, 10)):
    """The state after the block and the logits of the text that follows it."""
    rollout = reasoner.rollout(plan)
    prefix = rollout.prefill(reasoner.batch(examples, plan))
    state = rollout.reason(prefix, interventions, own)
    return state, follow(reasoner, rollout, state.fork(), list(text))


@torch.no_grad()
@pytest.mark.parametrize("name", PLANS)
def test_cached_and_batched_equals_recomputed_alone(name, talkative, many, naive):
    plan, text = PLANS[name], [9, 10]
    state, logits = run(talkative, many, plan)
    taken = state.steps_taken
    for i, example in [*enumerate(many)][::2]:
        sequence, steps, said, expected = recomputed(talkative, naive, example, plan, text)
        kinds = state.kinds[i][state.kinds[i] != Kind.PAD].tolist()
        assert [Kind(kind).name.lower() for kind in kinds] == sequence.kinds[: -len(text)]
        assert taken[i] == steps
        assert state.written[i] == said
        assert state.next_position[i] + len(text) == sequence.next_position
        torch.testing.assert_close(logits[i], expected, atol=1e-3, rtol=1e-3)
    if plan.varies:
        assert len(set(taken)) > 1
    else:
        assert set(taken) == {plan.steps}


@pytest.mark.parametrize("name", ["opened and free", "vision first"])
def test_an_example_takes_the_same_steps_alone_and_in_a_batch(name, talkative, many):
    state, logits = run(talkative, many, PLANS[name])
    for i, example in enumerate(many[:4]):
        alone, expected = run(talkative, [example], PLANS[name])
        assert alone.steps_taken == [state.steps_taken[i]]
        torch.testing.assert_close(logits[i], expected[0], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("name", ["fixed", "with vision"])
def test_interventions_of_no_size_change_no_bit(name, talkative, many):
    state, logits = run(talkative, many, PLANS[name])
    own = Bank.of(state.batch.examples, [state.latents])
    for edit in (
        Replace("latent", Given()),
        Replace("latent", Noise(own, sigma=0.0)),
        Add("latent", Zero(), strength=2.0),
        Drop("latent", steps=(9,)),
    ):
        again, same = run(talkative, many, PLANS[name], (edit,), own)
        assert again.steps_taken == state.steps_taken
        assert torch.equal(same, logits)


@pytest.mark.parametrize("name", ["free", "with vision"])
@pytest.mark.parametrize("step", [1, 2])
def test_what_is_done_at_a_step_leaves_those_alone_that_do_not_take_it(name, step, talkative, many):
    state, logits = run(talkative, many, PLANS[name])
    took = torch.tensor([count >= step for count in state.steps_taken])
    assert took.any()
    assert not took.all()
    for edit in (
        Replace("latent", Zero(), (step,)),
        Replace("latent_text", Zero(), (step,)),
        Drop("latent", (step,)),
    ):
        _, changed = run(talkative, many, PLANS[name], (edit,))
        torch.testing.assert_close(changed[~took], logits[~took], atol=1e-4, rtol=1e-4)
        assert (changed - logits)[took].flatten(1).abs().amax(1).min() > 1e-3


def test_without_a_block_a_model_goes_on_as_if_it_had_no_plan(talkative, many):
    state, _ = run(talkative, many, OWN)
    none = [i for i, count in enumerate(state.steps_taken) if not count]
    assert 0 < len(none) < len(many)
    asked = [many[i] for i in none]
    rollout, plain = talkative.rollout(OWN), talkative.rollout(LatentPlan(steps=0))
    answers = talkative.decode(rollout, rollout(talkative.batch(asked, OWN)), asked)
    expected = talkative.decode(plain, plain(talkative.batch(asked, LatentPlan(steps=0))), asked)
    for answer, other in zip(answers, expected, strict=True):
        assert answer.text == other.text
        assert answer.latent_steps == 0
        assert answer.option_logprobs == pytest.approx(other.option_logprobs, abs=1e-4)


def test_answers_count_steps_and_what_was_written_around_them(talkative, many):
    plan = PLANS["opened and free"]
    rollout = talkative.rollout(plan)
    state = rollout(talkative.batch(many, plan))
    answers = talkative.decode(rollout, state, many, at_once=True)
    for answer, steps, said in zip(answers, state.steps_taken, state.written, strict=True):
        assert answer.latent_steps == steps
        assert answer.new_tokens >= len(said)
        assert answer.autoregressive_steps == steps + answer.new_tokens
    assert len({answer.latent_steps for answer in answers}) > 1


def test_means_and_deviations_are_those_of_steps_that_were_taken(talkative, many):
    state, _ = run(talkative, many, FREE)
    bank = Bank.of(state.batch.examples, [state.latents])
    for step in range(FREE.steps):
        took = torch.tensor([count > step for count in state.steps_taken])
        if took.any():
            expected = state.latents[step].text[took].mean(0)
            found = Mean(bank).values(state.latents[step].text[:, None], "latent_text", step, None)
            torch.testing.assert_close(found[0, 0], expected)
    taken = sum(state.steps_taken)
    assert bank.every("latent_text").shape == (taken, bank.text.shape[-1])


@torch.no_grad()
@pytest.mark.parametrize("name", ["opened and free", "with vision"])
def test_hooks_and_one_pass_over_the_whole_see_the_same(name, talkative, many):
    plan, text = PLANS[name], [9, 10]
    rollout, batch = talkative.rollout(plan), talkative.batch(many, plan)
    with record(rollout) as kept:
        state = rollout(batch)
        logits = follow(talkative, rollout, state, text)
    assert OPENING in {site.pass_index for site in kept}
    assert DRAFT not in {site.pass_index for site in kept}
    before = {site: v for site, v in kept.items() if site.pass_index <= plan.steps}
    with patched(rollout, before):
        again = follow(talkative, rollout, rollout(batch), text)
    assert torch.equal(again, logits)
    _, whole = unroll(rollout, batch, text)
    hidden, _ = whole.forward(talkative.backbone)
    at_once = talkative.backbone.logits(hidden[:, -1])
    torch.testing.assert_close(at_once, logits[:, -1], atol=1e-3, rtol=1e-3)


@torch.no_grad()
def test_knocking_out_what_an_example_lacks_changes_nothing(talkative, many):
    plan = PLANS["opened and free"]
    state, logits = run(talkative, many, plan)
    took = torch.tensor(state.steps_taken) > 0
    rollout = talkative.rollout(plan)
    with knocked_out(rollout, Knockout("answer", "latent")):
        state = rollout(talkative.batch(many, plan))
        cut = follow(talkative, rollout, state, [9, 10])
    blocked = plan.replace(blocked=(("answer", "latent"),))
    _, expected = run(talkative, many, blocked)
    torch.testing.assert_close(cut, expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(cut[~took], logits[~took], atol=1e-4, rtol=1e-4)
    assert not torch.allclose(cut[took], logits[took], atol=1e-3)


def test_gradients_reach_the_latents_of_a_block(reasoner, examples):
    for gradient, flows in (("through", True), ("detached", False)):
        plan = FREE.replace(gradient=gradient, length="fixed", steps=2)
        rollout = reasoner.rollout(plan)
        state = rollout(reasoner.batch(examples, plan))
        follow(reasoner, rollout, state, [9]).sum().backward()
        assert (state.latents[0].text.grad_fn is not None) is flows
        reasoner.backbone.model.zero_grad()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"end_token": None}, "needs start_token and end_token; give both"),
        ({"end_token": "one"}, "both 'one'; a block needs two tokens"),
        ({"start_token": -1}, "start_token=-1; give a token's text, or its id"),
        ({"start_token": True}, "start_token is true; give"),
        ({"end_token": ""}, "end_token=''; give"),
        ({"lead": -1}, "lead is -1; give a whole number"),
        ({"length": "long"}, "length is 'long'; known: fixed, free"),
        ({"content": "words", "part_order": "text_vision"}, "no block of latents"),
        ({"k": 1, "lead": 2, "blocked": (("rationale", "image"),)}, "rationale positions, which"),
    ],
)
def test_refuses_blocks_that_contradict_themselves(changes, complaint):
    with pytest.raises(UserError, match=complaint):
        FIXED.replace(**changes)
    with pytest.raises(UserError, match="are about blocks; give start_token"):
        LatentPlan(length="free")


def test_refuses_markers_that_are_no_tokens_of_the_model(reasoner, examples):
    for token, complaint in (
        ("one two", "'one two' is not one token of the model's tokenizer"),
        ("zebra", "'zebra' is not one token"),
        (10**6, "has id 1000000; the model knows"),
    ):
        with pytest.raises(UserError, match=complaint):
            reasoner.rollout(FIXED.replace(end_token=token))
    by_id = [reasoner.prompter.encode(word)[0] for word in ("one", "two")]
    assert reasoner.rollout(FIXED).plan == FIXED.replace(start_token=by_id[0], end_token=by_id[1])
    batch = reasoner.batch(examples, FIXED)
    assert set(batch.input_ids[:, -1].tolist()) == {by_id[0]}

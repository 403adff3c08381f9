"""A rollout does what its plan says: cached as recomputed, batched as alone, forked as fresh."""

import copy
from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from latentlab.data import Example
from latentlab.errors import UserError
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.interventions import Replace
from latentlab.reasoning.noise import Noise
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.visibility import GROUPS, Kind

KIND_NAMES = {int(kind): kind.name.lower() for kind in Kind}

PARTS = ("text", "vision")

pairs = st.tuples(st.sampled_from(list(GROUPS)), st.sampled_from(list(GROUPS)))


@st.composite
def plans(draw) -> LatentPlan:
    """Any plan that the pictures (six patches at least) can serve."""
    steps, k = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    select = draw(st.sampled_from(["attention", "random", "bottom", "all", "given"]))
    text = draw(st.booleans())
    reuse = draw(st.booleans())
    assume(text or k or select == "all" or not steps)
    assume(reuse or steps * k <= 6)
    hidden = {("prompt", "image"), ("latent", "image"), *(("latent_" + p, "image") for p in PARTS)}
    blocked = draw(st.sets(pairs, max_size=3))
    assume(select not in ("attention", "bottom") or not blocked & hidden)
    return LatentPlan(
        steps=steps,
        k=k,
        text=text,
        part_order=draw(st.sampled_from(["vision_text", "text_vision"])),
        pick_order=draw(st.sampled_from(["score", "spatial", "published"])),
        positions=draw(st.sampled_from(["flat", "mrope"])),
        stride=draw(st.sampled_from([None, None, 1, 3, 5])),
        select=select,
        select_layers=draw(st.sampled_from([None, (0,), (1,), (0, 1)])),
        reuse=reuse,
        content=draw(st.sampled_from(["latent", "latent", "placeholder"])),
        blocked=tuple(blocked),
    )


def prompts(reasoner, examples, plan):
    """A batch, with picks where the plan is given them."""
    batch = reasoner.prompter.batch(examples, LatentPlan(steps=0))
    picks = torch.arange(plan.steps * plan.k).reshape(1, plan.steps, plan.k) % 6
    return replace(batch, given_picks=picks.expand(len(examples), -1, -1))


@torch.no_grad()
@settings(max_examples=100)
@given(plan=plans())
def test_cached_and_batched_equals_recomputed_alone(plan, reasoner, examples, naive):
    """Also: padded equals unpadded, and captured rows equal the weights of eager attention."""
    rollout = reasoner.rollout(plan, capture_layers=range(2))
    batch = prompts(reasoner, examples, plan)
    state = rollout(batch)
    rows = [[10, 11, 9, 12], [11, 12, 13], [9]]
    kinds = [[Kind.RATIONALE, Kind.ANSWER, Kind.ANSWER, Kind.ANSWER], [Kind.ANSWER] * 3, [5]]
    ids = torch.tensor([row + [0] * (4 - len(row)) for row in rows])
    padded = torch.tensor([row + [Kind.PAD] * (4 - len(row)) for row in kinds])
    logits = rollout.extend(state, ids, padded)
    for i, example in enumerate(examples):
        names = [KIND_NAMES[int(kind)] for kind in kinds[i]]
        picks = batch.given_picks[i]
        sequence, expected = naive(example, plan, rows[i], names, picks)
        where = state.kinds[i] != Kind.PAD
        assert [KIND_NAMES[kind] for kind in state.kinds[i][where].tolist()] == sequence.kinds
        for step, latent in enumerate(state.latents):
            if latent.picks is not None:
                kept = latent.picks[i][latent.picks[i] >= 0]
                assert kept.tolist() == sequence.picks[step]
            row = state.rows[step][:, i]
            row = row[..., where[: row.shape[-1]]]
            torch.testing.assert_close(row, sequence.rows[step], atol=2e-5, rtol=0)
            torch.testing.assert_close(row.sum(-1), torch.ones_like(row[..., 0]))
        torch.testing.assert_close(logits[i, : len(rows[i]) + 1], expected, atol=2e-4, rtol=1e-4)
        assert state.next_position[i] == sequence.next_position


def run(reasoner, examples, plan, interventions=(), ids=((10, 11, 9),)):
    """Logits of a text after the latent steps, and the state before it."""
    rollout = reasoner.rollout(plan)
    state = rollout(reasoner.prompter.batch(examples, plan), interventions)
    text = torch.tensor(ids).expand(len(examples), -1)
    return rollout.extend(state.fork(), text, torch.full_like(text, Kind.ANSWER)), state


@torch.no_grad()
@pytest.mark.parametrize("select", ["attention", "random", "all"])
def test_what_an_example_draws_does_not_depend_on_its_batch(reasoner, examples, select):
    plan = LatentPlan(steps=2, k=2, select=select)
    rows = [run(reasoner, [example], plan)[1].latents for example in examples]
    text = [[latent.replace(vision=None) for latent in steps] for steps in rows]
    bank = Bank.of([example.id for example in examples], text)
    noise = Replace("latent_text", Noise(bank, 2.0))
    together, state = run(reasoner, examples, plan, [noise])
    for i, example in enumerate(examples):
        alone, own = run(reasoner, [example], plan, [noise])
        torch.testing.assert_close(together[i], alone[0], atol=2e-4, rtol=1e-4)
        for latent, expected in zip(state.latents, own.latents, strict=True):
            assert latent.picks[i][latent.picks[i] >= 0].tolist() == expected.picks[0].tolist()
            torch.testing.assert_close(latent.text[i], expected.text[0], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_random_picks_follow_the_seed(reasoner, examples):
    plan = LatentPlan(steps=3, k=2, select="random")
    batch = reasoner.prompter.batch(examples, plan)
    first, again, other = (reasoner.rollout(plan, seed)(batch).picks for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@torch.no_grad()
def test_a_prefix_serves_any_number_of_rollouts(reasoner, examples):
    rollout = reasoner.rollout(LatentPlan(steps=2, k=2))
    batch = reasoner.prompter.batch(examples, rollout.plan)
    prefix = rollout.prefill(batch)
    before = copy.deepcopy(prefix)
    ids = torch.tensor([[10, 11]]).expand(3, -1)
    outcomes = []
    for _ in range(2):
        state = rollout.reason(prefix)
        outcomes.append(rollout.extend(state, ids, torch.full_like(ids, Kind.ANSWER)))
    fresh = rollout.extend(rollout(batch), ids, torch.full_like(ids, Kind.ANSWER))
    assert torch.equal(outcomes[0], outcomes[1])
    assert torch.equal(outcomes[0], fresh)
    assert prefix.cache.get_seq_length() == batch.input_ids.shape[1]
    for layer, old in zip(prefix.cache.layers, before.cache.layers, strict=True):
        assert torch.equal(layer.keys, old.keys)
        assert torch.equal(layer.values, old.values)
    for name in ("kinds", "next_position", "hidden", "row", "available"):
        assert torch.equal(getattr(prefix, name), getattr(before, name))
    assert not prefix.latents
    assert not prefix.rows


@torch.no_grad()
def test_a_prefix_serves_other_plans_or_is_refused(reasoner, examples):
    plan = LatentPlan(steps=2, k=2)
    batch = reasoner.prompter.batch(examples, plan)
    prefix = reasoner.rollout(plan).prefill(batch)
    served = [
        plan.replace(steps=1, k=1),
        plan.replace(select="random"),
        plan.replace(select="bottom", select_layers=(1,)),
        plan.replace(blocked=(("answer", "image"), ("latent", "prompt"))),
    ]
    for other in served:
        rollout = reasoner.rollout(other)
        assert rollout.continues(prefix)
        shared, fresh = rollout.reason(prefix), rollout(batch)
        assert torch.equal(shared.hidden, fresh.hidden)
        assert torch.equal(shared.picks, fresh.picks)
    unserved = [
        plan.replace(select="random", blocked=(("prompt", "image"),)),
        plan.replace(positions="mrope"),
    ]
    for other in unserved:
        assert not reasoner.rollout(other).continues(prefix)
        with pytest.raises(ValueError, match="prefill it anew"):
            reasoner.rollout(other).reason(prefix)
    without_attention = reasoner.rollout(plan.replace(select="random")).prefill(batch)
    assert not reasoner.rollout(plan).continues(without_attention)


@torch.no_grad()
def test_text_may_come_in_pieces_and_may_be_empty_for_some(reasoner, examples):
    rollout = reasoner.rollout(LatentPlan(steps=1, k=2))
    state = rollout(reasoner.prompter.batch(examples, rollout.plan))
    ids = torch.tensor([[10, 11, 9], [11, 0, 0], [12, 9, 0]])
    kinds = torch.tensor([[6, 6, 6], [6, 0, 0], [6, 6, 0]])
    whole, pieces = state.fork(), state.fork()
    expected = rollout.extend(whole, ids, kinds)
    parts = [rollout.extend(pieces, ids[:, i : i + 1], kinds[:, i : i + 1]) for i in range(3)]
    for row, length in enumerate((3, 1, 2)):
        for i in range(length):
            torch.testing.assert_close(parts[i][row, 1], expected[row, i + 1])
    torch.testing.assert_close(pieces.hidden, whole.hidden)
    assert torch.equal(pieces.next_position, whole.next_position)
    nothing = rollout.extend(state.fork(), ids[:, :0], kinds[:, :0])
    torch.testing.assert_close(nothing[:, 0], expected[:, 0])


@torch.no_grad()
def test_examples_without_a_picture_mix_with_others(reasoner, examples):
    plan = LatentPlan(steps=2, k=0, positions="mrope")
    mixed = [examples[0], Example("words", "Follow one hop from the circle.", (), "", None)]
    together, _ = run(reasoner, mixed, plan)
    for i, example in enumerate(mixed):
        alone, state = run(reasoner, [example], plan)
        torch.testing.assert_close(together[i], alone[0], atol=2e-4, rtol=1e-4)
        assert state.picks is None


def test_gradient_reaches_earlier_passes_only_where_the_plan_lets_it(qwen, examples):
    """Here the latents' content is the one path from the picture to the text."""
    kinds = ("prompt", "image")
    blocked = tuple((query, key) for query in ("latent", "answer") for key in kinds)
    logits, grads = {}, {}
    for gradient in ("detached", "through"):
        plan = LatentPlan(steps=2, k=0, gradient=gradient, blocked=blocked)
        batch = qwen.prompter.batch(examples, plan)
        pixels = batch.pixels["pixel_values"].requires_grad_()
        rollout = qwen.rollout(plan)
        ids = torch.tensor([[10, 11]]).expand(3, -1)
        text = rollout.extend(rollout(batch), ids, torch.full_like(ids, Kind.ANSWER))
        loss = text[:, 1:].logsumexp(-1).sum()
        logits[gradient] = text
        (grads[gradient],) = torch.autograd.grad(loss, pixels)
    assert torch.equal(logits["detached"], logits["through"])
    assert not grads["detached"].any()
    assert grads["through"].abs().max() > 0


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"steps": 3, "k": 3}, r"k=3 x 3 steps needs 9 patches, but e0 has 6; lower k"),
        ({"k": 7, "reuse": True}, r"k=7 needs 7 patches, but e0 has 6"),
        ({"select": "given"}, r"given its picks, but the data gives none for 2 steps at k=2"),
    ],
)
def test_refuses_picks_that_the_picture_cannot_serve(qwen, examples, changes, complaint):
    plan = LatentPlan(steps=2, k=2).replace(**changes)
    batch = qwen.prompter.batch(examples, LatentPlan(steps=0))
    with pytest.raises(UserError, match=complaint):
        qwen.rollout(plan)(batch)
    prefix = qwen.rollout(LatentPlan(steps=2, k=2)).prefill(batch)
    with pytest.raises(UserError, match=complaint):
        qwen.rollout(plan).reason(prefix)


def test_refuses_given_picks_outside_of_the_picture(qwen, examples):
    plan = LatentPlan(steps=1, k=1, select="given")
    batch = qwen.prompter.batch(examples, LatentPlan(steps=0))
    for picks, culprit in (([[0]], None), ([[7]], "e0"), ([[8]], "e0")):
        given_picks = torch.tensor([picks] * 3)
        given_picks[1] = 8  # e1 has nine
        rollout = qwen.rollout(plan)
        if culprit is None:
            assert rollout(replace(batch, given_picks=given_picks)).picks[1, 0] == 8
        else:
            with pytest.raises(UserError, match=f"given for {culprit} lie outside"):
                rollout(replace(batch, given_picks=given_picks))


@pytest.mark.parametrize("select", ["attention", "random", "bottom", "all", "given"])
def test_refuses_to_pick_from_no_picture(reasoner, examples, select):
    batch = reasoner.prompter.batch(
        [examples[0], Example("words", "Follow.", (), "", None)], LatentPlan(steps=0)
    )
    with pytest.raises(UserError, match=r"words has no image, but the plan re-inserts .* set k=0"):
        reasoner.rollout(LatentPlan(steps=1, k=1, select=select))(batch)


def test_refuses_layers_and_placeholders_that_the_model_lacks(reasoner):
    with pytest.raises(UserError, match="no layer 2; the model has layers 0 to 1"):
        reasoner.rollout(LatentPlan(select_layers=(0, 2)))
    with pytest.raises(UserError, match="no layer 7"):
        reasoner.rollout(capture_layers=[7])
    bare = copy.copy(reasoner)
    bare.placeholder_id = None
    with pytest.raises(UserError, match="placeholder token, which this model lacks"):
        bare.rollout(LatentPlan(content="placeholder"))

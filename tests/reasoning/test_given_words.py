"""Explicit mode under teacher forcing: given words, the engine against one without a cache."""

from dataclasses import replace

import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from latentlab.reasoning.bank import Bank
from latentlab.reasoning.interventions import Drop, Replace
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.said import Words
from latentlab.reasoning.sources import Given, Zero
from latentlab.reasoning.visibility import GROUPS, Kind

PLAIN = LatentPlan(steps=0, k=0)
WORDS = LatentPlan(steps=3, k=2, content="words", part_order="text_vision")
SAID = [[[10, 11], [12]], [[13], [9, 11, 12]], [[10]], []]
"""Steps of four examples: longer and shorter ones, and two that end before the plan does."""

pairs = st.tuples(st.sampled_from(list(GROUPS)), st.sampled_from(list(GROUPS)))


def forced(said: list[list[list[int]]], steps: int) -> list[Words]:
    """Words of each step; an example that says nothing any more has gone on with its answer."""
    rows = [[row[t] if t < len(row) else [] for row in said] for t in range(steps)]
    return [Words.of(row, [bool(words) for words in row]) for row in rows]


@st.composite
def plans(draw) -> LatentPlan:
    """Any plan of two written steps that the pictures (six patches at least) can serve."""
    select = draw(st.sampled_from(["attention", "random", "bottom", "all", "given"]))
    blocked = draw(st.sets(pairs, max_size=3))
    assume(select not in ("attention", "bottom") or ("rationale", "image") not in blocked)
    return LatentPlan(
        steps=2,
        k=draw(st.integers(0, 3)),
        content="words",
        part_order="text_vision",
        pick_order=draw(st.sampled_from(["score", "spatial", "published"])),
        positions=draw(st.sampled_from(["flat", "mrope"])),
        stride=draw(st.sampled_from([None, None, 1, 3, 5])),
        select=select,
        select_layers=draw(st.sampled_from([None, (0,), (1,), (0, 1)])),
        reuse=draw(st.booleans()),
        blocked=tuple(blocked),
    )


@torch.no_grad()
@settings(max_examples=60)
@given(plan=plans())
def test_cached_and_batched_equals_recomputed_alone(plan, reasoner, examples, naive):
    """Also: padded equals unpadded, and captured rows equal the weights of eager attention."""
    four = [*examples, replace(examples[1], id="e3")]
    rollout = reasoner.rollout(plan, capture_layers=range(2))
    picks = torch.arange(plan.steps * plan.k).reshape(1, plan.steps, plan.k) % 6
    batch = reasoner.prompter.batch(four, PLAIN)
    batch = replace(batch, given_picks=picks.expand(4, -1, -1))
    state = rollout.reason(rollout.prefill(batch), words=forced(SAID, 2))
    assert state.written == [[i for step in row for i in step] for row in SAID]
    ids = torch.tensor([[10, 11]]).expand(4, -1)
    logits = rollout.extend(state, ids, torch.full_like(ids, Kind.ANSWER))
    for i, example in enumerate(four):
        sequence, expected = naive(
            example, plan, [10, 11], ["answer"] * 2, batch.given_picks[i], SAID[i]
        )
        where = state.kinds[i] != Kind.PAD
        names = [Kind(int(kind)).name.lower() for kind in state.kinds[i][where]]
        assert names == sequence.kinds
        for step, places in enumerate(sequence.words):
            if plan.has_vision:
                kept = state.latents[step].picks[i]
                assert kept[kept >= 0].tolist() == sequence.picks[step]
            row = state.rows[step][:, i]
            row = row[..., where[: row.shape[-1]]]
            torch.testing.assert_close(row, sequence.rows[step], atol=2e-5, rtol=0)
            torch.testing.assert_close(row.sum(-1), torch.ones_like(row[..., 0]))
            words = state.words[step]
            states = words.states[i][words.kinds[i] != Kind.PAD]
            before = sequence.hidden[[place - 1 for place in places]]
            torch.testing.assert_close(states, before, atol=2e-4, rtol=1e-4)
        torch.testing.assert_close(logits[i], expected, atol=2e-4, rtol=1e-4)
        assert state.next_position[i] == sequence.next_position


@torch.no_grad()
def run(reasoner, examples, plan, interventions=(), own=None):
    """Logits of each written step and of what follows, one tensor each."""
    rollout = reasoner.rollout(plan)
    prefix = rollout.prefill(reasoner.prompter.batch(examples, plan))
    said = [[[10, 11], [12], [13, 9]]] * len(examples)
    state = rollout.reason(prefix, interventions, own, forced(said, plan.steps))
    logits = [reasoner.backbone.logits(words.states) for words in state.words]
    return [*logits, reasoner.backbone.logits(state.hidden)], state


def test_later_words_see_the_patches_and_earlier_ones_do_not(reasoner, examples):
    plan = WORDS.replace(select="random")
    (zero, changed), (_, state) = (
        run(reasoner, examples, plan, [Replace("latent_vision", Zero(), (2,))]),
        run(reasoner, examples, plan),
    )
    expected, _ = run(reasoner, examples, plan)
    assert not changed.latents[1].vision.any() and state.latents[1].vision.any()
    assert torch.equal(zero[0], expected[0]) and torch.equal(zero[1], expected[1])
    for after, before in zip(zero[2:], expected[2:], strict=True):
        assert (after - before).abs().max() > 1e-3


def test_left_out_patches_are_none_at_the_same_positions(reasoner, examples):
    dropped, state = run(reasoner, examples, WORDS, [Drop("latent_vision")])
    none, other = run(reasoner, examples, WORDS.replace(k=0, stride=3))
    assert all(torch.equal(a, b) for a, b in zip(dropped, none, strict=True))
    assert torch.equal(state.next_position, other.next_position)
    assert torch.equal(state.kinds, other.kinds)


def test_patches_put_back_and_a_text_that_is_not_there_change_nothing(reasoner, examples):
    expected, state = run(reasoner, examples, WORDS)
    own = Bank.of([example.id for example in examples], [state.latents])
    assert own.text is None
    for intervention in (Replace("latent", Given()), Drop("latent_text")):
        logits, _ = run(reasoner, examples, WORDS, [intervention], own)
        assert all(torch.equal(a, b) for a, b in zip(logits, expected, strict=True))

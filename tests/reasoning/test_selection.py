"""Picks: the rule's, in the plan's order, never one that does not exist or was used."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from latentlab.draws import example_generator
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.selection import pick

sizes = st.lists(st.integers(6, 20), min_size=1, max_size=4)
plans = st.builds(
    LatentPlan,
    steps=st.just(3),
    k=st.integers(1, 2),
    select=st.sampled_from(["attention", "random", "bottom"]),
    pick_order=st.sampled_from(["score", "spatial", "published"]),
)


def setting(sizes, seed):
    """Scores, and which patches exist, for images of some sizes."""
    width = max(sizes)
    scores = torch.rand(len(sizes), width, generator=torch.Generator().manual_seed(seed))
    n_patches = torch.tensor(sizes)
    exists = torch.arange(width)[None] < n_patches[:, None]
    return scores, exists, n_patches, [f"e{i}" for i in range(len(sizes))]


@given(plans, sizes, st.integers(0, 99))
def test_picks_exist_and_are_never_repeated(plan, sizes, seed):
    scores, exists, n_patches, names = setting(sizes, seed)
    available, chosen = exists, []
    for step in range(plan.steps):
        picks = pick(plan, scores, available, n_patches, names, seed, step)
        chosen.append(picks)
        available = available.scatter(1, picks, False)
    for row, size in zip(torch.cat(chosen, dim=1).tolist(), sizes, strict=True):
        assert len(set(row)) == len(row) == plan.steps * plan.k
        assert max(row) < size


@given(plans, sizes, st.integers(0, 99))
def test_picks_follow_the_rule_and_the_order(plan, sizes, seed):
    scores, exists, n_patches, names = setting(sizes, seed)
    picks = pick(plan, scores, exists, n_patches, names, seed, 0).tolist()
    for i, size in enumerate(sizes):
        values = scores[i, :size].tolist()
        if plan.select == "random":
            values = torch.rand(
                size, generator=example_generator(names[i], seed, "pick", 0)
            ).tolist()
        sign = -1 if plan.select == "bottom" else 1
        best = sorted(range(size), key=lambda patch: -sign * values[patch])[: plan.k]
        if plan.pick_order == "score":
            assert picks[i] == best
        elif plan.pick_order == "spatial":
            assert picks[i] == sorted(best)
        else:
            assert sorted(picks[i]) == sorted(best)


@given(plans, sizes, st.integers(0, 99))
def test_picks_do_not_depend_on_the_rest_of_the_batch(plan, sizes, seed):
    scores, exists, n_patches, names = setting(sizes, seed)
    together = pick(plan, scores, exists, n_patches, names, seed, 1)
    for i, size in enumerate(sizes):
        row = slice(i, i + 1)
        alone = pick(
            plan, scores[row, :size], exists[row, :size], n_patches[row], names[row], seed, 1
        )
        assert torch.equal(together[row], alone)


def test_every_example_seed_purpose_and_step_has_a_stream_of_its_own():
    streams = [
        ("a", 0, "pick", 0),
        ("b", 0, "pick", 0),
        ("a", 1, "pick", 0),
        ("a", 0, "noise", 0),
        ("a", 0, "pick", 1),
        ("a", 0, "pick", 0),
    ]
    draws = [torch.rand(8, generator=example_generator(*stream)).tolist() for stream in streams]
    assert draws[0] == draws[-1]
    assert len({tuple(draw) for draw in draws}) == 5

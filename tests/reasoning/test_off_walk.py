"""Patches off the walk are of the same picture, off the walk, and none comes twice."""

import pytest
import torch

from latentlab.data import load_data
from latentlab.errors import UserError
from latentlab.reasoning.interventions import Replace
from latentlab.reasoning.off_walk import OffWalk
from latentlab.reasoning.plan import LatentPlan

PLAN = LatentPlan(steps=3, k=2)


@pytest.fixture(scope="module")
def data():
    return list(load_data("benchmark", limit=5))


def patches_in(state):
    """Which patch of its own picture each slot holds, by example."""
    held = torch.stack([latent.vision for latent in state.latents], dim=1).flatten(1, 2)
    same = (held[:, :, None] == state.patches.embeds[:, None]).all(-1)
    assert same.any(-1).all()
    return same.int().argmax(-1).tolist()


def run(qwen, examples, source, **changes):
    rollout = qwen.rollout(PLAN)
    with torch.no_grad():
        return rollout(
            qwen.prompter.batch(examples, PLAN), [Replace("latent_vision", source, **changes)]
        )


def test_slots_hold_other_patches_of_the_same_picture(qwen, data):
    off = {e.id: [c for c in range(16) if c not in e.trace.cells[:5]] for e in data}
    found = patches_in(run(qwen, data, OffWalk(off)))
    for example, held in zip(data, found, strict=True):
        assert set(held) <= set(off[example.id])
        assert len(set(held)) == len(held) == 6
    # The same in whatever batch, others in another draw.
    assert patches_in(run(qwen, data[3:4], OffWalk(off))) == found[3:4]
    assert patches_in(run(qwen, data, OffWalk(off), draw=1)) != found
    few = {name: patches[:4] for name, patches in off.items()}
    assert all(
        set(held) == set(few[e.id])
        for e, held in zip(data, patches_in(run(qwen, data, OffWalk(few))), strict=True)
    )


def test_refuses_what_it_knows_nothing_of(qwen, data):
    with pytest.raises(UserError, match="no patch of its picture is known"):
        run(qwen, data, OffWalk({}))
    rollout = qwen.rollout(PLAN)
    with torch.no_grad(), pytest.raises(UserError, match="re-inserted patches only"):
        rollout(qwen.prompter.batch(data, PLAN), [Replace("latent_text", OffWalk({}))])

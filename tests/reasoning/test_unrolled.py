"""One pass over the sequence that a rollout grew gives what the rollout gave."""

import pytest
import torch

from latentlab.backbones import Capture
from latentlab.errors import UserError
from latentlab.reasoning.interventions import Drop, Replace
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Zero
from latentlab.reasoning.unrolled import unroll
from latentlab.reasoning.visibility import Kind

MARKER = [3, 5]
BLOCKED = (("answer", "image"), ("answer", "prompt"), ("latent_vision", "latent_text"))

PLANS = {
    "open": LatentPlan(steps=2, k=2),
    "blocked": LatentPlan(steps=2, k=2, blocked=BLOCKED),
    "paper's order, M-RoPE": LatentPlan(steps=2, k=1, part_order="text_vision", positions="mrope"),
    "every patch": LatentPlan(steps=2, k=0, select="all"),
    "text only": LatentPlan(steps=3, k=0, stride=4),
    "no latent steps": LatentPlan(steps=0, k=0),
}


@pytest.mark.parametrize(
    "interventions", [(), (Replace("latent_text", Zero()),), (Drop("latent_vision", (1,)),)]
)
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_one_pass_gives_the_states_of_the_rollout(reasoner, examples, plan, interventions):
    rollout = reasoner.rollout(plan, capture_layers=range(2))
    batch = reasoner.prompter.batch(examples, plan)
    with torch.no_grad():
        before = rollout(batch, interventions)
        state, unrolled = unroll(rollout, batch, MARKER, interventions)
        capture = Capture()
        hidden, cache = unrolled.forward(reasoner.backbone, capture)
    close = {"atol": 1e-5, "rtol": 1e-5}
    torch.testing.assert_close(hidden[:, -1], state.hidden, **close)
    torch.testing.assert_close(hidden[:, -1 - len(MARKER)], before.hidden, **close)
    for step, latent in enumerate(state.latents):
        if latent.text is not None and not interventions:
            index = unrolled.newest(step)
            torch.testing.assert_close(hidden[:, index], latent.text, **close)
    for layer, kept in enumerate(state.cache.layers):
        ours = cache.layers[layer].values.transpose(1, 2)[state.kinds != Kind.PAD]
        real = kept.values.transpose(1, 2)[state.kinds != Kind.PAD]
        torch.testing.assert_close(ours, real, **close)


def test_positions_are_told_apart(qwen, examples):
    plan = LatentPlan(steps=2, k=2)
    batch = qwen.prompter.batch(examples, plan)
    _, unrolled = unroll(qwen.rollout(plan), batch, MARKER)
    width = batch.input_ids.shape[1]
    assert unrolled.pass_index.tolist() == [0] * width + [1] * 3 + [2] * 3 + [3] * 2
    assert [unrolled.newest(pass_index) for pass_index in (0, 1, 2, 3)] == [
        width - 1 + n for n in (0, 3, 6, 8)
    ]
    assert unrolled.newest(4) is None
    assert unrolled.slots(1, Kind.LATENT_VISION) == [width, width + 1]
    assert unrolled.slots(2, Kind.LATENT_TEXT) == [width + 5]
    assert not qwen.backbone.decoder._forward_pre_hooks


def test_the_hook_goes_when_a_rollout_fails(qwen, examples):
    plan = LatentPlan(steps=2, k=9)
    with pytest.raises(UserError, match="needs 18 patches"):
        unroll(qwen.rollout(plan), qwen.prompter.batch(examples, plan))
    assert not qwen.backbone.decoder._forward_pre_hooks

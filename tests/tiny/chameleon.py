"""A tiny Chameleon: sixteen visual words of the same vocabulary."""

import torch

from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from tests.conftest import tiny_chameleon


def chameleon() -> Reasoner:
    """Image tokens are ordinary tokens that are never said."""
    return tiny_chameleon(LatentPlan(steps=2, k=2))


@torch.no_grad()
def chameleon_swin() -> Reasoner:
    """Layers as in the 30B model, which norm what is added to the stream."""
    reasoner = tiny_chameleon(LatentPlan(steps=2, k=2), swin_norm=True)
    for layer in reasoner.backbone.layers:  # fresh norms have weights of one, and hide little
        layer.input_layernorm.weight.mul_(2)
        layer.post_attention_layernorm.weight.mul_(3)
    return reasoner

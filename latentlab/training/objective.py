"""The training objective: likelihood of the remaining text after the latent steps.

IVT-LR's stages differ only in how many rationale steps are latent. The loss is the mean token
cross-entropy of what is left to write (explicit steps, marker, answer); the latent steps themselves
have no target (arXiv 2510.12603, section 3.3).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from latentlab.backbones import Batch
from latentlab.prompts import Continuation
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.visibility import Kind


@dataclass(frozen=True)
class TrainingBatch:
    """Prompts, the number of latent steps they take, and the text that must follow."""

    prompts: Batch
    """The prompts."""

    latent_steps: int
    """Latent steps of this batch."""

    text: Continuation
    """What is left to write."""


def text_loss(rollout: Rollout, batch: TrainingBatch) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats over the tokens of the remaining text."""
    state = rollout(batch.prompts)
    ids = batch.text.ids.to(state.hidden.device)
    kinds = batch.text.kinds.to(state.hidden.device)
    logits = rollout.extend(state, ids, kinds)[:, :-1]
    targets = ids.masked_fill(kinds == Kind.PAD, -100)
    return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=-100)


class Objective(nn.Module):
    """The loss as a module, so that whatever wraps a model for training can wrap it."""

    def __init__(self, reasoner: Reasoner) -> None:
        """Hold the reasoner's model; its rollouts run on the same weights."""
        super().__init__()
        self.model = reasoner.backbone.model
        self._reasoner = reasoner

    def plan_at(self, latent_steps: int) -> LatentPlan:
        """Return the plan of a stage: the final one with fewer steps."""
        return self._reasoner.plan.replace(steps=latent_steps)

    def forward(self, batch: TrainingBatch) -> dict[str, Float[Tensor, ""]]:
        """Return the loss of one batch."""
        rollout = self._reasoner.rollout(self.plan_at(batch.latent_steps))
        return {"loss": text_loss(rollout, batch)}

    def trainable(self) -> list[str]:
        """Names of the weights that are trained."""
        return [name for name, p in self.named_parameters() if p.requires_grad]


@torch.no_grad()
def freeze(module: nn.Module) -> None:
    """Take a part of the model out of training."""
    for parameter in module.parameters():
        parameter.requires_grad_(False)

"""The training objective: likelihood of the remaining text after the latent steps.

IVT-LR's stages differ only in how many rationale steps are latent. The loss is the mean token
cross-entropy of what is left to write (explicit steps, marker, answer); the latent steps themselves
have no target (arXiv 2510.12603, section 3.3).
"""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

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
    device = rollout.backbone.device
    state = rollout(batch.prompts.to(device))
    ids, kinds = batch.text.ids.to(device), batch.text.kinds.to(device)
    logits = rollout.extend(state, ids, kinds)[:, :-1]
    targets = ids.masked_fill(kinds == Kind.PAD, -100)
    return cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=-100)


class Objective(nn.Module):
    """The loss as a module, so that whatever wraps a model for training can wrap it.

    Its state is what is trained, each weight once: a checkpoint to resume from need not hold what
    the stage found frozen, and the format it is kept in refuses tied weights.
    """

    def __init__(self, reasoner: Reasoner) -> None:
        """Hold the reasoner's model; its rollouts run on the same weights."""
        super().__init__()
        self.model = reasoner.backbone.model
        self._reasoner = reasoner
        hooked: Any = self  # torch leaves these two without annotations
        hooked.register_state_dict_post_hook(_keep_trained)
        hooked.register_load_state_dict_post_hook(_check_loaded)

    def plan_at(self, latent_steps: int) -> LatentPlan:
        """Return the plan of a stage: the final one with fewer steps."""
        return self._reasoner.plan.replace(steps=latent_steps)

    def forward(self, batch: TrainingBatch) -> dict[str, Float[Tensor, ""]]:
        """Return the loss of one batch."""
        rollout = self._reasoner.rollout(self.plan_at(batch.latent_steps))
        return {"loss": text_loss(rollout, batch)}

    def trained(self) -> dict[str, nn.Parameter]:
        """The weights that are trained, by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}


def _keep_trained(objective: Objective, state: dict[str, Any], *_: Any) -> None:
    """Leave in a state what is trained."""
    for name in state.keys() - objective.trained().keys():
        del state[name]


def _check_loaded(objective: Objective, keys: Any) -> None:
    """Accept a state that holds what is trained and nothing else.

    Raises:
        ValueError: it is that of other weights.
    """
    lost = [*objective.trained().keys() & set(keys.missing_keys), *keys.unexpected_keys]
    if lost:
        raise ValueError(f"the checkpoint holds other weights than are trained, see {lost[0]}")
    keys.missing_keys.clear()

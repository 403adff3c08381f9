"""The training objective: likelihood of the remaining text after the latent steps.

IVT-LR's stages differ only in how many rationale steps are latent. The loss is the mean token
cross-entropy of what is left to write (explicit steps, marker, answer); the latent steps themselves
have no target (arXiv 2510.12603, section 3.3). Steps that a plan writes in words are text like any
other: each word is predicted from the position before it, be that a re-inserted patch.
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from latentlab.backbones import Batch
from latentlab.prompts import Continuation
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.said import Words
from latentlab.reasoning.visibility import Kind
from latentlab.training.conditions import Condition, interventions_under, plan_under
from latentlab.training.lessons import DialogueBatch, dialogue_loss


@dataclass(frozen=True)
class TrainingBatch:
    """Prompts, the number of latent steps they take, and the text that must follow."""

    prompts: Batch
    """The prompts."""

    latent_steps: int
    """Latent steps of this batch."""

    text: Continuation
    """What is left to write."""

    words: tuple[Words, ...] = ()
    """What each step says, where the plan writes its steps."""

    condition: Condition = "own"
    """What the batch is made to do without."""

    @property
    def n_targets(self) -> int:
        """Number of tokens that are to be predicted."""
        kinds = [self.text.kinds, *(step.kinds for step in self.words)]
        return sum(int((of_part != Kind.PAD).sum()) for of_part in kinds)

    @property
    def at_once(self) -> Bool[Tensor, " batch"]:
        """Which examples have nothing but their answer left to write."""
        return (self.text.kinds != Kind.RATIONALE).all(dim=1)


def text_loss(rollout: Rollout, batch: TrainingBatch) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats over the tokens of the remaining text, and of written steps."""
    device = rollout.backbone.device
    words = [step.to(device) for step in batch.words]
    edits = interventions_under(batch.condition, batch.at_once)
    state = rollout.reason(rollout.prefill(batch.prompts.to(device)), edits, words=words)
    ids, kinds = batch.text.ids.to(device), batch.text.kinds.to(device)
    predicted = [(rollout.extend(state, ids, kinds)[:, :-1], ids, kinds)]
    for step in state.words:
        assert step.states is not None, "words have been run"
        predicted.append((rollout.backbone.logits(step.states), step.ids, step.kinds))
    logits = torch.cat([logits.flatten(0, 1) for logits, _, _ in predicted])
    targets = torch.cat(
        [ids.masked_fill(kinds == Kind.PAD, -100).flatten() for _, ids, kinds in predicted]
    )
    return cross_entropy(logits.float(), targets, ignore_index=-100)


class Objective(nn.Module):
    """The loss as a module, so that whatever wraps a model for training can wrap it.

    Its state is what is trained, each weight once: a checkpoint to resume from need not hold what
    the stage found frozen, and the format it is kept in refuses tied weights.
    """

    def __init__(
        self, reasoner: Reasoner, dtype: Literal["float32", "bfloat16"] = "float32"
    ) -> None:
        """Hold the reasoner's model; its rollouts run on the same weights.

        Args:
            reasoner: who is trained.
            dtype: precision to compute in, whatever that of the weights. It is seen to here, since
                engines that cast what goes into each layer copy the captured attention away.
        """
        super().__init__()
        self.dtype = dtype
        self.model = reasoner.backbone.model
        self._reasoner = reasoner
        # What engines that shard a model are not to cut, by the name transformers' models have it.
        self._no_split_modules = [type(reasoner.backbone.layers[0]).__name__]
        hooked: Any = self  # torch leaves these two without annotations
        hooked.register_state_dict_post_hook(_keep_trained)
        hooked.register_load_state_dict_post_hook(_check_loaded)

    def plan_at(self, latent_steps: int) -> LatentPlan:
        """Return the plan of a stage: the final one with fewer steps."""
        return self._reasoner.plan.replace(steps=latent_steps)

    def forward(self, batch: TrainingBatch | DialogueBatch) -> dict[str, Float[Tensor, ""]]:
        """Return the loss of one batch."""
        if isinstance(batch, DialogueBatch):
            rollout = self._reasoner.rollout(self._reasoner.plan)
            with self._precision(rollout):
                return {"loss": dialogue_loss(rollout, batch)}
        plan = plan_under(self.plan_at(batch.latent_steps), batch.condition)
        rollout = self._reasoner.rollout(plan)
        with self._precision(rollout):
            return {"loss": text_loss(rollout, batch)}

    def _precision(self, rollout: Rollout) -> torch.autocast:
        """Where the loss is computed in the objective's precision."""
        low = self.dtype == "bfloat16"
        return torch.autocast(rollout.backbone.device.type, torch.bfloat16, enabled=low)

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

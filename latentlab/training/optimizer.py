"""Muon for hidden matrices and AdamW for the rest, as one optimizer.

Small models learn multi-hop look-up several times sooner with Muon (LOG.md). `torch.optim.Muon`
takes matrices only, so the embeddings, the head, norms and biases go to AdamW; to a trainer, a
scheduler and a checkpoint the two look like one.
"""

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn
from torch.optim import AdamW, Muon, Optimizer


class MuonWithAdamW(Optimizer):
    """Steps a Muon and an AdamW optimizer together; their groups are its groups."""

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        others: Iterable[nn.Parameter],
        muon_learning_rate: float,
        learning_rate: float,
        weight_decay: float = 0.01,
    ) -> None:
        """Split parameters over the two optimizers."""
        self.parts: tuple[Optimizer, ...] = (
            Muon(list(matrices), lr=muon_learning_rate, weight_decay=weight_decay),
            AdamW(list(others), lr=learning_rate, betas=(0.9, 0.98), weight_decay=weight_decay),
        )
        # Optimizer.__init__ is given the very groups of the parts, so that a scheduler that sets
        # a group's rate sets the part's.
        super().__init__([group for part in self.parts for group in part.param_groups], {})
        for part, start in zip(self.parts, (0, len(self.parts[0].param_groups)), strict=True):
            part.param_groups = self.param_groups[start : start + len(part.param_groups)]

    def step(self, closure: Any = None) -> Any:
        """Step both parts; returns what the closure does, if there is one."""
        loss = closure() if closure is not None else None
        for part in self.parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return both parts' states."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load both parts' states."""
        start = 0
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
            self.param_groups[start : start + len(part.param_groups)] = part.param_groups
            start += len(part.param_groups)


def make_optimizer(
    model: nn.Module, learning_rate: float, muon_learning_rate: float | None, weight_decay: float
) -> Optimizer:
    """Make AdamW, or Muon with AdamW where a Muon rate is given.

    Args:
        model: its parameters that require a gradient are trained.
        learning_rate: AdamW's rate.
        muon_learning_rate: rate for the 2-D weights inside decoder layers and vision blocks; None
            leaves everything to AdamW.
        weight_decay: for both.
    """
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    if muon_learning_rate is None:
        return AdamW([p for _, p in trained], lr=learning_rate, weight_decay=weight_decay)

    def is_hidden_matrix(name: str, parameter: Tensor) -> bool:
        return parameter.ndim == 2 and not any(x in name for x in ("embed_tokens", "lm_head"))

    matrices = [p for name, p in trained if is_hidden_matrix(name, p)]
    others = [p for name, p in trained if not is_hidden_matrix(name, p)]
    return MuonWithAdamW(matrices, others, muon_learning_rate, learning_rate, weight_decay)

"""Read attention: where does each step look, how focused, and how much does the answer look back?

    python -m latentlab.attention
    python -m latentlab.attention --model ivtlr --by head
    python -m latentlab.attention --model my-model --explicit my-cot-model --data my-folder

Every number stands beside what uniform attention, random picks or background of the same area would
give; --vision own kept closed packed tells patches from the positions that they take. Models named
by --explicit write their steps in words and are compared with the others step by step. Where a
model looks is not what its answer needs: latentlab.ablate asks that.
"""

from dataclasses import dataclass

from latentlab.command import PlannedConfig
from latentlab.errors import UserError
from latentlab.vocabulary import OptionRead, Reduction, VisionRun


@dataclass(frozen=True, kw_only=True)
class AttentionConfig(PlannedConfig):
    """Flags of `python -m latentlab.attention`."""

    model: tuple[str, ...] = ("ivtlr", "relay", "gaze")
    """Models, each the name of an embedded organism, the folder of a checkpoint or a hub name. One
    without latent steps is read at the last position of its prompt."""

    explicit: tuple[str, ...] = ("cot",)
    """Models that write their steps in words, to put beside the others; with nothing after it, no
    such model. As many steps are read as the longest of the others takes."""

    by: Reduction = "mean"
    """What rows of attention are averaged over before anything is measured: mean (layers and heads,
    as the selection of patches does), layer (the heads of each layer) or head (nothing)."""

    vision: tuple[VisionRun, ...] = ("own", "random")
    """What becomes of the patches that steps re-insert, each a run of its own: the model's own; as
    many at random; slots kept, but empty; no slots, with the positions of what follows held or
    closed up; packed: its own, in slots that share a position, so that it moves as if closed."""

    option: OptionRead = "gold"
    """Whose tokens are put after the latents to read how the answer attends to them: the right
    option's, or those of the option that the model finds likeliest."""

    top: int = 2
    """Number of the most attended patches that count as looked at."""

    def __post_init__(self) -> None:
        """Refuse flags that cannot be meant."""
        super().__post_init__()
        if len(set(self.explicit)) < len(self.explicit):
            raise UserError(f"--explicit names one model twice: {' '.join(self.explicit)}")
        if len(set(self.vision)) < len(self.vision) or "own" not in self.vision:
            said = " ".join(self.vision) or "nothing"
            raise UserError(
                f"--vision {said}: name own and, each once, what it is to be compared with"
            )
        if self.top < 1:
            raise UserError(f"--top {self.top} is too small: it is at least 1")

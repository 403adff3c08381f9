"""An arm: one way to run a model, as a value.

Its plan may be changed, its latents intervened on, its prompt or its input edited. What is done
stands in fields, which the rows of a study have as columns.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from latentlab.data.perturb import Perturbation
from latentlab.errors import UserError, did_you_mean
from latentlab.measures.outcomes import NONE
from latentlab.reasoning.interventions import Hooked, Intervention, PromptReplace
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.rationale import RationaleEdit
from latentlab.vocabulary import FROZEN, AblatedPart, Action, PositionRule, steps_label


@dataclass(frozen=True, eq=False)
class Arm:
    """One way to run a model on an example.

    What it does stands in its fields and in the columns of its rows (`facts`). The name that tables
    show is made of them and never read.
    """

    action: Action = "none"
    """What is done."""

    part: AblatedPart | Literal[""] = ""
    """To which part; empty where it is to none."""

    steps: tuple[int, ...] | None = None
    """At which latent steps, counted from 1; None means all."""

    source: str = ""
    """What is put there, or the rule by which patches are picked."""

    strength: float | None = None
    """How much: the deviations of noise, the number of steps or patches."""

    control: str = ""
    """What is different from the arm of the same name without it; empty for that arm itself."""

    label: str = ""
    """A name of its own, for what the fields cannot say."""

    kind: str = "none"
    """What sort of comparison it is: none, knock-out at inference, control, ..."""

    plan: LatentPlan | None = None
    """A changed plan; None keeps the model's own."""

    interventions: tuple[Intervention | Hooked, ...] = ()
    """What is done to the latents, in order, and inside the model."""

    prompt_edits: tuple[PromptReplace, ...] = ()
    """What is done to the prompt's embeddings; such an arm computes a prefix of its own."""

    rationale: RationaleEdit | None = None
    """What is done to the words that the model writes before its answer."""

    change: Perturbation | None = None
    """What is done to the input; such an arm computes a prefix of its own. The latents that an
    intervention puts back are still those of the input as it was, and so is the right answer."""

    context: str = ""
    """What the other steps hold where the arm acts at some of them: remade or frozen."""

    positions: PositionRule | None = None
    """What becomes of later positions, of an arm that changes how many slots there are."""

    draws: int = 1
    """How often it is drawn anew, of an arm in which something is random."""

    draw: int = 0
    """Which of these it is: picks of a changed plan take the run's seed plus this number, and so do
    edits that were given the same. Arms of one name are draws of one arm."""

    def __post_init__(self) -> None:
        """Refuse an action without a name.

        Raises:
            UserError: there is no such action.
        """
        if self.action not in get_args(Action):
            known = did_you_mean(self.action, get_args(Action))
            raise UserError(f"no arm does {self.action!r}; {known} (or other, with a label)")

    @property
    def name(self) -> str:
        """What is done, as tables name it."""
        return f"{self.base}: {self.control}" if self.control else self.base

    @property
    def base(self) -> str:
        """The name of the arm that this one is a control of, or differs from in positions only."""
        if self.action == "none" and not self.label:
            return NONE
        number = "" if self.strength is None else f"{self.strength:g}"
        words = {
            "replace": f"{self.source} {number}".rstrip(),
            "steps": f"steps={number}",
            "k": f"k={number}",
            "select": f"select {self.source}" + (f", k={number}" if number else ""),
        }.get(self.action, self.action)
        told = f"{words} {self.part}" if self.part else words
        told += "" if self.steps is None else f" at step {steps_label(self.steps)}"
        return self.label or told + (FROZEN if self.context == "frozen" else "")

    @property
    def control_of(self) -> str:
        """The arm that this one is the matched control of, or a variant; empty where of none."""
        return self.base if self.control else ""

    @property
    def is_exact(self) -> bool:
        """Whether its answers have to be the untouched ones to the last bit: shams as well."""
        return self.action in ("none", "sham") or self.source == "self"

    @property
    def facts(self) -> dict[str, Any]:
        """What rows say of the arm."""
        return {
            "intervention": self.name,
            "kind": self.kind,
            "control_of": self.control_of,
            "action": self.action,
            "part": self.part,
            "steps": steps_label(self.steps) if self.part or self.steps else "",
            "source": self.source,
            "strength": float("nan") if self.strength is None else self.strength,
            "control": self.control,
            "positions": self.positions or "",
            "context": self.context,
            "draws": self.draws,
        }

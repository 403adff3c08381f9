"""Is what a hop needs read from latents where the picture lacks it?

The cell that a hop reads is blanked in the picture. Latents made on the whole picture are then put
back, or their slots are emptied, left out, or filled from another question: if they are read, the
answer is right with the first and wrong with the others. A blank cell off the walk is the control
of blanking. Where the picture is whole the same slots are emptied too: a latent may be read where
it must and missed nowhere else.
"""

from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from latentlab.ablate.config import AblateConfig
from latentlab.data import Example, Examples
from latentlab.data.counterfactual import mask_needed
from latentlab.data.perturb import NEEDS, Perturbation, Surroundings, perturbations
from latentlab.errors import UserError
from latentlab.measures.outcomes import NONE
from latentlab.reasoner import Reasoner
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.interventions import Drop, Intervention, Replace
from latentlab.reasoning.sources import Given, Placeholder
from latentlab.study.arms import Arm
from latentlab.study.recorded import Recorded, cycled, record_runs
from latentlab.vocabulary import CONTROL, KNOCK_OUT, LatentPart, PositionRule

Slots = Literal["own", "remade", "other", "empty"]
"""What slots hold: what they held on the whole picture, what the input at hand makes of them,
another question's, nothing."""

SHOWN, MASKED, OTHER_MASKED = "shown", "masked", "other masked"
"""Values of the column `evidence`."""

FACTS = ["evidence", "vision_slots", "text_slots"]
"""Columns that, with `positions`, tell these arms apart."""

_OWN = {"vision_slots": "own", "text_slots": "own"}
_POSITIONS: tuple[PositionRule, ...] = ("kept", "held", "closed")
_WHAT = {SHOWN: "whole picture", MASKED: "needed cell blank", OTHER_MASKED: "other cell blank"}


@dataclass(frozen=True)
class Filling:
    """What the slots of a model hold; a part that it lacks is left empty here."""

    vision: Slots | Literal[""] = ""
    """The re-inserted patches."""

    text: Slots | Literal[""] = ""
    """The latent text."""

    positions: PositionRule | Literal[""] = ""
    """Of empty slots: kept, or left out with later positions held or closed up."""

    @property
    def name(self) -> str:
        """In words."""
        parts = [f"{self.vision} patches"] if self.vision else []
        parts += [f"{self.text} text"] if self.text else []
        return ", ".join(parts) + (f" ({self.positions})" if self.positions else "")

    def edits(self, others: Bank) -> tuple[Intervention, ...]:
        """How it is done to a run."""
        parts: dict[LatentPart, str] = {
            "latent_vision": self.vision,
            "latent_text": self.text,
        }
        made: list[Intervention] = []
        for part, slots in parts.items():
            if slots == "own":
                made.append(Replace(part, Given()))
            elif slots == "other":
                made.append(Replace(part, Given(others)))
            elif slots == "empty" and self.positions == "kept":
                made.append(Replace(part, Placeholder()))
            elif slots == "empty":
                made.append(Drop(part, closed=self.positions == "closed"))
        return tuple(made)


def fillings(vision: bool, text: bool, placeholder: bool) -> list[Filling]:
    """Everything that is put into the slots of a model that has these parts.

    The part that could hold the evidence is varied: patches where there are any, else the text. The
    text beside patches is made anew, or what it was on the whole picture.

    Args:
        vision: whether it re-inserts patches.
        text: whether it appends latent text.
        placeholder: whether it has a token to keep slots empty with.
    """
    ways = [way for way in _POSITIONS if placeholder or way != "kept"]
    varied: list[tuple[Slots, PositionRule | Literal[""]]]
    varied = [("own", ""), ("remade", ""), ("other", "")]
    varied += [("empty", way) for way in ways]
    if not vision:
        return [Filling("", slots, way) for slots, way in varied]
    texts: list[Slots | Literal[""]] = ["remade", "own"] if text else [""]
    return [Filling(slots, beside, way) for beside in texts for slots, way in varied]


def check_evidence(config: AblateConfig, examples: Examples) -> None:
    """See whether any example has a cell that a hop needs.

    Raises:
        UserError: none has.
    """
    needed = needed_masked(config.hop)
    if not any(needed.edit(example) for example in examples):
        raise UserError(
            f"--mask-evidence needs pictures with traces{_hop(config.hop)}, which the examples of "
            f"{config.data} do not have"
        )


def needed_masked(hop: int | None) -> Perturbation:
    """Blank the cell that a hop needs, by default each question's last."""

    def edit(example: Example) -> Example | None:
        new = mask_needed(example, hop or example.hops or 1)
        return None if new is None else replace(new, answer=example.answer)

    return Perturbation(f"mask_needed{_hop(hop)}", NEEDS["mask_needed"], edit)


@dataclass(frozen=True, eq=False)
class Evidence:
    """The arms of one model, and what its rows are to say of them."""

    arms: list[Arm]
    """Every input with every filling."""

    facts: pd.DataFrame
    """`FACTS` of each `intervention`."""

    questions: pd.DataFrame
    """Of each `example` the `hop` that needs the blanked cell, and `needed_cell_picked`."""

    @classmethod
    def of(cls, config: AblateConfig, reasoner: Reasoner, examples: Examples) -> "Evidence":
        """Run a model undisturbed, and make its arms."""
        runs = record_runs(reasoner, examples, config.batch_size, config.seed)
        others = _exchanged(runs, examples, config.seed)
        plan = reasoner.plan
        made = fillings(plan.has_vision, plan.has_text, reasoner.placeholder_id is not None)
        around = Surroundings(examples, lambda example: (1, 1), None, config.seed)
        (other,) = perturbations(("mask_other",), around)
        inputs = {MASKED: needed_masked(config.hop), OTHER_MASKED: other, SHOWN: None}
        arms, facts = [], []
        for evidence, change in inputs.items():
            for filling in made:
                own = {filling.vision, filling.text} <= {"own", "remade", ""}
                if evidence == SHOWN and own:
                    continue  # the untouched run, once more
                name = f"{_WHAT[evidence]}{_hop(config.hop)}, {filling.name}"
                kind = CONTROL if evidence == OTHER_MASKED else KNOCK_OUT
                edits, positions = filling.edits(others), filling.positions or None
                arms.append(
                    Arm(
                        "mask",
                        label=name,
                        kind=kind,
                        interventions=edits,
                        change=change,
                        positions=positions,
                    )
                )
                told = (evidence, filling.vision, filling.text)
                facts.append({"intervention": name, **dict(zip(FACTS, told, strict=True))})
        return cls(arms, pd.DataFrame(facts), _questions(config, runs, examples))

    def described(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows with the columns of `facts` and `questions`; missing or empty in other arms."""
        found = rows.merge(self.facts, on="intervention", how="left")
        alone = found["intervention"] == NONE
        own = [own if (self.facts[part] != "").any() else "" for part, own in _OWN.items()]
        found.loc[alone, FACTS] = [SHOWN, *own]
        found[FACTS] = found[FACTS].fillna("")
        return found.merge(self.questions, on="example", how="left")


def _questions(config: AblateConfig, runs: Recorded, examples: Examples) -> pd.DataFrame:
    """Which hop's cell is blanked, and whether the model had re-inserted it."""
    by_name = {example.id: example for example in examples}
    lines = []
    for i, name in enumerate(runs.bank.examples):
        example, picked = by_name[name], None
        hop = config.hop or example.hops
        if example.trace is not None and hop and runs.picks is not None:
            cells = len(example.trace.objects)
            if runs.patches is not None and runs.patches.shape[1] == cells:
                picked = bool((runs.picks[i] == example.trace.cells[hop - 1]).any())
        lines.append({"example": name, "hop": hop, "needed_cell_picked": picked})
    return pd.DataFrame(lines).astype({"hop": "Int64", "needed_cell_picked": "boolean"})


def _exchanged(runs: Recorded, examples: Examples, seed: int) -> Bank:
    """Latents of other questions, of the same domain where there are any, each used once."""
    by_name = {example.id: example for example in examples}
    givers = cycled([by_name[name] for name in runs.bank.examples], seed)
    bank = runs.bank
    text, vision = (part if part is None else part[givers] for part in (bank.text, bank.vision))
    return Bank(bank.examples, text, vision)


def _hop(hop: int | None) -> str:
    """The hop that is asked for, for names."""
    return "" if hop is None else f" at hop {hop}"

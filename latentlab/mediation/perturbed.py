"""A batch under one perturbation after the other, for mediation of latents and of words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from latentlab.data.example import Example
from latentlab.data.perturb import Perturbation
from latentlab.study.batches import Numbered, one_round
from latentlab.study.identity import identity


@dataclass(frozen=True)
class Perturbed:
    """A batch under one perturbation."""

    order: int
    """Number of the perturbation among all."""

    edit: Perturbation
    """The perturbation."""

    inputs: list[Example]
    """The examples as perturbed. One that does not allow it runs along unchanged, so that all runs
    have one shape."""

    allowed: list[bool]
    """Which examples allow it: the others have no rows."""

    @property
    def expected(self) -> list[int | None]:
        """The right option of each input; None where it is unknown."""
        return [new.choices.index(new.answer) if new.answer else None for new in self.inputs]

    def head(self, named: pd.DataFrame) -> pd.DataFrame:
        """What rows say of who was asked (`about`) and of the perturbation."""
        edit = self.edit
        told = named.assign(perturbation=edit.name, hop=edit.hop, order=self.order)
        return told[self.allowed]


def perturbed(numbered: Numbered, edits: Sequence[Perturbation]) -> Iterator[Perturbed]:
    """A batch under every perturbation that any of its examples allows; each is one round."""
    examples = [example for _, example in numbered]
    for order, edit in enumerate(edits):
        changed = [edit.edit(example) for example in examples]
        allowed = [new is not None for new in changed]
        if any(allowed):
            inputs = [new or old for new, old in zip(changed, examples, strict=True)]
            yield Perturbed(order, edit, inputs, allowed)
        one_round(numbered)


def about(model: str, data: str, numbered: Numbered) -> pd.DataFrame:
    """Who was asked what, as columns."""
    return pd.DataFrame(
        [
            {"index": i, **identity(model, data, example), "cluster": list(example.clusters)}
            for i, example in numbered
        ]
    )

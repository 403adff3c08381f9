"""Where a written step ends for methods that act at line breaks: at every n-th of them.

The engine asks a `StepEnds`; that of a model ends a step where its rationales' steps end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from latentlab.reasoning.words import StepEnds


@dataclass(frozen=True)
class Newlines(StepEnds):
    """Ends a step at its n-th token with a line break."""

    every: int = 1
    """n."""

    @classmethod
    def of(cls, own: StepEnds, every: int, longest: int) -> "Newlines":
        """With what a prompter knows of its tokenizer.

        Args:
            own: how the model's steps end.
            every: line breaks of a step.
            longest: tokens after which a step ends without them.
        """
        ids = own.separator_ids
        return cls("\n", ids, own.decode, own.stops, max(1, longest), every)

    def ends(self, step: Sequence[int]) -> bool:
        """Whether the tokens of a step so far are all of it."""
        if len(step) >= self.longest:
            return True
        if "\n" not in self.decode(list(step[-1:])):
            return False
        return sum("\n" in self.decode([token]) for token in step) >= self.every

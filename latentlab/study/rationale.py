"""What a model writes before it answers, edited before it goes on: the positive control in words.

A test that never finds a use of latents may be blind. Where a model reasons in words their use is
expected, so the same corruptions (another example's steps, another order, the first step only,
nothing) are done to its own rationale, as CapImagine does to textual imagination
(arXiv 2602.22766). The model writes, its words are edited, and it goes on from them to its answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from latentlab.errors import UserError
from latentlab.prompts import Prompter
from latentlab.reasoner import Reasoner
from latentlab.reasoning.donors import Donors
from latentlab.reasoning.orders import order_of
from latentlab.vocabulary import WordReplacement

StepIds = list[list[int]]
"""Token ids of each step of a rationale, separators among them."""


@dataclass(frozen=True)
class Rationales:
    """What was written in answer to some examples."""

    examples: tuple[str, ...]
    """Their identifiers."""

    steps: tuple[StepIds | None, ...]
    """What was written before the answer marker; None where the marker never came."""

    @property
    def written(self) -> "Rationales":
        """Those of the examples before whose answer anything was written."""
        pairs = [pair for pair in zip(self.examples, self.steps, strict=True) if any(pair[1] or ())]
        return Rationales(tuple(name for name, _ in pairs), tuple(steps for _, steps in pairs))


@dataclass(frozen=True, eq=False)
class RationaleEdit:
    """What is done to a written rationale."""

    how: Literal[WordReplacement, "own", "drop", "given"]
    """What stands there instead: another example's rationale, its own steps in another order, its
    first step as often as there were steps, a token without content for every word, the rationale
    itself (a sham), nothing, or what is given for it."""

    rationales: Rationales | None = None
    """Rationales to take another example's from; those given are under the examples' own names."""

    donors: Donors | None = None
    """Who lends to whom; its references are the examples of the rationales, in their order."""

    blank: int = 0
    """The token without content."""

    draw: int = 0
    """Which draw of what is random; see `reasoning.interventions.Replace`."""

    held: bool = False
    """Of a rationale that is dropped: whether the answer stands where it would have stood."""

    def gaps(self, own: Rationales) -> list[int]:
        """Positions that each example leaves free before it goes on, for `Trajectory.skip`.

        Where nothing was written that led to an answer, nothing tells where it would have stood.
        """
        if not self.held:
            return [0] * len(own.steps)
        return [sum(map(len, steps or ())) for steps in own.steps]

    def edit(self, own: Rationales, seed: int) -> list[list[int] | None]:
        """What each example goes on from, as token ids; None where it is left to itself.

        Args:
            own: what the batch has written.
            seed: the run's seed.

        Raises:
            UserError: another example's rationale is asked for, and nobody else has written any.
        """
        pairs = zip(own.examples, self.lent(own, seed), strict=True)
        changed = [self.changed(example, steps, seed) for example, steps in pairs]
        return [None if steps is None else [t for step in steps for t in step] for steps in changed]

    def lent(self, own: Rationales, seed: int) -> Sequence[StepIds | None]:
        """Whose steps each example's edit begins with; see `edit`."""
        if self.how not in ("other", "given"):
            return own.steps
        if self.rationales is None or (self.how == "other" and self.donors is None):
            raise UserError("there are no rationales of other examples to take")
        if self.donors is None:
            known = dict(zip(self.rationales.examples, self.rationales.steps, strict=True))
            return [known[example] for example in own.examples]
        return [self.rationales.steps[i] for i in self.donors.of(own.examples, seed + self.draw)]

    def changed(self, example: str, steps: StepIds | None, seed: int) -> StepIds | None:
        """The steps of one example after the edit; None where it is left to itself."""
        if self.how == "drop":
            return []
        if steps is None:  # nothing was written that led to an answer: there is nothing to edit
            return None
        if self.how in ("permute", "reverse", "first") and steps:
            steps = [steps[i] for i in order_of(self.how, len(steps), example, seed + self.draw)]
        blank = self.how == "placeholder"
        return [[self.blank] * len(step) for step in steps] if blank else steps


def blank_token(reasoner: Reasoner) -> int:
    """The token that stands for a word without content.

    It is the placeholder where the model has one, and otherwise the unknown or the padding token.
    """
    unknown = reasoner.prompter.tokenizer.unk_token_id
    known = (reasoner.placeholder_id, unknown, reasoner.prompter.pad_id)
    return int(next(token for token in known if token is not None))


def split(prompter: Prompter, ids: Sequence[int]) -> StepIds:
    """Cut a rationale into steps, each with the separator that ends it.

    A separator may be part of a longer token, as the line break in a token for a full stop with a
    line break. Where it has no token at all, as in the embedded models, each token is a step.
    """
    separator = prompter.format.step_separator
    if not prompter.encode(separator):
        return [[token] for token in ids]
    mark = separator.strip() or separator
    steps: StepIds = [[]]
    for token in ids:
        steps[-1].append(token)
        if mark in prompter.tokenizer.decode([token]):
            steps.append([])
    return [step for step in steps if step]

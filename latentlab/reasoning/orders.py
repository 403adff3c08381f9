"""Other orders of the steps as a source of replacements.

The vectors stay the example's own and typical of latents; only which step holds which is changed.
A model that reads its latents as a bag loses nothing, one that relies on each step in its place
does. `First` keeps the number of slots and takes away all but one content: first-repeat of the
token replacement test (arXiv 2605.21642).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.draws import example_generator
from latentlab.errors import UserError
from latentlab.reasoning.bank import PROMPT_PARTS
from latentlab.reasoning.sources import Context

Order = Literal["permute", "reverse", "first"]
"""Drawn at random for each example so that nothing keeps its place, reversed, or the first only."""


def order_of(how: Order, length: int, example: str, seed: int) -> list[int]:
    """Which of `length` things takes each place.

    Args:
        how: the order.
        length: number of things; one alone stays where it is.
        example: identifier of the example whose stream draws a random order.
        seed: seed of that stream.

    Returns:
        An index for each place. "permute" draws uniformly from the orders in which nothing keeps
        its place (for two things, the swap).
    """
    if how == "first":
        return [0] * length
    if how == "reverse" or length < 2:
        return list(range(length))[::-1]
    stream = example_generator(example, seed, "order")
    while True:  # about one order in e will do
        order = torch.randperm(length, generator=stream)
        if bool((order != torch.arange(length)).all()):
            return [int(place) for place in order]


@dataclass(frozen=True)
class Reordered:
    """What the example's own latents held at other steps when nothing was done to them."""

    how: Order
    """The order."""

    steps: tuple[int, ...]
    """The steps among which latents are exchanged, counted from 1; "first" repeats that of the very
    first step."""

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return what each example held at the step whose turn it is.

        On the prompt, where there are no steps, the chosen positions are brought into that order.
        """
        if part in PROMPT_PARTS:
            orders = [
                order_of(self.how, original.shape[1], example, context.seed)
                for example in context.examples
            ]
            index = torch.tensor(orders, device=original.device)[..., None]
            return original.gather(1, index.expand_as(original))
        if context.own is None:
            raise UserError("there are no recorded latents of this batch to bring into an order")
        rows = {example: i for i, example in enumerate(context.own.examples)}
        found = []
        for example in context.examples:
            source = 0 if self.how == "first" else self._source(step, example, context.seed)
            found.append(context.own.part(part, source)[rows[example]])
        return torch.stack(found).to(original)

    def _source(self, step: int, example: str, seed: int) -> int:
        order = order_of(self.how, len(self.steps), example, seed)
        return self.steps[order[self.steps.index(step + 1)]] - 1

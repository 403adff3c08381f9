"""Who lends to whom where examples get what others had.

Drawn for each example on its own, some donors are used five times and others never: the answers of
all that share one move together, and an interval over examples is too narrow. So donors are dealt
like cards, to all examples of a study at once: none is used again before every one has been used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch

from latentlab.draws import example_generator
from latentlab.errors import UserError

Groups = Mapping[str, str]
"""The group of each example, by identifier."""


@dataclass(frozen=True, eq=False)
class Donors:
    """Deals reference examples to the examples of a study, within groups.

    Which donor an example gets depends on the whole study and the seed, never on the batch. It is
    never the example itself. Within a group the numbers of uses differ by one at most.
    """

    recipients: Groups
    """All examples that are to get a donor."""

    references: Groups
    """The examples that lend, in the order of what they lend."""

    def of(self, examples: Sequence[str], seed: int) -> list[int]:
        """Number of the reference that each example gets.

        Args:
            examples: some of the recipients.
            seed: another seed deals anew.

        Raises:
            UserError: an example is no recipient, or there is no other example to lend it anything.
        """
        dealt = _deal(self, seed)
        missing = [example for example in examples if example not in dealt]
        if missing:
            raise UserError(f"no donor was dealt to {missing[0]}: it is not among the recipients")
        return [dealt[example] for example in examples]

    def names(self, examples: Sequence[str], seed: int) -> list[str]:
        """Identifier of the reference that each example gets; see `of`."""
        names = list(self.references)
        return [names[i] for i in self.of(examples, seed)]

    def ungrouped(self) -> "Donors":
        """The same examples without groups: anyone may lend to anyone."""
        return Donors(dict.fromkeys(self.recipients, ""), dict.fromkeys(self.references, ""))


@lru_cache(maxsize=256)
def _deal(donors: Donors, seed: int) -> dict[str, int]:
    """Deal group by group; a group that no reference belongs to is lent to by all of them."""
    names = list(donors.references)
    dealt: dict[str, int] = {}
    for group in dict.fromkeys(donors.recipients.values()):
        wanting = [example for example, of in donors.recipients.items() if of == group]
        lending = [i for i, of in enumerate(donors.references.values()) if of == group]
        lending = lending or list(range(len(names)))
        stream = example_generator(group, seed, "donors")
        places, cards = (torch.randperm(len(x), generator=stream) for x in (wanting, lending))
        receiving = [wanting[i] for i in places.tolist()]
        hand = [lending[i] for i in cards.tolist()]
        if not set(names) - set(receiving[:1]) or not hand:
            raise UserError("replacing by what another example had needs at least two examples")
        given = [hand[i % len(hand)] for i in range(len(receiving))]
        _part_selves(receiving, given, names, hand)
        dealt |= dict(zip(receiving, given, strict=True))
    return dealt


def _part_selves(receiving: list[str], given: list[int], names: list[str], hand: list[int]) -> None:
    """Change, in place, what was dealt to examples that were given themselves."""
    for i, example in enumerate(receiving):
        if names[given[i]] != example:
            continue
        fits = (
            j
            for j, other in enumerate(receiving)
            if names[given[j]] != example and names[given[i]] != other
        )
        j = next(fits, None)
        if j is not None:
            given[i], given[j] = given[j], given[i]
        else:  # alone in its group, or all have the same card
            others = [card for card in hand if names[card] != example] or [
                card for card in range(len(names)) if names[card] != example
            ]
            given[i] = others[0]

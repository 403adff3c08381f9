"""Whether pictures have the patches that a plan picks: seen before a run and not in its middle."""

import torch

from latentlab.data import Examples
from latentlab.reasoner import Reasoner
from latentlab.reasoning.selection import check_patches


def fewest_patches(reasoner: Reasoner, examples: Examples) -> tuple[int, str]:
    """How many patches the smallest picture has for a model, and which example's it is.

    An example without a picture has none.
    """
    of_size: dict[tuple[int, int], int] = {}
    fewest: list[tuple[int, str]] = []
    for i in range(len(examples)):
        example = examples[i]
        if example.image is None:
            return 0, example.id
        if example.image.size not in of_size:
            (count,) = reasoner.backbone.prepare_images([example.image]).counts
            of_size[example.image.size] = count
            fewest.append((count, example.id))
    return min(fewest)


def check_picks(reasoner: Reasoner, examples: Examples) -> None:
    """Refuse examples that a model's plan cannot be followed on.

    Raises:
        UserError: a picture is missing or has too few patches, or there are no traces where picks
            are taken from them.
    """
    patches, smallest = fewest_patches(reasoner, examples)
    # Tokenizing tells whether there are traces to take given picks from, and whether they reach.
    given = reasoner.prompter.batch([examples[0]], reasoner.plan).given_picks
    if given is None or not patches:
        check_patches(reasoner.plan, [smallest], torch.tensor([patches]), given)

"""A tiny Chameleon: sixteen visual words of the same vocabulary."""

from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from tests.conftest import tiny_chameleon


def chameleon() -> Reasoner:
    """Image tokens are ordinary tokens that are never said."""
    return tiny_chameleon(LatentPlan(steps=2, k=2))

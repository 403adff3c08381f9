"""The ten ways that are compared, and the embedded models that were trained for them.

All start from one explicit model, see the same questions and take the same number of updates
(`training.recipes`). Nothing heavy is imported here, since the command line shows the list.
"""

import re
from pathlib import Path

from latentlab.vocabulary import OWN_WAY

WAYS = {
    "no_cot": "No-CoT",
    "cot": "CoT",
    "ccot": "CCoT",
    "multimodal_cot": "Multimodal-CoT",
    "icot": "ICoT",
    "scaffold": "SCAFFOLD",
    "chain_of_focus": "Chain-of-Focus",
    "capimagine": "CapImagine",
    "coconut": "Coconut",
    "ivtlr": "IVT-LR",
}
"""Every way and what its paper calls it."""

PLAYED_BY = {"icot": "cot_vision"}
"""Twins that are called otherwise than the way they were trained for."""

TWINS = tuple(PLAYED_BY.get(way, way) for way in WAYS)
"""A twin for each way, in the same order."""

_ZOO = Path(__file__).parents[1] / "zoo"

EMBEDDED = tuple(name for name in TWINS if (_ZOO / name / "latentlab.json").is_file())
"""The twins that come with the package."""

_SEED = re.compile(r"-s\d+$")


def way_of(model: str, method: str) -> str:
    """The way in which a model is asked; models that are none of the ten keep their names.

    Args:
        model: its name; that of a further training may end with a seed, as in `ivtlr-s1`.
        method: the method that it is asked by.
    """
    name = _SEED.sub("", model) if method == OWN_WAY else method
    return next((way for way, twin in PLAYED_BY.items() if twin == name), name)


def ways_of(asked: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What to call each of several models and the methods they are asked by.

    Where two answer in one way, neither is called by it: trainings are not to be taken for another.
    """
    ways = [way_of(model, method) for model, method in asked]
    models = [model for model, _ in asked]

    def name(model: str, method: str, way: str) -> str:
        if ways.count(way) == 1:
            return way
        return model if models.count(model) == 1 else f"{model}, {method}"

    return {pair: name(*pair, way) for pair, way in zip(asked, ways, strict=True)}


def called(way: str) -> str:
    """What a way is called in tables and figures."""
    return WAYS.get(way, way)

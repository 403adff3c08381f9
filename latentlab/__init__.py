"""LatentLab: train, run and measure vision-language models that reason in latent space.

Names are imported when they are first used, so that a command's `--help` does not wait for them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from latentlab.version import __version__ as __version__

if TYPE_CHECKING:
    from latentlab.answers import Answer as Answer
    from latentlab.answers import Answered as Answered
    from latentlab.answers import Run as Run
    from latentlab.checkpoint import load as load
    from latentlab.data import Example as Example
    from latentlab.data import load_data as load_data
    from latentlab.reasoner import Reasoner as Reasoner
    from latentlab.reasoning.activations import Patch as Patch
    from latentlab.reasoning.activations import Site as Site
    from latentlab.reasoning.activations import patched as patched
    from latentlab.reasoning.activations import record as record
    from latentlab.reasoning.bank import Bank as Bank
    from latentlab.reasoning.donors import Donors as Donors
    from latentlab.reasoning.interventions import Add as Add
    from latentlab.reasoning.interventions import Drop as Drop
    from latentlab.reasoning.interventions import Replace as Replace
    from latentlab.reasoning.knockout import Knockout as Knockout
    from latentlab.reasoning.knockout import knocked_out as knocked_out
    from latentlab.reasoning.noise import MatchedNoise as MatchedNoise
    from latentlab.reasoning.noise import Noise as Noise
    from latentlab.reasoning.noise import NormMatched as NormMatched
    from latentlab.reasoning.noise import UnitNoise as UnitNoise
    from latentlab.reasoning.plan import LatentPlan as LatentPlan
    from latentlab.reasoning.sources import Constant as Constant
    from latentlab.reasoning.sources import Given as Given
    from latentlab.reasoning.sources import Mean as Mean
    from latentlab.reasoning.sources import Placeholder as Placeholder
    from latentlab.reasoning.sources import Resample as Resample
    from latentlab.reasoning.sources import Vector as Vector
    from latentlab.reasoning.sources import Zero as Zero
    from latentlab.study.arms import Arm as Arm
    from latentlab.study.references import reference_bank as reference_bank
    from latentlab.study.results import Results as Results
    from latentlab.study.results import read_results as read_results
    from latentlab.study.run import run_arms as run_arms

_WHERE = {
    "answers": ("Answer", "Answered", "Run"),
    "checkpoint": ("load",),
    "data": ("Example", "load_data"),
    "reasoner": ("Reasoner",),
    "reasoning.activations": ("Patch", "Site", "patched", "record"),
    "reasoning.bank": ("Bank",),
    "reasoning.donors": ("Donors",),
    "reasoning.interventions": ("Add", "Drop", "Replace"),
    "reasoning.knockout": ("Knockout", "knocked_out"),
    "reasoning.noise": ("MatchedNoise", "Noise", "NormMatched", "UnitNoise"),
    "reasoning.plan": ("LatentPlan",),
    "reasoning.sources": (
        "Constant", "Given", "Mean", "Placeholder", "Resample", "Vector", "Zero",
    ),
    "study.arms": ("Arm",),
    "study.references": ("reference_bank",),
    "study.results": ("Results", "read_results"),
    "study.run": ("run_arms",),
}  # fmt: skip
"""The public names, by the module that holds them."""

_NAMES = {name: module for module, names in _WHERE.items() for name in names}

__all__ = ["__version__", *sorted(_NAMES)]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name not in _NAMES:
        raise AttributeError(f"module 'latentlab' has no attribute {name!r}")
    return getattr(import_module(f"latentlab.{_NAMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names, for completion."""
    return [*__all__, *(name for name in globals() if name not in __all__)]

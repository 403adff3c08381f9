"""Examples, and where they come from.

`load_data` turns the one word a user gives on the command line into a sequence of examples
(`specs`). Tables of any kind become rows (`tables`, `stored`, found by `layouts`), rows become
records (`columns`, `m3cot`, `scienceqa`), and records that hold what they should become examples
(`records`, `collection`). What cannot be used is left out and counted (`leftout`).
"""

from latentlab.data.benchmark import Benchmark, BenchmarkConfig
from latentlab.data.example import (
    Example,
    Trace,
    counterfactual_answer,
    counterfactual_cells,
    traced,
)
from latentlab.data.folder import FolderDataset, export
from latentlab.data.leftout import readable, sound
from latentlab.data.options import Options
from latentlab.data.sequence import CachedExamples, Examples, LazyExamples
from latentlab.data.specs import EXAMPLE_SPECS, SOURCES, load_data

__all__ = [
    "EXAMPLE_SPECS",
    "SOURCES",
    "Benchmark",
    "BenchmarkConfig",
    "CachedExamples",
    "Example",
    "Examples",
    "FolderDataset",
    "LazyExamples",
    "Options",
    "Trace",
    "counterfactual_answer",
    "counterfactual_cells",
    "export",
    "load_data",
    "readable",
    "sound",
    "traced",
]

"""Pairs of a few questions under any plan, run on both sides."""

import pandas as pd
import pytest
import torch

from latentlab.data import load_data
from latentlab.patch.cells import cells_of
from latentlab.patch.pairs import pairs_of
from latentlab.patch.readout import Readout
from latentlab.patch.runs import PairRun, patch_rows, random_places


@pytest.fixture(autouse=True)
def no_grad():
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def data():
    return load_data("benchmark:domain=letters", limit=5)


class Grid:
    """The runs of a few pairs under a plan, and what patching them gives."""

    def __init__(self, reasoner, data, components=("resid_post",), heads=False):
        self.reasoner, prompter = reasoner, reasoner.prompter
        self.pairs = pairs_of("same_image", data, prompter, 0, data)
        self.cells = cells_of(self.reasoner, components, heads)
        self.places = random_places(prompter, self.pairs, 0)
        self.clean, self.corrupt, self.third = (
            PairRun(
                self.reasoner, [getattr(p, side) for p in self.pairs], self.cells, 0, self.places
            )
            for side in ("clean", "corrupt", "unrelated")
        )
        self.readout = Readout(self.pairs, self.clean.logits, self.corrupt.logits)

    def rows(self, *modes, sequences=0):
        runs = (self.clean, self.corrupt, self.third)
        found = patch_rows(*runs, self.readout, self.cells, modes, self.places, sequences)
        return pd.DataFrame([row for _, row in found])

    def values(self, run, name, component, layer=0):
        """What the first cell of that name takes from a run."""
        (cell,) = [
            cell
            for cell in self.cells
            if (cell.slot.name, cell.component, cell.layer, cell.head)
            == (name, component, layer, None)
        ]
        return cell.values(run.activations, self.corrupt.activations, self.places, 2)


@pytest.fixture
def grid(planned, data):
    return lambda plan, *arguments, **settings: Grid(planned(plan), data, *arguments, **settings)

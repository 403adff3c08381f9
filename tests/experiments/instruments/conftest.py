"""Results of instruments on untrained models as small as they get.

The numbers of an untrained model mean nothing, but differ everywhere, so that a number that is
drawn in the wrong place shows.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from latentlab import checkpoint
from latentlab.data import export, load_data
from latentlab.figures import studies
from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.experiment import find_experiments
from latentlab.figures.style import RC
from latentlab.mediation import effects
from latentlab.mediation import summary as effect_lines
from latentlab.patch import summary as recovery
from latentlab.study.results import Results, read_results

N = 6
MODELS = ("ivtlr", "relay")
ONE = ("relay",)
SMALL = {
    studies.ATTENTION: {"explicit": ("cot_vision",), "data": "benchmark"},
    studies.ATTENTION_RUNS: {"explicit": ("cot_vision",)},
    studies.ATTENTION_ANSWERS: {},
    studies.ATTENTION_ANSWERS_ONE_HOP: {"data": "benchmark:hops=1"},
    studies.MEDIATION: {"reference": N, "perturb": ("other_image", "relink", "mask_other")},
    studies.MEDIATION_STEPS: {"reference": N, "perturb": ("relink",)},
    studies.INTERCHANGES: {"max_new_tokens": 2},
    studies.PROBES: {"limit": 20},
    studies.LENSES: {},
    studies.PATCHING: {"mode": ("restore", "corrupt"), "limit": 4, "window": 1},
}
"""The studies, and how their settings differ from those of the figures."""

UNTRACED = {
    studies.ATTENTION: {"explicit": (), "model": ONE},
    studies.ATTENTION_RUNS: {"explicit": (), "model": ONE},
    studies.ATTENTION_ANSWERS: {"model": ONE},
    studies.ATTENTION_ANSWERS_ONE_HOP: {"model": ONE},
    studies.MEDIATION: {"reference": N, "perturb": ("blank",), "model": ONE},
    studies.MEDIATION_STEPS: {"reference": N, "perturb": ("blank",), "model": ONE},
    studies.INTERCHANGES: {"max_new_tokens": 2, "donor": ("unrelated", "self"), "model": ONE},
    studies.PROBES: {"limit": 20, "layer": (1,), "model": ONE},
    studies.LENSES: {"model": ONE},
    studies.PATCHING: {"mode": ("restore",), "limit": 4, "model": ONE},
}
"""The same of data without traces, and of one model without latent vision."""


def results_of(small, data, folder):
    """Run studies and read back what they left."""
    found = {}
    for study, changes in small.items():
        settings = {"model": MODELS, "data": data, "limit": N} | changes
        config = replace(study.config, **settings)
        replace(study, config=config).run(folder)
        found[study.name] = read_results(folder / study.name)
    return found | {"calibration": calibrated()}


def bent(found):
    """Results as of a model whose answers depend on its input, which those of this one do not."""
    rows = found["patching"].rows
    own = rows["corrupt"].where(rows["mode"] == "restore", rows["clean"])
    sham = rows["slot"] == "sham"
    assert (rows["patched"] == own)[sham].all()
    rows = rows.assign(clean=rows["clean"] + 5, corrupt=rows["corrupt"] - 5)
    own = rows["corrupt"].where(rows["mode"] == "restore", rows["clean"])
    rows["patched"] = rows["patched"].mask(sham, own)
    patching = replace(found["patching"], rows=rows, summary=recovery.summary_of(rows))
    changed = {"patching": patching}
    for name in ("mediation", "mediation-steps"):
        rows = found[name].rows
        there = (rows["measure"] == "effect") & (rows["perturbation"] != "none")
        moved = rows["y_clean"] - 5 - 0.1 * np.arange(len(rows))
        rows = effects.with_effects(
            rows.assign(y_perturbed=moved.where(there, rows["y_perturbed"]))
        )
        changed[name] = replace(found[name], rows=rows, summary=effect_lines.summary_of(rows))
    return found | changed


def calibrated():
    """A summary of `latentlab.calibrate`, made up."""
    lines = [
        ("ablate: drop", "latent -> answer", "latent_text", "relay", "positive", 0.8, ""),
        ("ablate: drop", "latent -> answer", "latent_text", "bypass", "negative", 0.0, ""),
        ("ablate: drop", "latent -> answer", "latent_text", "mine", "unknown", 0.4, ""),
        ("ablate: drop", "latent -> answer", "latent_vision", "gaze", "positive", 0.5, "broken"),
        ("ablate: drop", "latent -> answer", "latent_vision", "bypass", "negative", 0.6, "broken"),
        ("patch: hidden", "latent -> answer", "latent", "relay", "positive", 4.0, ""),
        ("patch: hidden", "latent -> answer", "latent", "gaze", "positive", 6.0, ""),
        ("moved", "input -> latent", "latent_text", "relay", "positive", 1.2, ""),
        ("moved", "input -> latent", "latent_text", "filler", "negative", 0.0, ""),
        ("ablate: sham", "latent -> answer", "latent", "relay", "sham", 0.0, ""),
    ]
    columns = ["instrument", "link", "part", "model", "role", "value", "verdict"]
    summary = pd.DataFrame(lines, columns=columns)
    low, high = (0.9 * summary["value"], 1.1 * summary["value"])
    summary = summary.assign(unit="nats", data="benchmark", n=N, value_low=low, value_high=high)
    return Results(pd.DataFrame(), summary, {"config": {"data": "benchmark"}})


@pytest.fixture(scope="session")
def run(untrained, tmp_path_factory):
    """Makes a function that runs studies on untrained organisms in the place of the embedded."""

    def results(small, data):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(checkpoint, "ZOO", untrained)
            return results_of(small, data, tmp_path_factory.mktemp("results"))

    return results


@pytest.fixture(scope="session")
def found(run):
    return bent(run(SMALL, "benchmark:domain=relation"))


@pytest.fixture(scope="session")
def untraced(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    export(load_data("benchmark:domain=relation", limit=24), folder / "own")
    return run(UNTRACED, str(folder / "own"))


@pytest.fixture
def make(found, untrained, monkeypatch):
    """Make one figure by name."""
    monkeypatch.setattr(checkpoint, "ZOO", untrained)

    def of(name, results=found):
        (experiment,) = find_experiments(EXPERIMENTS, [name])
        with plt.rc_context(RC):
            return experiment.make({s.name: results[s.name] for s in experiment.studies})

    yield of
    plt.close("all")


def drawn(axes, along=1):
    """Centres of all error bars of some axes."""
    found = [c[0].get_data()[along] for axis in axes for c in axis.containers]
    return np.sort(np.concatenate(found))


def at(data, **values):
    """The one line of a table with these values."""
    for name, value in values.items():
        data = data[data[name] == value]
    (line,) = (line for _, line in data.iterrows())
    return line


@pytest.fixture(name="drawn")
def given_drawn():
    return drawn


@pytest.fixture(name="at")
def given_at():
    return at

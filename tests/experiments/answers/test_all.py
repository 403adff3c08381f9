"""Every table and figure about answers and ablations is made, of what it is given and no more."""

import numpy as np
import pytest

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, Table, write
from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.experiment import find_experiments
from tests.legible import unreadable

NAMES = (
    "knockouts", "knockouts_table", "main_table", "necessity", "noise", "patches",
    "patches_trained", "rationales", "replacements", "retrained_arms", "steps", "topics",
)  # fmt: skip
TABLES = ("knockouts_table", "main_table", "retrained_arms")
BARS = ("necessity",)


def drawn_values(axis, along):
    """Centres of all error bars of an axis, as they are drawn."""
    return np.concatenate([c[0].get_data()[along] for c in axis.containers] or [np.empty(0)])


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_made_and_written(make, name, tmp_path):
    artifact = make(name)
    assert isinstance(artifact, Table if name in TABLES else Drawing)
    files = write(artifact, name, tmp_path)
    assert all(path.stat().st_size for path in files)
    assert f"{name}.csv" in {path.name for path in files}
    assert "95 %" in artifact.caption
    assert "nan" not in artifact.caption.lower()


@pytest.mark.parametrize("name", NAMES)
def test_data_without_domains_and_hops_are_shown_as_they_are(make, name, unnamed):
    artifact = make(name, unnamed)
    assert len(artifact.data)
    assert "nan" not in artifact.caption.lower()


@pytest.mark.parametrize("name", NAMES)
def test_everything_can_be_read_as_it_is_printed(make, name):
    assert unreadable(make(name)) == []


@pytest.mark.parametrize("name", [name for name in NAMES if name not in (*TABLES, *BARS)])
def test_every_number_drawn_is_in_the_data_and_no_other(make, name):
    artifact = make(name)
    value = next(v for v in ("delta", "share", "accuracy") if v in artifact.data)
    along = 0 if name in ("knockouts", "rationales", "replacements", "topics") else 1
    drawn = np.concatenate([drawn_values(axis, along) for axis in artifact.figure.axes])
    shown = artifact.data
    if name == "knockouts":  # the model left alone is a line, not a mark
        shown = shown[shown["intervention"] != "none"]
    np.testing.assert_allclose(np.sort(drawn), np.sort(100 * shown[value]), atol=1e-9)


def test_every_experiment_is_titled_and_reads_studies_of_the_one_place():
    known = {
        study.name for study in vars(studies).values() if isinstance(study, type(studies.NOISE))
    }
    for experiment in find_experiments(EXPERIMENTS, NAMES):
        assert experiment.title.endswith(".")
        assert {study.name for study in experiment.studies} <= known

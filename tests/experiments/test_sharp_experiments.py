"""Figures of changed marks and masked evidence, made from runs of untrained models.

What an untrained model answers means nothing, but what is drawn has to be what its rows say.
"""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib import pyplot as plt

from latentlab import checkpoint
from latentlab.calibrate.subjects import CANNOT_REASON
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.experiment import find_experiments
from latentlab.figures.style import RC
from latentlab.study.results import read_results
from tests.legible import unreadable

NAMES = ("counterfactual", "evidence")
MODELS = ("ivtlr", "relay")
FOUR, ONE = "benchmark:domain=letters", "benchmark:domain=letters,hops=1"
SMALL = {
    studies.COUNTERFACTUALS: {"data": FOUR, "model": MODELS, "hop": (2, 4)},
    studies.COUNTERFACTUALS_ONE_HOP: {"data": ONE},
    studies.EVIDENCE: {"data": FOUR, "model": MODELS},
    studies.EVIDENCE_ONE_HOP: {"data": ONE},
}
"""The studies, and how their settings differ from those of the figures."""


@pytest.fixture(scope="module")
def found(untrained, tmp_path_factory):
    """Results of the studies on six questions."""
    results = tmp_path_factory.mktemp("results")
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "ZOO", untrained)
        for study, changes in SMALL.items():
            config = replace(study.config, limit=6, max_new_tokens=2, **changes)
            replace(study, config=config).run(results)
            made[study.name] = read_results(results / study.name)
    return made


@pytest.fixture
def make(found):
    """Make one figure by name."""

    def of(name):
        (experiment,) = find_experiments(EXPERIMENTS, [name])
        with plt.rc_context(RC):
            return experiment.make({s.name: found[s.name] for s in experiment.studies})

    yield of
    plt.close("all")


@pytest.mark.parametrize(
    ("name", "column"), [("counterfactual", "share"), ("evidence", "accuracy")]
)
def test_every_number_drawn_is_in_the_data(make, name, column):
    made = make(name)
    assert isinstance(made, Drawing)
    assert unreadable(made) == []
    panels = [axis for axis in made.figure.axes if axis.get_title()]
    assert len(panels) == len(MODELS) + len(CANNOT_REASON)
    marks = [
        c[0].get_data()[0] for axis in panels for c in axis.containers if len(c[0].get_data()[0])
    ]
    drawn = np.concatenate(marks)
    gaps = np.abs(drawn[:, None] - 100 * made.data[column].to_numpy(float))
    assert len(drawn) and (gaps.min(axis=1) < 1e-9).all()
    assert "95 %" in made.caption
    for word in ("nan", "<NA>", "None"):
        assert word not in made.caption


def test_flips_are_those_of_the_rows(make, found):
    made = make("counterfactual")
    rows = found["counterfactual"].rows
    chosen = {"model": "ivtlr", "hop": 2, "part": "latent_vision", "steps": "1..3"}
    for series, sham, column in (
        ("strict", "", "strict_flip"),
        ("false", "", "false_flip"),
        ("permuted", "permuted", "strict_flip"),
    ):
        of = {**chosen, "sham": sham, "patches": "needed"}
        same = rows[np.logical_and.reduce([rows[name] == value for name, value in of.items()])]
        data = made.data[made.data["series"] == series]
        (line,) = data[
            np.logical_and.reduce([data[name] == value for name, value in chosen.items()])
        ].itertuples()
        assert line.share == pytest.approx(same[column].astype(float).mean())
        assert line.n == len(same)
    assert "change exactly nothing" in made.caption
    assert set(made.data.loc[made.data["model"] == "relay", "part"]) == {"latent_text"}


def test_right_answers_are_those_of_the_rows(make, found):
    made = make("evidence")
    rows = found["evidence"].rows
    for slots, positions in (("own", ""), ("empty", "closed")):
        of = {"model": "ivtlr", "evidence": "masked", "vision_slots": slots}
        of |= {"text_slots": "remade", "positions": positions}
        same = rows[np.logical_and.reduce([rows[name] == value for name, value in of.items()])]
        data = made.data
        (line,) = data[
            np.logical_and.reduce([data[name] == value for name, value in of.items()])
        ].itertuples()
        assert (line.n, line.accuracy) == (6, pytest.approx(same["correct"].mean()))
    labels = [tick.get_text() for tick in made.figure.axes[0].get_yticklabels()]
    assert labels == ["of the whole picture", "made anew", "another question's", "slots empty"]

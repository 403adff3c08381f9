"""The figure of which words reason and the table of misleading words, on embedded models."""

import dataclasses

import pytest
from matplotlib import pyplot as plt

from latentlab.figures import ways
from latentlab.figures.artifacts import Drawing, Table
from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.experiment import find_experiments
from latentlab.figures.style import RC
from latentlab.study.results import read_results
from tests.legible import unreadable

STUDIES = {
    ways.CARRIED: ("no_cot", "cot", "ivtlr"),
    ways.CARRIED_LOST: ("no_cot", "cot", "ivtlr"),
    ways.MISLED: ("cot", "ivtlr"),
}


NAMES = ("which_words", "imagined")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    results = {}
    for study, models in STUDIES.items():
        config = dataclasses.replace(study.config, model=models, limit=6, data="benchmark:size=40")
        dataclasses.replace(study, config=config).run(folder)
        results[study.name] = read_results(folder / study.name)
    return results


def made(name, found):
    (experiment,) = find_experiments(EXPERIMENTS, [name])
    with plt.rc_context(RC):
        return experiment.make(found)


def test_every_method_has_a_row_and_shares_add_up(found):
    figure = made("which_words", found)
    assert isinstance(figure, Drawing)
    assert unreadable(figure) == []
    shares = figure.data[figure.data["panel"] == "exchanged"]
    assert set(shares["row"]) == {"cot", "ivtlr"}
    assert shares.groupby("row")["share"].sum().tolist() == pytest.approx([1, 1])
    lost = figure.data[figure.data["panel"] == "lost"].set_index(["row", "series"])["delta"]
    assert lost["cot", "left out"] < -0.5
    assert lost["cot", "own put back (sham)"] == 0
    assert ("no_cot", "left out") not in lost.index
    assert len(figure.caption.partition("\n\n")[2].split()) <= 60


def test_the_test_sees_words_that_mislead(found):
    table = made("imagined", found)
    assert isinstance(table, Table)
    lines = table.data.set_index("model")
    assert lines.loc["cot", "own_lift_high"] < 0
    assert lines.loc["cot", "strict_flip"] > 0.5
    assert set(table.data["part"]) == {"rationale", "latent"}
    assert unreadable(table) == []

"""Table and figure of the compared ways, made of rows whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from latentlab.compare.summary import summary_of
from latentlab.compare.ways import WAYS, called
from latentlab.console import MISSING
from latentlab.figures import compared, published, studies
from latentlab.figures.artifacts import Drawing, Table, write
from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.experiment import find_experiments
from latentlab.figures.style import PAGE, RC
from latentlab.figures.typeset import LETTERS, letters
from latentlab.study.provenance import resolve
from latentlab.study.results import read_results, write_results
from tests.compare.made import rows_of
from tests.legible import unreadable
from tests.records import UNTOLD

NAMES = ("compared", "cost")

TRUTH = {way: (0.99 - 0.004 * i, 5 + i // 2, 0.002 + 0.0003 * i) for i, way in enumerate(WAYS)}
TRUTH |= {"no_cot": (0.1, 3, 0.002), "ccot": (0.985, 40, 0.03), "ivtlr": (0.9, 6, 0.0025)}


def results_of(rows, folder):
    run = UNTOLD | {
        "command": "compare",
        "config": resolve(studies.COMPARED.config),
        "platform": {"cpus": 2, "machine": "abacus"},
        "versions": {},
        "checkpoints": {},
    }
    return read_results(write_results(folder / "compared", rows, summary_of(rows), run))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return results_of(rows_of(TRUTH), tmp_path_factory.mktemp("results"))


@pytest.fixture
def make(found):
    def of(name, results=found):
        (experiment,) = find_experiments(EXPERIMENTS, [name])
        with plt.rc_context(RC):
            return experiment.make({"compared": results})

    yield of
    plt.close("all")


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_made_written_and_legible(make, name, tmp_path):
    made = make(name)
    assert isinstance(made, Table if name == "compared" else Drawing)
    assert unreadable(made) == []
    assert all(path.stat().st_size for path in write(made, name, tmp_path))
    assert "nan" not in made.caption.lower()


@pytest.mark.parametrize("name", NAMES)
def test_data_without_domains_and_hops_are_shown_as_they_are(make, name, tmp_path):
    rows = rows_of(TRUTH).assign(domain="", hops=pd.array([pd.NA] * 10 * 200, "Int64"))
    made = make(name, results_of(rows, tmp_path))
    assert len(made.data) == len(WAYS)
    assert "nan" not in made.caption.lower()


def test_the_table_counts_right_answers_and_keeps_published_numbers_apart(make):
    made, rows = make("compared"), rows_of(TRUTH)
    assert made.cells["way"].tolist() == list(WAYS.values())
    data = made.data.set_index("way")
    right = rows[rows["hops"] == 4].groupby("way")["correct"].mean()
    for way in WAYS:
        assert data.loc[way, "hops 4"] == pytest.approx(right[way])
        assert data.loc[way, "steps"] == TRUTH[way][1]
        assert data.loc[way, "time"] == pytest.approx(TRUTH[way][2] / TRUTH["cot"][2])
    assert letters(made.cells) <= LETTERS[PAGE]
    assert "71.8" in made.published.to_numpy()
    assert "71.8" not in made.cells.to_numpy()
    kept = published.MAIN[["published method", "cite", "M3CoT (%)", "ScienceQA (%)"]]
    pd.testing.assert_frame_equal(published.COMPARED[list(kept.columns)], kept)


def test_trainings_stand_in_a_column_of_their_own(make, tmp_path, monkeypatch):
    rows = pd.concat(
        rows_of({"cot": (share, 5, 0.1)}).assign(training_seed=seed)
        for seed, share in enumerate((0.7, 0.9, 0.8))
    )
    rows.to_parquet(tmp_path / "seeds.parquet")
    monkeypatch.setattr(compared, "SEEDS", tmp_path / "seeds.parquet")
    monkeypatch.setattr(compared.over_seeds, "__defaults__", (tmp_path / "seeds.parquet",))
    spread = compared.over_seeds("4")
    of_four = rows[rows["hops"] == 4].groupby("training_seed")["correct"].mean()
    assert spread.loc["cot"].tolist() == [3, of_four.min(), of_four.max()]
    made = make("compared").cells.set_index("way")["trainings"]
    assert made["CoT"] == f"{100 * of_four.min():.1f} to {100 * of_four.max():.1f} (3)"
    assert made["IVT-LR"] == MISSING
    assert compared.over_seeds("4", tmp_path / "none").empty


def test_the_front_is_where_nothing_is_cheaper_and_more_often_right(make):
    data = make("cost").data
    for cost in ("steps", "milliseconds"):
        for _, one in data.iterrows():
            better = (data[cost] <= one[cost]) & (data["accuracy"] > one["accuracy"])
            equal = (data[cost] < one[cost]) & (data["accuracy"] == one["accuracy"])
            assert one[f"front {cost}"] == (not (better | equal).any())


def test_every_way_is_drawn_and_named_in_both_panels(make):
    made = make("cost")
    for axis in made.figure.axes:
        drawn = np.concatenate([c[0].get_data()[1] for c in axis.containers])
        np.testing.assert_allclose(np.sort(drawn), np.sort(made.data["accuracy"]))
        written = {text.get_text() for text in axis.texts} - {""}  # lines to names have no text
        assert written == {called(way) for way in WAYS}


def test_a_difference_is_read_in_each_training_and_over_all(tmp_path):
    shares = {0: {"ivtlr": 0.9, "cot": 0.5}, 1: {"ivtlr": 0.9, "cot": 0.6}, 2: {"ivtlr": 0.9}}
    rows = pd.concat(
        rows_of({way: (share, 5, 0.1) for way, share in of.items()}).assign(training_seed=seed)
        for seed, of in shares.items()
    )
    rows.to_parquet(tmp_path / "seeds.parquet")
    lines = compared.over_trainings("ivtlr", ("cot", "icot"), "4", tmp_path / "seeds.parquet")
    assert lines["way"].tolist() == ["cot"] * 3  # of the third seed there is no partner
    right = rows[rows["hops"] == 4].pivot_table("correct", "training_seed", "way")
    apart = (right["ivtlr"] - right["cot"]).dropna().to_numpy()
    np.testing.assert_allclose(lines["difference"], [*apart, apart.mean()])
    width = lines["difference_high"] - lines["difference_low"]
    assert width.iloc[2] > 2 * width.iloc[:2].max()  # two trainings tell little of a third

"""What the viewer is given: the numbers of the rows, and the examples of the data."""

import dataclasses
import math

import pytest

from latentlab.errors import UserError
from latentlab.report.gallery import read_gallery
from latentlab.report.runs import ToldStudy
from latentlab.report.traces import viewer_data
from latentlab.study.results import read_results
from latentlab.trace.findings import conclusion, summary_of
from latentlab.trace.rows import STEP


@pytest.fixture(scope="module")
def results(world):
    return read_results(world.config.results / "traces")


@pytest.fixture(scope="module")
def data(results):
    return viewer_data(results, 10)


def test_the_first_examples_are_shown_with_all_that_was_recorded(data, results):
    model = data["models"][0]
    assert [one["name"] for one in data["models"]] == ["tiny", "twin"]
    shown = [trace["id"] for trace in model["traces"]]
    assert shown == list(data["examples"]) == list(results.rows["example"].unique())[:10]
    assert model["arms"][0] == {"name": "none", "said": "left alone", "control_of": ""}
    for trace in model["traces"]:
        assert len(trace["steps"]) == 2
        assert len(trace["answers"]) == len(model["arms"])
        for answer in trace["answers"]:
            assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-3)
    asked = data["examples"][shown[0]]
    assert asked["size"] == [112, 112] and len(asked["path"]) == 5
    assert asked["choices"][asked["gold"]] == asked["path"][-1]


def test_numbers_are_those_of_the_rows(data, results):
    rows = results.rows[results.rows["model"] == "tiny"]
    steps = rows[rows["record"] == STEP].set_index(["example", "step"])
    model = data["models"][0]
    for trace in model["traces"]:
        for number, step in enumerate(trace["steps"], start=1):
            row = steps.loc[(trace["id"], number)]
            assert step["picks"] == list(row["picks"])
            assert step["attention"] == pytest.approx(row["patch_attention"], abs=1e-4)
            assert step["ratio"] == pytest.approx(row["ratio:image/text"], abs=1e-4)
            assert step["focus"] == pytest.approx(row["focus:image"], abs=1e-4)
            again = row["ratio:reinserted/text"]
            assert step["again"] is None if math.isnan(again) else step["again"] is not None
            assert step["probe"]["label"] == row["probe_label"]


def test_every_control_names_what_it_controls_in_words(data):
    model = data["models"][0]
    said = {arm["name"]: arm["said"] for arm in model["arms"]}
    assert said["drop latent_text"] == "without its latent text"
    assert said["drop latent_text: slots kept, empty"] == "leaving the same slots empty"
    closed = "drop latent_text: positions closed"
    assert said[closed] == "without its latent text, closing up positions"
    assert all(arm["control_of"] in ("", *said) for arm in model["arms"])


def test_data_that_changed_is_noticed(results):
    rows = results.rows.assign(example=results.rows["example"] + "x")
    with pytest.raises(UserError, match=r"holds no example .* any more"):
        viewer_data(dataclasses.replace(results, rows=rows), 3)


def test_sentences_are_the_same_from_disk(world, results):
    fresh = conclusion(summary_of(results.rows, seed=0))
    read = results
    assert "step 1 in" in conclusion(read.summary)[-1]  # and not "step 1.0"
    assert conclusion(read.summary)[-1] == fresh[-1]
    run = ToldStudy(None, read, "")
    assert run.facts["models"].startswith("tiny (")
    assert run.facts["questions"] == "18"  # a quarter of 24 are references


def test_a_folder_of_figures_reads_back(figures, tmp_path):
    figure, table = read_gallery(figures)
    assert (figure.name, figure.title) == ("a_figure", "A figure")
    assert figure.caption.startswith("Shows <script>") and figure.picture.startswith("data:image")
    assert table.caption == "Lines of cells."
    ours, published = table.grids
    assert ours.head == ("model", "accuracy %")
    assert ours.rows == (("relay", "1.0 [0.5, 2.0]"), ("a | b", "–"))
    assert ours.numeric == (False, True)
    assert ours.note == "" and published.note.startswith("Published")
    assert read_gallery(tmp_path) == []

"""Figures of attention: ratios, runs, the answer's readout, and maps."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from latentlab.attention.summary import AFTER
from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.experiment import find_experiments


def test_attention_has_both_modes_their_nulls_and_random_picks(make, found, at):
    data = make("attention").data
    assert set(data["mode"]) == {"latent", "explicit"}
    rows = found["attention"].rows
    rows = rows[(rows["model"] == "ivtlr") & (rows["step"] == 2)]
    chosen = {"model": "ivtlr", "step": 2, "measure": "ratio", "keys": "image/text"}
    for control, mode in ((False, "latent"), (True, "latent, random picks")):
        line = at(data, **chosen, control=control)
        of_mode = rows[rows["mode"] == mode]
        assert line["value"] == pytest.approx(of_mode["ratio:image/text"].mean())
        assert line["null"] == pytest.approx(of_mode["uniform_ratio:image/text"].mean())
    assert set(data.loc[data["control"], "model"]) == {"ivtlr", "cot_vision"}


def test_attention_runs_begin_alike_and_are_those_of_the_rows(make, found, at):
    data = make("attention_runs").data
    # A model that re-inserts nothing has its own run only.
    runs = data.groupby("model")["run"].nunique().to_dict()
    assert runs == {"ivtlr": 6, "relay": 1, "cot_vision": 6}
    data = data[data["model"] != "relay"]
    for _, of_step in data[data["step"] == 1].groupby(["model", "measure", "keys"]):
        assert len(of_step) == 6 and np.ptp(of_step["value"]) < 1e-5
    rows = found["attention-runs"].rows
    for vision, run in (("packed", "slots without positions"), ("kept", "slots empty")):
        of_run = rows[(rows["model"] == "ivtlr") & (rows["vision"] == vision) & (rows["step"] == 3)]
        line = at(data, model="ivtlr", run=run, step=3, measure="focus")
        assert line["value"] == pytest.approx(of_run["focus:image"].mean())


def test_the_answers_readout_is_that_of_the_rows(make, found, drawn, at):
    made = make("answer_attention")
    rows = found["attention-answers"].rows
    rows = rows[(rows["model"] == "ivtlr") & (rows["query"] == AFTER)]
    of_ivtlr = made.data[made.data["row"] == "ivtlr"]
    for measure, part, layer in (
        ("answer_mass", "latent_vision", "all"),
        ("answer_gradient", "latent", "all"),
        ("reward", "latent", "0"),
    ):
        column = measure if measure == "reward" else f"{measure}:{part}"
        line = at(of_ivtlr, measure=measure, keys=part)
        assert line["value"] == pytest.approx(rows.loc[rows["layers"] == layer, column].mean())
    # A model with one part has one mark; other questions are another row.
    assert set(made.data.loc[made.data["model"] == "relay", "keys"]) == {"latent"}
    assert {"ivtlr", "ivtlr (one hop)"} <= set(made.data["row"])
    panels = (("answer_mass", 100), ("reward", 100), ("answer_share", 100), ("answer_gradient", 1))
    for axis, (measure, scale) in zip(made.figure.axes, panels, strict=True):
        wanted = np.sort(scale * made.data.loc[made.data["measure"] == measure, "value"])
        np.testing.assert_allclose(drawn([axis], 0), wanted, atol=1e-9)


def test_maps_show_the_attention_and_the_picks_of_the_rows(make, found):
    made = make("attention_maps")
    rows = found["attention"].rows
    assert set(made.data["model"]) == {"ivtlr", "cot_vision"}
    examples = list(dict.fromkeys(made.data["example"]))
    domains = rows.drop_duplicates("example").set_index("example").loc[examples, "domain"]
    assert set(domains) == {"digits", "letters", "relation"}
    pictures = [axis.get_ylabel() for axis in made.figure.axes if axis.get_ylabel()]
    assert pictures[:3] == ["digits", "letters", "relation"]
    source = rows[rows["mode"].isin(["latent", "explicit"])].set_index(["example", "model", "step"])
    for key, cells in made.data.groupby(["example", "model", "step"]):
        row = source.loc[key]
        np.testing.assert_array_equal(cells["attention"], row["patch_attention"])
        picks = [] if row["picks"] is None else sorted(row["picks"])
        assert cells.loc[cells["picked"], "patch"].tolist() == picks
        assert cells.loc[cells["read"], "patch"].tolist() == [row["cell_read"]]
    boxes = [p for a in made.figure.axes for p in a.patches if isinstance(p, Rectangle)]
    assert len(boxes) == made.data["picked"].sum() > 0


def test_maps_prefer_the_first_questions_that_all_models_get_right(found):
    (experiment,) = find_experiments(EXPERIMENTS, ["attention_maps"])
    choose = experiment.make.__globals__["_chosen"]
    rows = pd.DataFrame(
        {
            "example": ["a", "b", "c", "d"] * 2,
            "domain": ["x", "x", "y", "x"] * 2,
            "correct_likelihood": [True, True, False, True, False, True, True, True],
        }
    )
    assert choose([rows[:4], rows[4:]]) == ["b", "c", "d"]

"""Figures about instruments: each is made of what it is given, and each number is that of its rows.

One file, since the studies that all of them are made of are run once for each file.
"""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from latentlab.attention.summary import AFTER
from latentlab.figures.artifacts import Drawing
from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.experiment import find_experiments

NAMES = (
    "answer_attention", "attention", "attention_knockouts", "attention_maps", "attention_runs",
    "attribution", "calibration", "interchange", "latents_moved", "lens_grid", "mediation",
    "mediation_steps", "patching_grid", "probe_grid", "similarity",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_made(make, name):
    artifact = make(name)
    assert isinstance(artifact, Drawing)
    artifact.figure.draw_without_rendering()
    assert "95 %" in artifact.caption or name == "attention_maps"
    assert "retrained" in artifact.caption
    for word in ("nan", "<NA>", "None"):
        assert word not in artifact.caption


@pytest.mark.parametrize("name", NAMES)
def test_data_without_traces_are_shown_as_they_are(make, untraced, name):
    artifact = make(name, untraced)
    assert len(artifact.data)
    artifact.figure.draw_without_rendering()


@pytest.mark.parametrize(
    ("name", "columns", "along"),
    [
        ("attention", {"value": 1}, 1),
        ("attention_runs", {"value": 1}, 1),
        ("attention_knockouts", {"lost": 100}, 0),
        ("attribution", {"logit": 1}, 0),
        ("calibration", {"reading": 1}, 0),
        ("mediation_steps", {"nie_share": 100, "tie_share": 100}, 1),
        ("similarity", {"value": 1}, 1),
    ],
)
def test_every_number_drawn_is_in_the_data_and_no_other(make, name, columns, along, drawn):
    made = make(name)
    values = [scale * made.data[column].to_numpy(float) for column, scale in columns.items()]
    wanted = np.sort(np.concatenate(values))
    np.testing.assert_allclose(drawn(made.figure.axes, along), wanted, atol=1e-9)


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


def test_effects_and_shares_are_those_of_the_rows(make, found, at):
    data = make("mediation").data
    rows = found["mediation"].rows
    chosen = (rows["measure"] == "effect") & (rows["outcome"] == "log_odds")
    rows = rows[chosen & (rows["mediator"] == "latents") & (rows["model"] == "ivtlr")]
    rows = rows[(rows["perturbation"] == "other_image") & (rows["part"] == "latent")]
    of_one = {"model": "ivtlr", "perturbation": "other_image", "part": "latent"}
    for name in ("te", "nde"):
        line = at(data, **of_one, measure=name)
        assert line["value"] == pytest.approx(rows[name].mean())
    shares = data[data["measure"].isin(["nie_share", "tie_share"])]
    for name in ("nie", "tie"):
        vectors = shares[(shares["measure"] == f"{name}_share") & (shares["mediator"] == "latents")]
        line = at(vectors, **of_one)
        assert line["value"] == pytest.approx(rows[name].mean() / rows["te"].mean())
    assert {"relink hop 1", "relink hop 4"} <= set(data["perturbation"])
    assert not shares["perturbation"].eq("none").any()
    assert (shares["value_high"] - shares["value_low"]).max() <= 1
    assert "sham changes exactly nothing" in make("mediation").caption


def test_steps_stand_alone_and_in_runs_from_the_first(make, found):
    (experiment,) = find_experiments(EXPERIMENTS, ["mediation_steps"])
    by_last_step = experiment.make.__globals__["_by_last_step"]
    lines = pd.DataFrame({"steps": ["1", "2", "3", "1..2", "all"]})
    placed = by_last_step(lines)
    sets = {
        name: dict(zip(g["last"], g["steps"], strict=True)) for name, g in placed.groupby("set")
    }
    assert sets["each"] == {1: "1", 2: "2", 3: "3"}
    assert sets["cumulative"] == {1: "1", 2: "1..2", 3: "all"}


def test_movement_is_that_of_each_step_beside_an_ordinary_token(make, found, at):
    data = make("latents_moved").data
    rows = found["mediation"].rows
    rows = rows[(rows["model"] == "ivtlr") & (rows["perturbation"] == "other_image")]
    moved = {"model": "ivtlr", "row": "other_image", "measure": "sd"}
    for series, part, steps in (("step 2", "latent_text", "2"), ("ordinary token", "ordinary", "")):
        wanted = rows[(rows["part"] == part) & (rows["steps"] == steps)]["sd"].mean()
        assert at(data, **moved, series=series)["value"] == pytest.approx(wanted)
    sham = data[(data["row"] == "none") & (data["measure"] == "sd")]
    assert (sham["value"] == 0).all()
    assert set(data.loc[data["measure"] == "kept", "model"]) == {"ivtlr"}


def test_answers_of_an_exchange_add_up(make, found, at):
    made = make("interchange")
    shares = made.data[["keeps_own", "gives_donors", "gives_expected", "gives_other"]]
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(
        made.data["neither"], shares[["gives_expected", "gives_other"]].sum(axis=1)
    )
    assert set(made.data.loc[made.data["model"] == "relay", "part"]) == {"latent_text"}
    rows = found["interchange"].rows
    chosen = {"model": "ivtlr", "part": "latent", "donor": "same_image", "steps": "2"}
    line = at(made.data, **chosen)
    same = rows[(rows[list(chosen)] == pd.Series(chosen)).all(axis=1)]
    assert line["keeps_own"] == pytest.approx(same["keeps_own"].mean())
    assert line["gives_donors"] == pytest.approx(same["follows_donor"].mean())
    widths = sum(bar.get_width() for bar in made.figure.axes[0].patches)
    bars = len(made.figure.axes[0].get_yticks())
    assert widths == pytest.approx(100 * bars)


def test_cells_of_the_grid_recover_what_the_rows_say(make, found, at):
    made = make("patching_grid")
    rows = found["patching"].rows
    rows = rows[(rows["model"] == "ivtlr") & (rows["mode"] == "restore")]
    rows = rows[(rows["component"] == "resid_post") & (rows["layer"] == 0)]
    for slot, side in (("text 1", "patch"), ("text 1: from an unrelated question", "control")):
        cell = rows[rows["slot"] == slot][["clean", "corrupt", "patched"]].mean()
        wanted = (cell["patched"] - cell["corrupt"]) / (cell["clean"] - cell["corrupt"])
        chosen = {"model": "ivtlr", "mode": "restore", "slot": slot, "component": "resid_post"}
        line = at(made.data[made.data["layer"] == 0], **chosen)
        assert line["recovery"] == pytest.approx(wanted)
        assert line["from"] == side
    first = made.figure.axes[0]
    columns = [tick.get_text() for tick in made.figure.axes[-3].get_xticklabels()]
    assert columns[:4] == ["prompt end", "vision 1", "text 1", "vision 2"]
    assert columns[-2:] == ["1 random", "2 random"]
    texts = {(int(x), int(y)): t.get_text() for t in first.texts for x, y in [t.get_position()]}
    line = made.data[(made.data["model"] == "ivtlr") & (made.data["mode"] == "restore")]
    line = at(line[line["layer"] == 0], slot="text 1", component="resid_post")
    assert texts[2, 1] == f"{100 * line['recovery']:.0f}".replace("-0", "0")
    assert "(sham) change exactly nothing" in made.caption


def test_knock_outs_stand_beside_as_many_random_keys(make, found, at):
    data = make("attention_knockouts").data
    assert set(data["layers"]) == {2}  # the windows of single layers are not shown
    rows = found["patching"].rows
    rows = rows[(rows["model"] == "relay") & (rows["layers"] == 2)]
    for series in ("knock-out", "control"):
        line = at(data, model="relay", row="answer -/-> latent", series=series)
        same = rows[rows["slot"] == line["slot"]]
        wanted = same["hit_before"].mean() - same["hit"].mean()
        assert line["lost"] == pytest.approx(wanted)


def test_probes_stand_above_their_controls(make, found, at):
    data = make("probe_grid").data
    rows = found["probe"].rows
    rows = rows[(rows["kind"] == "probe") & (rows["model"] == "relay")]
    fed = rows[(rows["place"] == "latent_text") & (rows["target"] == "object 2")]
    chosen = {"model": "relay", "panel": "latent text as fed in", "target": "object 2"}
    line = at(data, **chosen, row="step 2")
    assert line["value"] == pytest.approx(fed[fed["step"] == 2]["correct"].mean())
    control = at(data, **chosen, row="shuffled")
    assert control["value"] == pytest.approx(fed.groupby("step")["control"].mean().max())
    question = rows[(rows["place"] == "question") & (rows["target"] == "object 2")]
    wanted = question["correct"].mean()
    assert at(data, **chosen, row="question")["value"] == pytest.approx(wanted)
    assert list(dict.fromkeys(data["row"])) == [
        "step 1",
        "step 2",
        "step 3",
        "shuffled",
        "question",
    ]


def test_the_lens_has_every_place_layer_and_hop(make, found, at):
    made = make("lens_grid")
    rows = found["lens"].rows
    rows = rows[(rows["model"] == "ivtlr") & (rows["measure"] == "logit lens")]
    rows = rows[(rows["layer"] == 1) & (rows["target"] == "hop 2")]
    chosen = {"model": "ivtlr", "target": "hop 2", "measure": "logit lens", "layer": 1}
    for step, column in ((0, "prompt"), (1, "step 1"), (4, "answer")):
        wanted = (rows.loc[rows["step"] == step, "rank"] == 1).mean()
        assert at(made.data, **chosen, column=column)["top1"] == pytest.approx(wanted)
    labels = [tick.get_text() for tick in made.figure.axes[0].get_yticklabels()]
    assert labels == ["layer 1", "layer 0", "as fed in", "nearest token"]
    assert made.data["target"].unique().tolist()[-1] == "other object"


def test_parts_of_a_logit_sum_to_the_total(make):
    data = make("attribution").data
    for _, group in data.groupby(["model", "series"]):
        total = group["row"] == "total"
        assert group.loc[~total, "logit"].sum() == pytest.approx(
            group.loc[total, "logit"].item(), abs=1e-4
        )
    assert {"latent_vision 1", "latent_text 3"} <= set(data.loc[data["model"] == "ivtlr", "row"])


def test_readings_are_in_units_of_their_positive_controls(make):
    made = make("calibration")
    data = made.data.set_index(["instrument", "part", "model"])["reading"]
    assert data["ablate: drop", "latent_text", "relay"] == pytest.approx(1)
    assert data["ablate: drop", "latent_text", "mine"] == pytest.approx(0.5)
    assert data["patch: hidden", "latent", "relay"] == pytest.approx(0.8)
    assert data["patch: hidden", "latent", "gaze"] == pytest.approx(1.2)
    assert "sham" not in set(made.data["role"])
    labels = [tick.get_text() for tick in made.figure.axes[0].get_yticklabels()]
    assert labels == ["ablate: drop (!)", "patch: hidden (both parts)", "moved"]
    assert "ablate: drop, latent vision" in made.caption
    assert "change exactly nothing" in made.caption

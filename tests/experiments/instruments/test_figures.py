"""Figures about instruments: each is made of what it is given, and each number is that of its rows.

One file, since the studies that all of them are made of are run once for each file.
"""

import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from latentlab.attention.summary import AFTER
from latentlab.console import typeset
from latentlab.figures.artifacts import Drawing, Table
from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.experiment import find_experiments
from tests.legible import unreadable

NAMES = (
    "answer_attention", "attention", "attention_knockouts", "attention_maps", "attention_runs",
    "attribution", "calibration", "interchange", "latents_moved", "lens_grid", "mediation",
    "mediation_steps", "mediation_totals", "patching_grid", "probe_grid", "similarity",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_made(make, name):
    artifact = make(name)
    assert isinstance(artifact, Table if name == "similarity" else Drawing)
    assert "95 %" in artifact.caption or name == "attention_maps"
    for word in ("nan", "<NA>", "None"):
        assert word not in artifact.caption


@pytest.mark.parametrize("name", NAMES)
def test_data_without_traces_are_shown_as_they_are(make, untraced, name):
    artifact = make(name, untraced)
    assert len(artifact.data)
    assert unreadable(artifact) == []


@pytest.mark.parametrize("name", NAMES)
def test_everything_can_be_read_as_it_is_printed(make, name):
    assert unreadable(make(name)) == []


@pytest.mark.parametrize(
    ("name", "columns", "along"),
    [
        ("attention", {"value": 1}, 1),
        ("attention_runs", {"value": 1}, 0),
        ("answer_attention", {"value": 100}, 0),
        ("attention_knockouts", {"delta": 100}, 0),
        ("attribution", {"logit": 1}, 0),
        ("calibration", {"reading": 1}, 0),
        ("mediation_totals", {"value": 1}, 0),
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


def test_attention_runs_show_the_last_step_of_each_run_and_the_first(make, found, at):
    data = make("attention_runs").data
    # A model that re-inserts nothing has its own run only, and is left out.
    runs = data.groupby("model")["run"].nunique().to_dict()
    assert runs == {"ivtlr": 6, "cot_vision": 6}
    rows = found["attention-runs"].rows
    for vision, run in (("packed", "slots without positions"), ("kept", "slots empty")):
        of_run = rows[(rows["model"] == "ivtlr") & (rows["vision"] == vision) & (rows["step"] == 3)]
        line = at(data, model="ivtlr", run=run, step=3, measure="focus")
        assert line["value"] == pytest.approx(of_run["focus:image"].mean())
    first = at(data, model="ivtlr", step=1, measure="focus")
    own = rows[(rows["model"] == "ivtlr") & (rows["vision"] == "own") & (rows["step"] == 1)]
    assert first["value"] == pytest.approx(own["focus:image"].mean())


def test_the_answers_readout_is_that_of_the_rows(make, found, at):
    made = make("answer_attention")
    rows = found["attention-answers"].rows
    rows = rows[(rows["model"] == "ivtlr") & (rows["query"] == AFTER)]
    of_ivtlr = made.data[made.data["row"] == "ivtlr"]
    for measure, layer in (("answer_mass", "all"), ("answer_share", "all"), ("reward", "0")):
        column = measure if measure == "reward" else f"{measure}:latent"
        line = at(of_ivtlr, measure=measure)
        assert line["value"] == pytest.approx(rows.loc[rows["layers"] == layer, column].mean())
    # Other questions are another row.
    assert {"ivtlr", "ivtlr, one hop"} <= set(made.data["row"])


def test_maps_show_the_attention_and_the_picks_of_the_rows(make, found):
    made = make("attention_maps")
    rows = found["attention"].rows
    assert list(dict.fromkeys(made.data["model"])) == ["ivtlr", "cot_vision"]
    assert made.data["example"].nunique() == 1
    labels = [axis.get_ylabel() for axis in made.figure.axes if axis.get_ylabel()]
    assert labels[:2] == ["ivtlr", "cot_vision"]
    source = rows[rows["mode"].isin(["latent", "explicit"])].set_index(["example", "model", "step"])
    for key, cells in made.data.groupby(["example", "model", "step"]):
        row = source.loc[key]
        np.testing.assert_array_equal(cells["attention"], row["patch_attention"])
        picks = [] if row["picks"] is None else sorted(row["picks"])
        assert cells.loc[cells["picked"], "patch"].tolist() == picks
        assert cells.loc[cells["read"], "patch"].tolist() == [row["cell_read"]]
    boxes = [p for a in made.figure.axes for p in a.patches if isinstance(p, Rectangle)]
    assert len(boxes) == made.data["picked"].sum() > 0


def test_maps_are_of_the_first_question_that_all_models_get_right():
    (experiment,) = find_experiments(EXPERIMENTS, ["attention_maps"])
    choose = experiment.make.__globals__["_chosen"]
    rows = pd.DataFrame(
        {
            "example": ["a", "b", "c", "d"] * 2,
            "correct_likelihood": [True, True, False, True, False, True, True, True],
        }
    )
    assert choose(rows) == "b"
    assert choose(rows.assign(correct_likelihood=False)) == "a"


def test_effects_and_shares_are_those_of_the_rows(make, found, at):
    data, totals = make("mediation").data, make("mediation_totals").data
    rows = found["mediation"].rows
    chosen = (rows["measure"] == "effect") & (rows["outcome"] == "log_odds")
    rows = rows[chosen & (rows["mediator"] == "latents") & (rows["model"] == "ivtlr")]
    for_all = rows[(rows["perturbation"] == "other_image") & (rows["part"] == "latent")]
    of_one = {"model": "ivtlr", "perturbation": "other_image", "part": "latent"}
    for name in ("te", "nde"):
        line = at(totals, **of_one, measure=name)
        assert line["value"] == pytest.approx(for_all[name].mean())
    relinked = rows[(rows["perturbation"] == "relink") & (rows["hop"] == 2)]
    relinked = relinked[relinked["part"] == "latent_text"]
    for name in ("nie", "tie"):
        line = at(
            data,
            model="ivtlr",
            perturbation="relink hop 2",
            part="latent_text",
            measure=f"{name}_share",
        )
        assert line["value"] == pytest.approx(relinked[name].mean() / relinked["te"].mean())
    # Crude changes are shown in the totals alone.
    assert set(data["perturbation"]) == {f"relink hop {hop}" for hop in range(1, 5)}
    shares = data[data["measure"].str.endswith("_share")]
    assert (shares["value_high"] - shares["value_low"]).max() <= 1
    assert "sham changes exactly nothing" in make("mediation_totals").caption


def test_shares_are_drawn_part_by_part(make, drawn):
    made = make("mediation")
    single = made.data[made.data["measure"].str.endswith("_share")]
    single = single[single["part"] != "latent"]
    wanted = np.sort(100 * single["value"].to_numpy(float))
    np.testing.assert_allclose(drawn(made.figure.axes, 0), wanted, atol=1e-9)


def test_grids_of_steps_hold_the_pure_share_of_each_step(make, at):
    made = make("mediation_steps")
    axis = next(a for a in made.figure.axes if a.get_title() == "relay\nlatent text")
    rows = [tick.get_text() for tick in made.figure.axes[0].get_yticklabels()]
    shown = {(int(x), int(y)): t.get_text() for t in axis.texts for x, y in [t.get_position()]}
    each = made.data[made.data["set"] == "each"]
    assert shown
    for (column, row), text in shown.items():
        hop = rows[row].removeprefix("mark leads elsewhere, ")
        chosen = {"model": "relay", "part": "latent_text", "perturbation": f"relink {hop}"}
        line = at(each, **chosen, last=column + 1)
        assert text.replace("-0", "0") == f"{100 * line['nie_share']:.0f}".replace("-0", "0")


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
    made = make("latents_moved")
    rows = found["mediation"].rows
    rows = rows[(rows["model"] == "ivtlr") & (rows["perturbation"] == "other_image")]
    moved = {"model": "ivtlr", "perturbation": "other_image"}
    for column, part, steps in (("step 2", "latent_text", "2"), ("prompt", "ordinary", "")):
        wanted = rows[(rows["part"] == part) & (rows["steps"] == steps)]["sd"].mean()
        assert at(made.data, **moved, column=column)["sd"] == pytest.approx(wanted)
    assert "The sham moves exactly nothing" in made.caption
    assert "none" not in set(made.data["perturbation"])
    labels = [tick.get_text() for tick in made.figure.axes[0].get_xticklabels()]
    assert labels == ["prompt", "step 1", "step 2", "step 3"]


def test_answers_of_an_exchange_add_up(make, found, at):
    made = make("interchange")
    shares = made.data[["keeps_own", "gives_donors", "gives_expected", "gives_other"]]
    np.testing.assert_allclose(shares.sum(axis=1), 1)
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


def test_cells_of_the_grid_recover_what_the_rows_say_beyond_the_control(make, found, at):
    made = make("patching_grid")
    rows = found["patching"].rows
    rows = rows[(rows["model"] == "ivtlr") & (rows["mode"] == "restore")]
    rows = rows[(rows["component"] == "resid_post") & (rows["layer"] == 0)]
    recovered = []
    for slot in ("text 1", "text 1: from an unrelated question"):
        cell = rows[rows["slot"] == slot][["clean", "corrupt", "patched"]].mean()
        recovered.append((cell["patched"] - cell["corrupt"]) / (cell["clean"] - cell["corrupt"]))
    chosen = {"model": "ivtlr", "slot": "text 1", "component": "resid_post", "layer": 0}
    line = at(made.data, **chosen)
    assert line["beyond"] == pytest.approx(recovered[0] - recovered[1])
    first = made.figure.axes[0]
    columns = [tick.get_text() for tick in first.get_xticklabels()]
    assert columns[:4] == ["prompt end", "vision 1", "text 1", "vision 2"]
    texts = {(int(x), int(y)): t.get_text() for t in first.texts for x, y in [t.get_position()]}
    assert texts[2, 1] == typeset(round(100 * line["beyond"]), 0)
    assert "the sham changes exactly nothing" in made.caption


def test_knock_outs_are_what_they_do_beyond_as_many_random_keys(make, found, at):
    data = make("attention_knockouts").data
    assert set(data["layers"]) == {2}  # the windows of single layers are not shown
    rows = found["patching"].rows
    rows = rows[(rows["model"] == "relay") & (rows["layers"] == 2)]
    line = at(data, model="relay", row="answer -/-> latent")
    after = [
        rows.loc[rows["slot"] == slot, "hit"].mean()
        for slot in (line["row"], f"{line['row']}: as many random keys of the prompt")
    ]
    assert line["delta"] == pytest.approx(after[0] - after[1])
    # Its answer cannot see the image anyway: nothing was hidden, and nothing is shown.
    assert "answer -/-> image" not in set(data.loc[data["model"] == "relay", "row"])


def test_probes_stand_above_their_controls(make, found, at):
    data = make("probe_grid").data
    rows = found["probe"].rows
    rows = rows[(rows["kind"] == "probe") & (rows["model"] == "relay")]
    fed = rows[(rows["place"] == "latent_text") & (rows["target"] == "object 2")]
    chosen = {"model": "relay", "place": "latent_text", "target": "object 2"}
    line = at(data, **chosen, row="step 2")
    assert line["value"] == pytest.approx(fed[fed["step"] == 2]["correct"].mean())
    control = at(data, **chosen, row="shuffled labels")
    assert control["value"] == pytest.approx(fed.groupby("step")["control"].mean().max())
    question = rows[(rows["place"] == "question") & (rows["target"] == "object 2")]
    wanted = question["correct"].mean()
    of_question = chosen | {"place": "question", "row": "question's words"}
    assert at(data, **of_question)["value"] == pytest.approx(wanted)
    assert list(dict.fromkeys(data["row"])) == [
        "step 1",
        "step 2",
        "step 3",
        "shuffled labels",
        "question's words",
    ]


def test_the_lens_has_every_place_and_hop_in_the_last_layer(make, found, at):
    made = make("lens_grid")
    rows = found["lens"].rows
    rows = rows[(rows["model"] == "ivtlr") & (rows["measure"] == "logit lens")]
    rows = rows[(rows["layer"] == 1) & (rows["target"] == "hop 2")]
    assert set(made.data["layer"]) == {1}
    for step, column in ((0, "prompt"), (1, "step 1"), (4, "answer")):
        wanted = (rows.loc[rows["step"] == step, "rank"] == 1).mean()
        line = at(made.data, model="ivtlr", target="hop 2", column=column)
        assert line["top1"] == pytest.approx(wanted)
    labels = [tick.get_text() for tick in made.figure.axes[0].get_yticklabels()]
    assert labels == ["hop 1", "hop 2", "hop 3", "hop 4", "off the walk"]


def test_parts_of_a_logit_sum_to_the_total_but_for_what_is_left_out(make):
    made = make("attribution")
    left_out = float(re.search(r"(\d+) other sources add at most ([\d.]+)", made.caption)[2]) + 0.01
    for _, group in made.data.groupby(["model", "series"]):
        total = group["row"] == "total"
        assert group.loc[~total, "logit"].sum() == pytest.approx(
            group.loc[total, "logit"].item(), abs=12 * left_out
        )
    assert (
        made.data.groupby("row")["logit"].apply(lambda of: of.abs().max()).min() > left_out - 0.01
    )


def test_similarity_says_what_was_computed_of_how_many_questions(make, found, at):
    made = make("similarity")
    rows = found["probe"].rows
    latents = rows[(rows["model"] == "relay") & (rows["place"] == "latent_text")]
    whole = latents[latents["step"].isna()]
    line = at(made.data, model="relay", place="latent_text")
    wanted = whole.loc[whole["target"] == "inter-example cosine, centred", "value"].mean()
    assert line["questions, centred"] == pytest.approx(wanted)
    assert set(made.data["n"]) == {20}
    heads = [name.replace("\n", " ") for name in made.cells.columns]
    # Whitening needs more vectors than dimensions: it is promised only where it was done.
    assert any("whitened" in name for name in heads) == ("whitened" in made.caption)
    assert {"questions, raw", "steps, raw", "rank"} <= set(heads)
    assert made.cells.loc[line.name, "questions,\ncentred"] == typeset(wanted, 2)


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

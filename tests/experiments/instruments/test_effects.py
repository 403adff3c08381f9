"""Figures of mediation, movement, exchanges and patches: each number is that of its rows."""

import numpy as np
import pandas as pd
import pytest

from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.experiment import find_experiments


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

"""Figures of probes, lenses, attribution and calibration: each number is that of its rows."""

import pytest


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

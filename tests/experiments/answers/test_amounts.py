"""Other content, noise, numbers of patches and of steps: each point is that of its rows."""

import json

import numpy as np
import pytest

from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.experiment import find_experiments
from latentlab.figures.style import PAPER
from latentlab.vocabulary import CONTROL, EMPTY, KNOCK_OUT, POSITION_ARMS

N = 20
PROMPT = "on unneeded prompt positions"
CLOSED = POSITION_ARMS["closed"]


def test_replacements_stand_in_rows_with_their_controls(make, found, fraction):
    made = make("replacements")
    data = made.data
    assert set(data["series"]) == {"latents", "prompt"}
    assert set(data["part"]) == {"latent_text", "latent_vision"}
    for _, line in data.iterrows():
        alone = fraction(found["replacements"], line["model"], "none")
        left = fraction(found["replacements"], line["model"], line["intervention"])
        assert line["delta"] == pytest.approx(left - alone)
        assert (line["series"] == "latents") == (":" not in line["intervention"])
    ivtlr = made.figure.axes[0]
    assert [axis.get_title() for axis in made.figure.axes] == ["ivtlr", "relay", "", ""]
    labels = [axis.get_ylabel() for axis in made.figure.axes]
    assert labels == ["latent text", "", "latent vision", ""]
    assert not made.figure.axes[3].get_visible()  # relay has no latent vision
    labels = [tick.get_text() for tick in ivtlr.get_yticklabels()]
    assert labels == ["zeros", "placeholder token", "another question's", "steps permuted"]
    latents = ivtlr.containers[0][0]
    of_text = (data["model"] == "ivtlr") & (data["part"] == "latent_text")
    wanted = data[of_text & (data["series"] == "latents")]
    rows = {"zero": 0, "placeholder": 1, "other": 2, "permute": 3}
    places = [round(place) for place in latents.get_ydata()]
    assert places == [rows[row] for row in wanted["row"]]
    np.testing.assert_allclose(latents.get_xdata(), 100 * wanted["delta"])
    assert latents.get_markerfacecolor() == latents.get_color()
    assert ivtlr.containers[1][0].get_markerfacecolor() == PAPER


def test_noise_is_sorted_by_strength_part_and_control(make, found, fraction):
    made = make("noise")
    assert sorted(set(made.data["sigma"])) == [0, 0.1, 4]
    line = made.data[
        (made.data["model"] == "ivtlr")
        & (made.data["part"] == "latent_vision")
        & (made.data["sigma"] == 4)
    ].set_index("kind")
    alone = fraction(found["noise"], "ivtlr", "none")
    arm = "norm-kept noise 4 latent_vision"
    for kind, name in ((KNOCK_OUT, arm), (CONTROL, f"{arm}: {PROMPT}")):
        wanted = fraction(found["noise"], "ivtlr", name) - alone
        assert line.loc[kind, "delta"] == pytest.approx(wanted)
    text, vision = made.figure.axes
    assert len(text.containers) == 4
    curves = [container[0] for container in vision.containers if len(container[0].get_xdata())]
    assert len(curves) == 2  # the other model has no latent vision
    assert [round(x) for x in curves[0].get_xdata()] == [0, 1, 2]
    assert [curve.get_markerfacecolor() == PAPER for curve in curves] == [False, True]
    assert vision.get_title() == "noise on the latent vision"


def test_patches_have_a_point_for_each_rule_and_number_and_for_what_was_trained(
    make, found, fraction
):
    made = make("patches")
    data = made.data.set_index(["positions", "rule", "k"])
    assert len(data) == 2 * (3 * 5 + 1) + (3 * 2 + 1)
    assert "ivtlr was trained with k=2" in made.caption
    names = {"held": "", "closed": f": {CLOSED}", "kept": f": {EMPTY}"}
    for (positions, rule, k), line in data.iterrows():
        wanted = fraction(found["patches"], "ivtlr", line["intervention"])
        assert line["accuracy"] == pytest.approx(wanted)
        moved = names[positions] if k != 2 else ""  # as many slots move nothing
        if (rule, k) == ("attention", 2):
            assert line["intervention"] == "none"
        elif rule in ("random", "bottom"):
            assert line["intervention"] == f"select {rule}, k={k}{moved}"
    for positions, right in (("held", 5), ("closed", 8), ("kept", 12)):
        assert data.loc[(positions, "none", 0), "accuracy"] == pytest.approx(right / N)
    titles = [axis.get_title() for axis in made.figure.axes]
    assert titles == ["positions held", "positions closed up", "slots kept, empty"]


def test_models_trained_with_other_numbers_of_patches_are_read_off_their_logs(
    make, monkeypatch, tmp_path
):
    group = {"n": 10, "accuracy": 0.7, "low": 0.4, "high": 0.9}
    entry = {"held_out": {"all": group | {"n": 30}, "letters/1": group, "letters/4": group}}
    entry["held_out"]["digits/4"] = {"n": 30, "accuracy": 0.1, "low": 0.0, "high": 0.3}
    early = {"held_out": {"letters/4": group | {"accuracy": 0.0}}}
    log = [
        {"stage": "a", "update": 5, "cpu_seconds": 1.0} | early,
        {"stage": "b", "update": 7, "cpu_seconds": 1.0} | entry,
    ]
    (tmp_path / "ivtlr_k4.jsonl").write_text("".join(json.dumps(x) + "\n" for x in log))
    (tmp_path / "ivtlr_k4_notes.jsonl").write_text("not read")
    (experiment,) = find_experiments(EXPERIMENTS, ["patches_trained"])
    monkeypatch.setitem(experiment.make.__globals__, "DATA", tmp_path)
    made = experiment.make({})
    data = made.data.set_index(["k", "domain"])
    assert data.loc[(4, "letters"), "accuracy"] == pytest.approx(0.7)
    assert data.loc[(4, "all"), "accuracy"] == pytest.approx((7 + 3) / 40)
    assert data.loc[(4, "all"), "n"] == 40
    assert {0, 2, 4} == set(made.data["k"])
    assert "4: 12" in made.caption


def test_steps_are_shown_by_stage_at_inference_and_with_their_control(make, found, fraction):
    made = make("steps")
    data = made.data.set_index(["model", "panel", "steps", "domain"])
    source = found["step-counts"]
    assert data.loc[("ivtlr", "closed", 2, "all"), "accuracy"] == pytest.approx(6 / N)
    assert data.loc[("ivtlr", "held", 2, "all"), "accuracy"] == pytest.approx(5 / N)
    assert data.loc[("ivtlr", "kept", 2, "all"), "accuracy"] == pytest.approx(3 / N)
    assert ("ivtlr", "held", 4, "all") not in data.index
    wanted = fraction(source, "ivtlr", "steps=4", domain="digits")
    assert data.loc[("ivtlr", "closed", 4, "digits"), "accuracy"] == pytest.approx(wanted)
    assert data.loc[("relay", "kept", 4, "all"), "accuracy"] == pytest.approx(5 / N)
    for panel in ("closed", "held", "kept"):
        assert data.loc[("ivtlr", panel, 3, "all"), "accuracy"] == pytest.approx(18 / N)
    of_training = (made.data["model"] == "ivtlr") & (made.data["panel"] == "training")
    assert set(made.data.loc[of_training, "steps"]) == {0, 1, 2, 3}
    assert len(made.figure.axes) == 8


def test_stages_that_were_trained_on_count_with_their_last(make):
    from latentlab.checkpoint import ZOO
    from latentlab.training.metrics import read_metrics

    last = read_metrics(ZOO / "ivtlr" / "metrics.jsonl")[-1]["held_out"]
    data = make("steps").data.set_index(["model", "panel", "steps", "domain"])
    line = data.loc[("ivtlr", "training", 3, "digits")]
    assert line["accuracy"] == pytest.approx(last["digits/4"]["accuracy"])
    assert line["n"] == last["digits/4"]["n"]


def test_words_and_latents_stand_side_by_side(make, found, fraction):
    made = make("rationales")
    series = made.data[["model", "content"]].drop_duplicates().to_numpy().tolist()
    assert series == [["cot", "words"], ["ivtlr", "latents"], ["relay", "latents"]]
    # Corruptions of words alone tell nothing about latents.
    assert set(made.data["row"]) == {"other", "permute"}
    words = made.data[made.data["content"] == "words"].set_index("row")
    assert words.loc["permute", "delta"] == pytest.approx((1 - 18) / N)
    latents = made.data[made.data["model"] == "ivtlr"].set_index("row")
    wanted = fraction(found["replacements"], "ivtlr", "permute latent") - 0.9
    assert latents.loc["permute", "delta"] == pytest.approx(wanted)
    assert "changes 0.0 points at most" in made.caption

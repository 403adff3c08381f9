import pandas as pd
import pytest

from latentlab.calibrate.findings import conclusion
from latentlab.calibrate.gauges import NEEDED_BY, Gauge, gauges
from latentlab.calibrate.subjects import ORGANISMS, Training
from latentlab.calibrate.verdicts import (
    BROKEN,
    ONE_RULE,
    SEPARATES,
    TOO_FEW,
    rows_of,
    summary_of,
)

NOTHING = {
    "ablate": pd.DataFrame(
        {"example": ["a", "b"], "action": "sham", "log_odds_change": 0.0, "kl": 0.0}
    ),
    "interchange": pd.DataFrame(
        {"example": ["a", "b"], "donor": "self", "log_odds_change": 0.0, "kl": 0.0}
    ),
    "mediation": pd.DataFrame(
        {
            "example": ["a", "b"],
            "measure": "effect",
            "perturbation": "none",
            "te": 0.0,
            "nde": 0.0,
            "nie": 0.0,
            "tie": 0.0,
        }
    ),
    "patch": pd.DataFrame(
        {"example": ["a", "b"], "control": "sham", "patched": 1.5, "corrupt": 1.5}
    ),
}


@pytest.fixture
def calibrated():
    """Summary of one made-up instrument, from what it reads on each model."""

    def calibrate(readings: dict[str | tuple, list[float]], shams=NOTHING, one_rule=False):
        gauge = Gauge(
            "made up",
            "latent -> answer",
            "latent_text",
            "nats",
            "lens",
            lambda rows: rows["reading"],
            ("relay",),
            ("bypass", "filler"),
            one_rule,
        )
        rows = []
        for key, values in readings.items():
            model, seed = key if isinstance(key, tuple) else (key, 0)
            runs = {**shams, "lens": pd.DataFrame({"reading": values})}
            rows.append(rows_of([gauge], runs, Training(model, model, seed), "benchmark"))
        return summary_of(pd.concat(rows))

    return calibrate


HIGH, ZERO, SOME = [1.0, 0.9, 1.1, 1.0] * 5, [0.0] * 20, [0.0, 1.0, 2.0, 1.0] * 5


def test_an_instrument_that_tells_controls_apart_separates(calibrated):
    summary = calibrated({"relay": HIGH, "bypass": ZERO, "filler": ZERO, "mine": SOME})
    own = summary[summary["instrument"] == "made up"]
    assert own["role"].tolist() == ["positive", "negative", "negative", "unknown"]
    assert set(own["verdict"]) == {SEPARATES}
    assert own["value"].tolist() == pytest.approx([1.0, 0.0, 0.0, 1.0])
    assert "1 of 1 readings tell" in " ".join(conclusion(summary))


@pytest.mark.parametrize(
    "readings",
    [
        {"relay": ZERO, "bypass": ZERO, "filler": ZERO},  # blind
        {"relay": HIGH, "bypass": ZERO, "filler": HIGH},  # sees what is not there
        {"relay": SOME, "bypass": ZERO, "filler": SOME},  # intervals overlap
    ],
)
def test_an_instrument_that_does_not_is_reported_as_broken(calibrated, readings):
    summary = calibrated(readings)
    assert set(summary.loc[summary["instrument"] == "made up", "verdict"]) == {BROKEN}
    assert "BROKEN: made up (latent text)." in conclusion(summary)


def test_few_questions_in_order_are_too_few_and_many_are_not(calibrated):
    wide, low = [3.0, -1.5, 2.0, 0.5], [1.0, -1.0, 0.4, -0.3]
    few = {"relay": wide * 2, "bypass": low * 2, "filler": low * 2}
    summary = calibrated(few)
    assert set(summary.loc[summary["instrument"] == "made up", "verdict"]) == {TOO_FEW}
    said = " ".join(conclusion(summary))
    assert "8 questions are too few to judge 1 readings" in said and "BROKEN" not in said
    assert "0 of 1 readings tell" in said
    near = [1.0, -1.0, 0.5, -0.4]
    many = {"relay": near * 20, "bypass": low * 20, "filler": low * 20}
    summary = calibrated(many)
    assert set(summary.loc[summary["instrument"] == "made up", "verdict"]) == {BROKEN}


def test_trainings_of_one_model_have_a_line_each_and_all_of_them_count(calibrated):
    readings = {("relay", 0): HIGH, ("relay", 1): SOME, ("bypass", 0): ZERO}
    summary = calibrated(readings)
    own = summary[summary["instrument"] == "made up"]
    assert own[["model", "training_seed"]].to_numpy().tolist() == [
        ["relay", 0], ["relay", 1], ["bypass", 0],
    ]  # fmt: skip
    assert own["n"].tolist() == [20, 20, 20]
    assert set(own["verdict"]) == {SEPARATES}
    blind = calibrated(readings | {("relay", 1): ZERO})
    assert set(blind.loc[blind["instrument"] == "made up", "verdict"]) == {BROKEN}
    unknown = calibrated({("mine", None): HIGH, "relay": HIGH, "bypass": ZERO})
    assert unknown.loc[unknown["model"] == "mine", "training_seed"].isna().all()


def test_an_instrument_without_both_controls_gets_no_verdict(calibrated):
    summary = calibrated({"relay": HIGH, "mine": SOME})
    assert set(summary.loc[summary["instrument"] == "made up", "verdict"]) == {""}


def test_a_sham_that_changes_anything_at_all_is_broken(calibrated):
    disturbed = NOTHING["patch"].assign(patched=[1.5, 1.5 + 1e-9])
    readings = {"relay": HIGH, "bypass": ZERO, "filler": ZERO}
    summary = calibrated(readings, {**NOTHING, "patch": disturbed})
    verdicts = summary[summary["role"] == "sham"].groupby("instrument")["verdict"].first()
    assert verdicts["patch: sham"] == BROKEN
    assert set(verdicts.drop("patch: sham")) == {SEPARATES}
    assert "which must be 0" in " ".join(conclusion(summary))


def test_every_reading_has_controls_of_both_kinds_among_the_organisms():
    for gauge in gauges():
        assert set(gauge.positive) & set(NEEDED_BY[gauge.part])
        assert gauge.negative
        assert not set(gauge.positive) & set(gauge.negative)
        assert {*gauge.positive, *gauge.negative} <= set(ORGANISMS)
        if gauge.link == "latent -> answer":
            assert "bypass" in gauge.negative
        else:
            assert "bypass" in gauge.positive
            assert gauge.negative == ("filler",)
        assert {"bypass", "decoy"} <= {*gauge.positive, *gauge.negative}


def test_one_rule_of_positions_alone_is_not_trusted(calibrated):
    readings = {"relay": HIGH, "bypass": ZERO, "filler": ZERO}
    assert set(calibrated(readings)["verdict"]) == {SEPARATES}
    alone = calibrated(readings, one_rule=True)
    assert set(alone.loc[alone["instrument"] == "made up", "verdict"]) == {ONE_RULE}
    assert "under one rule of positions" in " ".join(conclusion(alone))
    blind = calibrated(readings | {"relay": ZERO}, one_rule=True)
    assert set(blind.loc[blind["instrument"] == "made up", "verdict"]) == {BROKEN}

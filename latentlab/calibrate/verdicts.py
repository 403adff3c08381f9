"""From readings to verdicts: can an instrument tell a positive control from a negative one?

An instrument separates where the interval of every positive control lies above that of every
negative control. Where it does not it is broken: whatever it reads on another model means nothing.
What removes slots under one rule of positions is not trusted even where it separates: what it reads
on another model may be about positions, or about empty slots, alone.
"""

from collections.abc import Iterator, Sequence

import pandas as pd

from latentlab.calibrate.gauges import TO_ANSWER, Gauge
from latentlab.calibrate.runs import InstrumentRows
from latentlab.calibrate.subjects import ORGANISMS, Training
from latentlab.measures.repeated import drawn_interval
from latentlab.measures.statistics import bootstrap_interval

POSITIVE, NEGATIVE, UNKNOWN, SHAM = "positive", "negative", "unknown", "sham"
"""What a model is to an instrument; a sham is an intervention that changes nothing."""

SEPARATES, BROKEN = "separates", "broken"

TOO_FEW = "too few"
"""Verdict where intervals overlap, but rest on so few questions that they could hardly do else."""

ENOUGH = 50
"""Questions from which on overlapping intervals tell against an instrument: a fraction's interval
then reaches at most 14 points to either side."""

ONE_RULE = "one rule of three"
"""Verdict on a reading that separates the controls, but under one rule of positions alone."""

COUNTED = ("fraction", "fraction above", "points lost")
"""Units of what is counted: answers, and changes of answers."""

KEYS = ["instrument", "link", "part", "unit", "one_rule"]
KEYS += ["model", "training_seed", "role", "data"]
"""What a line of the summary is about."""


def rows_of(
    gauges: Sequence[Gauge], runs: InstrumentRows, subject: Training, asked: str
) -> pd.DataFrame:
    """Read all gauges on one model.

    Args:
        gauges: what to read.
        runs: rows of the instruments on that model.
        subject: who it is.
        asked: data whose answers count.

    Returns:
        One row per instrument, part and example: `KEYS`, `example, value`, and the same for the
        sham of each command that has one, whose role is `sham`.
    """
    lines: list[pd.DataFrame] = []
    for gauge in gauges:
        role = _role(gauge, subject.model)
        values = gauge.read(runs[gauge.run])
        if role and len(values):
            about = (gauge.name, gauge.link, gauge.part, gauge.unit, gauge.one_rule)
            lines.append(_frame(about, subject, role, asked, values))
    for name, values in shams(runs):
        about = (f"{name}: sham", TO_ANSWER, "latent", "largest change", False)
        lines.append(_frame(about, subject, SHAM, asked, values))
    return pd.concat(lines, ignore_index=True)


def shams(runs: InstrumentRows) -> Iterator[tuple[str, pd.Series]]:
    """How much each example changes where its own latents or activations are put back."""
    ablate = runs["ablate"]
    back = ablate[ablate["action"] == "sham"]
    yield "ablate", _largest(back, ["log_odds_change", "kl"])
    swapped = runs["interchange"]
    yield "interchange", _largest(swapped[swapped["donor"] == "self"], ["log_odds_change", "kl"])
    effects = runs["mediation"]
    nothing = effects[(effects["measure"] == "effect") & (effects["perturbation"] == "none")]
    yield "mediation", _largest(nothing, ["te", "nde", "nie", "tie"])
    patched = runs["patch"]
    own = patched[patched["control"] == "sham"]
    yield "patch", _largest(own.assign(moved=own["patched"] - own["corrupt"]), ["moved"])


def summary_of(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """One line per instrument, part and model, with the verdict on the instrument.

    Args:
        rows: what `rows_of` returns.
        seed: seed of the bootstrap.

    Returns:
        `KEYS`, `n, value, value_low, value_high, verdict`. Trainings of one model from several
        seeds have a line each, whose interval is over questions. What is counted has score
        intervals (`measures.repeated.drawn_interval`), other means bootstrap intervals. The
        verdict is `separates`, `broken`, where estimates are in order but rest on fewer than
        `ENOUGH` questions `TOO_FEW` or, of a reading that separates under one rule of positions,
        `ONE_RULE`, the same in every line of an instrument and part; of a sham it is `separates`
        where every single value is exactly zero.
    """
    lines = [
        {**dict(zip(KEYS, key, strict=True)), **measure(group, seed)}
        for key, group in rows.groupby(KEYS, sort=False, dropna=False)
    ]
    summary = pd.DataFrame(lines)
    verdicts = {
        key: _verdict(group) for key, group in summary.groupby(["instrument", "part"], sort=False)
    }
    named = zip(summary["instrument"], summary["part"], strict=True)
    return summary.assign(verdict=[verdicts[key] for key in named])


def _role(gauge: Gauge, model: str) -> str:
    """What a model is to a gauge; empty for an organism that says nothing about it."""
    if model in gauge.positive:
        return POSITIVE
    if model in gauge.negative:
        return NEGATIVE
    return "" if model in ORGANISMS else UNKNOWN


def _frame(
    about: Sequence[str | bool], subject: Training, role: str, asked: str, values: pd.Series
) -> pd.DataFrame:
    of_model = (subject.model, subject.training_seed, role, asked)
    constant = dict(zip(KEYS, (*about, *of_model), strict=True))
    frame = pd.DataFrame(
        {**constant, "example": values.index.astype(str), "value": values.to_numpy(float)}
    )
    return frame.astype({"training_seed": "Int64"})


def _largest(rows: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """The largest absolute value of some columns, by example."""
    return rows[list(columns)].abs().max(axis=1).groupby(rows["example"], sort=False).max()


def measure(group: pd.DataFrame, seed: int = 0) -> dict[str, float]:
    """Estimate of one reading on one training, with its interval over questions.

    Args:
        group: rows of one reading, with `value` and `unit`.
        seed: seed of the bootstrap.
    """
    numbers = group["value"].to_numpy(float)
    unit = group["unit"].iloc[0]
    if unit in COUNTED:
        found = drawn_interval(numbers, seed=seed, changes=unit != "fraction")
    else:
        found = bootstrap_interval(numbers, seed=seed)
    return {"n": found.n, **found.columns()}


def _verdict(lines: pd.DataFrame) -> str:
    """Whether an instrument tells its controls apart; empty where one of the two is missing."""
    if (lines["role"] == SHAM).all():
        exact = (lines[["value", "value_low", "value_high"]] == 0).all(axis=None)
        return SEPARATES if exact else BROKEN
    high, zero = (lines[lines["role"] == role] for role in (POSITIVE, NEGATIVE))
    if high.empty or zero.empty:
        return ""
    if high["value_low"].min() <= zero["value_high"].max():
        apart = high["value"].min() > zero["value"].max()
        few = min(high["n"].min(), zero["n"].min()) < ENOUGH
        return TOO_FEW if apart and few else BROKEN
    return ONE_RULE if lines["one_rule"].any() else SEPARATES

"""Lines and sentences of recorded answers: what knock-outs cost, and how well probes read."""

from collections.abc import Iterator

import pandas as pd

from latentlab.ablate import findings as ablation
from latentlab.console import estimate
from latentlab.measures.outcomes import NONE
from latentlab.measures.statistics import accuracy_interval
from latentlab.measures.summary import by_domain
from latentlab.trace.records import ANSWER, STEP, is_written
from latentlab.wording import joined


def summary_of(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Lines of all rows.

    Args:
        rows: what `tracing.rows_of` returns.
        seed: seed of the bootstrap.

    Returns:
        The lines of an ablation (`measures.summary.by_domain`) with `record` "answer", of models
        that write apart by the `method` that they were asked by; and one with
        `record` "step" for each model and step that was probed: `place`, `target`, `n` recorded
        examples, and the `value` of the probe's accuracy on them with its Wilson interval.
    """
    answers = rows[rows["record"] == ANSWER].astype({"correct": bool})
    said = is_written(answers)
    lines = [] if said.all() else [by_domain(answers[~said], seed)]
    for method, mine in answers[said].groupby("method", sort=False) if said.any() else ():
        lines.append(by_domain(mine, seed).assign(method=method))
    probes = pd.DataFrame(list(_probe_lines(rows[rows["record"] == STEP])))
    whole = pd.concat([*(one.assign(record=ANSWER) for one in lines), probes], ignore_index=True)
    return whole.astype({"step": "Int64"}) if "step" in whole else whole


def conclusion(summary: pd.DataFrame) -> list[str]:
    """What was found about each model: what knock-outs cost it, and what its latents tell."""
    answers = summary[summary["record"] == ANSWER]
    said = answers["method"].notna() if "method" in answers else pd.Series(False, answers.index)
    names = answers["model"].where(~said, _named(answers[said]).reindex(answers.index))
    told = ablation.conclusion(answers.assign(model=names))
    return [*told, *_read(summary[summary["record"] == STEP])]


def _named(lines: pd.DataFrame) -> "pd.Series[str]":
    """Models by name, and by method where one was asked by several."""
    if lines.empty:
        return pd.Series(dtype=object)
    several = lines.groupby("model")["method"].transform("nunique") > 1
    return lines["model"].where(~several, lines["model"] + ", " + lines["method"])


def _probe_lines(steps: pd.DataFrame) -> Iterator[dict[str, object]]:
    if "probe_label" not in steps:
        return
    # Altered runs are read to be looked at; how well probes read is a matter of runs left alone.
    probed = steps[steps["probe_label"].notna() & (steps["intervention"] == NONE)]
    keys = ["model", "data", "step", "probe_place", "probe_target"]
    for (model, data, step, place, target), lines in probed.groupby(keys, sort=False):
        read = accuracy_interval(lines["probe_correct"].to_numpy(bool))
        yield {
            "record": STEP,
            "model": model,
            "data": data,
            "step": step,
            "place": place,
            "target": target,
            "n": read.n,
            **read.columns(),
        }


def _read(lines: pd.DataFrame) -> Iterator[str]:
    """How well probes read each step, in one sentence a model."""
    if lines.empty:
        return
    for model, steps in lines.groupby("model", sort=False):
        # Steps beyond a question's last hop are not read, so later ones may have fewer answers.
        told = [
            f"{line['target']} at step {line['step']} in {estimate(line, 'value')} of {line['n']}"
            for _, line in steps.iterrows()
        ]
        yield f"Off {model}'s latents probes read {joined(told)} answers."

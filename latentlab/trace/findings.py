"""Lines and sentences of recorded answers: what knock-outs cost, and how well probes read."""

from collections.abc import Iterator

import pandas as pd

from latentlab.ablate import findings as ablation
from latentlab.console import estimate
from latentlab.measures.outcomes import NONE
from latentlab.measures.statistics import accuracy_interval
from latentlab.measures.summary import by_domain
from latentlab.trace.rows import ANSWER, STEP
from latentlab.wording import joined


def summary_of(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Lines of all rows.

    Args:
        rows: what `tracing.rows_of` returns.
        seed: seed of the bootstrap.

    Returns:
        The lines of an ablation (`measures.summary.by_domain`) with `record` "answer"; and one with
        `record` "step" for each model and step that was probed: `place`, `target`, `n` recorded
        examples, and the `value` of the probe's accuracy on them with its Wilson interval.
    """
    answers = rows[rows["record"] == ANSWER].astype({"correct": bool})
    lines = by_domain(answers, seed).assign(record=ANSWER)
    probes = pd.DataFrame(list(_probe_lines(rows[rows["record"] == STEP])))
    whole = pd.concat([lines, probes], ignore_index=True)
    return whole.astype({"step": "Int64"}) if "step" in whole else whole


def conclusion(summary: pd.DataFrame) -> list[str]:
    """What was found about each model: what knock-outs cost it, and what its latents tell."""
    answers = summary[summary["record"] == ANSWER]
    return [*ablation.conclusion(answers), *_read(summary[summary["record"] == STEP])]


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

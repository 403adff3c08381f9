"""From answers of probes to lines of a table: accuracy next to shuffled labels and other hops.

All differences are paired by example, and every cell of a grid rests on the same examples. The
gap between what is read downstream and what at the latent has lines of its own.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from latentlab.measures.changes import accuracy_difference
from latentlab.measures.repeated import over_draws
from latentlab.measures.significance import holm, mcnemar
from latentlab.measures.statistics import accuracy_interval
from latentlab.probe.similarity import value_lines

CELL = ["model", "data", "kind", "place", "step", "layer", "target"]
"""Columns that name a cell of the grid."""

Answers = npt.NDArray[np.bool_]


def probe_lines(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """One line per cell of the grid: how often the probe is right, next to its controls.

    Args:
        rows: rows with the columns of `CELL`, `label`, `correct` and `control`, or a `control_1`,
            ... for each shuffle; within a cell in the order of the examples.
        seed: seed of the bootstrap.

    Returns:
        The columns of `CELL`, `n`, the frequency of the commonest label (`chance`), and, those of
        the first four with `_low` and `_high`:

        - `value`: fraction of right answers (Wilson interval);
        - `control`: the same with shuffled labels, over all `shuffles`, whose accuracies have the
          standard deviation `control_spread`;
        - `selectivity`: value minus control (paired); its interval is of examples and shuffles
          (`measures.repeated.over_draws`);
        - `step_selectivity`: value minus that of the best other hop at the same site, for objects
          and cells of hops (`best_other`, `best_other_target`);
        - `p_mcnemar`, `p_other`: exact two-sided p-values that these two differences are zero. The
          test permutes, within each example, which of its two readings is which. Of several
          shuffles the largest p counts, so that the probe has to differ from each;
        - `p_holm`, `p_other_holm`: adjusted for all cells of a model.
    """
    lines = []
    shuffles = [name for name in rows.columns if name.startswith("control_")] or ["control"]
    for site, here in rows.groupby(CELL[:-1], sort=False):
        answers = {
            str(target): (cell["correct"].to_numpy(bool), cell[shuffles].to_numpy(bool).T)
            for target, cell in here.groupby("target", sort=False, observed=True)
        }
        common = here.groupby("target", sort=False, observed=True)["label"].agg(
            lambda values: values.value_counts(normalize=True).iloc[0]
        )
        for target, (correct, controls) in answers.items():
            line: dict[str, object] = dict(zip(CELL, (*site, target), strict=True))
            line |= {"n": len(correct), "chance": common[target]}
            line |= compared(correct, controls, seed)
            others = {name: right for name, (right, _) in answers.items() if _rival(name, target)}
            lines.append(line | _step_selectivity(correct, others))
    frame = pd.DataFrame(lines)
    for raw, adjusted in (("p_mcnemar", "p_holm"), ("p_other", "p_other_holm")):
        if raw not in frame:
            continue
        known = frame[raw].notna()
        of_model = frame[known].groupby("model", sort=False)[raw]
        frame.loc[known, adjusted] = of_model.transform(lambda p: holm(p.to_numpy()))
    return frame


def gap_lines(lines: pd.DataFrame, rows: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Yield the probe gap G (PRISM, arXiv 2606.05753) of each model against each of its latents.

    G is how often a probe reads the answer downstream, at the answer marker, minus how often it
    does at the last latent: at its input and, separately, in the best layer of its slot. Downstream
    the best layer counts too.

    Args:
        lines: what `probe_lines` returned.
        rows: what it was made of.
        seed: seed of the bootstrap.

    Yields:
        Lines with `place, step, layer` of the latent; `value` is the gap, `control` the accuracy
        at the latent and `best_other` that downstream, read after layer `best_other_target`.
    """
    for model, of_model in lines[lines["target"] == "answer"].groupby("model", sort=False):
        down = of_model[of_model["place"] == "answer"].nlargest(1, "value").iloc[0]
        last = of_model["step"].where(of_model["place"] == "slot").max()
        for place in ("latent_text", "latent_vision", "slot"):
            latents = of_model[(of_model["place"] == place) & (of_model["step"] == last)]
            if latents.empty:
                continue
            best = latents.nlargest(1, "value").iloc[0]
            of_answer = rows[(rows["model"] == model) & (rows["target"] == "answer")]
            above, below = (
                of_answer.loc[
                    (of_answer["place"] == site["place"])
                    & (of_answer["step"] == site["step"])
                    & (of_answer["layer"] == site["layer"]),
                    "correct",
                ].to_numpy(bool)
                for site in (down, best)
            )
            gap = accuracy_difference(above, below)
            yield {
                **{name: best[name] for name in CELL},
                "kind": "gap",
                "n": gap.n,
                **gap.columns(),
                "control": best["value"],
                "control_low": best["value_low"],
                "control_high": best["value_high"],
                "best_other": down["value"],
                "best_other_target": f"answer marker, layer {down['layer']}",
                "p_mcnemar": mcnemar(above, below),
            }


def answer_lines(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """One line per model and kind of answers: how often right, next to its control if it has one.

    Args:
        rows: rows with the columns of `CELL`, `correct` and `control`.
        seed: seed of the bootstrap.

    Returns:
        The first columns of `probe_lines`.
    """
    lines = []
    for cell, of_cell in rows.groupby(CELL, sort=False, dropna=False):
        line: dict[str, object] = dict(zip(CELL, cell, strict=True))
        line["n"] = len(of_cell)
        correct = of_cell["correct"].to_numpy(bool)
        if of_cell["control"].notna().all():
            line |= compared(correct, of_cell[["control"]].to_numpy(bool).T, seed)
        else:
            alone = accuracy_interval(correct)
            line |= alone.columns()
        lines.append(line)
    return pd.DataFrame(lines)


def compared(correct: Answers, controls: Answers, seed: int) -> dict[str, float]:
    """An accuracy, that of its control and their paired difference, with intervals and p-value.

    Args:
        correct: (example,) whether each is right.
        controls: (draw, example) the same of the control, drawn once or several times.
        seed: seed of the bootstrap.
    """
    found = {
        "value": accuracy_interval(correct),
        "control": over_draws(controls, seed=seed, changes=False),
        "selectivity": over_draws(correct - controls.astype(float), seed=seed),
    }
    line = {k: v for name, one in found.items() for k, v in one.columns(name).items()}
    line |= {"shuffles": len(controls), "p_mcnemar": max(mcnemar(correct, c) for c in controls)}
    if len(controls) > 1:
        line["control_spread"] = float(controls.mean(axis=1).std(ddof=1))
    return line


def _rival(name: str, target: str) -> bool:
    """Whether two targets are the same thing at different hops."""
    what, _, hop = target.partition(" ")
    return bool(hop) and name != target and name.partition(" ")[0] == what


def _step_selectivity(correct: Answers, others: Mapping[str, Answers]) -> dict[str, object]:
    """How much better a hop is read than the best other one."""
    if not others:
        return {}
    best = max(others, key=lambda name: others[name].mean())
    ahead = accuracy_difference(correct, others[best])
    return {
        "best_other": float(others[best].mean()),
        "best_other_target": best,
        **ahead.columns("step_selectivity"),
        "p_other": mcnemar(correct, others[best]),
    }


def summary_of(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The lines of all readings (`probe.summary`, `probe.similarity`).

    `value` is the accuracy of a probe or an answer, the gap, the cosine or the rank; `control` is
    its matched control where it has one.
    """
    probes = rows[rows["kind"] == "probe"]
    parts = []
    if len(probes):
        parts.append(probe_lines(probes, seed))
        parts.append(pd.DataFrame(gap_lines(parts[0], probes)))
    parts.append(answer_lines(rows[rows["kind"].isin(["left alone", "latent-only"])], seed))
    parts.append(value_lines(rows[rows["kind"].isin(["similarity", "rank"])], seed))
    whole = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return whole.astype({"step": "Int64", "layer": "Int64"})

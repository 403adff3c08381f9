"""From rows to the lines of a table: accuracy, and what an intervention changes about it.

The effect of an intervention is always taken on the very examples it ran on, against the same
model left alone. Nothing else is ever subtracted: arms that were retrained are models of their
own and get lines of their own.
"""

from collections.abc import Iterator, Sequence

import pandas as pd

from latentlab.measures.clusters import Clusters, clusters_of
from latentlab.measures.outcomes import NONE, OUTCOMES, PICKED, SHAM
from latentlab.measures.repeated import mean_over_seeds
from latentlab.measures.significance import holm, mcnemar, sign_flip
from latentlab.measures.statistics import (
    accuracy_interval,
    bootstrap_interval,
    paired_difference,
    smallest_effect,
)

ALL = "all"
"""Stands for every domain, or every topic of a domain."""

FEW = 10
"""A line that rests on fewer examples is remarked upon."""

ARM_FACTS = (
    "control_of",
    "action",
    "part",
    "steps",
    "source",
    "strength",
    "control",
    "positions",
    "context",
    "draws",
)
"""Columns of rows that say what an arm does, beside its name and its kind."""

_RUN = ["model", "data"]
_ARM = [*_RUN, "intervention", "kind"]
_PAIR = [*_RUN, "example"]


def summarise(
    rows: pd.DataFrame,
    by: Sequence[str] = ("domain", "topic"),
    also: Sequence[str] = (),
    seed: int = 0,
) -> pd.DataFrame:
    """One line per model, intervention and group of examples.

    Args:
        rows: Tidy rows with the columns `model`, `data`, `example`, `intervention`, `kind` (free
            text, carried through), `correct` and those of `by`. `example` identifies an example
            within its data. Where there is a column `seed`, an intervention may have been drawn
            with several: an example then counts once, with its mean over them. Where there is a
            column `cluster`, intervals, p-values and smallest effects are those of examples that
            share scans or donors (`measures.clusters`).
        by: Columns that divide the examples, from coarse to fine. There is a line for all
            examples, for each value of the first column, for each pair of values of the first
            two, and so on; a column that a line does not divide by reads `all`.
        also: Columns that divide all examples on their own; missing and empty values get no line.
        seed: Seed of the bootstrap.

    Returns:
        In the order in which models and interventions first appear in `rows`, the columns

        - `model`, `data`, `intervention`, `kind` and those of `by` and `also`;
        - `n`: examples, and `seeds`: draws that each example's values are the mean of;
        - `accuracy`, `accuracy_low`, `accuracy_high`: fraction of right answers, Wilson interval,
          or a bootstrap interval over examples where seeds disagree;
        - `delta`, `delta_low`, `delta_high`: what the intervention adds to the accuracy of the
          same model on the same examples, paired bootstrap interval; `delta_smallest`: the
          smallest such difference that these examples would find with 80 % power;
        - `p_mcnemar`: p-value that it adds nothing, over several seeds by random signs
          (`significance.sign_flip`), which for one is McNemar's test;
        - `p_holm`: the same, adjusted for its family: all arms and controls on that model and
          group, as many as `family` says. Shams test the instrument and not the model: they are in
          no family (`family` is 0) and their p-value is not adjusted;
        - `flip`, `log_odds_change`, `kl` (`measures.outcomes`), where rows have them: means over
          examples with bootstrap intervals `_low` and `_high`, missing where any is unknown, and
          `log_odds_change_smallest` in nats, missing also where nothing moved.

    Raises:
        ValueError: A column or a value is missing, there are no rows, an example counts twice, or
            one was never run without an intervention.
    """
    paired = _with_baseline(_checked(rows, by, also))
    lines = pd.DataFrame(_lines(paired, list(by), list(also), seed))
    # Left alone a model is compared with itself, which tests nothing.
    treated = (lines["intervention"] != NONE) & ~lines["intervention"].isin(_shams(rows))
    families = lines[treated].groupby([*_RUN, *by, *also])["p_mcnemar"]
    lines["p_holm"] = lines["p_mcnemar"].where(~treated)
    lines.loc[treated, "p_holm"] = families.transform(lambda p: holm(p.to_numpy()))
    lines["family"] = families.transform("size").reindex(lines.index, fill_value=0)
    return lines


def totals(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines over all examples."""
    groups = [name for name in ("domain", "topic", "hops", "question_type") if name in lines]
    return lines[(lines[groups] == ALL).all(axis=1)]


def _checked(rows: pd.DataFrame, by: Sequence[str], also: Sequence[str]) -> pd.DataFrame:
    """The columns that are needed, refused where a line made of them would be wrong."""
    needed = [*_ARM, "example", *by, "correct", *(["seed"] if "seed" in rows else [])]
    missing = [name for name in [*needed, *also] if name not in rows]
    if missing:
        raise ValueError(f"rows lack the columns {', '.join(missing)}")
    if rows.empty:
        raise ValueError("there are no rows to summarise")
    there = [name for name in ("cluster", *OUTCOMES) if name in rows]
    kept = rows[[*needed, *also, *there]]
    holes = kept[needed].columns[kept[needed].isna().any()]
    if len(holes):
        raise ValueError(f"rows hold missing values in {', '.join(holes)}")
    if kept.duplicated([*_PAIR, "intervention", *(["seed"] if "seed" in kept else [])]).any():
        raise ValueError("rows hold an example twice under one intervention of one model")
    taken = [name for name in by if (kept[name] == ALL).any()]
    if taken:
        raise ValueError(f"'{ALL}' is the name of the total and cannot be one of {taken[0]}")
    texts = {name: kept[name].astype("string") for name in also}
    named = {name: text.mask(text == "") for name, text in texts.items()}
    kept = kept.assign(correct=kept["correct"].astype(bool), **named)
    values = ["correct", *(name for name in OUTCOMES if name in kept)]
    return mean_over_seeds(kept, [*_PAIR, "intervention"], values)


def _with_baseline(rows: pd.DataFrame) -> pd.DataFrame:
    """Each row with the column `baseline`: was this example right when the model was left alone?"""
    alone = rows.loc[rows["intervention"] == NONE, [*_PAIR, "correct"]]
    paired = rows.merge(alone.rename(columns={"correct": "baseline"}), on=_PAIR, how="left")
    unpaired = paired["baseline"].isna()
    if unpaired.any():
        model, arm = paired.loc[unpaired, ["model", "intervention"]].iloc[0]
        raise ValueError(
            f"{int(unpaired.sum())} rows have no row '{NONE}' of the same example to compare "
            f"with, the first of {model} under {arm}"
        )
    return paired


def _lines(
    rows: pd.DataFrame, by: list[str], also: list[str], seed: int
) -> Iterator[dict[str, object]]:
    """The lines, arm by arm, the total of each arm before its parts."""
    divisions = [by[:depth] for depth in range(1, len(by) + 1)] + [[name] for name in also]
    for arm, of_arm in rows.groupby(_ARM, sort=False):
        head: dict[str, object] = dict(zip(_ARM, arm, strict=True))
        head |= dict.fromkeys([*by, *also], ALL)
        yield {**head, **_measure(of_arm, seed)}
        for columns in divisions:
            for values, group in of_arm.groupby(columns):
                named = dict(zip(columns, values, strict=True))
                yield {**head, **named, **_measure(group, seed)}


def _measure(group: pd.DataFrame, seed: int) -> dict[str, float]:
    """The numbers of one line."""
    correct, baseline = group["correct"].to_numpy(), group["baseline"].to_numpy()
    clusters = clusters_of(group)
    seeds = int(group["seeds"].max())
    agree = bool(((correct == 0) | (correct == 1)).all())
    if agree:
        accuracy, p = accuracy_interval(correct, clusters), mcnemar(correct, baseline, clusters)
    else:
        accuracy = bootstrap_interval(correct, seed=seed, clusters=clusters)
        p = sign_flip(correct, baseline, seeds, clusters)
    delta = paired_difference(correct, baseline, seed=seed, clusters=clusters)
    return {
        "n": accuracy.n,
        "seeds": seeds,
        **accuracy.columns("accuracy"),
        **delta.columns("delta"),
        "delta_smallest": smallest_effect(correct - baseline, clusters),
        "p_mcnemar": p,
        **_outcomes(group, clusters, seed),
    }


def _outcomes(group: pd.DataFrame, clusters: Clusters | None, seed: int) -> dict[str, float]:
    """Means of the outcomes that are known for every example of a line."""
    found: dict[str, float] = {}
    for name in OUTCOMES:
        if name not in group:
            continue
        if group[name].isna().any():
            found |= dict.fromkeys((name, f"{name}_low", f"{name}_high"), float("nan"))
            continue
        values = group[name].to_numpy(float)
        interval = bootstrap_interval(values, seed=seed, clusters=clusters)
        found |= interval.columns(name)
        if name == "log_odds_change":
            found[f"{name}_smallest"] = smallest_effect(values, clusters, answers=False)
    return found


def _shams(rows: pd.DataFrame) -> set[str]:
    """Names of the arms that put back what was there."""
    return set(rows.loc[rows["action"] == SHAM, "intervention"]) if "action" in rows else set()


def by_domain(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The usual lines, each with what rows say of its arm (`study.arms.Arm.facts`).

    They are over all examples, and by domain, topic, number of hops and type of question.
    """
    arm = ["model", "intervention"]
    facts = rows[[*arm, *(name for name in ARM_FACTS if name in rows)]].drop_duplicates(arm)
    lines = summarise(rows, also=("hops", "question_type"), seed=seed)
    return lines.merge(facts, on=arm, how="left")


def by_domain_and_pick(rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """All rows, those of each domain, and those in which the needed cell was picked or not.

    Yields:
        The domain, the value of `outcomes.PICKED`, each `all` unless the rows are of one, and the
        rows.
    """
    yield ALL, ALL, rows
    for domain, of_domain in rows.groupby("domain"):
        yield str(domain), ALL, of_domain
    for picked, of_picked in rows.groupby("needed_cell_picked"):
        yield ALL, PICKED[bool(picked)], of_picked

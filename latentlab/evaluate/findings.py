"""How often models are right and at what cost, as tables and in sentences."""

import pandas as pd

from latentlab.console import estimate, table
from latentlab.evaluate.rows import BLIND
from latentlab.measures.outcomes import NONE
from latentlab.measures.statistics import MARGIN
from latentlab.measures.summary import ALL
from latentlab.wording import data_name

COLUMNS = {
    "method": "method",
    "intervention": "picture",
    "domain": "domain",
    "hops": "hops",
    "n": "n",
    "accuracy": "strict %",
    "likelihood": "by likelihood %",
    "lenient": "lenient % (published)",
    "autoregressive_steps": "autoregressive steps",
    "forward_tokens": "forward tokens",
    "pictures": "pictures",
    "format_failures": "format failures",
    "seconds": "s an answer",
}
"""What the tables show, and its headings."""


SPARE = ("pictures", "forward_tokens", "autoregressive_steps", "lenient", "seconds", "likelihood")
"""Columns that a narrow screen does without, the first to go first."""


def show_tables(summary: pd.DataFrame) -> None:
    """Put one table a model on the screen; the crossing of domains with hops is in the summary."""
    fine = (summary[["domain", "topic", "hops"]] != ALL).sum(axis=1)
    shown = summary[(fine <= 1) & (summary["topic"] == ALL)]
    left_out = {"lenient"} if shown["lenient"].isna().all() else set()
    left_out |= COLUMNS.keys() - set(shown)
    columns = {name: heading for name, heading in COLUMNS.items() if name not in left_out}
    for model, lines in shown.groupby("model", sort=False):
        named = lines.replace({"intervention": {"none": "shown", BLIND: "not shown"}})
        title = f"{model} on {data_name(str(lines['data'].iloc[0]))}; 95 % intervals"
        # A column in which all lines are alike says nothing.
        alike = [name for name in ("intervention", "hops") if named[name].nunique() == 1]
        shown_of = {name: heading for name, heading in columns.items() if name not in alike}
        percent = ("accuracy", "likelihood", "lenient")
        keys = len({"method", "intervention", "domain", "hops"} & shown_of.keys())
        table(named, shown_of, title, percent=percent, spare=SPARE, keys=keys)


def conclusion(summary: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """What was found about each model, in one paragraph each."""
    found: dict[str, list[str]] = {}
    whole = summary[(summary[["domain", "topic"]] == ALL).all(axis=1)]
    total = whole[whole["hops"] == ALL]
    for _, line in total.iterrows():
        model = str(line["model"])
        other = f"{estimate(line, 'likelihood')} by the likelihood of the options"
        if line["lenient"] == line["lenient"]:
            other += f", {estimate(line, 'lenient')} by the published lenient match"
        if line["intervention"] == BLIND:
            guessing = 100 * float((1 / rows["options"]).mean())
            head = f"Without the picture it answers {estimate(line, 'accuracy')}"
            tail = f"guessing among the options gives {guessing:.1f} %"
        else:
            by = f" by {line['method']}" if "method" in line else ""
            head = f"{model} answers {estimate(line, 'accuracy')} of {line['n']} questions{by}"
            asked = (whole["model"] == model) & (whole["intervention"] == NONE)
            head += _by_hops(whole[asked & (whole["method"] == line["method"] if by else True)])
            tail = (
                f"an answer takes {line['autoregressive_steps']:.1f} autoregressive steps and "
                f"{1000 * line['seconds']:.1f} ms"
            )
        found.setdefault(model, []).append(f"{head} ({other}); {tail}.")
    return [" ".join(sentences) for sentences in found.values()]


def _by_hops(lines: pd.DataFrame) -> str:
    """How many are right of each number of hops, where these differ so much that a mean misleads.

    That is where the intervals of the best and the worst lie apart by a margin that matters.
    """
    by = lines[lines["hops"] != ALL].sort_values("hops", key=lambda hops: hops.astype(int))
    if len(by) < 2 or by["accuracy_low"].max() - by["accuracy_high"].min() < MARGIN:
        return ""
    told = [
        f"{estimate(line, 'accuracy')} of those with {line['hops']} "
        f"hop{'s' if int(line['hops']) > 1 else ''}"
        for _, line in by.iterrows()
    ]
    return f", {', '.join(told[:-1])} and {told[-1]}"

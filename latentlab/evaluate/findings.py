"""How often models are right and at what cost, as tables and in sentences."""

import pandas as pd

from latentlab.console import estimate, table
from latentlab.evaluate.rows import BLIND
from latentlab.measures.summary import ALL
from latentlab.wording import data_name

COLUMNS = {
    "intervention": "picture",
    "domain": "domain",
    "hops": "hops",
    "n": "n",
    "accuracy": "strict %",
    "likelihood": "by likelihood %",
    "lenient": "lenient % (published)",
    "autoregressive_steps": "autoregressive steps",
    "seconds": "s an answer",
}
"""What the tables show, and its headings."""


SPARE = ("autoregressive_steps", "lenient", "seconds", "likelihood")
"""Columns that a narrow screen does without, the first to go first."""


def show_tables(summary: pd.DataFrame) -> None:
    """Put one table a model on the screen; the crossing of domains with hops is in the summary."""
    fine = (summary[["domain", "topic", "hops"]] != ALL).sum(axis=1)
    shown = summary[(fine <= 1) & (summary["topic"] == ALL)]
    left_out = {"lenient"} if shown["lenient"].isna().all() else set()
    columns = {name: heading for name, heading in COLUMNS.items() if name not in left_out}
    for model, lines in shown.groupby("model", sort=False):
        named = lines.replace({"intervention": {"none": "shown", BLIND: "not shown"}})
        title = f"{model} on {data_name(str(lines['data'].iloc[0]))}; 95 % intervals"
        # A column in which all lines are alike says nothing.
        alike = [name for name in ("intervention", "hops") if named[name].nunique() == 1]
        shown_of = {name: heading for name, heading in columns.items() if name not in alike}
        percent = ("accuracy", "likelihood", "lenient")
        keys = len({"intervention", "domain", "hops"} & shown_of.keys())
        table(named, shown_of, title, percent=percent, spare=SPARE, keys=keys)


def conclusion(summary: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """What was found about each model, in one paragraph each."""
    found: dict[str, list[str]] = {}
    total = summary[(summary[["domain", "topic", "hops"]] == ALL).all(axis=1)]
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
            head = f"{model} answers {estimate(line, 'accuracy')} of {line['n']} questions"
            tail = (
                f"an answer takes {line['autoregressive_steps']:.1f} autoregressive steps and "
                f"{1000 * line['seconds']:.1f} ms"
            )
        found.setdefault(model, []).append(f"{head} ({other}); {tail}.")
    return [" ".join(sentences) for sentences in found.values()]

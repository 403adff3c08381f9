"""Where knock-outs hurt: changes by domain and topic, question type and number of hops.

Study: `knockouts` (`latentlab.ablate`): latent text or latent vision emptied, positions and slots
kept (`knockouts` has the ways in which positions move). Changes of strict accuracy on the questions
of each group, paired by question. The paper's Table 3 divides M3CoT into science, commonsense and
mathematics by training stage; it has no knock-out by topic.
"""

import pandas as pd

from latentlab.console import typeset
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import legend, without_repeats
from latentlab.figures.lines import (
    CHANGE,
    divided,
    names,
    number_of_hops,
    overall,
    sample,
    untouched,
    with_arms,
)
from latentlab.figures.sentences import of_models, told
from latentlab.figures.style import RC, canvas, look_of
from latentlab.measures.summary import ALL
from latentlab.vocabulary import PARTS

PART = "appendix"

STUDIES = (studies.KNOCKOUTS,)


def make(found: Found) -> Drawing:
    """The figure: a panel for each part, a row for each group of questions."""
    summary = found[studies.KNOCKOUTS.name].summary
    lines = with_arms(pd.concat(_groups(summary), ignore_index=True))
    lines = lines[(lines["action"] == "drop") & (lines["positions"] == "kept")]
    data = without_repeats(lines[lines["part"].isin(PARTS)])
    single = data["part"] != "latent"
    data = (data[single] if single.any() else data).assign(series=lambda all_: all_["model"])
    models = names(data["model"])
    parts = [part for part in PARTS if part in set(data["part"])]
    rows = {row: row for row in names(data["row"])}
    height = 0.9 + max(0.16, 0.06 * len(models)) * len(rows)
    figure, axes = canvas("single", height, 1, len(parts), sharex=True, sharey=True)
    looks = {model: look_of(model, models) for model in models}
    for axis, part in zip(axes, parts, strict=True):
        draw_dots(axis, data[data["part"] == part], rows, looks, "delta")
        axis.set_title(f"{PARTS[part]} emptied")
    figure.supxlabel(CHANGE, fontsize=RC["axes.labelsize"])
    legend(figure, axes[0], {m: look | {"linestyle": "none"} for m, look in looks.items()}, 4)
    columns = ["model", "row", "part", "intervention", "kind", "positions", "n"]
    kept = data[[*columns, "delta", "delta_low", "delta_high"]].reset_index(drop=True)
    counts = data.loc[data["row"] != ALL, "n"]
    each = f" ({counts.min()} to {counts.max()} in a group)" if len(counts) else ""
    caption = (
        f"{_finding(data, models, parts[0])}\n\n"
        f"Change in accuracy by group of questions{each}: {sample(untouched(overall(summary)))}. "
        "Knock-outs at inference on fixed weights: the slots are kept and hold the placeholder "
        "token. Differences are paired by question, bars are 95 % intervals, not corrected for "
        "the number of groups."
    )
    return Drawing(figure, kept, caption)


def _finding(data: pd.DataFrame, models: list[str], part: str) -> str:
    """The groups that an emptied part costs the first model least and most, and all models."""
    of = data[(data["part"] == part) & (data["row"] != ALL)]
    first = of[of["model"] == models[0]]
    if first.empty:
        whole = data[(data["part"] == part)].iloc[:1]
        changes = of_models(whole, "delta", "points", signed=True)
        return f"Emptying {PARTS[part]} changes accuracy by {changes}; the data have no groups."
    least, most = first.loc[first["delta"].idxmax()], first.loc[first["delta"].idxmin()]
    low, high = (typeset(100 * end, 0, True) for end in (of["delta"].max(), of["delta"].min()))
    return (
        f"Emptying {PARTS[part]} changes accuracy of {models[0]} least on {least['row']} "
        f"({told(least, 'delta', 'points', True)}) and most on {most['row']} "
        f"({told(most, 'delta', 'points', True)}); all models and groups by {low} to {high} points."
    )


def _groups(summary: pd.DataFrame) -> list[pd.DataFrame]:
    """Lines by topic within domain, by question type and by hops, where there are several."""
    topics = summary[(summary[["domain", "topic"]] != ALL).all(axis=1)]
    topics = topics.dropna(subset=["domain", "topic"])
    groups = [overall(summary).assign(row=ALL)]
    if topics.empty:
        domains = divided(summary, "domain")
        groups.append(domains.assign(row=domains["domain"]))
    groups.append(topics.assign(row=topics["domain"] + ": " + topics["topic"]))
    for column, label in (("question_type", str), ("hops", number_of_hops)):
        lines = divided(summary, column)
        if lines[column].nunique() > 1:
            groups.append(lines.assign(row=lines[column].astype(str).map(label)))
    return groups

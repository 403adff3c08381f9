"""Where knock-outs hurt: losses by domain and topic, question type and number of hops.

Study: `knockouts` (`latentlab.ablate`): latent text, latent vision or both left out (`drop`).
Points of strict accuracy lost on the questions of each group, paired by question, with positions
held, closed up, or the slots kept with the placeholder token in them. The paper's Table 3 divides
M3CoT into science, commonsense and mathematics by training stage; it has no knock-out by topic.
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import POSITION_LABELS, POSITIONS, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.lines import (
    INFERENCE,
    LOST,
    REMOVALS,
    divided,
    names,
    number_of_hops,
    overall,
    sample,
    untouched,
    with_arms,
    with_losses,
)
from latentlab.figures.style import INK, canvas, look_of
from latentlab.measures.summary import ALL
from latentlab.vocabulary import PARTS

STUDIES = (studies.KNOCKOUTS,)


def make(found: Found) -> Drawing:
    """The figure: a panel for each part, a row for each group of questions."""
    summary = found[studies.KNOCKOUTS.name].summary
    lines = with_arms(with_losses(pd.concat(_groups(summary), ignore_index=True)))
    data = lines[(lines["action"] == "drop") & lines["part"].isin(PARTS)]
    data = data.assign(series=data["model"] + " " + data["positions"])
    models = names(data["model"])
    parts = [part for part in PARTS if part in set(data["part"])]
    sizes = data.drop_duplicates("row").set_index("row")["n"]
    rows = {row: row for row in names(data["row"])}
    height = 0.9 + 0.05 * len(models) * len(POSITIONS) * len(rows)
    figure, axes = canvas("double", max(height, 2.2), 1, len(parts), sharex=True, sharey=True)
    looks = {}
    for model in models:
        style = look_of(model, models) | {"markersize": 3}
        looks |= {f"{model} {rule}": style | filled for rule, filled in POSITIONS.items()}
    for axis, part in zip(axes, parts, strict=True):
        draw_dots(axis, data[data["part"] == part], rows, looks)
        axis.set_xlabel(LOST)
        axis.set_title(f"without {PARTS[part]}")
    for model in models:
        axes[0].plot([], [], **(look_of(model, models) | {"linestyle": "none"}), label=model)
    for rule, filled in POSITIONS.items():
        grey = {"marker": "o", "color": INK, "linestyle": "none"} | filled
        axes[0].plot([], [], **grey, label=POSITION_LABELS[rule])
    figure.legend(loc="outside upper center", ncols=3)
    columns = ["model", "row", "part", "series", "intervention", "kind", "positions", "n"]
    kept = data[[*columns, "lost", "lost_low", "lost_high"]].reset_index(drop=True)
    counts = ", ".join(f"{row} {n}" for row, n in sizes.items())
    caption = (
        f"Accuracy lost by group of questions: {sample(untouched(overall(summary)))}. {INFERENCE} "
        f"{REMOVALS} Differences are paired by question, bars are 95 % bootstrap intervals, not "
        f"corrected for the number of groups. Questions by group: {counts}. Groups that hold all "
        "questions are not shown again. Published (IVT-LR, Table 3): by domain of M3CoT but by "
        "training stage, so there is no such number to compare with."
    )
    return Drawing(figure, kept, caption)


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

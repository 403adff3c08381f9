"""Number and choice of the re-inserted patches, at inference on one model.

Study: `patches` (`latentlab.ablate`): k patches a step, picked by attention, at random or as the
least attended (`bottom`). Strict accuracy. Another k changes positions as well as what is seen, so
each is run with the positions of training, with one position for each slot, and, where k is
smaller, with the remaining slots empty. The paper's Figure 4 retrains or re-runs with k from 8 to
32 of 100 patches and reports a steady rise. Only where the three ways agree is the number of
patches what matters; where k times the steps nears the number of patches, all rules pick nearly the
same.
"""

import pandas as pd

from latentlab.ablate.config import numbers
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.dots import POSITIONS
from latentlab.figures.experiment import Found
from latentlab.figures.lines import (
    INFERENCE,
    names,
    overall,
    untouched,
    with_arms,
)
from latentlab.figures.marks import draw_intervals
from latentlab.figures.style import canvas, look
from latentlab.vocabulary import CONTROL, PositionRule
from latentlab.wording import joined

PART = "appendix"
STUDIES = (studies.PATCHES,)

RULES = {
    "attention": "most attended",
    "random": "at random",
    "bottom": "least attended",
    "none": "none",
}

PANELS: dict[PositionRule, str] = {
    "held": "positions held",
    "closed": "positions closed up",
    "kept": "slots kept, empty",
}


def make(found: Found) -> Drawing:
    """The figure: a row for each model, a panel by positions, a line for each rule."""
    results = found[studies.PATCHES.name]
    lines = with_arms(overall(results.summary))
    models = names(lines["model"])
    drawn = pd.concat([_curves(lines[lines["model"] == model], results.run) for model in models])
    size = {"height": 0.7 + 1.6 * len(models), "rows": len(models), "columns": len(PANELS)}
    figure, axes = canvas("double", **size, sharex=True, sharey=True)
    for i, axis in enumerate(axes):
        model, panel = models[i // len(PANELS)], list(PANELS)[i % len(PANELS)]
        of_panel = drawn[(drawn["model"] == model) & (drawn["positions"] == panel)]
        for j, rule in enumerate(RULES):
            curve = of_panel[of_panel["rule"] == rule]
            places, style = curve["k"] + 0.13 * (j % 3 - 1), look(j) | POSITIONS[panel]
            if len(curve):
                draw_intervals(axis, places, curve, "accuracy", 100, **style)
        if i < len(PANELS):
            axis.set_title(PANELS[panel])
        if i >= len(axes) - len(PANELS):
            axis.set_xlabel("patches a step (k)")
        if i % len(PANELS) == 0:
            axis.set_ylabel(f"{model}\naccuracy (%)")
    axes[0].set_xticks(sorted(set(drawn["k"])))
    for j, (rule, label) in enumerate(RULES.items()):
        if rule in set(drawn["rule"]):
            axes[0].plot([], [], **look(j), label=label)
    figure.legend(loc="outside upper center", ncols=len(RULES))
    own = drawn[(drawn["intervention"] == "none") & (drawn["positions"] == "held")]
    pairs = zip(own["model"], own["k"], strict=True)
    trained = "; ".join(f"{model} was trained with k={k}" for model, k in pairs)
    text = (
        f"Patches a step, picked by three rules; {trained or 'points as trained are not known'}. "
        "Left: the positions of training. Middle: every slot has its own. Right: as many picked as "
        "in training, all but k emptied. 95 % Wilson intervals, n = "
        f"{untouched(lines)['n'].min()}. {INFERENCE} Published: IVT-LR, Figure 4, a steady rise. "
        "The axis does not start at 0."
    )
    return Drawing(figure, drawn, caption(_finding(drawn), text))


def _finding(drawn: pd.DataFrame) -> str:
    """How far accuracies lie apart over all numbers of patches, by what becomes of positions."""
    told = []
    for panel, label in PANELS.items():
        of_panel = drawn[drawn["positions"] == panel]["accuracy"]
        if len(of_panel):
            told.append(f"{100 * of_panel.min():.0f} to {100 * of_panel.max():.0f} % ({label})")
    return f"Over all numbers and choices of patches, accuracy is {joined(told)}."


def _curves(lines: pd.DataFrame, run: dict[str, dict[str, str]]) -> pd.DataFrame:
    """Every line of a model that tells of a rule and a number of patches, panel by panel."""
    lines = lines[(lines["kind"] != CONTROL) | (lines["positions"] != "")]
    picked = (lines["action"] == "select") & lines["strength"].notna()
    empty = (lines["action"] == "k") & (lines["strength"] == 0)
    counts = lines["strength"].map("{:g}".format).where(picked | empty)
    rules = lines["source"].where(picked, "none").where(picked | empty)
    data = lines.assign(rule=rules, k=counts)
    # What the model does anyway is no arm, so it is the one combination that is not there.
    there = set(zip(data["rule"], data["k"], strict=True))
    asked = [str(k) for k in numbers(run["config"]["k"], "--k") if k]
    absent = [(r, k) for r in run["config"]["select"] for k in asked if (r, k) not in there]
    if len(absent) == 1:
        data.loc[data["intervention"] == "none", ["rule", "k"]] = list(absent[0])
    data = data.dropna(subset=["rule", "k"]).astype({"k": int})
    # As many slots as in training stand where they stood, so every panel goes through them.
    same = data["positions"] == ""
    data = pd.concat([data[~same], *(data[same].assign(positions=panel) for panel in PANELS)])
    columns = ["model", "positions", "rule", "k", "intervention", "n"]
    data = data.sort_values(["positions", "rule", "k"])
    return data[[*columns, "accuracy", "accuracy_low", "accuracy_high"]].reset_index(drop=True)

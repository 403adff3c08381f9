"""Number and choice of the re-inserted patches, at inference on one model.

Study: `patches` (`latentlab.ablate`): k patches a step, picked by attention, at random or as the
least attended (`bottom`). Strict accuracy. Every step keeps the stride of its positions: without
that, another k would also move the text slots and the answer to position ids never trained on. The
paper's Figure 4 retrains or re-runs with k from 8 to 32 of 100 patches and reports a steady rise.
"""

import pandas as pd

from latentlab.ablate import numbers
from latentlab.paper import studies
from latentlab.paper.artifacts import Drawing
from latentlab.paper.dots import HOLLOW
from latentlab.paper.experiment import Found
from latentlab.paper.lines import INFERENCE, INTERVALS, names, overall, sample, untouched
from latentlab.paper.style import canvas, draw_intervals, look
from latentlab.vocabulary import EMPTY

STUDIES = (studies.PATCHES,)

RULES = {"attention": "most attended", "random": "at random", "bottom": "least attended"}


def make(found: Found) -> Drawing:
    """The figure: a panel for each model, a line for each rule."""
    results = found[studies.PATCHES.name]
    lines = overall(results.summary)
    models = names(lines["model"])
    drawn = pd.concat([_curves(lines[lines["model"] == model], results.run) for model in models])
    width = "single" if len(models) == 1 else "double"
    figure, axes = canvas(width, 2.5, 1, len(models), sharey=True)
    for axis, model in zip(axes, models, strict=True):
        of_model = drawn[drawn["model"] == model]
        for i, (rule, label) in enumerate(RULES.items()):
            curve = of_model[of_model["rule"] == rule]
            if len(curve):
                places = curve["k"] + 0.13 * (i - 1)
                draw_intervals(axis, places, curve, "accuracy", 100, **look(i), label=label)
        for rule, label, style in (
            ("none", "none", look(3)),
            ("empty", "none, slots kept and empty", look(3) | HOLLOW),
        ):
            point = of_model[of_model["rule"] == rule]
            places = point["k"] + (0.1 if rule == "empty" else -0.1)
            draw_intervals(axis, places, point, "accuracy", 100, joined=False, **style, label=label)
        axis.set_xlabel("patches a step (k)")
        axis.set_xticks(sorted(set(drawn["k"])))
        if len(models) > 1:
            axis.set_title(model)
    axes[0].set_ylabel("accuracy (%)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, columnspacing=1)
    own = drawn[drawn["intervention"] == "none"]
    pairs = zip(own["model"], own["k"], strict=True)
    trained = "; ".join(f"{model} was trained with k={k}" for model, k in pairs)
    caption = (
        "Strict accuracy by number of re-inserted patches and rule to pick them: "
        f"{sample(untouched(lines))}. {INFERENCE} {trained or 'Points as trained are not known'}. "
        "The positions a step takes are those of training whatever k is, so text slots and answer "
        "stand where they stood and only what is seen changes; patches beyond the trained k share "
        "the last patch's position. At k=0 slots are left out, or kept and emptied (hollow): what "
        "only the first costs is due to missing slots and not to content. Where k times the steps "
        "nears the number of patches, all rules pick nearly the same. The axis does not start at "
        f"0. {INTERVALS} Published (IVT-LR, Figure 4, k from 8 to 32 of 100 patches): a steady "
        "rise with k."
    )
    return Drawing(figure, drawn, caption)


def _curves(lines: pd.DataFrame, run: dict[str, dict[str, str]]) -> pd.DataFrame:
    """Every line of a model that tells of a rule and a number of patches."""
    found = lines["intervention"].str.extract(r"^select (?P<rule>\w+), k=(?P<k>\d+)$")
    data = pd.concat([lines, found], axis=1)
    for arm, rule in (("k=0", "none"), (f"k=0: {EMPTY}", "empty")):
        data.loc[data["intervention"] == arm, ["rule", "k"]] = [rule, "0"]
    # What the model does anyway is no arm, so it is the one combination that is not there.
    there = set(zip(data["rule"], data["k"], strict=True))
    asked = [str(k) for k in numbers(run["config"]["k"], "--k") if k]
    absent = [(r, k) for r in run["config"]["select"] for k in asked if (r, k) not in there]
    if len(absent) == 1:
        data.loc[data["intervention"] == "none", ["rule", "k"]] = list(absent[0])
    data = data.dropna(subset=["rule", "k"]).astype({"k": int}).sort_values(["rule", "k"])
    columns = ["model", "rule", "k", "intervention", "n"]
    return data[[*columns, "accuracy", "accuracy_low", "accuracy_high"]].reset_index(drop=True)

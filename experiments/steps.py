"""Number of latent steps by domain: stage by stage in training, and varied on trained models.

Study: `step-counts` (`latentlab.ablate --steps`), strict accuracy at N latent steps on fixed
weights: with the answer moved up or back, with positions held where steps are taken away, and with
the larger number of steps and the difference left empty. Beside it,
the paper's way (its Table 3): the model after training stage N is measured with N latent steps, the
others written in words, read off the log that lies beside each model. That way mixes the number of
steps with the length of training.
"""

import pandas as pd

from latentlab.figures import studies, trained
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.dots import POSITIONS
from latentlab.figures.experiment import Found
from latentlab.figures.lines import (
    INFERENCE,
    divided,
    names,
    overall,
    untouched,
    with_arms,
)
from latentlab.figures.marks import draw_intervals
from latentlab.figures.style import canvas, look
from latentlab.measures.summary import ALL
from latentlab.study.results import Results
from latentlab.vocabulary import CONTROL
from latentlab.wording import joined

PART = "appendix"
STUDIES = (studies.STEP_COUNTS,)

COLUMNS = ["model", "panel", "steps", "domain", "n", "accuracy", "accuracy_low", "accuracy_high"]

PANELS = {
    "training": "after training stage N",
    "closed": "N steps, closed up",
    "held": "N steps, held",
    "kept": "the difference empty",
}


def make(found: Found) -> Drawing:
    """The figure: a row for each model, by training stage and, at inference, by positions."""
    results = found[studies.STEP_COUNTS.name]
    total = untouched(overall(results.summary))
    models = names(total["model"])
    data = pd.concat([_by_stage(results), _at_inference(results)], ignore_index=True)[COLUMNS]
    panels = [panel for panel in PANELS if panel in set(data["panel"])]
    domains = [ALL, *sorted(set(data["domain"]) - {ALL})]
    figure, axes = canvas(
        "double", 0.7 + 1.6 * len(models), len(models), len(panels), sharex=True, sharey=True
    )
    for i, axis in enumerate(axes):
        model, panel = models[i // len(panels)], panels[i % len(panels)]
        of_panel = data[(data["model"] == model) & (data["panel"] == panel)]
        for j, domain in enumerate(domains):
            curve = of_panel[of_panel["domain"] == domain].sort_values("steps")
            style = look(j) | POSITIONS.get(panel, {})
            places = curve["steps"] + 0.07 * (j - (len(domains) - 1) / 2)
            draw_intervals(axis, places, curve, "accuracy", 100, **style)
        if i < len(panels):
            axis.set_title(PANELS[panel])
        if i >= len(axes) - len(panels):
            axis.set_xlabel("latent steps (N)")
        if i % len(panels) == 0:
            axis.set_ylabel(f"{model}\naccuracy (%)")
    axes[0].set(ylim=(-3, 103), xticks=sorted(set(data["steps"].astype(int))))
    for j, domain in enumerate(domains):
        axes[0].plot([], [], **look(j), label=domain)
    figure.legend(loc="outside upper center", ncols=len(domains))
    held_out = data.loc[(data["panel"] == "training") & (data["domain"] == ALL), "n"]
    sizes = f"{held_out.min()} held-out questions" if len(held_out) else "no logs are there"
    text = (
        f"First panel: after training stage N, N steps latent and the others written ({sizes}); "
        "later stages were trained longer. The others: N steps on the trained model, n = "
        f"{total['n'].min()}, the answer moved up, held where it stood, or the difference left "
        f"empty. Wilson intervals of 95 %. {INFERENCE} Published: IVT-LR, Table 3."
    )
    return Drawing(figure, data, caption(_finding(data), text))


def _finding(data: pd.DataFrame) -> str:
    """Accuracy without latent steps and with the number at which it is highest, for each model."""
    told = []
    chosen = data[(data["domain"] == ALL) & (data["panel"] == "closed")]
    for model, curve in chosen.groupby("model", sort=False):
        curve = curve.sort_values("steps")
        least, best = curve.iloc[0], curve.loc[curve["accuracy"].idxmax()]
        told.append(
            f"{100 * least['accuracy']:.0f} % at {least['steps']} steps and at most "
            f"{100 * best['accuracy']:.0f} % at {best['steps']} ({model})"
        )
    return f"On trained models, accuracy is {joined(told)}."


def _by_stage(results: Results) -> pd.DataFrame:
    """Held-out accuracy after the last stage with each number of latent steps."""
    lines = []
    for model, folder in trained.folders(results).items():
        log = trained.stages(folder)
        for steps, stages in log.groupby("latent_steps"):
            end = trained.hardest(stages[stages["stage"] == stages["stage"].iloc[-1]])
            line = {"model": model, "panel": "training", "steps": steps}
            lines.append(line | {"domain": ALL} | trained.pooled(end))
            lines += [line | group for group in end.drop(columns="hops").to_dict("records")]
    return pd.DataFrame(lines, columns=COLUMNS)


def _at_inference(results: Results) -> pd.DataFrame:
    """Accuracy at each number of steps, by what becomes of positions."""
    domains = divided(results.summary, "domain")
    lines = with_arms(pd.concat([overall(results.summary), domains], ignore_index=True))
    own = (
        results.rows[results.rows["intervention"] == "none"].groupby("model")["latent_steps"].max()
    )
    steps = lines["strength"].where(lines["action"] == "steps")
    natural = (lines["kind"] == CONTROL).map({True: "kept", False: "closed"})
    lines = lines.assign(
        steps=steps.astype("Float64").fillna(lines["model"].map(own)).astype(int),
        panel=lines["positions"].where(lines["positions"] != "", natural),
    )
    # The model as trained is what every panel goes through.
    alone = [untouched(lines).assign(panel=panel) for panel in ("held", "kept")]
    return pd.concat([lines, *alone], ignore_index=True)

"""How much of what an input does to the answer goes through the latents, hop by hop.

Study: `mediation` (`latentlab.mediation`): natural effects on the log-odds of the answer preferred
on the clean input (Pearl 2001; Vig et al., arXiv 2004.12265), with the pure and the total indirect
effect (Robins and Greenland 1992) side by side, since a redundant mediator shows in the second
only. Drawn are the inputs of which it is known at which hop they matter; the others, and the
effects that are shared here, are in `mediation_totals`. CapImagine (arXiv 2602.22766) asks input ->
latent and latent -> answer one by one, of other models, and finds neither.
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import WEIGHTS, legend, perturbation_label, perturbations_in
from latentlab.figures.lines import names
from latentlab.figures.mediated import SHARES, marks, shares, whole_effects
from latentlab.figures.style import INK, MUTED, canvas, part_look
from latentlab.vocabulary import PARTS
from latentlab.wording import joined

PART = "main"
STUDIES = (studies.MEDIATION,)

SHOWN = ("mask_needed", "relink", "restart")
"""What is done to inputs in this figure; all of it where a study has none of these."""

SINGLE = ("latent_text", "latent_vision")
"""Parts that are drawn; both together are in the CSV file."""


def make(found: Found) -> Drawing:
    """The figure: a panel for each model, a row for each input, a mark for each part and share."""
    results = found[studies.MEDIATION.name]
    lines = whole_effects(results.summary)
    vectors = lines[lines["mediator"].isin(("latents", ""))]
    known = vectors["perturbation"].str.split().str[0].isin(SHOWN)
    asked = vectors[known] if known.any() else vectors
    data = shares(asked)
    rows, models = perturbations_in(asked), names(lines["model"])
    drawn = data[data["part"].isin(SINGLE)]
    drawn = drawn.assign(row=drawn["perturbation"], series=drawn["part"] + " " + drawn["measure"])
    looks = {
        f"{part} {share}": part_look(part) | (HOLLOW if share == "tie_share" else {})
        for part in SINGLE
        if part in set(drawn["part"])
        for share in SHARES
    }
    height = 0.95 + 0.3 * len(rows)
    figure, axes = canvas("double", height, 1, len(models), sharex=True, sharey=True)
    for axis, model in zip(axes, models, strict=True):
        draw_dots(axis, drawn[drawn["model"] == model], rows, looks, "value", 100)
        axis.axvline(100, color=MUTED, linewidth=0.6, zorder=0)
        axis.set(title=model, xticks=(0, 50, 100))
    figure.supxlabel("share of the total effect on the answer (%)", fontsize=7.5)
    grey = {"marker": "o", "color": INK, "linestyle": "none"}
    key = {PARTS[part]: part_look(part) | {"linestyle": "none"} for part in SINGLE}
    key["filled: pure indirect (NIE)"] = grey
    key["hollow: total indirect (TE − NDE)"] = grey | HOLLOW
    legend(figure, axes[0], key, 4)
    text = (
        "Filled: what the latents of the changed input do alone; hollow: what keeping the old ones "
        f"averts; each by the total effect on log-odds. 95 % intervals over {asked['n'].min()} "
        f"questions of {results.run['config']['data']} at least. {WEIGHTS} Shares with intervals "
        "wider than 100 points rest on next to no effect and are left out."
    )
    totals = marks(asked, {"te": "total effect", "nde": "direct effect"})
    numbers = pd.concat([data, totals], ignore_index=True)
    return Drawing(figure, numbers, caption(_finding(data, rows), text))


def _finding(data: pd.DataFrame, rows: dict[str, str]) -> str:
    """What each part passes on of the last input, and where keeping it averts what it does not."""
    if data.empty:
        return (
            f"Of {len(rows)} changed inputs, 0 have an effect of which latents could carry a share."
        )
    last = list(rows)[-1]
    single = data[(data["perturbation"] == last) & data["part"].isin(SINGLE)]
    told = []
    for part, of_part in single[single["measure"] == "nie_share"].groupby("part", sort=False):
        each = [
            f"{100 * value:.0f} % ({model})"
            for model, value in zip(of_part["model"], of_part["value"], strict=True)
        ]
        told.append(f"{PARTS[str(part)]} passes on {joined(each)}")
    finding = f"Of what {rows[last]} does to answers, {'; '.join(told)}" if told else ""
    of_parts = data[data["part"].isin(SINGLE)]
    pairs = of_parts.pivot_table("value", ["model", "perturbation", "part"], "measure").dropna()
    if len(pairs) and set(SHARES) <= set(pairs):
        gap = (pairs["tie_share"] - pairs["nie_share"]).idxmax()
        model, perturbation, part = gap
        alone, kept = (100 * pairs.loc[gap, share] for share in SHARES)
        finding += "; " if finding else ""
        finding += (
            f"keeping {PARTS[part]} averts {kept:.0f} % of the effect of "
            f"{perturbation_label(perturbation)} in {model}, of which it passes on {alone:.0f} %"
        )
    return f"{finding or 'Both shares exist for no input'}."

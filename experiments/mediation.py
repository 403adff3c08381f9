"""Effects of input perturbations, and both shares of each that go with the latents, hop by hop.

Study: `mediation` (`latentlab.mediation`): natural effects on the log-odds of the answer preferred
on the clean input (Pearl 2001; Vig et al., arXiv 2004.12265), with the pure and the total indirect
effect (Robins and Greenland 1992) side by side, since a redundant mediator shows in the second
only. Sham: the zero perturbation; control: a cell off the walk hidden instead of the needed one.
CapImagine (arXiv 2602.22766) asks input -> latent and latent -> answer one by one, of other models,
and finds neither.
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import WEIGHTS, legend, of_sham, perturbations_in, sampled
from latentlab.figures.lines import names
from latentlab.figures.style import MUTED, canvas, look
from latentlab.measures.summary import ALL
from latentlab.mediation.summary import EFFECT, single_hops
from latentlab.mediation.tables import told
from latentlab.vocabulary import PARTS

STUDIES = (studies.MEDIATION,)

EFFECTS = {"te": "total effect", "nde": "direct effect"}

SHARES = {"nie_share": "pure indirect (NIE)", "tie_share": "total indirect (TE - NDE)"}

WIDEST = 1.0
"""Shares whose interval is wider rest on next to no effect and are left out."""


def make(found: Found) -> Drawing:
    """The figure: a row for each model; its effects, and the two shares of them side by side."""
    results = found[studies.MEDIATION.name]
    lines = results.summary
    whole = (lines["domain"] == ALL) & (lines["outcome"] == "log_odds") & (lines["steps"] == ALL)
    lines = single_hops(lines[whole & (lines["measure"] == EFFECT)])
    lines = lines.assign(perturbation=lines["label"])
    rows, models = perturbations_in(lines), names(lines["model"])
    effects, shares = _effects(lines), _shares(lines)
    effect_looks = {label: look(i) for i, label in enumerate(EFFECTS.values())}
    share_looks = {label: look(i + 3) for i, label in enumerate(PARTS.values())}
    slots = {f"{label}, slots": style | HOLLOW for label, style in share_looks.items()}
    share_looks |= {name: style for name, style in slots.items() if name in set(shares["series"])}
    height = 0.9 + len(models) * (0.35 + 0.2 * len(rows))
    figure, axes = canvas("double", height, len(models), 3, sharey=True, sharex="col")
    for i, model in enumerate(models):
        first, *others = axes[3 * i : 3 * i + 3]
        draw_dots(first, effects[effects["model"] == model], rows, effect_looks, "value", 1)
        for axis, name in zip(others, SHARES, strict=True):
            chosen = shares[(shares["model"] == model) & (shares["measure"] == name)]
            draw_dots(axis, chosen, rows, share_looks, "value", 100)
            axis.axvline(100, color=MUTED, linewidth=0.6, zorder=0)
        first.set_title(model, loc="left")
    for axis, label in zip(axes[-2:], SHARES.values(), strict=True):
        axis.set_xlabel(f"{label}, % of total")
    axes[-3].set_xlabel("effect on log-odds (nats)")
    looks = {name: {**style, "linestyle": "none"} for name, style in effect_looks.items()}
    looks |= {name: {**style, "linestyle": "none"} for name, style in share_looks.items()}
    legend(figure, axes[0], looks, 4)
    data = pd.concat([effects, shares])
    data = data.rename(columns={"row": "perturbation"}).reset_index(drop=True)
    numbers = lines.loc[lines["perturbation"] == "none", ["te", "nde", "nie", "tie"]]
    caption = (
        f"Causal mediation: {sampled(lines, results.run['config']['data'])}. {WEIGHTS} Left: what "
        "a perturbed input does to the log-odds of the answer that the model preferred before "
        "(total effect), and what it does while the latents stay as they were (natural direct "
        "effect). Middle: mean pure indirect by mean total effect, i.e. what the latents of the "
        "perturbed input do alone. Right: total indirect by total effect, i.e. what keeping the "
        "latents averts. Of inputs that are hidden a small share in the middle and a large one on "
        "the right mean a redundant mediator, both large one that is necessary and sufficient, "
        "both small an effect that goes past it; of inputs that are changed for others they tell "
        "whose evidence wins. Filled: vectors that steps append; hollow: all that happens at "
        "their positions. Marks are changed and needed cells hidden at one hop at a time; the last "
        "one is looked up after the last latent. The sham changes "
        f"{of_sham(numbers)} and has no share. Hiding another cell is the control of hiding the "
        "needed one. Shares whose interval is wider than 100 points are left out, since there is "
        "next to no effect to share. What follows a part that is taken alone is made anew from it; "
        "parts need not add up. Bars are 95 % bootstrap intervals over questions. Published for "
        "other models (CapImagine, arXiv 2602.22766): latents nearly alike on all inputs, and "
        "answers that hardly change with latents."
    )
    return Drawing(figure, data, caption)


def _effects(lines: pd.DataFrame) -> pd.DataFrame:
    """One line for each effect, with all latents kept where they have to be."""
    together = lines[(lines["part"] == "latent") & (lines["mediator"] == "latents")]
    return pd.concat(_kept(together, name, label) for name, label in EFFECTS.items())


def _shares(lines: pd.DataFrame) -> pd.DataFrame:
    """One line for each share that there is; where nothing changes there is none."""
    named = pd.concat(told(group) for _, group in lines.groupby(["model", "label"], sort=False))
    slots = named["mediator"].map({"latents": "", "slots": ", slots"})
    series = named["part"].map(PARTS) + slots
    there = pd.concat(_kept(named, name, series) for name in SHARES)
    wide = there["value_high"] - there["value_low"] > WIDEST
    return there[there["value"].notna() & ~wide]


def _kept(lines: pd.DataFrame, name: str, series: "str | pd.Series[str]") -> pd.DataFrame:
    """Lines with one of their numbers as `value`."""
    ends = {f"{name}{end}": f"value{end}" for end in ("", "_low", "_high")}
    lines = lines.rename(columns=ends).assign(row=lines["label"], series=series, measure=name)
    columns = ["model", "row", "hop", "measure", "series", "mediator", "part", "n"]
    return lines[[*columns, *ends.values()]]

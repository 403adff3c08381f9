"""Whose answer a model gives on another question's latents.

Study: `interchange` (`latentlab.interchange`; Geiger et al. 2021, arXiv 2106.02997): a question is
asked again with the latents of a donor. The treatment is a donor on the same picture with another
start; unrelated donors, donors with the same answer and the question itself (sham) are controls.
ReaLVR's exchange lifts the donor's answer by 5.8 points (LVR) and 46.8 points (ReaLVR).
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import WEIGHTS, sampled, without_repeats
from latentlab.figures.lines import names
from latentlab.figures.style import INK, canvas
from latentlab.measures.outcomes import NONE
from latentlab.measures.statistics import accuracy_interval
from latentlab.vocabulary import PARTS

STUDIES = (studies.INTERCHANGES,)

WHOSE = {
    "keeps_own": ("its own", "#BBBBBB", ""),
    "gives_donors": ("the donor's", "#0072B2", ""),
    "gives_expected": ("where its picture leads from the donor's object", "#56B4E9", "////"),
    "gives_other": ("another", "#FFFFFF", ""),
}
"""Label, colour and hatching of each answer, from left to right."""

DONORS = {
    "same_image": "same picture",
    "unrelated": "unrelated",
    "same_answer": "same answer",
    "self": "itself (sham)",
}


EDGE: Any = {"edgecolor": INK, "linewidth": 0.4}

GAP = 0.7  # between parts, in bars


def make(found: Found) -> Drawing:
    """The figure: a column for each model, a bar for each exchange, grouped by part."""
    results = found[studies.INTERCHANGES.name]
    data = pd.DataFrame(_shares(without_repeats(results.rows)))
    models, bars = names(data["model"]), _bars(data)
    parts = names(part for part, _, _ in bars)
    places = {bar: i + GAP * parts.index(bar[0]) for i, bar in enumerate(bars)}
    height = 0.7 + 0.145 * (1 + max(places.values()))
    figure, axes = canvas("double", height, 1, len(models), sharey=True)
    for axis, model in zip(axes, models, strict=True):
        _draw(axis, data[data["model"] == model], places)
        axis.tick_params(axis="y", length=0)
        axis.set_title(model)
        axis.set_xlabel("answers (%)")
    axes[0].set_yticks(list(places.values()), list(bars.values()))
    swatches = [
        Patch(facecolor=c, hatch=hatch, label=label, **EDGE) for label, c, hatch in WHOSE.values()
    ]
    figure.legend(handles=swatches, loc="outside upper center", ncols=4)
    treated = data[data["donor"] == data["donor"].iloc[0]]
    caption = (
        f"Whose answer is given on another question's latents: "
        f"{sampled(treated, results.run['config']['data'], 'pairs of questions')}. {WEIGHTS} "
        "Prompt, picture and options stay those of the question; the latents of the named steps "
        "come from a donor: the same picture asked from another start or, as controls, an "
        "unrelated question, a question with the same answer, and the question itself, which is a "
        "sham. Steps after the exchanged ones are made anew. An answer counts as the question's "
        "own, else as the donor's, else as the one to which the question's own picture leads from "
        "the object of the donor's last exchanged hop; on the same picture that is the donor's, "
        "and on other pictures, where the object may be missing, often nothing. "
        "Whiskers: 95 % Wilson intervals of the own answer (from the left), and of answers that "
        "are neither own nor the donor's (from the right). Donors answer their own question right "
        f"in {_ceilings(results.rows)}. A model without a part has no bar for it. Published of "
        "other models (ReaLVR): exchanging all latents of counterfactual pairs lifts the donor's "
        "answer by 5.8 points (LVR) and 46.8 points (ReaLVR), an unrelated donor by -0.3 and 0.2."
    )
    return Drawing(figure, data, caption)


def _shares(rows: pd.DataFrame) -> Iterator[dict[str, object]]:
    """One line for each exchange: shares of all answers, with intervals."""
    swapped = rows[rows["intervention"] != NONE]
    key = ["model", "part", "donor", "steps", "step_set"]
    for values, group in swapped.groupby(key, sort=False):
        own, donor, expected = (
            group[name].fillna(False).to_numpy(bool)
            for name in ("keeps_own", "follows_donor", "follows_expected")
        )
        answers = [own, ~own & donor, ~own & ~donor & expected, ~own & ~donor & ~expected]
        whose = {**dict(zip(WHOSE, answers, strict=True)), "neither": ~own & ~donor}
        line = {**dict(zip(key, values, strict=True)), "n": len(group)}
        for name, given in whose.items():
            share = accuracy_interval(given)
            line |= {name: share.mean, f"{name}_low": share.low, f"{name}_high": share.high}
        yield line


def _bars(data: pd.DataFrame) -> dict[tuple[str, str, str], str]:
    """Labels of the bars by part, donor and steps: controls are shown for the widest exchange."""
    bars: dict[tuple[str, str, str], str] = {}
    for part in (part for part in PARTS if part in set(data["part"])):
        of_part = data[data["part"] == part]
        for donor, group in of_part.groupby("donor", sort=False):
            first = donor == data["donor"].iloc[0]
            steps = names(group["steps"]) if first else names(group["steps"])[-1:]
            for at in steps:
                what = f"{PARTS[part]}, " if not any(bar[0] == part for bar in bars) else ""
                several = "step" if at.isdigit() else "steps"
                donor_name = DONORS.get(str(donor), str(donor))
                shown = at.replace("..", "–")
                bars[part, str(donor), at] = f"{what}{donor_name}, {several} {shown}"
    return bars


def _draw(axis: Axes, data: pd.DataFrame, places: dict[tuple[str, str, str], float]) -> None:
    """Stack the answers of one model."""
    key = ["part", "donor", "steps"]
    found = {tuple(line[key]): line for _, line in data.iterrows()}
    for bar, place in places.items():
        if bar not in found:
            continue
        line, left = found[bar], 0.0
        for name, (_, colour, hatch) in WHOSE.items():
            width = 100 * float(line[name])
            looks: dict[str, Any] = {"color": colour, "hatch": hatch} | EDGE
            axis.barh(place, width, left=left, height=0.72, **looks)
            left += width
        for start, sign, name in ((0, 100, "keeps_own"), (100, -100, "neither")):
            ends = [start + sign * float(line[f"{name}_{end}"]) for end in ("low", "high")]
            axis.plot(ends, [place, place], color="#D55E00", linewidth=1.1, solid_capstyle="butt")
    axis.set(xlim=(0, 100), ylim=(max(places.values()) + 0.6, -0.6))


def _ceilings(rows: pd.DataFrame) -> str:
    """How often donors of each model are right, under the treatment."""
    treated = rows[(rows["donor"] == rows["donor"].iloc[0]) & (rows["intervention"] == NONE)]
    right = treated.groupby("model", sort=False)["donor_correct"].mean()
    return ", ".join(f"{100 * share:.0f} % ({model})" for model, share in right.items())

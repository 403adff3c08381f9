"""Accuracy against cost: what each way to answer buys, in steps and in time.

Study: `compared` (`latentlab.compare`), the embedded twins asked the same questions in their own
ways. A way is on the front where none is both cheaper and more often right.
"""

import pandas as pd

from latentlab.compare.summary import hops_of, totals
from latentlab.compare.ways import called
from latentlab.console import typeset
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.compared import look_of_way
from latentlab.figures.experiment import Found
from latentlab.figures.labels import label_points
from latentlab.figures.lines import number_of_hops
from latentlab.figures.marks import draw_intervals
from latentlab.figures.sentences import told
from latentlab.figures.style import MUTED, canvas
from latentlab.measures.summary import ALL
from latentlab.wording import joined

PART = "main"
STUDIES = (studies.COMPARED,)

LEVELS = (0.01, 0.05, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
"""Accuracies that are written along the axis."""

TICKS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
"""Round numbers of one power of ten."""

PANELS = {"steps": "autoregressive steps an answer", "milliseconds": "milliseconds an answer"}
"""What accuracy is set against."""


def make(found: Found) -> Drawing:
    """The figure: a panel for each cost, a named mark for each way, and the front."""
    summary = found[studies.COMPARED.name].summary
    hops = hops_of(summary)[0]
    data = _lines(summary, hops)
    figure, axes = canvas("double", 2.6, 1, 2, sharey=True)
    of = "all questions" if hops == ALL else number_of_hops(hops)
    shown = _within(data)
    for axis, (cost, label) in zip(axes, PANELS.items(), strict=True):
        known = shown[shown[cost].notna()]
        axis.plot(*zip(*_front(known, cost), strict=True), color=MUTED, linewidth=0.8, zorder=0)
        for _, line in known.iterrows():
            colour, mark = look_of_way(line["way"], list(data["way"]))
            one = pd.DataFrame([line])
            draw_intervals(
                axis, [line[cost]], one, "accuracy", color=colour, marker=mark, markersize=5
            )
        axis.set(xlabel=label, xscale="log", yscale="logit")
        axis.set_xticks(ticks := _ticks(known[cost]), [f"{tick:g}" for tick in ticks])
        axis.set_yticks(LEVELS, [f"{100 * level:g}" for level in LEVELS])
        axis.minorticks_off()
        low, high = float(known[cost].min()), float(known[cost].max())
        room = max(high / low, 1.5) ** 0.16
        axis.set_xlim(low / room, high * room)
        axis.set_ylim(shown["accuracy_low"].min() / 1.6, 1 - (1 - shown["accuracy_high"].max()) / 3)
    axes[0].set_ylabel(f"accuracy (%), {of}")
    for axis, cost in zip(axes, PANELS, strict=True):
        known = shown[shown[cost].notna()].sort_values("accuracy")
        places = list(zip(known[cost], known["accuracy"], strict=True))
        colours = [look_of_way(way, list(data["way"]))[0] for way in known["way"]]
        names = [called(way) for way in known["way"]]
        label_points(axis, places, names, colours, _front(known, cost))
    drawn = (
        f"Strict accuracy of {of}, n = {data['n'].min()} each, of small models trained alike on "
        f"{summary['data'].iloc[0]}; bars are 95 % Wilson intervals over questions, of one "
        "training each. Steps are written tokens and latent steps; time is that of the processor "
        "over all questions, batches in turns. Grey: the front, where nothing is cheaper and more "
        "often right. Logit and logarithmic scales."
    )
    return Drawing(figure, data, caption(_finding(data, of), drawn))


def _lines(summary: pd.DataFrame, hops: str) -> pd.DataFrame:
    """One line for each way: accuracy on the hardest questions, its costs, and who is in front."""
    lines = totals(summary, hops).set_index("way")
    whole = totals(summary).set_index("way")
    columns = ["n", "accuracy", "accuracy_low", "accuracy_high"]
    data = lines[columns].assign(
        steps=lines["autoregressive_steps"], milliseconds=1000 * whole["seconds"]
    )
    for cost in PANELS:
        data[f"front {cost}"] = [
            not ((data[cost] <= line[cost]) & (data["accuracy"] > line["accuracy"])).any()
            and not ((data[cost] < line[cost]) & (data["accuracy"] == line["accuracy"])).any()
            for _, line in data.iterrows()
        ]
    return data.reset_index()


def _within(data: pd.DataFrame) -> pd.DataFrame:
    """Accuracies that a logit scale can show: as if a quarter of a question were open."""
    ends = ["accuracy", "accuracy_low", "accuracy_high"]
    open_ = 0.25 / data["n"].max()
    return data.assign(**{end: data[end].clip(open_, 1 - open_) for end in ends})


def _front(data: pd.DataFrame, cost: str) -> list[tuple[float, float]]:
    """Corners of the stairs that nothing lies above."""
    front = data[data[f"front {cost}"]].sort_values(cost)
    corners: list[tuple[float, float]] = []
    for x, y in zip(front[cost], front["accuracy"], strict=True):
        corners += [(x, corners[-1][1])] if corners else []
        corners.append((x, y))
    return corners


def _ticks(values: "pd.Series[float]") -> list[float]:
    """Round numbers within the range of a cost."""
    every = [one * 10**power for power in range(-2, 6) for one in TICKS]
    low, high = float(values.min()), float(values.max())
    within = [tick for tick in every if low / 1.15 <= tick <= high * 1.15]
    return within[:: -(-len(within) // 7)]


def _finding(data: pd.DataFrame, of: str) -> str:
    """Who is in front, in steps and in time."""
    said = []
    for cost, unit in (("steps", "steps"), ("milliseconds", "ms")):
        front = data[data[f"front {cost}"]].sort_values(cost)
        each = [
            f"{called(line['way'])} ({told(line, 'accuracy')} at {typeset(line[cost])} {unit})"
            for _, line in front.iterrows()
        ]
        said.append(f"by {'steps' if cost == 'steps' else 'time'} {joined(each)}")
    return f"Nothing is both cheaper and more often right than, {'; '.join(said)}."

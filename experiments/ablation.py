"""Draw what each knock-out leaves of the accuracy, organism by organism.

    make run                               writes results/ablate-full and results/ablate-one-hop
    python experiments/ablation.py         writes figures/ablation.png and .pdf

Reads results from disk and runs no model. Bars are 95 % intervals; the grey line is the model left
alone. Knock-outs are at inference, on weights that were not retrained.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from latentlab.measures.summary import totals
from latentlab.results import read_results

FIGURES = Path(__file__).parent.parent / "figures"
RESULTS = Path("results")
SOURCES = {
    "four hops": ("ablate-full", ("relay", "gaze", "ivtlr")),
    "one hop": ("ablate-one-hop", ("bypass", "filler")),
}
"""Which models are shown on which questions: the last two cannot answer more than one hop."""

ARMS = {
    "none": ("left alone", "#333333", "o"),
    "drop latent_text": ("no latent text", "#0072B2", "s"),
    "drop latent_vision": ("no latent vision", "#E69F00", "D"),
    "drop latent": ("no latents", "#CC79A7", "^"),
    "other latent": ("another example's latents", "#009E73", "v"),
}
"""Label, colour-blind safe colour and marker of each arm."""


def draw(axis: Axes, lines: pd.DataFrame, model: str, place: float) -> None:
    """Draw one model's arms side by side around `place`."""
    shown = [arm for arm in ARMS if (lines["intervention"] == arm).any()]
    alone = lines[lines["intervention"] == "none"].iloc[0]
    axis.hlines(100 * alone["accuracy"], place - 0.4, place + 0.4, color="#bbbbbb", lw=1, zorder=0)
    for i, arm in enumerate(shown):
        line = lines[lines["intervention"] == arm].iloc[0]
        _, colour, marker = ARMS[arm]
        x = place + (i - (len(shown) - 1) / 2) * 0.15
        value = 100 * line["accuracy"]
        low, high = 100 * line["accuracy_low"], 100 * line["accuracy_high"]
        spread = [[max(0.0, value - low)], [max(0.0, high - value)]]
        axis.errorbar(x, value, spread, fmt=marker, color=colour, ms=5, capsize=2, lw=1)


def main() -> None:
    """Draw the figure."""
    figure, axis = plt.subplots(figsize=(7.0, 2.9), layout="constrained")
    labels = []
    for title, (folder, models) in SOURCES.items():
        summary = read_results(RESULTS / folder).summary
        total = totals(summary)
        for model in models:
            lines = total[total["model"] == model]
            draw(axis, lines, model, len(labels))
            labels.append(f"{model}\n{title}\nn = {lines['n'].iloc[0]}")
    for label, colour, marker in ARMS.values():
        axis.plot([], [], marker, color=colour, label=label)
    axis.set(xticks=range(len(labels)), xticklabels=labels, ylim=(-3, 103), ylabel="accuracy (%)")
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=5, fontsize=7.5, frameon=False)
    for suffix in ("png", "pdf"):
        figure.savefig(FIGURES / f"ablation.{suffix}", dpi=200)


if __name__ == "__main__":
    main()

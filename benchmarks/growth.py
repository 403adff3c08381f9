"""How time grows with steps, patches, batch, prompt, picture and interventions, beside the paper.

    python -m benchmarks.growth

One size is changed at a time. Each point is a run of the engine, timed in processor time in turns
with all others, so that a machine that slows down slows all alike. The exponent is the slope of the
logarithms over the upper half of the points; beside it stands that of the operations counted in
`benchmarks/scaling.py`, in which nothing is overhead.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib import pyplot as plt

from benchmarks.noise import noisy
from benchmarks.run import RESULTS, Flags, benchmark, start
from benchmarks.scaling import Model, Setting, phases
from benchmarks.turns import seconds, spread, turns
from latentlab import console
from latentlab.reasoner import Reasoner
from latentlab.reasoning.greedy import generate
from latentlab.reasoning.interventions import Replace
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Zero
from latentlab.reasoning.together import reason_together
from latentlab.training.tiny import TinyConfig, tiny_reasoner

TINY = TinyConfig(hidden=256, layers=6, heads=4, feed_forward=704, vision_layers=1)


@dataclass(frozen=True)
class Point:
    """One setting."""

    steps: int = 3
    k: int = 8
    batch: int = 2
    words: int = 40
    """Words of the question."""

    grid: int = 8
    """Visual tokens along the picture."""

    arms: int = 1
    tokens: int = 4
    """Tokens of the answer."""


SIZES: dict[str, tuple[int, ...]] = {
    "steps": (1, 2, 4, 8, 16),
    "k": (1, 4, 16, 32, 60),
    "batch": (1, 2, 4, 8, 16, 32),
    "words": (20, 80, 160, 320, 640),
    "grid": (4, 8, 12, 16, 20),
    "arms": (1, 2, 4, 8, 16, 32),
}
"""What is changed, and the values it takes; the picture's tokens are the square of its grid."""


@dataclass(frozen=True, kw_only=True)
class GrowthConfig(Flags):
    """Flags of the benchmark."""

    repeats: int = 5
    """Timed runs of each point."""

    out: Path = RESULTS / "growth"
    """Folder of the results and of the drawing."""


def point_of(size: str, value: int) -> Point:
    """The setting with one size changed, on a picture with as many patches as steps take."""
    changed = replace(Point(), **{size: value})
    if size == "grid":
        return replace(changed, k=4)
    return replace(changed, grid=14) if size in ("steps", "k") else changed


def run_of(reasoner: Reasoner, point: Point) -> Callable[[], None]:
    """What is timed: from tokens and pixels to the last token."""
    rollout = reasoner.rollout(LatentPlan(steps=point.steps, k=point.k))
    examples = noisy(point.batch, point.grid, point.words)
    batch = reasoner.prompter.batch(examples, rollout.plan)
    edits = [[Replace("latent_text", Zero(), (1,))] for _ in range(point.arms)]

    def run() -> None:
        prefix = rollout.prefill(batch)
        together = point.arms > 1
        state = reason_together(rollout, prefix, edits) if together else rollout.reason(prefix)
        generate(rollout, state, [], None, point.tokens)

    return run


def counted(point: Point, reasoner: Reasoner) -> float:
    """Operations on paper."""
    tower = sum(weight.numel() for weight in reasoner.backbone.vision.parameters())
    vocabulary = int(reasoner.backbone.text_config.vocab_size)
    model = Model(
        TINY.hidden, TINY.layers, TINY.heads, TINY.heads, TINY.feed_forward, vocabulary, tower
    )
    setting = Setting(
        arms=point.arms,
        text=point.words + 3,
        image=point.grid**2,
        patches=4 * point.grid**2,
        steps=point.steps,
        k=point.k,
        answer=point.tokens,
        options=0,
    )
    return sum(cost.operations for cost in phases(model, setting, point.batch).values())


@torch.no_grad()
def measure(config: GrowthConfig) -> pd.DataFrame:
    """Time every point in turns; one row per point and repeat."""
    reasoner = tiny_reasoner(LatentPlan(), TINY)
    points = [(size, value) for size, values in SIZES.items() for value in values]
    runs = {at: run_of(reasoner, point_of(*at)) for at in points}
    timed = turns({at: partial(seconds, run) for at, run in runs.items()}, config.repeats + 1)
    frame = pd.DataFrame(
        [
            {"size": size, "value": value, "repeat": repeat, "seconds": taken}
            for repeat, (size, value), taken in timed
        ]
    )
    costs = {at: counted(point_of(*at), reasoner) for at in points}
    frame["operations"] = [costs[at] for at in zip(frame["size"], frame["value"], strict=True)]
    return frame[frame["repeat"] > 0]  # the first round warms up


def slope(x: np.ndarray, y: np.ndarray) -> float:
    """Slope of the logarithms over the upper half of the points."""
    upper = len(x) // 2
    return float(np.polyfit(np.log(x[upper:]), np.log(y[upper:]), 1)[0])


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """The exponent of each size: measured, with its range over repeats, and counted."""
    lines = []
    for size, group in rows.groupby("size", sort=False):
        wide = group.pivot(index="value", columns="repeat", values="seconds")
        x = wide.index.to_numpy(float) ** (2 if size == "grid" else 1)
        each = [slope(x, wide[repeat].to_numpy()) for repeat in wide.columns]
        operations = group.groupby("value")["operations"].first().to_numpy()
        lines.append(
            {
                "size": "image tokens" if size == "grid" else size,
                "low": x.min(),
                "high": x.max(),
                "seconds_low": wide.median(axis=1).iloc[0],
                "seconds_high": wide.median(axis=1).iloc[-1],
                **spread("exponent", each),
                "counted": slope(x, operations),
                "n": len(each),
            }
        )
    return pd.DataFrame(lines)


def draw(rows: pd.DataFrame, path: Path) -> None:
    """Draw time against each size, and the operations scaled to its largest point."""
    figure, axes = plt.subplots(1, len(SIZES), figsize=(13, 2.4), layout="constrained", sharey=True)
    for axis, (size, group) in zip(axes, rows.groupby("size", sort=False), strict=True):
        taken = group.groupby("value")["seconds"].median()
        operations = group.groupby("value")["operations"].first()
        x = taken.index.to_numpy(float) ** (2 if size == "grid" else 1)
        axis.loglog(x, taken, "o-", ms=3, color="#222222", label="measured")
        paper = operations / operations.iloc[-1] * taken.iloc[-1]
        axis.loglog(x, paper, "--", color="#888888", label="operations")
        axis.set_xlabel("image tokens" if size == "grid" else str(size))
    axes[0].set_ylabel("processor seconds")
    axes[0].legend(frameon=False, fontsize="small")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(config: GrowthConfig) -> None:
    """Run the benchmark, show its table and draw it."""
    columns = {
        "size": "size",
        "low": "from",
        "high": "to",
        "seconds_low": "seconds",
        "seconds_high": "to",
        "exponent": "exponent",
        "counted": "on paper",
    }
    title = f"Growth of time; median and range of {config.repeats} repeats"

    def show(rows: pd.DataFrame, summary: pd.DataFrame) -> None:
        console.table(summary, columns, title)
        draw(rows, config.out / "growth.png")
        console.show(f"It is drawn in {config.out / 'growth.png'}.")

    benchmark("growth", config, lambda: measure(config), summarise, show)


if __name__ == "__main__":
    start(GrowthConfig, main)

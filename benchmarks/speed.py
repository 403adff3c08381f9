"""Speed and memory of the rollout engine, next to what the released IVT-LR code does.

    python -m benchmarks.speed
    python -m benchmarks.speed --sizes organism --repeats 9

Both sides (`benchmarks/sides.py`) run the same weights on the same pictures, in turns, in one
process. Before anything is timed they have to agree: the same picks, and logits to 1e-4.

Time is processor time, which other programs on the machine do not count into; memory is the peak of
all tensors on top of the weights.
"""

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.noise import noisy
from benchmarks.run import RESULTS, Flags, benchmark, start
from benchmarks.sides import Outcome, engine, recomputing
from benchmarks.turns import spread, turns
from latentlab import console
from latentlab.backbones.products import quickened, slowed
from latentlab.data import Example, load_data
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.recipes import PLANS
from latentlab.training.tiny import TinyConfig, tiny_reasoner

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Size:
    """A model and a picture to run it on."""

    model: TinyConfig
    """Sizes of the model; its weights are random."""

    plan: LatentPlan
    """How it reasons."""

    grid: int
    """Visual tokens along the picture."""


SIZES = {
    "organism": Size(TinyConfig(), PLANS["ivtlr"], 4),
    "large": Size(
        TinyConfig(
            hidden=512, layers=12, heads=8, feed_forward=1536, vision_layers=2, vision_hidden=128
        ),
        LatentPlan(steps=3, k=32),
        20,
    ),
}
"""The embedded organisms, and the published setting (k = 32, three steps) on 400 visual tokens."""


@dataclass(frozen=True, kw_only=True)
class SpeedConfig(Flags):
    """Flags of the benchmark."""

    sizes: tuple[Literal["organism", "large"], ...] = ("organism", "large")
    """Models to run."""

    batch: tuple[int, ...] = (1, 8)
    """Numbers of questions answered at once."""

    repeats: int = 5
    """Timed runs of each side."""

    tokens: int = 4
    """Tokens of an answer."""

    out: Path = RESULTS / "speed"
    """Folder of the results."""


Run = Callable[[], Outcome]


def questions(size: str, count: int) -> list[Example]:
    """Questions of equal length, each on a picture of its own."""
    if size == "organism":
        return list(load_data("benchmark:domain=relation", limit=count))
    return noisy(count, SIZES[size].grid)


def peak_bytes(run: Run) -> int:
    """The most bytes of tensors that were alive at once during a run, beyond those before it."""
    with _silence(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        run()
    kineto: Any = record.profiler
    changes = [e for e in kineto.kineto_results.events() if e.name() == "[memory]"]
    alive = peak = 0
    for change in sorted(changes, key=lambda e: e.start_ns()):
        alive += change.nbytes()
        peak = max(peak, alive)
    return peak


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the profiler's library from telling standard error when it starts and stops."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def disagreement(one: Outcome, other: Outcome) -> float:
    """Largest difference of logits.

    Raises:
        RuntimeError: the two sides do not compute the same thing.
    """
    apart = float((one.logits - other.logits).abs().max())
    if not torch.equal(one.picks, other.picks) or apart > TOLERANCE:
        raise RuntimeError(f"the two sides disagree: picks differ, or logits do by {apart:.1e}")
    return apart


@torch.no_grad()
def measure(name: str, count: int, config: SpeedConfig) -> list[dict[str, Any]]:
    """Time both sides in turns; one row per side and repeat."""
    size = SIZES[name]
    reasoner = tiny_reasoner(size.plan, size.model, name=name)
    model: Any = slowed(copy.deepcopy(reasoner.backbone.model.train(False)))
    model.set_attn_implementation("eager")
    batch = reasoner.prompter.batch(questions(name, count), size.plan)
    assert bool(batch.attention_mask.all())
    sides: dict[str, Run] = {
        "engine": lambda: engine(reasoner, batch, config.tokens),
        "recomputing": lambda: recomputing(reasoner, model, batch, config.tokens),
    }
    peaks = {side: peak_bytes(run) for side, run in sides.items()}
    # Random weights pick between near ties, so that both multiply alike where they are compared.
    slowed(reasoner.backbone.model)
    apart = disagreement(sides["engine"](), sides["recomputing"]())  # this warms both up, too
    quickened(reasoner.backbone.model)
    return [
        {
            "size": name,
            "batch": count,
            "side": side,
            "repeat": repeat,
            "latent_seconds": outcome.latent_seconds,
            "seconds": outcome.seconds,
            "peak_bytes": peaks[side],
            "apart": apart,
        }
        for repeat, side, outcome in turns(sides, config.repeats)
    ]


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Medians of both sides, and how many times as much the other takes, with the range seen."""
    lines = []
    for (size, batch), group in rows.groupby(["size", "batch"], sort=False):
        wide = group.pivot(index="repeat", columns="side")
        line: dict[str, Any] = {"size": size, "batch": batch, "n": len(wide)}
        for name in ("latent_seconds", "seconds", "peak_bytes"):
            line[f"{name}_engine"] = float(wide[name]["engine"].median())
            line[f"{name}_recomputing"] = float(wide[name]["recomputing"].median())
            line |= spread(f"{name}_ratio", wide[name]["recomputing"] / wide[name]["engine"])
        lines.append({**line, "apart": group["apart"].max()})
    return pd.DataFrame(lines)


def show(summary: pd.DataFrame, repeats: int) -> None:
    """Put the table on the screen, and each line of it in words."""
    mebibytes = {
        f"mebibytes_{side}": summary[f"peak_bytes_{side}"].map(lambda peak: f"{peak / 2**20:.1f}")
        for side in ("engine", "recomputing")
    }
    shown = summary.assign(**mebibytes)
    columns = {
        "size": "model",
        "batch": "batch",
        "seconds_engine": "s a batch",
        "seconds_recomputing": "recomputing",
        "seconds_ratio": "times",
        "latent_seconds_ratio": "times, to 1st token",
        "mebibytes_engine": "peak MiB",
        "mebibytes_recomputing": "recomputing",
        "peak_bytes_ratio": "times",
    }
    title = f"Engine and recomputing loop; medians and range of {repeats} repeats"
    console.table(shown, columns, title)
    for _, line in summary.iterrows():
        times, room = line["seconds_ratio"], line["peak_bytes_ratio"]
        console.show(
            f"{line['size']}, batch {line['batch']}: recomputing takes {times:.1f} times the time "
            f"and {room:.1f} times the memory for the same picks and logits "
            f"(within {line['apart']:.0e})."
        )


def main(config: SpeedConfig) -> None:
    """Run the benchmark."""
    settings = [(name, count) for name in config.sizes for count in config.batch]

    def measured() -> pd.DataFrame:
        return pd.DataFrame([row for at in settings for row in measure(*at, config)])

    benchmark(
        "speed", config, measured, summarise, lambda _, summary: show(summary, config.repeats)
    )


if __name__ == "__main__":
    start(SpeedConfig, main)

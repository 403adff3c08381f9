"""What the benchmark of training runs in turns: grouped batches, batches made ahead, and sizes."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.shapes import medium
from latentlab.data import Benchmark, BenchmarkConfig, Example
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.visibility import Kind
from latentlab.training.ahead import Ahead
from latentlab.training.grouping import Ruler
from latentlab.training.objective import Objective, TrainingBatch
from latentlab.training.stage_data import Collator, StageData
from latentlab.training.stages import StageConfig
from latentlab.training.tiny import TinyConfig, tiny_reasoner

TINY = TinyConfig()
"""The embedded models' sizes."""

PLAN = LatentPlan(steps=3, k=2, gradient="through")
PUBLISHED = LatentPlan(steps=3, k=32)
SIZES: dict[str, tuple[int, ...]] = {
    "batch": (8, 16, 32, 64),
    "steps": (0, 1, 2, 3),
    "k": (0, 1, 2, 4),
}
Side = tuple[Callable[[], float], dict[str, float]]
"""Runs once and returns seconds; what else is known of it."""


def mixed(count: int, seed: int = 0) -> list[Example]:
    """Questions of many lengths, 7 of 10 with a picture of 4 to 25 visual tokens.

    A quarter of the lengths that a dry run assumes of M3CoT, drawn log-normally: 24 words of a
    question and 72 of a rationale in the mean.
    """
    rng = np.random.default_rng(seed)

    def words(mean: float) -> str:
        return "hop " * max(1, round(mean * float(rng.lognormal(-0.125, 0.5))))

    def picture() -> Image.Image | None:
        cells = rng.integers(2, 6, 2)
        return Image.new("RGB", tuple(28 * cells)) if rng.random() < 0.7 else None

    return [
        Example(
            f"mixed-{i}",
            words(24),
            ("one", "two"),
            "one",
            picture(),
            rationale=tuple(words(24) for _ in range(3)),
        )
        for i in range(count)
    ]


def hops(count: int) -> list[Example]:
    """Questions of the benchmark of one to four hops."""
    return list(Benchmark(BenchmarkConfig(hops=(1, 2, 3, 4), size=count)))


def step(objective: Objective, batch: TrainingBatch) -> None:
    """The passes of one update; the optimizer's share does not depend on the batch."""
    objective(batch)["loss"].backward()
    objective.zero_grad()


def padded(batch: TrainingBatch) -> tuple[int, int]:
    """Positions of a batch that are padding, and all."""
    empty = [~batch.prompts.attention_mask, batch.text.kinds == Kind.PAD]
    return sum(int(part.sum()) for part in empty), sum(part.numel() for part in empty)


def timed(objective: Objective, batches: list[TrainingBatch]) -> Callable[[], float]:
    """Steps on ready batches, in processor time an example."""

    def run() -> float:
        started = time.process_time()
        for batch in batches:
            step(objective, batch)
        return (time.process_time() - started) / sum(len(b.prompts.input_ids) for b in batches)

    return run


def padding_sides(count: int) -> Iterator[tuple[str, dict[str, Side]]]:
    """An epoch on mixed lengths, in batches as they come and grouped."""
    for name, examples in (("mixed", mixed(count)), ("hops", hops(count))):
        reasoner = tiny_reasoner(PLAN.replace(steps=0), TINY)
        stage = StageConfig(name, epochs=1, batch_size=4, data=name)
        collate, objective = Collator(reasoner, rationale=True), Objective(reasoner)
        sides: dict[str, Side] = {}
        for side, ruler in (("as they come", None), ("grouped", Ruler.of(reasoner, stage))):
            data = StageData(examples, stage, 0, ruler)
            starts = range(0, len(data), stage.batch_size)
            batches: list[Any] = [
                collate([data[start + i] for i in range(stage.batch_size)])["batch"]
                for start in starts
            ]
            empty, whole = np.sum([padded(batch) for batch in batches], axis=0)
            sides[side] = timed(objective, batches), {"padding": empty / whole}
        yield f"padding, {name}", sides


def waiting_sides(steps: int) -> Iterator[tuple[str, dict[str, Side]]]:
    """Steps of an embedded model and of the published plan, with and without waiting."""
    for name, reasoner, batch, side in (
        ("organism", tiny_reasoner(PLAN, TINY), 64, 112),
        ("46M", medium(PUBLISHED), 4, 280),
    ):
        stage = StageConfig(name, updates=2 * steps, latent_steps=3, batch_size=batch)
        data = Resized(Benchmark(BenchmarkConfig(size=2 * steps * batch)), stage, side)
        yield f"waiting, {name}", _waiting(reasoner, data, steps)


class Resized(StageData):
    """A stage's examples with pictures of another size, brought to it as they are made."""

    def __init__(self, examples: Benchmark, stage: StageConfig, side: int) -> None:
        """Keep the side of a picture in pixels."""
        super().__init__(examples, stage, 0)
        self.side = side

    def __getitem__(self, index: int) -> Any:
        """Return the item at `index`."""
        item = super().__getitem__(index)
        assert item.example.image is not None
        picture = item.example.image.resize((self.side, self.side))
        return replace(item, example=replace(item.example, image=picture))


def _waiting(reasoner: Reasoner, data: StageData, steps: int) -> dict[str, Side]:
    collate, objective = Collator(reasoner, rationale=True), Objective(reasoner)
    size = data.stage.batch_size
    rows = [list(range(i * size, (i + 1) * size)) for i in range(steps)]
    ready: list[Any] = [collate([data[i] for i in row])["batch"] for row in rows]
    told: dict[str, dict[str, float]] = {side: {} for side in ("ready", "asked", "ahead")}

    def run(side: str, batches: Callable[[int], TrainingBatch]) -> float:
        waited, started = 0.0, time.perf_counter()
        for i in range(steps):
            asked = time.perf_counter()
            batch = batches(i)
            waited += time.perf_counter() - asked
            step(objective, batch)
        seconds = time.perf_counter() - started
        told[side]["waiting"] = waited / seconds
        return seconds / steps

    def made(i: int) -> Any:
        return collate([data[j] for j in rows[i]])["batch"]

    def ahead() -> float:
        batches = Ahead(data, collate, size)
        first = batches.__getitems__(rows[0])["batch"]  # a stage waits for it once

        def taken(i: int) -> Any:
            return batches.__getitems__(rows[i])["batch"] if i else first

        seconds = run("ahead", taken)
        batches.close()
        return seconds

    return {
        "ready": (lambda: run("ready", ready.__getitem__), told["ready"]),
        "asked": (lambda: run("asked", made), told["asked"]),
        "ahead": (ahead, told["ahead"]),
    }


def size_sides(part: str) -> Iterator[tuple[str, dict[str, Side]]]:
    """One step of each size, on questions of four hops."""
    sides: dict[str, Side] = {}
    for value in SIZES[part]:
        plan = PLAN if part == "batch" else PLAN.replace(**{part: value})
        reasoner = tiny_reasoner(plan, TINY)
        size = value if part == "batch" else 32
        stage = StageConfig("s", updates=1, latent_steps=plan.steps, batch_size=size)
        data = StageData(Benchmark(BenchmarkConfig(size=size)), stage, 0)
        batch: Any = Collator(reasoner, rationale=True)([data[i] for i in range(size)])["batch"]
        sides[str(value)] = timed(Objective(reasoner), [batch]), {}
    yield part, sides

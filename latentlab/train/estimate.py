"""What a training takes of a GPU, by engine: memory, and hours by two kinds of GPU.

What grows with depth is counted at two depths (`ledger`) and carried on in a straight line, since
layers are alike. The rest is bookkeeping of weights, gradients and optimizer states.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from latentlab.errors import UserError, did_you_mean
from latentlab.schema import STRICT, Whole, read, read_file, read_json
from latentlab.train.blueprint import Blueprint, blueprint
from latentlab.train.ledger import Step, operations, peak_bytes
from latentlab.training.config import StageConfig, TrainConfig

Engine = Literal["DDP", "FSDP", "ZeRO-2"]

DEPTHS = (2, 3)
"""Layers at which a step is counted."""

UTILISATION = 0.35
"""Part of a GPU's operations that a training reaches in its large matrix products."""


@dataclass(frozen=True)
class Gpu:
    """What a kind of GPU offers, from its maker's data sheet."""

    memory: int
    """Memory in GiB."""

    operations: float
    """Dense bfloat16 operations a second."""

    bandwidth: float
    """Bytes a second between memory and chip."""


GPUS = {"A6000": Gpu(48, 154.8e12, 768e9), "H100": Gpu(80, 989e12, 3.35e12)}


@dataclass(frozen=True)
class Lengths:
    """How many examples a data set has and how long they are, in tokens of its model."""

    __pydantic_config__: ClassVar = STRICT

    examples: Whole
    """Training examples."""

    image: Whole
    """Image tokens of a prompt."""

    prompt: Whole
    """Other tokens of a prompt."""

    rationale: Whole
    """Tokens of all steps of a rationale."""

    answer: Whole
    """Tokens of the answer with its marker."""

    source: str
    """Where these are from."""

    def widths(self, config: TrainConfig, stage: StageConfig) -> tuple[int, ...]:
        """Positions of each pass at a stage, steps of a rationale being equally long."""
        plan = config.plan
        slots = self.image if plan.select == "all" else plan.k
        left = 1 - stage.latent_steps / plan.steps if plan.steps else 1.0
        text = round(self.rationale * left) if stage.rationale else 0
        latent = [slots + int(plan.text)] * stage.latent_steps
        return (self.image + self.prompt, *latent, text + self.answer)


def lengths_of(data: str, beside: Path) -> Lengths:
    """Read the lengths of a data set from the file that lies beside a recipe.

    Raises:
        UserError: there is none, or it lacks something.
    """
    folder = beside / "lengths"
    path = folder / f"{Path(data.partition(':')[0]).name}.json"
    if not path.is_file():
        near = did_you_mean(path.stem, [p.stem for p in folder.glob("*.json")])
        raise UserError(f"a dry run reads how long the examples of {data!r} are in {path}; {near}")
    text = read_file(path)
    return read(Lengths, read_json(text, str(path)), str(path), text)


@dataclass(frozen=True)
class Estimate:
    """Counts of one training, of which tables are made."""

    config: TrainConfig
    """The training."""

    beside: Path
    """Folder of its file."""

    gpus: int
    """How many GPUs share the work."""

    def step(self, stage: StageConfig, checkpointing: bool) -> Step:
        """What a GPU computes at a time at a stage."""
        batch = stage.batch_size // (self.gpus * stage.accumulation(self.gpus))
        widths = lengths_of(stage.data, self.beside).widths(self.config, stage)
        return Step(batch, widths, checkpointing)

    def longest(self) -> StageConfig:
        """The stage with the most positions at a time."""

        def positions(stage: StageConfig) -> int:
            step = self.step(stage, checkpointing=True)
            return step.batch * sum(step.widths)

        return max(self.config.stages, key=positions)

    def updates(self, stage: StageConfig) -> int:
        """Optimizer updates of a stage."""
        examples = lengths_of(stage.data, self.beside).examples
        return stage.updates or math.ceil(stage.epochs * examples / stage.batch_size)

    @cached_property
    def drawn(self) -> Blueprint:
        """The whole model."""
        return blueprint(self.config, self.beside)

    @cached_property
    def shallow(self) -> tuple[Blueprint, Blueprint]:
        """The model with few layers, and with a few more."""
        few, more = (blueprint(self.config, self.beside, depth) for depth in DEPTHS)
        return few, more

    def activations(self, stage: StageConfig, checkpointing: bool) -> float:
        """Bytes that a step takes at its peak."""
        step = self.step(stage, checkpointing)
        plan = self.config.plan
        return self._at_depth(lambda drawn: [peak_bytes(drawn.backbone, plan, step)])[0]

    def operations(self, stage: StageConfig) -> list[float]:
        """Operations of each forward pass of a step, then of backward."""
        step = self.step(stage, self.config.gradient_checkpointing)
        plan = self.config.plan
        return self._at_depth(lambda drawn: operations(drawn.backbone, plan, step))

    def seconds(self, counts: list[float], gpu: Gpu) -> float:
        """Time of one step: of each pass, whichever takes longer, computing or reading weights.

        A forward pass reads the weights once, backward once more, and once again where layers are
        computed again. Backward is dealt out to the passes as forward is.

        Args:
            counts: `operations` of the step.
            gpu: what computes it.
        """
        forward, whole = counts[:-1], sum(counts)
        reads = 2 + int(self.config.gradient_checkpointing)
        drawn = self.drawn
        layers = drawn.frozen + drawn.trained - drawn.outside_layers
        reading = reads * layers * (2 if self.config.dtype == "bfloat16" else 4) / gpu.bandwidth
        share = whole / sum(forward) / (UTILISATION * gpu.operations)
        return sum(max(n * share, reading) for n in forward)

    def states(self, engine: Engine) -> dict[str, float]:
        """Bytes of weights, gradients and AdamW's states on each GPU.

        What is trained takes 4 bytes a weight, twice that in AdamW. DDP keeps gradients a second
        time, in the buckets that it averages. FSDP gathers what is outside the layers, and two
        layers at a time. ZeRO-2 casts all weights and keeps its shard of those that are trained in
        4 bytes beside them.
        """
        held = 2 if self.config.held_dtype == "bfloat16" else 4
        drawn = self.drawn
        trained, frozen = drawn.trained, drawn.frozen
        weights, part = held * frozen + 4.0 * trained, 1 / self.gpus
        if engine == "DDP":
            return {"weights": weights, "gradients": 8.0 * trained, "optimizer": 8.0 * trained}
        sharded = {"gradients": 4 * part * trained, "optimizer": 8 * part * trained}
        if engine == "FSDP":
            gathered = (drawn.outside_layers + 2 * drawn.largest_layer) * (1 - part)
            per_weight = weights / (trained + frozen)
            return {"weights": part * weights + gathered * per_weight, **sharded}
        computed = 2 if self.config.dtype == "bfloat16" else 4
        cast = computed * (trained + frozen) + 4 * part * trained
        return {"weights": cast, **sharded}

    def _at_depth(self, count: Callable[[Blueprint], list[int]]) -> list[float]:
        """Count at two depths and carry on to the whole one."""
        few, more = map(count, self.shallow)
        times = (self.drawn.backbone.n_layers - DEPTHS[0]) / (DEPTHS[1] - DEPTHS[0])
        return [a + times * (b - a) for a, b in zip(few, more, strict=True)]

"""The data of a stage: what it is, how long the stage is, and a look at it before training."""

import math
from collections.abc import Sequence
from dataclasses import replace

from latentlab.console import warn
from latentlab.data import Benchmark, Example, Examples, load_data
from latentlab.data.leftout import Substituted
from latentlab.errors import UserError
from latentlab.study.asked import tell_left_out
from latentlab.training.config import StageConfig, TrainConfig
from latentlab.training.held_out import (
    divided,
    held_out_examples,
    is_held_apart,
    warn_of_overlap,
)

LOOKED_AT = 64
"""Examples of own data among which there must be a rationale."""


def is_fresh(stage: StageConfig) -> bool:
    """Whether a stage's data has no end: the benchmark, unless its size is asked for."""
    name, _, options = stage.data.partition(":")
    sized = any(option.partition("=")[0].strip() == "size" for option in options.split(","))
    return name == "benchmark" and not sized


def with_updates(stage: StageConfig, examples: Sequence[Example]) -> StageConfig:
    """Turn a stage's epochs into updates: as many as take every example so often.

    Raises:
        UserError: the data has no end.
    """
    if not stage.epochs:
        return stage
    if is_fresh(stage):
        raise UserError(
            f"stage {stage.name!r}: {stage.data!r} has no end, so there are no epochs of it; give "
            "updates, or the data a size"
        )
    updates = math.ceil(stage.epochs * len(examples) / stage.batch_size)
    return replace(stage, updates=updates, epochs=0.0)


def stage_examples(
    stage: StageConfig, seed: int, number: int, held_apart: bool = False
) -> Examples:
    """Training examples of a stage; data without an end makes as many as the stage consumes.

    Rows of own data that are no examples are left out; where a picture cannot be read, the next
    example stands in for it.

    Args:
        stage: the stage.
        seed: the training's seed.
        number: place of the stage, from 0.
        held_apart: whether the data has no held-out part, so that a tenth of it is held out.
    """
    examples = load_data(stage.data, "train", seed * 1000 + number, strict=False)
    if is_fresh(stage) and isinstance(examples, Benchmark):
        return Benchmark(replace(examples.config, size=stage.updates * stage.batch_size))
    if isinstance(examples, Benchmark):
        return examples
    return Substituted(divided(examples, held_out=False) if held_apart else examples, warn)


def check_data(config: TrainConfig) -> None:
    """Look at the data of every stage before the first is trained.

    Raises:
        UserError: data cannot be had, or lacks the rationales a stage is to write.
    """
    held_out_examples(config, 1)
    opened: dict[str, Examples] = {}
    for number, stage in enumerate(config.stages):
        examples = stage_examples(stage, config.seed, number, is_held_apart(config, stage.data))
        with_updates(stage, examples)
        if isinstance(examples, Benchmark):
            continue  # which has no rationale where one hop needs none
        first = (examples[i] for i in range(min(LOOKED_AT, len(examples))))
        if stage.rationale and not any(example.rationale for example in first):
            raise UserError(
                f"stage {stage.name!r}: the data {stage.data!r} has no rationales to train on; "
                "rationale=false trains without"
            )
        opened[stage.data] = examples
    for data, examples in opened.items():
        tell_left_out(data, examples.left_out, hint="")
        warn_of_overlap(config, data, examples)

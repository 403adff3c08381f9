"""Tells what a training would take, without weights, data or a GPU."""

from pathlib import Path
from typing import get_args

import pandas as pd

from latentlab.console import show, table
from latentlab.train.estimate import GPUS, UTILISATION, Engine, Estimate, lengths_of
from latentlab.training.config import TrainConfig

GIB, PETA = 2**30, 10**15
"""What memory and operations are told in."""


def dry_run(config: TrainConfig, beside: Path, gpus: int) -> None:
    """Show a training's size: parameters, positions, memory by engine, operations and hours.

    Args:
        config: the training.
        beside: folder of its file, where configurations and lengths may lie.
        gpus: how many GPUs share the work.

    Raises:
        UserError: the model's configuration or the data's lengths are nowhere, or a batch cannot be
            dealt out to the GPUs.
    """
    estimate = Estimate(config, beside, gpus)
    for stage in config.stages:
        stage.accumulation(gpus)
        lengths_of(stage.data, beside)
    drawn = estimate.drawn
    show(
        f"{config.name}: {drawn.frozen:,} parameters that stay as they are and {drawn.trained:,} "
        f"that are trained ({drawn.source})."
    )
    _stages(estimate)
    _memory(estimate)
    _assumptions(estimate)


def _stages(estimate: Estimate) -> None:
    """Positions, operations and hours of each stage."""
    lines = []
    for stage in estimate.config.stages:
        step = estimate.step(stage, estimate.config.gradient_checkpointing)
        counts = estimate.operations(stage)
        updates = estimate.updates(stage)
        steps = updates * stage.accumulation(estimate.gpus)
        line = {
            "stage": stage.name,
            "steps": stage.latent_steps,
            "after": sum(step.widths[:-1]),
            "positions": sum(step.widths),
            "updates": updates,
            "operations": steps * estimate.gpus * sum(counts) / PETA,
        }
        for name, gpu in GPUS.items():
            line[name] = steps * estimate.seconds(counts, gpu) / 3600
        lines.append(line)
    columns = {
        "stage": "stage",
        "steps": "latent",
        "after": "prompt",
        "positions": "in all",
        "updates": "updates",
        "operations": "10^15 ops",
        **{name: f"h, {name}" for name in GPUS},
    }
    frame = pd.DataFrame(lines)
    title = "positions of the prompt with its latents and in all"
    table(frame, columns, f"{estimate.config.name} on {estimate.gpus} GPUs; {title}")
    hours = " or ".join(f"{frame[name].sum():.1f} hours on {name}" for name in GPUS)
    show(f"In all {PETA * frame['operations'].sum():.2e} operations: {hours}.")


def _memory(estimate: Estimate) -> None:
    """Memory of one GPU by engine, with gradient checkpointing and without."""
    stage = estimate.longest()
    step = estimate.step(stage, checkpointing=True)
    names = ("engine", "weights", "gradients", "optimizer", "activations", "in all", "fits")
    for again in (True, False):
        lines = []
        activations = estimate.activations(stage, again)
        for engine in get_args(Engine):
            parts = {**estimate.states(engine), "activations": activations}
            sizes = {name: size / GIB for name, size in parts.items()}
            whole = sum(sizes.values())
            fits = [name for name, gpu in GPUS.items() if whole < 0.95 * gpu.memory]
            told = "all" if len(fits) == len(GPUS) else ", ".join(fits) or "neither"
            lines.append({"engine": engine, **sizes, "in all": whole, "fits": told})
        title = (
            f"GiB of each of {estimate.gpus} GPUs at {stage.name}, {step.batch} examples at once, "
            f"gradient checkpointing {'on' if again else 'off'}"
        )
        table(pd.DataFrame(lines), {name: name for name in names}, title)


def _assumptions(estimate: Estimate) -> None:
    """What the numbers rest on."""
    config = estimate.config
    sources = {stage.data: lengths_of(stage.data, estimate.beside) for stage in config.stages}
    for data, lengths in sources.items():
        show(
            f"{data}: prompts of {lengths.image} image tokens and {lengths.prompt} others, "
            f"rationales of {lengths.rationale}, answers of {lengths.answer}. {lengths.source}."
        )
    cards = "; ".join(
        f"{name} {gpu.memory} GiB, {gpu.operations / 1e12:.0f} T bfloat16 operations and "
        f"{gpu.bandwidth / 1e9:.0f} GB a second"
        for name, gpu in GPUS.items()
    )
    show(
        f"Assumed: {cards}; {UTILISATION:.0%} of the operations are reached, or the time to read "
        "the weights where a pass is too short for that. All examples have the mean length. "
        "Counted is the decoder's step by autograd, attention by a fused kernel; not counted are "
        "the vision tower's pass, data loading, what GPUs tell each other, held-out accuracy, and "
        "some 2 GiB that a driver and fragments take. A card fits at 95 % of its memory."
    )

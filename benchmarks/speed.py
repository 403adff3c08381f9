"""Speed and memory of the rollout engine, next to what the released IVT-LR code does.

    python benchmarks/speed.py
    python benchmarks/speed.py --sizes organism --repeats 9

Both run the same weights on the same pictures, in turns, in one process. Before anything is timed
they have to agree: the same picks, the same tokens, logits to 1e-4.

The other side is written here after the released inference code (arXiv 2510.12603): at each latent
step the whole sequence is run again with eager attention that returns every layer's matrix, all of
them are averaged, and the logits of all positions are computed; once the latent steps are done the
sequence is run for the first token, run again to fill a cache, and only then continued from it.
Pictures are embedded once on both sides. Unlike the released code it also takes batches.

Time is processor time, which other programs on the machine do not count into; memory is the peak of
all tensors on top of the weights.
"""

import copy
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch
import tyro
from PIL import Image
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from latentlab import console
from latentlab.backbones import Batch
from latentlab.data import Example, load_data
from latentlab.errors import UserError
from latentlab.provenance import provenance
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.visibility import Kind
from latentlab.results import check_out, write_results
from latentlab.training.recipes import PLANS
from latentlab.training.tiny import TinyConfig, tiny_reasoner

COMMAND = "benchmark-speed"
TOLERANCE = 1e-4
CELL = 28
"""Pixels along one visual token."""


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
class SpeedConfig:
    """Flags of the benchmark."""

    sizes: tuple[Literal["organism", "large"], ...] = ("organism", "large")
    """Models to run."""

    batch: tuple[int, ...] = (1, 8)
    """Numbers of questions answered at once."""

    repeats: int = 5
    """Timed runs of each side."""

    tokens: int = 4
    """Tokens of an answer."""

    threads: int = 1
    """CPU threads; processor time counts them all."""

    out: Path = Path("results") / COMMAND
    """Folder of the results."""


@dataclass(frozen=True)
class Outcome:
    """What a run found, and what it cost."""

    picks: Tensor
    """(batch, steps, k) picked patches."""

    logits: Tensor
    """(batch, tokens, vocab) next-token logits of the answer."""

    latent_seconds: float
    """Processor time up to the first token's logits."""

    seconds: float
    """Processor time of all."""


Run = Callable[[], Outcome]


def engine(reasoner: Reasoner, batch: Batch, tokens: int) -> Outcome:
    """Answer with the engine."""
    started = time.process_time()
    rollout = reasoner.rollout()
    state = rollout(batch)
    logits = [reasoner.backbone.logits(state.hidden)]
    latent = time.process_time() - started
    while len(logits) < tokens:
        ids = logits[-1].argmax(-1, keepdim=True)
        logits.append(rollout.extend(state, ids, torch.full_like(ids, int(Kind.ANSWER)))[:, -1])
    seconds = time.process_time() - started
    assert state.picks is not None
    return Outcome(state.picks, torch.stack(logits, 1), latent, seconds)


def recomputing(reasoner: Reasoner, model: Any, batch: Batch, tokens: int) -> Outcome:
    """Answer as the released code does; `model` has the same weights and eager attention."""
    started = time.process_time()
    plan, decoder = reasoner.plan, model.model.language_model

    def run(embeds: Tensor, cache: Any = None, **outputs: bool) -> tuple[Any, Tensor]:
        past = 0 if cache is None else cache.get_seq_length()
        positions = torch.arange(past, past + embeds.shape[1]).expand(len(embeds), -1)
        seen = torch.ones(len(embeds), past + embeds.shape[1])
        output = decoder(
            inputs_embeds=embeds,
            attention_mask=seen,
            position_ids=positions,
            past_key_values=cache,
            output_hidden_states=True,
            **outputs,
        )
        return output, model.lm_head(output.last_hidden_state)

    embeds = reasoner.backbone.embed(batch)
    where = (batch.input_ids == reasoner.backbone.image_token_id).nonzero()[:, 1]
    patches = where.view(len(embeds), -1)
    original = embeds.gather(1, patches[..., None].expand(-1, -1, embeds.shape[-1]))
    free = torch.ones_like(patches, dtype=torch.bool)
    picks = []
    for _ in range(plan.steps):
        output, _ = run(embeds, output_attentions=True, use_cache=True)
        average = torch.cat(output.attentions, dim=1).mean(dim=1)
        scores = average[:, -1].gather(1, patches).masked_fill(~free, -torch.inf)
        picked = scores.topk(plan.k).indices
        free = free.scatter(1, picked, False)
        vision = original.gather(1, picked[..., None].expand(-1, -1, embeds.shape[-1]))
        embeds = torch.cat([embeds, vision, output.last_hidden_state[:, -1:]], dim=1)
        picks.append(picked)
    logits = [run(embeds, use_cache=True)[1][:, -1]]
    latent = time.process_time() - started
    cache, new = None, embeds
    while len(logits) < tokens:
        token = model.get_input_embeddings()(logits[-1].argmax(-1, keepdim=True))
        new = torch.cat([new, token], dim=1) if cache is None else token
        output, all_logits = run(new, cache, use_cache=True)
        cache = output.past_key_values
        logits.append(all_logits[:, -1])
    seconds = time.process_time() - started
    return Outcome(torch.stack(picks, 1), torch.stack(logits, 1), latent, seconds)


def questions(size: str, count: int) -> list[Example]:
    """Questions of equal length, each on a picture of its own."""
    if size == "organism":
        return list(load_data("benchmark:domain=relation", limit=count))
    (example,) = load_data("benchmark:domain=relation", limit=1)
    side = CELL * SIZES[size].grid
    noise = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (count, side, side, 3), generator=noise).to(torch.uint8).numpy()
    return [
        replace(example, id=f"noise-{i}", image=Image.fromarray(picture))
        for i, picture in enumerate(pixels)
    ]


def peak_bytes(run: Run) -> int:
    """The most bytes of tensors that were alive at once during a run, beyond those before it."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        run()
    kineto: Any = record.profiler
    changes = [e for e in kineto.kineto_results.events() if e.name() == "[memory]"]
    alive = peak = 0
    for change in sorted(changes, key=lambda e: e.start_ns()):
        alive += change.nbytes()
        peak = max(peak, alive)
    return peak


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
    model: Any = copy.deepcopy(reasoner.backbone.model.train(False))
    model.set_attn_implementation("eager")
    batch = reasoner.prompter.batch(questions(name, count), size.plan)
    assert bool(batch.attention_mask.all())
    sides: dict[str, Run] = {
        "engine": lambda: engine(reasoner, batch, config.tokens),
        "recomputing": lambda: recomputing(reasoner, model, batch, config.tokens),
    }
    apart = disagreement(sides["engine"](), sides["recomputing"]())  # this warms both up, too
    peaks = {side: peak_bytes(run) for side, run in sides.items()}
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
        for repeat in range(config.repeats)
        for side, run in sides.items()
        for outcome in [run()]
    ]


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Medians of both sides, and how many times as much the other takes, with the range seen."""
    lines = []
    for (size, batch), group in rows.groupby(["size", "batch"], sort=False):
        wide = group.pivot(index="repeat", columns="side")
        line: dict[str, Any] = {"size": size, "batch": batch, "n": len(wide)}
        for name in ("latent_seconds", "seconds", "peak_bytes"):
            ratios = (wide[name]["recomputing"] / wide[name]["engine"]).tolist()
            line[f"{name}_engine"] = float(wide[name]["engine"].median())
            line[f"{name}_recomputing"] = float(wide[name]["recomputing"].median())
            line[f"{name}_ratio"] = statistics.median(ratios)
            line[f"{name}_ratio_low"], line[f"{name}_ratio_high"] = min(ratios), max(ratios)
        lines.append({**line, "apart": group["apart"].max()})
    return pd.DataFrame(lines)


def main(config: SpeedConfig) -> None:
    """Run the benchmark and show its table."""
    started = datetime.now(UTC)
    check_out(config.out, config, COMMAND)
    torch.set_num_threads(config.threads)
    rows = pd.DataFrame(
        [
            row
            for name in config.sizes
            for count in config.batch
            for row in measure(name, count, config)
        ]
    )
    summary = summarise(rows)
    record = provenance(config, COMMAND, 0, {}, started)
    out = write_results(config.out, rows, summary, record)
    shown = summary.assign(
        megabytes_engine=summary["peak_bytes_engine"] / 2**20,
        megabytes_recomputing=summary["peak_bytes_recomputing"] / 2**20,
    )
    columns = {
        "size": "model",
        "batch": "batch",
        "seconds_engine": "s an answer",
        "seconds_recomputing": "recomputing",
        "seconds_ratio": "times",
        "latent_seconds_ratio": "times, to 1st token",
        "megabytes_engine": "peak MiB",
        "megabytes_recomputing": "recomputing",
        "peak_bytes_ratio": "times",
    }
    title = f"Engine and recomputing loop; medians [range] of {config.repeats} repeats"
    console.table(shown, columns, title)
    for _, line in summary.iterrows():
        times, room = line["seconds_ratio"], line["peak_bytes_ratio"]
        console.show(
            f"{line['size']}, batch {line['batch']}: recomputing takes {times:.1f} times the time "
            f"and {room:.1f} times the memory for the same picks and logits "
            f"(within {line['apart']:.0e})."
        )
    console.show(f"Rows, summary and settings are in {out}.")


if __name__ == "__main__":
    try:
        main(tyro.cli(SpeedConfig, description=__doc__))
    except UserError as error:
        console.fail(str(error))
        sys.exit(2)

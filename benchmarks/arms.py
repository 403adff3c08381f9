"""Many interventions on one question: one after the other, together, and what that costs at least.

    python -m benchmarks.arms
    python -m benchmarks.arms --arms 32 --questions 1 8

All sides run the same weights and interventions in turns, in one process. Together has to give the
log-likelihoods of one after the other to 1e-4. The floor is what no sharing can save: the prompt
once, then the slots of all arms in one plain pass and as many plain cached passes as there are
tokens in an answer. The recomputing loop (`benchmarks/sides.py`) has no interventions and is timed
once for all arms alike.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from benchmarks.noise import noisy
from benchmarks.run import RESULTS, Flags, benchmark, start
from benchmarks.shapes import medium
from benchmarks.sides import recomputing
from benchmarks.turns import seconds, spread, turns
from latentlab import console
from latentlab.backbones.products import slowed
from latentlab.reasoner import Reasoner
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.greedy import generate
from latentlab.reasoning.interventions import Intervention, Replace
from latentlab.reasoning.noise import Noise
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.together import reason_together
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.visibility import Kind

PLAN = LatentPlan(steps=3, k=32)
GRID, WORDS = 10, 124
"""Visual tokens along a picture, and words of a question: 100 and 126 tokens of a prompt."""

APART = 1e-4


@dataclass(frozen=True, kw_only=True)
class ArmsConfig(Flags):
    """Flags of the benchmark."""

    arms: int = 32
    """Interventions on each question."""

    questions: tuple[int, ...] = (1,)
    """Questions asked at once."""

    tokens: int = 10
    """Tokens of an answer."""

    repeats: int = 5
    """Timed runs of each side."""

    out: Path = RESULTS / "arms"
    """Folder of the results."""


def runs_of(reasoner: Reasoner, count: int, bank: Bank) -> list[list[Intervention]]:
    """Noise of several strengths, at all steps and at each: a third of it begins late."""
    steps: list[tuple[int, ...] | None] = [None, (1,), (2,), (3,)]
    return [
        [Replace("latent", Noise(bank, 0.1 + i / count), steps[i % len(steps)], draw=i)]
        for i in range(count)
    ]


def tokens_of(reasoner: Reasoner, state: Trajectory, count: int) -> list[list[int]]:
    """An answer of so many tokens; no token ends it before."""
    return generate(reasoner.rollout(), state, [], None, count)


@torch.no_grad()
def measure(count: int, config: ArmsConfig) -> list[dict[str, Any]]:
    """Time all sides in turns; one row per side and repeat."""
    reasoner = medium(PLAN)
    rollout, examples = reasoner.rollout(), noisy(count, GRID, WORDS)
    batch = reasoner.batch(examples)
    prefix = rollout.prefill(batch)
    own = Bank.of(batch.examples, [rollout.reason(prefix).latents])
    bank = Bank.of(("a", "b"), [[*rollout(reasoner.batch(noisy(2, GRID, WORDS))).latents]])
    runs = runs_of(reasoner, config.arms, bank)
    model: Any = slowed(copy.deepcopy(reasoner.backbone.model.train(False)))
    model.set_attn_implementation("eager")

    def separate() -> None:
        start = rollout.prefill(batch)
        for edits in runs:
            tokens_of(reasoner, rollout.reason(start, edits, own), config.tokens)

    def together() -> None:
        state = reason_together(rollout, rollout.prefill(batch), runs, own)
        tokens_of(reasoner, state, config.tokens)

    def floor() -> None:
        state = rollout.prefill(batch).repeat(len(runs))
        slots = PLAN.steps * (PLAN.k + 1)
        ids = torch.zeros(len(runs) * count, slots, dtype=torch.long)
        rollout.write(state, ids, torch.full_like(ids, int(Kind.ANSWER)))
        for _ in range(config.tokens - 1):
            rollout.extend(state, ids[:, :1], torch.full_like(ids[:, :1], int(Kind.ANSWER)))

    def published() -> None:
        recomputing(reasoner, model, batch, config.tokens)

    apart = disagreement(reasoner, runs, own, prefix)
    sides: dict[str, Callable[[], None]] = {
        "separate": separate,
        "together": together,
        "floor": floor,
        "published": published,
    }
    alike = {"published": len(runs)}  # timed once for all arms
    rows = [
        {
            "questions": count,
            "arms": len(runs),
            "side": side,
            "repeat": repeat,
            "seconds": taken * alike.get(side, 1),
            "apart": apart,
        }
        for repeat, side, taken in turns(
            {side: partial(seconds, run) for side, run in sides.items()}, config.repeats + 1
        )
    ]
    return [row for row in rows if row["repeat"]]  # the first round warms up


def disagreement(
    reasoner: Reasoner, runs: list[list[Intervention]], own: Bank, prefix: Trajectory
) -> float:
    """Largest difference of log-likelihoods.

    Raises:
        RuntimeError: together is not what runs are by themselves.
    """
    rollout = reasoner.rollout()
    alone = torch.cat([rollout.reason(prefix, edits, own).hidden for edits in runs])
    joined = reason_together(rollout, prefix, runs, own).hidden
    logits = [reasoner.backbone.logits(x).log_softmax(-1) for x in (alone, joined)]
    apart = float((logits[0] - logits[1]).abs().max())
    if apart > APART:
        raise RuntimeError(f"together and one by one differ by {apart:.1e}")
    return apart


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """How many times as long as together each side takes: median and range over repeats."""
    lines = []
    for count, group in rows.groupby("questions"):
        wide = group.pivot(index="repeat", columns="side", values="seconds")
        for side in wide.columns:
            ratio = wide[side] / wide["together"]
            lines.append(
                {
                    "questions": count,
                    "arms": int(group["arms"].iloc[0]),
                    "side": side,
                    "n": len(wide),
                    "seconds": wide[side].median(),
                    **spread("ratio", ratio),
                    "apart": group["apart"].max(),
                }
            )
    return pd.DataFrame(lines)


def show(summary: pd.DataFrame) -> None:
    """Put the table on the screen."""
    columns = {
        "questions": "questions",
        "side": "side",
        "seconds": "processor s",
        "ratio": "times together",
    }
    title = f"{summary['arms'].iloc[0]} interventions; median and range"
    console.table(summary, columns, title)


def main(config: ArmsConfig) -> None:
    """Run the benchmark."""

    def measured() -> pd.DataFrame:
        return pd.DataFrame([row for count in config.questions for row in measure(count, config)])

    benchmark("arms", config, measured, summarise, lambda _, summary: show(summary))


if __name__ == "__main__":
    start(ArmsConfig, main)

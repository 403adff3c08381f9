"""What lower precision costs in answers and gains in time, beside float32.

    python -m benchmarks.precision
    python -m benchmarks.precision --model ivtlr --limit 500

Each model answers the same questions in float32, in bfloat16 and with the decoder's weights in
eight bits (`torch.ao.quantization.quantize_dynamic`, products in integers). Sides take turns, and
time is processor time. What changes is told: log-likelihoods of options, picks, choices.
"""

import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from benchmarks.run import RESULTS, Flags, benchmark, start
from benchmarks.turns import spread
from latentlab import console
from latentlab.backbones.products import slowed
from latentlab.checkpoint import load
from latentlab.data import Example, load_data
from latentlab.reasoner import Reasoner

SIDES = ("float32", "bfloat16", "int8")


@dataclass(frozen=True, kw_only=True)
class PrecisionConfig(Flags):
    """Flags of the benchmark."""

    model: tuple[str, ...] = ("ivtlr", "relay", "cot")
    """Models to run."""

    limit: int = 300
    """Questions."""

    batch_size: int = 100
    """Questions answered at once."""

    out: Path = RESULTS / "precision"
    """Folder of the results."""


def side_of(name: str, precision: str) -> Reasoner:
    """A model in a precision."""
    reasoner = load(name, dtype="bfloat16" if precision == "bfloat16" else "float32")
    if precision == "int8":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the function will move to another package
            torch.ao.quantization.quantize_dynamic(
                slowed(reasoner.backbone.decoder), {nn.Linear}, dtype=torch.qint8, inplace=True
            )
    return reasoner


@torch.no_grad()
def answered(reasoner: Reasoner, examples: list[Example]) -> tuple[list[dict[str, Any]], float]:
    """What a batch is answered, and the processor time it takes."""
    started = time.process_time()
    rollout = reasoner.rollout()
    state = rollout(reasoner.batch(examples))
    answers = reasoner.decode(rollout, state, examples)
    seconds = time.process_time() - started
    picks = None if state.picks is None else state.picks.tolist()
    rows = [
        {
            "example": example.id,
            "choice": answer.choice,
            "right": answer.choice == example.choices.index(example.answer),
            "logprobs": list(answer.option_logprobs),
            "picks": None if picks is None else str(picks[i]),
        }
        for i, (example, answer) in enumerate(zip(examples, answers, strict=True))
    ]
    return rows, seconds


def measure(name: str, config: PrecisionConfig) -> pd.DataFrame:
    """Rows of one model in every precision, batch by batch in turns."""
    examples = list(load_data("benchmark:hops=4+1", limit=config.limit))
    sides = {side: side_of(name, side) for side in SIDES}
    for reasoner in sides.values():  # what is set up but once
        answered(reasoner, examples[: config.batch_size])
    rows: list[dict[str, Any]] = []
    for first in range(0, len(examples), config.batch_size):
        batch = examples[first : first + config.batch_size]
        for side, reasoner in sides.items():
            found, seconds = answered(reasoner, batch)
            rows += [{"model": name, "side": side, "seconds": seconds, **row} for row in found]
    return pd.DataFrame(rows)


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """What each precision changes against float32, and its share of the time."""
    lines = []
    for model, group in rows.groupby("model", sort=False):
        whole = group[group["side"] == "float32"].reset_index(drop=True)
        for side, of in group.groupby("side", sort=False):
            of = of.reset_index(drop=True)
            gap = np.abs(np.stack(of["logprobs"]) - np.stack(whole["logprobs"])).max(1)
            lines.append(
                {
                    "model": model,
                    "side": side,
                    "n": len(of),
                    "right": of["right"].mean(),
                    "same_choice": (of["choice"].fillna(-1) == whole["choice"].fillna(-1)).mean(),
                    "same_picks": (of["picks"] == whole["picks"]).mean()
                    if of["picks"].notna().all()
                    else float("nan"),
                    "apart_median": float(np.median(gap)),
                    "apart_most": float(gap.max()),
                    **spread("time", of["seconds"] / whole["seconds"]),
                }
            )
    return pd.DataFrame(lines)


def main(config: PrecisionConfig) -> None:
    """Run the benchmark and show its table."""
    columns = {
        "model": "model",
        "side": "precision",
        "right": "right",
        "same_choice": "same choice",
        "same_picks": "same picks",
        "apart_median": "nats apart, median",
        "apart_most": "most",
        "time": "time",
    }
    title = f"{config.limit} questions a model; time as a share of float32"

    def measured() -> pd.DataFrame:
        return pd.concat([measure(name, config) for name in config.model], ignore_index=True)

    benchmark(
        "precision",
        config,
        measured,
        summarise,
        lambda _, summary: console.table(summary, columns, title),
    )


if __name__ == "__main__":
    start(PrecisionConfig, main)

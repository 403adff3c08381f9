"""Memory of reading a picture: one row of attention a layer, next to eager attention's matrices.

    python -m benchmarks.memory
    python -m benchmarks.memory --layers 8 32 --repeats 9

Picking patches needs the attention of one query. Eager attention returns that of all of them, a
matrix for each head and layer, and transformers keeps them until the pass is over. Both sides run
the same Chameleon over the same prompt of 1,024 image tokens, in turns, in one process; it has as
many layers and heads as that of 7B, but small heads. Before anything is timed the sides have to
agree on the row.

Memory is the peak of all tensors on top of weights and prompt, counted by torch's profiler: it is
the same in every run. The high-water mark of a process would hold the libraries, the weights and
whatever the allocator keeps for later, which hide the difference. Time is processor time, which
other programs on the machine do not count into.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from transformers import ChameleonConfig, ChameleonForConditionalGeneration, DynamicCache

from benchmarks.run import RESULTS, Flags, benchmark, start
from benchmarks.speed import TOLERANCE, peak_bytes
from benchmarks.turns import seconds, spread, turns
from latentlab import console
from latentlab.backbones import ChameleonBackbone
from latentlab.backbones.attention import Capture
from latentlab.backbones.products import slowed

IMAGE_TOKENS = 1024
"""Tokens that Chameleon's tokenizer makes of a picture."""

TEXT_TOKENS = 32
"""Tokens of the question."""

FULL_LAYERS, FULL_HEADS, FULL_HIDDEN, HALF = 32, 32, 4096, 2
"""Chameleon-7B: layers, heads, width, and bytes of a number in half precision."""

CODES = 16
"""Image tokens that there are; a picture repeats them."""


@dataclass(frozen=True, kw_only=True)
class MemoryConfig(Flags):
    """Flags of the benchmark."""

    layers: tuple[int, ...] = (32,)
    """Numbers of layers, one model each."""

    heads: int = 32
    """Attention heads of a layer."""

    head_size: int = 8
    """Size of a head; 128 in Chameleon-7B. The matrices do not depend on it, all else does."""

    repeats: int = 3
    """Timed runs of each side."""

    out: Path = RESULTS / "memory"
    """Folder of the results."""


def chameleon(layers: int, heads: int, head_size: int) -> ChameleonBackbone:
    """A Chameleon with random weights and a vocabulary of little else than image tokens."""
    words = ["<pad>", "<eos>", "<image>"]
    codes = [f"IMGIMG{chr(65 + code // 10)}{chr(65 + code % 10)}Z" for code in range(CODES)]
    hidden = heads * head_size
    config = ChameleonConfig(
        vocab_size=len(words) + len(codes),
        hidden_size=hidden,
        intermediate_size=43 * hidden // 16,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
        vocabulary_map={word: i for i, word in enumerate([*words, *codes])},
        vq_config={"base_channels": 32, "num_embeddings": CODES},
    )
    torch.manual_seed(0)
    return ChameleonBackbone(ChameleonForConditionalGeneration(config).eval())


def prompt(backbone: ChameleonBackbone) -> Tensor:
    """A picture's tokens and a question's, embedded: (1, tokens, hidden)."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(3, 3 + CODES, (1, IMAGE_TOKENS + TEXT_TOKENS), generator=generator)
    return backbone.embed_tokens(ids)


def captured(backbone: ChameleonBackbone, embeds: Tensor) -> Tensor:
    """Read the prompt with the engine's kernel; the last query's (layers, heads, keys)."""
    positions = torch.arange(embeds.shape[1])[None]
    capture = Capture()
    cache = DynamicCache(config=backbone.text_config)
    backbone.forward(embeds, positions, None, cache, capture)
    return capture.stacked()[:, 0]


def eager(model: Any, embeds: Tensor) -> Tensor:
    """Read the prompt with all weights returned, and take the last query's of each layer."""
    output = model.model(
        inputs_embeds=embeds,
        position_ids=torch.arange(embeds.shape[1])[None],
        output_attentions=True,
        use_cache=True,
    )
    return torch.stack([weights[0, :, -1] for weights in output.attentions])


@torch.no_grad()
def measure(layers: int, config: MemoryConfig) -> list[dict[str, Any]]:
    """Time both sides in turns; one row per side and repeat.

    Raises:
        RuntimeError: the two sides do not find the same row.
    """
    backbone = chameleon(layers, config.heads, config.head_size)
    model: Any = slowed(copy.deepcopy(backbone.model))
    model.set_attn_implementation("eager")
    embeds = prompt(backbone)
    sides: dict[str, Callable[[], Tensor]] = {
        "engine": lambda: captured(backbone, embeds),
        "eager": lambda: eager(model, embeds),
    }
    rows = [run() for run in sides.values()]  # this warms both up, too
    apart = float((rows[0] - rows[1]).abs().max())
    if apart > TOLERANCE:
        raise RuntimeError(f"the two sides disagree: rows differ by {apart:.1e}")
    peaks = {side: peak_bytes(run) for side, run in sides.items()}
    timed = {side: partial(seconds, run) for side, run in sides.items()}
    return [
        {
            "layers": layers,
            "side": side,
            "repeat": repeat,
            "seconds": taken,
            "peak_bytes": peaks[side],
            "matrix_bytes": matrix_bytes(layers, config.heads, embeds.element_size()),
            "apart": apart,
        }
        for repeat, side, taken in turns(timed, config.repeats)
    ]


def matrix_bytes(layers: int, heads: int, size: int) -> int:
    """Bytes of all attention weights of the prompt, which do not depend on the size of a head."""
    return layers * heads * (IMAGE_TOKENS + TEXT_TOKENS) ** 2 * size


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Medians of both sides, and how many times as much eager attention takes, with the range."""
    lines = []
    for layers, group in rows.groupby("layers", sort=False):
        wide = group.pivot(index="repeat", columns="side")
        line: dict[str, Any] = {"layers": layers, "n": len(wide)}
        for name in ("seconds", "peak_bytes"):
            for side in ("engine", "eager"):
                line[f"{name}_{side}"] = float(wide[name][side].median())
            line |= spread(f"{name}_ratio", wide[name]["eager"] / wide[name]["engine"])
        known = {name: group[name].max() for name in ("matrix_bytes", "apart")}
        lines.append(line | known)
    return pd.DataFrame(lines)


def show(summary: pd.DataFrame, config: MemoryConfig) -> None:
    """Put the table on the screen, and what it means at full size."""
    columns = {"layers": "layers", "peak_mib_engine": "peak MiB", "peak_mib_eager": "eager"}
    columns |= {"matrix_mib": "of it matrices", "peak_bytes_ratio": "times"}
    columns |= {"seconds_engine": "s", "seconds_eager": "eager", "seconds_ratio": "times"}
    sizes = {
        name: summary[name.replace("mib", "bytes")].map(lambda value: f"{value / 2**20:,.0f}")
        for name in columns
        if "mib" in name
    }
    title = (
        f"One row a layer beside all matrices, {IMAGE_TOKENS:,} image tokens, {config.heads} heads "
        f"of {config.head_size}; medians and range of {config.repeats} repeats"
    )
    console.table(summary.assign(**sizes), columns, title)
    for _, line in summary.iterrows():
        console.show(
            f"{line['layers']:.0f} layers: eager attention takes {line['peak_bytes_ratio']:.1f} "
            f"times the memory and {line['seconds_ratio']:.1f} times the time for the same row "
            f"(within {line['apart']:.0e})."
        )
    matrices = matrix_bytes(FULL_LAYERS, FULL_HEADS, HALF) / 2**30
    cache = 2 * FULL_LAYERS * FULL_HIDDEN * (IMAGE_TOKENS + TEXT_TOKENS) * HALF / 2**30
    console.show(
        f"Chameleon-7B in half precision (computed, not run): {matrices:.2f} GiB of matrices for "
        f"one prompt, beside a cache of {cache:.2f} GiB that both sides need."
    )


def main(config: MemoryConfig) -> None:
    """Run the benchmark."""

    def measured() -> pd.DataFrame:
        return pd.DataFrame([row for layers in config.layers for row in measure(layers, config)])

    benchmark("memory", config, measured, summarise, lambda _, summary: show(summary, config))


if __name__ == "__main__":
    start(MemoryConfig, main)

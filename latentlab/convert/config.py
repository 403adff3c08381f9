"""Turn a published IVT-LR checkpoint into a folder that every command loads, and back.

    python -m latentlab.convert CHECKPOINT.pth --base BASE --out DIR
    python -m latentlab.convert DIR --back --out CHECKPOINT.pth

The checkpoint is a state dict of the released code: a .pth or .bin file, DeepSpeed's consolidated
fp32 dump, in one file or in a folder of several, or safetensors. It is read without running
anything that it may hold, every key and shape is checked against the model of BASE, and DIR appears
complete or not at all. BASE is a folder or hub name; its configuration, tokenizer and image
processor are needed, and where it holds weights too, frozen ones are compared.

Adapters are merged into the weights, or kept beside them with --no-merge. Only what was kept comes
back bit by bit: a merged folder goes back as merged weights under adapters of zeros, which answer
alike, since a sum cannot be taken apart.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

import tyro

from latentlab.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ConvertConfig:
    """Flags of `python -m latentlab.convert`."""

    source: tyro.conf.Positional[Path]
    """The published checkpoint, a file or a folder of shards; with --back, the folder that this
    command wrote."""

    out: Path
    """The folder to write, new or empty; with --back, the file, which must not be there."""

    base: str | None = None
    """The model that was trained: a folder or a hub name, e.g. Qwen/Qwen2-VL-7B-Instruct."""

    merge: bool = False
    """Merge adapters into the weights; so it is done without either flag."""

    no_merge: bool = False
    """Keep adapters beside the weights, in peft's layout: training can go on, and --back gives the
    checkpoint back bit by bit."""

    alpha: float | None = None
    """LoRA's alpha, where the checkpoint does not tell it; adapters count alpha / rank. Without
    the flag it is the published 16."""

    rank: int | None = None
    """LoRA's rank as you expect it; it is read from the shapes and only compared."""

    steps: int = 3
    """Latent steps of the plan."""

    k: int = 32
    """Image embeddings that each step re-inserts."""

    prompts: str = "m3cot-inference"
    """How questions are worded: own, or m3cot or scienceqa, each -inference or -training."""

    dtype: Literal["same", "float32", "bfloat16", "float16"] = "same"
    """Precision of the weights that are written; by default that of the checkpoint."""

    back: bool = False
    """Write the published format again, from a folder."""

    def __post_init__(self) -> None:
        """Refuse flags that contradict each other, and numbers out of their range."""
        if self.merge and self.no_merge:
            raise UserError("--merge and --no-merge contradict each other: give one of them")
        if not self.back and self.base is None:
            raise UserError("--base is missing: name the model that was trained")
        if self.back and self._asks_more:
            raise UserError("--back goes with --out alone: the folder tells all the rest")
        for flag, value, least in (
            ("--rank", self.rank, 1),
            ("--steps", self.steps, 0),
            ("--k", self.k, 0),
        ):
            if value is not None and value < least:
                raise UserError(f"{flag} {value} is too small: it is at least {least}")
        if self.alpha is not None and not self.alpha > 0:
            raise UserError(f"--alpha {self.alpha:g} is too small: it is above 0")

    @property
    def _asks_more(self) -> bool:
        """Whether a flag is given that only the way forth has."""
        forth = [field for field in fields(self) if field.name not in ("source", "out", "back")]
        return any(getattr(self, field.name) != field.default for field in forth)

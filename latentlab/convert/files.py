"""Reads the tensors of a checkpoint that others wrote, and runs nothing that it may hold.

A state dict lies in one file or in shards that an index names; bare, or in a dictionary that also
says how it was made. Files of torch are read with `weights_only=True` and mapped into memory, so
that a checkpoint may be larger than it; what is no tensor is kept for what it may tell.
"""

import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from latentlab.checkpoint import read_json
from latentlab.errors import UserError
from latentlab.lora import CONFIG_FILE

WRAPPERS = ("state_dict", "model_state_dict", "model", "module")
"""Keys under which trainers put the state dict of a model."""

_PATTERNS = ("*.index.json", "*.safetensors", "*.bin", "*.pth", "*.pt")
"""What a folder of shards is looked through for; the first kind that is there is read."""

_GLOBAL = re.compile(r"GLOBAL ([\w.]+)")
"""How torch names what a pickle asks for and `weights_only` denies."""

_POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class State:
    """What a checkpoint holds."""

    tensors: dict[str, Tensor]
    """Every tensor by its key, in the order of the file."""

    told: dict[str, Any]
    """What else lies beside the state dict, in the file or in one of peft's settings beside it."""


def read_state(source: Path) -> State:
    """Read a checkpoint: a file, an index of shards, or a folder that holds either.

    Raises:
        UserError: there is no such file, it is cut short, is something else, or wants to run code.
    """
    tensors: dict[str, Tensor] = {}
    told: dict[str, Any] = {}
    for path in _shards(source):
        content = _read(path)
        inner = next((content[k] for k in WRAPPERS if isinstance(content.get(k), Mapping)), None)
        if inner is not None:
            told |= {key: value for key, value in content.items() if value is not inner}
        for key, value in (content if inner is None else inner).items():
            if key in tensors:
                raise UserError(f"{source}: two of its files hold {key}; give one checkpoint")
            if isinstance(value, Tensor):
                tensors[str(key)] = value
    beside = (source if source.is_dir() else source.parent) / CONFIG_FILE
    if beside.is_file():
        told[CONFIG_FILE] = read_json(beside)
    if not tensors:
        raise UserError(f"{source} is no state dict: it holds no tensor under a name")
    return State(tensors, told)


def _shards(source: Path) -> list[Path]:
    """The files of a checkpoint, in the order in which they are read."""
    if source.is_dir():
        found = next((sorted(source.glob(p)) for p in _PATTERNS if any(source.glob(p))), [])
        if not found:
            raise UserError(f"{source} holds no checkpoint: no {', '.join(_PATTERNS)}")
        if found[0].suffix != ".json":
            return found
        source = found[0]
    if not source.is_file():
        raise UserError(f"there is no checkpoint {source}")
    if source.suffix != ".json":
        return [source]
    shards = read_json(source).get("weight_map")
    if not isinstance(shards, dict) or not all(isinstance(name, str) for name in shards.values()):
        raise UserError(f"{source} is no index of shards: it has no weight_map")
    for name in (names := dict.fromkeys(shards.values())):
        if Path(name).name != name or not (source.parent / name).is_file():
            raise UserError(f"{source} names {name!r}, which is no file beside it")
    return [source.parent / name for name in names]


def _read(path: Path) -> Mapping[Any, Any]:
    """The dictionary in one file."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        # The older format of torch cannot be mapped.
        mapped = zipfile.is_zipfile(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of protocols, which the error is about as well
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # libraries raise undocumented types, each its own
        raise UserError(f"{path} {_what_is_wrong(path, error)}; nothing was written") from None
    if not isinstance(content, Mapping):
        raise UserError(f"{path} is no state dict but a {type(content).__name__}")
    return content


def _what_is_wrong(path: Path, error: Exception) -> str:
    """Why a file cannot be read, in a few words: the libraries' own run over many lines."""
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    if asked := _GLOBAL.search(str(error)):
        return f"wants to run code when it is read ({asked[1][:60]}), and was not"
    with path.open("rb") as stream:
        begin = stream.read(len(_POINTER))
    if begin == _POINTER:
        return "is the pointer of a file that was not fetched: run git lfs pull"
    if begin.startswith(b"PK") and not zipfile.is_zipfile(path):
        return "is cut short: copy it again"
    return "cannot be read as tensors: it is damaged, of another format, or wants to run code"

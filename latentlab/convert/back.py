"""Writes the published format again, from a folder that came from it.

The folder keeps a record of the checkpoint's keys, what each was and in which precision. Adapters
that were kept go back as they were. Once merged they cannot be told from the weights: these stand
as they are under adapters of zeros, and the released code answers alike.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import torch
from safetensors.torch import load_file
from torch import Tensor

from latentlab.backbones import family_of
from latentlab.checkpoint import read_json
from latentlab.convert.broken import reading
from latentlab.convert.layout import Part, Place, Published, renamer
from latentlab.errors import UserError
from latentlab.lora import ADAPTER_FOLDER, WEIGHTS_FILE, adapter_names

_DTYPES = {
    str(d).removeprefix("torch."): d for d in vars(torch).values() if isinstance(d, torch.dtype)
}

RECORD = "published.json"
"""The record's name in a folder."""

MOST_RANK = 2**16
"""No adapter is as large."""


def write_record(folder: Path, published: Published, state: Mapping[str, Tensor]) -> None:
    """Keep what the published format cannot be told from: keys, their order and precision."""
    keys = {
        key: [*place, str(state[key].dtype).removeprefix("torch.")]
        for key, place in published.places.items()
    }
    record = {"rank": published.rank, "keys": keys}
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n")


def published_state(folder: Path) -> tuple["OrderedDict[str, Tensor]", list[str]]:
    """Put the state of a published checkpoint together again.

    Args:
        folder: as `latentlab.convert` wrote it.

    Returns:
        The state, and in what it is not the checkpoint's, in a sentence each.

    Raises:
        UserError: the folder has no record, a file of it is broken, or its weights are not those of
            the record.
    """
    if not (folder / RECORD).is_file():
        raise UserError(
            f"{folder} has no {RECORD}: only a folder that latentlab.convert made of a published "
            "checkpoint can go back"
        )
    rank, keys = _record(folder)
    with reading(f"{folder}"):
        weights, adapters = _weights(folder), _adapters(folder)
    state: OrderedDict[str, Tensor] = OrderedDict()
    made: dict[tuple[Place, torch.dtype], Tensor] = {}  # the token table is written once
    rounded = set()
    for key, (place, dtype) in keys.items():
        once = (place._replace(part="weight") if place.part == "table" else place, dtype)
        if once not in made:
            tensor = _tensor(place, weights, adapters, rank)
            if tensor is None:
                raise UserError(f"{folder} lacks {place.name}, which its {RECORD} tells of")
            if tensor.dtype != dtype:
                rounded.add(f"what was {dtype} was kept as {tensor.dtype}, and comes back rounded")
            made[once] = tensor.to(dtype)
        state[key] = made[once]
    remarks = sorted(rounded)
    if rank and not adapters:
        remarks.append(
            "adapters were merged when the folder was made, and no sum can be taken apart: "
            "base_layer holds the sums, lora_A and lora_B hold zeros; the released code answers "
            "alike, but convert with --no-merge to have the checkpoint's own values back"
        )
    return state, remarks


def _record(folder: Path) -> tuple[int, dict[str, tuple[Place, torch.dtype]]]:
    """Rank of the adapters, and what each key was and in which precision."""
    with reading(f"{folder / RECORD}"):
        record = read_json(folder / RECORD)
        rank, named = record.get("rank"), record.get("keys")
        if type(rank) is not int or not 0 <= rank < MOST_RANK:
            raise ValueError(f"its rank is no number from 0 to {MOST_RANK}")
        if not isinstance(named, dict) or not named:
            raise ValueError("it names no keys")
        keys = {}
        for key, told in named.items():
            if not isinstance(told, list) or len(told) != 3 or not isinstance(told[1], str):
                raise ValueError(f"{key} is not told by part, name and precision")
            part, name, precision = told
            if part not in get_args(Part) or precision not in _DTYPES:
                raise ValueError(f"{key} is of no part or of no precision")
            keys[key] = (Place(part, name), _DTYPES[precision])
        return rank, keys


def _weights(folder: Path) -> dict[str, Tensor]:
    """The weights of a folder by their names in the model, tied ones under both."""
    family = family_of(str(read_json(folder / "config.json").get("model_type")))
    model_class: Any = family.model_class
    with torch.device("meta"):
        skeleton = model_class(model_class.config_class.from_pretrained(folder))
    rename = renamer(skeleton)
    weights: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        weights |= {rename(key): value for key, value in load_file(path).items()}
    for name, source in skeleton.all_tied_weights_keys.items():
        if source in weights:
            weights.setdefault(name, weights[source])
    return weights


def _adapters(folder: Path) -> dict[str, Tensor]:
    """The adapters that a folder keeps, by their names in peft's file."""
    path = folder / ADAPTER_FOLDER / WEIGHTS_FILE
    return load_file(path) if path.is_file() else {}


def _tensor(
    place: Place, weights: Mapping[str, Tensor], adapters: Mapping[str, Tensor], rank: int
) -> Tensor | None:
    """What stands at a place; adapters that were merged are zero."""
    weight = weights.get(place.name)
    if weight is None or place.part in ("weight", "table"):
        return weight
    if weight.ndim != 2:
        raise UserError(f"{place.name} is no matrix, so it has no adapters")
    a, b = adapter_names(place.name.removesuffix(".weight"))
    if adapters:
        return adapters.get(a if place.part == "lora_A" else b)
    shape = (rank, weight.shape[1]) if place.part == "lora_A" else (weight.shape[0], rank)
    return torch.zeros(shape, dtype=weight.dtype)

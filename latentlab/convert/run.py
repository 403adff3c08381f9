"""Converts a published checkpoint into a folder, or a folder back, completely or not at all."""

from collections.abc import Mapping
from functools import reduce
from pathlib import Path

import torch
from torch import Tensor

from latentlab.checkpoint import save
from latentlab.console import note, show, warn
from latentlab.convert.back import published_state, write_record
from latentlab.convert.base import Base, differing, read_base
from latentlab.convert.build import reasoner_of, told_alpha
from latentlab.convert.config import ConvertConfig
from latentlab.convert.files import State, read_state
from latentlab.convert.layout import Published, sort_state
from latentlab.errors import UserError
from latentlab.files import held, replacing, write_folder
from latentlab.prompts import prompt_format
from latentlab.training.config import LoraConfig as PublishedLora


def main(config: ConvertConfig) -> None:
    """Do what the flags say, and say what was done.

    Raises:
        UserError: the checkpoint, the base or the folder cannot be used; nothing was written.
    """
    if config.back:
        _back(config)
    else:
        _forth(config, str(config.base))


def _forth(config: ConvertConfig, base_name: str) -> None:
    """Write the folder."""
    if config.out.exists() and (not config.out.is_dir() or any(config.out.iterdir())):
        raise UserError(f"{config.out} is not an empty folder: choose a new one for --out")
    prompt_format(config.prompts)
    state = read_state(config.source)
    base = read_base(base_name, state.tensors)
    fitting = f"{config.source} does not fit {base.folder}"
    published = sort_state(state.tensors, base.skeleton(), fitting)
    alpha = _alpha(config, published, state)
    dtype = _dtype(config.dtype, state.tensors)
    _compare(base, published)
    reasoner = reasoner_of(base, published, alpha, getattr(torch, dtype), config)

    def write(draft: Path) -> None:
        save(reasoner, draft, dtype)
        write_record(draft, published, state.tensors)

    with held(config.out):
        write_folder(config.out, write)
    adapters = "no adapters"
    if published.rank:
        done = "kept" if config.no_merge else "merged"
        adapters = f"{len(published.adapted)} adapters of rank {published.rank}, alpha {alpha:g}, "
        adapters += done
    show(f"{config.source}: {len(published.weights)} weights in {dtype}; {adapters}")
    show(f"The model is in {config.out}; use --model {config.out}")


def _back(config: ConvertConfig) -> None:
    """Write the file."""
    if config.out.exists():
        raise UserError(f"{config.out} is there already: choose a new file for --out")
    state, remarks = published_state(config.source)
    for remark in remarks:
        warn(remark)
    with held(config.out), replacing(config.out) as draft:
        torch.save(state, draft)
    show(f"{len(state)} tensors are in {config.out}, under the keys of the published format")


def _alpha(config: ConvertConfig, published: Published, state: State) -> float:
    """LoRA's alpha: what the checkpoint tells, else the flag, else as published.

    Raises:
        UserError: a flag says another alpha or rank than the checkpoint.
    """
    if config.rank not in (None, published.rank):
        raise UserError(f"--rank is {config.rank}, but {config.source} has rank {published.rank}")
    told = told_alpha(state.told)
    if None not in (told, config.alpha) and told != config.alpha:
        raise UserError(f"--alpha is {config.alpha:g}, but {config.source} tells of {told:g}")
    for alpha in (told, config.alpha):
        if alpha is not None:
            return alpha
    if published.rank:
        note(
            f"{config.source} does not tell LoRA's alpha: the published {PublishedLora.alpha:g} is "
            "taken, --alpha sets another"
        )
    return PublishedLora.alpha


def _dtype(asked: str, tensors: Mapping[str, Tensor]) -> str:
    """The precision to write: by default the one that holds all that the checkpoint has."""
    found = {value.dtype for value in tensors.values() if value.is_floating_point()}
    widest = reduce(torch.promote_types, found or {torch.float32})
    return str(widest).removeprefix("torch.") if asked == "same" else asked


def _compare(base: Base, published: Published) -> None:
    """Say whether frozen weights are those of the base, where it holds any."""
    differ, compared = differing(base, published.weights)
    if differ:
        warn(
            f"{len(differ)} of {compared} weights below the adapters are not those of "
            f"{base.folder}, e.g. {differ[0]}: is it the model that was trained?"
        )
    elif compared:
        note(f"{compared} weights below the adapters are those of {base.folder}")

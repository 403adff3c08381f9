"""LoRA adapters that a saved model keeps beside its weights, unmerged.

Such a folder is an ordinary checkpoint of the base model, and `adapter/` in it has peft's own
layout, so that peft loads it as well. It is a folder of its own since transformers would load
adapters that lie beside the weights by itself, and then no longer say which weights are missing.

peft puts adapters into the modules of a model in place: what runs the model runs the adapted one.
"""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from latentlab.errors import UserError

ADAPTER_FOLDER = "adapter"
CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"

_ROOT = "base_model.model."
"""What peft puts before the name of every module of a model."""


def adapter_names(module: str) -> tuple[str, str]:
    """What peft's file calls the two matrices of a module's adapter, A and B."""
    return f"{_ROOT}{module}.lora_A.weight", f"{_ROOT}{module}.lora_B.weight"


def attach(model: nn.Module, config: LoraConfig, adapters: Mapping[str, Tensor]) -> None:
    """Put adapters into a model, in the precision of its weights; all of it can be trained.

    Args:
        model: changed in place.
        config: rank, scale and the modules that are adapted.
        adapters: the matrices of every adapted module, named as `adapter_names` says.

    Raises:
        UserError: matrices are missing, of another shape, or of modules that are not adapted.
    """
    config.init_lora_weights = False  # initial weights may change those of the model as well
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names of attributes, and of a base that has no name
        wrapper = get_peft_model(cast(Any, model), config, autocast_adapter_dtype=False)
        expected = {name: tuple(value.shape) for name, value in adapters_of(model).items()}
        found = {name: tuple(value.shape) for name, value in adapters.items()}
        for name in sorted(expected.keys() | found.keys()):
            has, needs = found.get(name, "nothing"), expected.get(name, "nothing")
            if has != needs:
                raise UserError(f"adapters do not fit the model: {name} is {has}, not {needs}")
        set_peft_model_state_dict(cast(PeftModel, wrapper), dict(adapters))
    model.requires_grad_(True).eval()


def load_adapters(model: nn.Module, folder: Path) -> None:
    """Put the adapters of a checkpoint into its model, where it keeps some.

    Raises:
        UserError: they are no LoRA adapters, have no safetensors, or do not fit the model.
    """
    source = folder / ADAPTER_FOLDER
    if not source.is_dir():
        return
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        if not (source / name).is_file():
            raise UserError(f"{source} has no {name}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of settings that the type of adapter does not have
        config = PeftConfig.from_pretrained(str(source))
    if not isinstance(config, LoraConfig):
        raise UserError(f"{source} holds adapters of type {config.peft_type}; known: LORA")
    attach(model, config, load_file(source / WEIGHTS_FILE))


def save_adapters(model: nn.Module, folder: Path, dtype: torch.dtype) -> None:
    """Write the adapters of a model, if it has some, beside its weights."""
    if not (adapters := adapters_of(model)):
        return
    target = folder / ADAPTER_FOLDER
    target.mkdir(exist_ok=True)
    configs = cast(dict[str, LoraConfig], model.peft_config)
    values = {  # in an order, which sets have not: a checkpoint's hash is of its files
        name: sorted(value) if isinstance(value, set) else value
        for name, value in cast(Any, configs["default"]).to_dict().items()
    }
    values["base_model_name_or_path"] = None  # it lies beside, wherever that is
    (target / CONFIG_FILE).write_text(json.dumps(values, indent=2, sort_keys=True) + "\n")
    tensors = {name: value.to(dtype).contiguous() for name, value in adapters.items()}
    save_file(tensors, target / WEIGHTS_FILE, {"format": "pt"})


def weight_of(projection: nn.Module) -> Tensor:
    """The weight that a projection multiplies with, its adapter included.

    What peft calls the weight of an adapted projection is that of the base alone.
    """
    weight: Tensor = cast(Any, projection).weight
    if isinstance(projection, LoraLayer):
        weight = weight + cast(Any, projection).get_delta_weight("default")
    return weight


def train_adapters(model: nn.Module, rank: int, alpha: float) -> bool:
    """Freeze a model but for its adapters, and say whether it has some.

    Raises:
        UserError: they are of another rank or alpha than asked for.
    """
    if not adapters_of(model):
        return False
    config = cast(dict[str, LoraConfig], model.peft_config)["default"]
    if (config.r, config.lora_alpha) != (rank, alpha):
        raise UserError(
            f"the model keeps adapters of rank {config.r} and alpha {config.lora_alpha:g}, but the "
            f"training asks for {rank} and {alpha:g}; set lora to the model's own"
        )
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(_is_adapter(name))
    return True


def base_weights(model: nn.Module) -> dict[str, Tensor]:
    """The state of a model without its adapters, under the names of the model that has none."""
    return {
        name.replace(".base_layer.", "."): value
        for name, value in model.state_dict().items()
        if not _is_adapter(name)
    }


def adapters_of(model: nn.Module) -> dict[str, Tensor]:
    """The matrices of a model's adapters by their names in peft's file; empty without adapters."""
    return {
        _ROOT + name.replace(".default.", "."): value
        for name, value in model.state_dict().items()
        if _is_adapter(name)
    }


def _is_adapter(name: str) -> bool:
    return ".lora_A." in name or ".lora_B." in name

"""A model of any size as its configuration describes it, without weights: on the meta device.

Everything that depends on sizes alone can be asked of it on a laptop: parameters, what a step of
training keeps, how many operations it takes.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from torch import nn

from latentlab.backbones import Backbone, family_of
from latentlab.checkpoint import ZOO, read_json
from latentlab.errors import UserError, did_you_mean
from latentlab.training.adapters import add_adapters, freeze
from latentlab.training.config import TrainConfig
from latentlab.training.own import SIZES
from latentlab.training.tiny import TinyConfig, tiny_reasoner

CONFIG = "config.json"
SHIPPED = "models"
"""Folder beside a recipe with the configurations of published models, for where no hub is."""


@dataclass(frozen=True)
class Blueprint:
    """A model to be trained, and where its sizes are from."""

    backbone: Backbone
    """The model on the meta device, frozen and adapted as the training says, in training mode."""

    source: str
    """Where its configuration was read."""

    @property
    def frozen(self) -> int:
        """Parameters that stay as they are."""
        return sum(p.numel() for p in self._parameters() if not p.requires_grad)

    @property
    def trained(self) -> int:
        """Parameters that are trained."""
        return sum(p.numel() for p in self._parameters() if p.requires_grad)

    @property
    def outside_layers(self) -> int:
        """Parameters outside the decoder's layers: embeddings, head, vision tower."""
        return self.frozen + self.trained - sum(map(_size, self.backbone.layers))

    @property
    def largest_layer(self) -> int:
        """Parameters of the decoder's largest layer."""
        return max(map(_size, self.backbone.layers))

    def _parameters(self) -> list[nn.Parameter]:
        return list(self.backbone.model.parameters())  # tied ones once


def blueprint(config: TrainConfig, beside: Path, layers: int | None = None) -> Blueprint:
    """Draw the model that a training starts from, as it is trained.

    Args:
        config: the training.
        beside: folder of its file, where configurations of published models may lie.
        layers: decoder layers to draw; by default all.

    Raises:
        UserError: nothing tells the model's configuration, or no backbone drives it.
    """
    if config.model is not None:
        sizes = SIZES[config.model.size]
        sizes = replace(sizes, layers=layers or sizes.layers)
        backbone = tiny_reasoner(config.plan, sizes, config.seed).backbone
        tiny: Any = backbone.model
        tiny.resize_token_embeddings(config.model.vocabulary)
        tiny.to("meta").tie_weights()
        source = "the section model"
    elif isinstance(config.init, TinyConfig):
        init = replace(config.init, layers=layers or config.init.layers)
        backbone = tiny_reasoner(config.plan, init, config.seed).backbone
        model: Any = backbone.model
        model.to("meta").tie_weights()  # which the move has parted
        source = "the settings of init"
    else:
        path, source = _find(config.init, beside)
        values = read_json(path)
        if layers is not None:
            text = values.get("text_config", values)
            text["num_hidden_layers"] = layers
            text.pop("layer_types", None)
        family = family_of(str(values.get("model_type")))
        model_class: Any = family.model_class
        try:
            described = model_class.config_class.from_dict(values)
            with torch.device("meta"):
                backbone = family(model_class(described), None)
        except (AttributeError, TypeError, ValueError, RuntimeError) as error:
            raise UserError(f"{path} describes no model: {error}") from None
    if config.freeze_vision:
        freeze(backbone.vision)
    if config.lora is not None:
        add_adapters(backbone, config.lora, config.seed)
    backbone.model.to(getattr(torch, config.dtype)).train()
    return Blueprint(backbone, source)


def _find(init: str, beside: Path) -> tuple[Path, str]:
    """Where a model's configuration is: a folder, a file that lies beside the recipe, or the hub.

    The hub comes last: without a network it lets one wait for half a minute.

    Raises:
        UserError: it is nowhere.
    """
    shipped = beside / SHIPPED / f"{init.rpartition('/')[-1]}.json"
    for path in (Path(init) / CONFIG, ZOO / init / CONFIG, shipped):
        if path.is_file():
            return path, str(path)
    try:
        return Path(hf_hub_download(init, CONFIG, etag_timeout=3)), f"{init} on the hub"
    except (HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, OSError):
        near = did_you_mean(shipped.stem, [p.stem for p in shipped.parent.glob("*.json")])
        raise UserError(
            f"the hub did not give the configuration of {init!r}, and there is no {shipped}; {near}"
        ) from None


def _size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())

"""Saving and loading: ordinary Hugging Face folders with one more file, the plan.

`latentlab.json` holds the latent plan, the prompt format and the placeholder token; every other file
is what `save_pretrained` writes, so the folder also loads in plain transformers. Weights are read
from safetensors only, and no code of a checkpoint is ever run.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import HfHubHTTPError, LocalEntryNotFoundError
from transformers import AutoConfig, AutoTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from latentlab.backbones import Backbone, family_of
from latentlab.errors import UserError, did_you_mean
from latentlab.prompts import Prompter, PromptFormat
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan

PLAN_FILE = "latentlab.json"
ZOO = Path(__file__).parent / "zoo"
"""The organisms that come with the package."""


def zoo_names() -> list[str]:
    """Names of the embedded organisms."""
    return sorted(path.parent.name for path in ZOO.glob(f"*/{PLAN_FILE}"))


def find_checkpoint(name: str) -> Path:
    """Find a checkpoint folder: a path, an embedded organism, or a repository of the hub.

    Raises:
        UserError: nothing goes by that name; near names are suggested.
    """
    path = Path(name)
    if path.is_dir():
        return path
    if (ZOO / name / PLAN_FILE).is_file():
        return ZOO / name
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        try:
            patterns = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]
            return Path(snapshot_download(name, allow_patterns=patterns))
        except (HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, OSError) as error:
            reason = type(error).__name__
            raise UserError(
                f"no folder {name!r}, and the hub did not give it either ({reason}); "
                f"embedded models: {', '.join(zoo_names())}"
            ) from None
    raise UserError(f"no model or folder is called {name!r}; {did_you_mean(name, zoo_names())}")


def load(
    name_or_path: str, device: str = "auto", plan: LatentPlan | None = None, dtype: str = "float32"
) -> Reasoner:
    """Load a reasoner.

    Args:
        name_or_path: an embedded organism, a folder, or a repository of the hub.
        device: where to put the weights; "auto" takes a GPU where there is one.
        plan: overrides the checkpoint's plan, or stands in for a missing one.
        dtype: precision to compute in.

    Raises:
        UserError: nothing is found, the family is unknown, weights are missing or misshapen, or
            there is no plan.
    """
    folder = find_checkpoint(name_or_path)
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder} is not a checkpoint: it has no config.json")
    settings = read_settings(folder)
    if plan is None:
        if "plan" not in settings:
            raise UserError(
                f"{folder} has no latent plan ({PLAN_FILE}); train one from it, or pass a plan"
            )
        plan = LatentPlan.from_dict(settings["plan"])
    target = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    family = family_of(config.model_type)
    model = load_weights(family, folder, dtype).to(torch.device(target)).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    backbone = family(model, family.load_image_processor(str(folder)))
    prompter = Prompter(tokenizer, backbone, PromptFormat(**settings.get("format", {})))
    return Reasoner(backbone, plan, prompter, settings.get("placeholder_id"), name=folder.name)


def load_weights(family: type[Backbone], folder: Path, dtype: str = "float32") -> PreTrainedModel:
    """Load a model and refuse one whose weights do not fill it.

    Raises:
        UserError: no safetensors, or tensors missing or of another shape.
    """
    if not list(folder.glob("*.safetensors")):
        raise UserError(f"{folder} has no .safetensors weights; convert it to safetensors first")
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        model, info = family.model_class.from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    except Exception as error:  # safetensors raises its own, undocumented types on broken files
        raise UserError(f"the weights in {folder} cannot be read: {error}") from None
    finally:
        transformers_logging.set_verbosity(verbosity)
    if missing := sorted(info["missing_keys"]):
        raise UserError(f"{folder} lacks {len(missing)} weights of its model, e.g. {missing[0]}")
    if wrong := sorted(info["mismatched_keys"]):
        name, found, expected = wrong[0]
        raise UserError(
            f"{folder} holds {name} with shape {tuple(found)}, but its config.json asks for "
            f"{tuple(expected)}"
        )
    return model


def read_settings(folder: Path) -> dict[str, Any]:
    """Read `latentlab.json`, or nothing where there is none.

    Raises:
        UserError: the file is not JSON.
    """
    path = folder / PLAN_FILE
    if not path.is_file():
        return {}
    try:
        settings: dict[str, Any] = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is not valid JSON: {error}") from None
    return settings


def save(reasoner: Reasoner, folder: Path, dtype: str = "float32") -> None:
    """Write a reasoner as a Hugging Face folder plus its plan."""
    folder.mkdir(parents=True, exist_ok=True)
    precision = getattr(torch, dtype)
    weights = {k: v.to(precision) for k, v in reasoner.backbone.model.state_dict().items()}
    reasoner.backbone.model.save_pretrained(folder, state_dict=weights)
    reasoner.prompter.tokenizer.save_pretrained(folder)
    reasoner.backbone.image_processor.save_pretrained(folder)
    settings = {
        "plan": reasoner.plan.to_dict(),
        "format": dataclasses.asdict(reasoner.prompter.format),
        "placeholder_id": reasoner.placeholder_id,
    }
    (folder / PLAN_FILE).write_text(json.dumps(settings, indent=2) + "\n")

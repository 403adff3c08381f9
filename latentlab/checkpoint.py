"""Saving and loading: ordinary Hugging Face folders with one more file, the plan.

`latentlab.json` holds the latent plan, the prompt format and the placeholder token; every other
file is what `save_pretrained` writes, so the folder also loads in plain transformers. Weights are
read from safetensors only, and no code of a checkpoint is ever run.

A model may keep adapters beside its weights; `lora` reads and writes them.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from transformers import PreTrainedModel
from transformers.utils import logging as transformers_logging

from latentlab.backbones import Backbone, family_of
from latentlab.errors import UserError, did_you_mean
from latentlab.lora import base_weights, load_adapters, save_adapters
from latentlab.manifest import FINAL as FINAL
from latentlab.manifest import PLAN_FILE as PLAN_FILE
from latentlab.manifest import Manifest, met_placeholder, read_manifest, write_manifest
from latentlab.processors import load_images, load_tokenizer, try_images
from latentlab.prompts import Prompter
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.schema import is_folder, read_file
from latentlab.schema import read_json as json_values

NO_STEPS = LatentPlan(steps=0, k=0)
"""The plan of a model that brings none: an ordinary vision-language model."""
LONGEST_NAME = 200
"""Characters of a name that the hub is asked for, or that a message shows."""

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
    if name and is_folder(path):
        return path
    if name in zoo_names():
        return ZOO / name
    if (
        0 < len(name) <= LONGEST_NAME
        and name.count("/") == 1
        and not name.startswith((".", "/", "~"))
    ):
        try:
            patterns = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]
            return Path(snapshot_download(name, allow_patterns=patterns))
        except (HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, OSError) as error:
            hint = did_you_mean(path.name, zoo_names())
            raise UserError(
                f"no folder {name!r}, and the hub did not give it either "
                f"({type(error).__name__}); embedded models: {hint}"
            ) from None
    hint = did_you_mean(path.name, zoo_names())
    raise UserError(f"no model or folder is called {name[:LONGEST_NAME]!r}; {hint}")


def called(name: str, folder: Path) -> str:
    """What rows and tables call a checkpoint: the part of its path that tells it from others.

    Args:
        name: what the user wrote.
        folder: where that was found.
    """
    told = Path(name).name or folder.resolve().name
    return folder.resolve().parent.name or told if told == FINAL else told


def load(
    name_or_path: str,
    device: str = "auto",
    plan: LatentPlan | None = None,
    dtype: str = "float32",
    spare_plan: LatentPlan | None = None,
) -> Reasoner:
    """Load a reasoner.

    A plain vision-language model brings no plan. It is loaded as what it is, a model that takes no
    latent steps, unless it is given a plan: then it takes them untrained.

    Args:
        name_or_path: an embedded organism, a folder, or a repository of the hub.
        device: where to put the weights; "auto" takes a GPU where there is one.
        plan: overrides the checkpoint's plan, or stands in for a missing one.
        dtype: precision to compute in.
        spare_plan: stands in for a missing plan only.

    Raises:
        UserError: nothing is found, the family is unknown, a file is missing or broken, weights
            are missing or misshapen, or the model cannot follow the plan.
    """
    folder = find_checkpoint(name_or_path)
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder} is not a checkpoint: it has no config.json")
    config = read_json(folder / "config.json")
    with _using(f"{folder / 'config.json'}"):
        family = family_of(str(config.get("model_type")))
    manifest = read_manifest(folder)
    plan = plan or manifest.plan or spare_plan or NO_STEPS
    target = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    model = load_weights(family, folder, dtype, target)
    name = called(name_or_path, folder)
    with _using(f"the image processor in {folder}"):
        backbone = family(model, None)
        backbone.image_processor = load_images(folder, backbone)
        try_images(backbone)
    with _using(f"the tokenizer in {folder}"):
        tokenizer = load_tokenizer(folder, backbone, name, trusted=folder.parent == ZOO)
    if folder.parent != ZOO:
        with _using(f"the model in {folder}"), torch.no_grad():
            # What its settings say of one another shows only when it computes.
            model(input_ids=torch.zeros(1, 2, dtype=torch.long, device=model.device))
    placeholder_id, rows = manifest.placeholder_id, backbone.text_config.vocab_size
    if placeholder_id is not None and placeholder_id >= rows:
        raise UserError(f"{folder}: placeholder_id={placeholder_id} is none of its {rows} tokens")
    try:
        brings = manifest.plan is not None
        prompter = Prompter(tokenizer, backbone, manifest.format)
        reasoner = Reasoner(backbone, plan, prompter, placeholder_id, name, brings)
        reasoner.method = manifest.method
        reasoner.met_placeholder = met_placeholder(folder, manifest)
        reasoner.plan.check_model(backbone.n_layers, (), placeholder_id is not None)
        return reasoner
    except UserError as error:
        raise UserError(f"{name} cannot follow its plan: {error}") from None


def load_weights(
    family: type[Backbone], folder: Path, dtype: str = "float32", device: str = "cpu"
) -> PreTrainedModel:
    """Load a model and refuse one whose weights do not fill it.

    Raises:
        UserError: no safetensors, or tensors missing or of another shape.
    """
    if not list(folder.glob("*.safetensors")):
        raise UserError(f"{folder} has no .safetensors weights; convert it to safetensors first")
    model_class: Any = family.model_class
    with _using(f"the model in {folder}"):
        model, info = model_class.from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    if missing := sorted(info["missing_keys"]):
        raise UserError(f"{folder} lacks {len(missing)} weights of its model, e.g. {missing[0]}")
    if wrong := sorted(info["mismatched_keys"]):
        name, found, expected = wrong[0]
        raise UserError(
            f"{folder} holds {name} with shape {tuple(found)}, but its config.json asks for "
            f"{tuple(expected)}"
        )
    with _using(f"the adapters in {folder}"):
        load_adapters(model, folder)
    loaded: PreTrainedModel = model.to(device).eval()
    return loaded


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of settings.

    Raises:
        UserError: the file is not JSON, or not an object with named values.
    """
    values = json_values(read_file(path), str(path))
    if not isinstance(values, dict):
        raise UserError(f"{path} holds no JSON object")
    return values


def save(reasoner: Reasoner, folder: Path, dtype: str = "float32") -> None:
    """Write a reasoner as a Hugging Face folder plus its plan."""
    folder.mkdir(parents=True, exist_ok=True)
    precision = getattr(torch, dtype)
    weights = {
        name: value.to(precision) if value.is_floating_point() else value
        for name, value in base_weights(reasoner.backbone.model).items()
    }
    with quiet():
        reasoner.backbone.model.save_pretrained(folder, state_dict=weights)
        reasoner.prompter.tokenizer.save_pretrained(folder)
        reasoner.backbone.image_processor.save_pretrained(folder)
    save_adapters(reasoner.backbone.model, folder, precision)
    written = Manifest(
        reasoner.plan, reasoner.prompter.format, reasoner.placeholder_id, reasoner.method
    )
    write_manifest(written, folder)


@contextmanager
def _using(what: str) -> Iterator[None]:
    """Turn whatever is raised over a broken file into one line, and keep the library quiet."""
    try:
        with quiet():
            yield
    except Exception as error:  # libraries raise undocumented types, each its own
        reason = str(error) or type(error).__name__
        raise UserError(f"{what} cannot be used: {reason}") from None


@contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers' warnings and progress bars for a while."""
    chatter: Any = transformers_logging
    logger = logging.getLogger("transformers")
    level, bars = logger.level, chatter.is_progress_bar_enabled()
    logger.setLevel(logging.ERROR)
    chatter.disable_progress_bar()
    try:
        yield
    finally:
        logger.setLevel(level)
        if bars:
            chatter.enable_progress_bar()

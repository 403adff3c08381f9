"""What stands before a model: its tokenizer, chat template and image processor, checked.

Their settings are another library's, which reads them as they come: a patch size that is not the
model's gives other patches, a mean that is a text an error in the middle of a run, and a picture of
10^12 pixels at least has no end. What must fit the model is held against it, and each tried once.
"""

import math
from pathlib import Path
from typing import Any

from PIL import Image
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from latentlab.backbones import Backbone
from latentlab.console import note
from latentlab.data.images import MOST_PIXELS
from latentlab.errors import UserError
from latentlab.prompts.template import try_out
from latentlab.schema import read_file, read_json

IMAGE_FILES = ("preprocessor_config.json", "processor_config.json")

TOKEN_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.json")

BARE = ("chameleon",)
"""Families that are published without a chat template."""

_SHARED = {
    "patch_size": "patch_size",
    "merge_size": "spatial_merge_size",
    "temporal_patch_size": "temporal_patch_size",
}
"""Settings of an image processor, and what the vision tower calls them."""


def load_tokenizer(folder: Path, backbone: Backbone, name: str, trusted: bool) -> Any:
    """Load a tokenizer with its chat template.

    Args:
        folder: the checkpoint.
        backbone: the model that it is to fit.
        name: what remarks call the model.
        trusted: whether the template is one of ours, which need not be tried.

    Raises:
        UserError: it does not fit the model, or its template cannot be used.
    """
    for file in TOKEN_FILES:
        if (folder / file).exists():
            read_json(read_file(folder / file), str(folder / file))
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if not tokenizer.chat_template:
        tokenizer.chat_template = _processor_template(folder)
    _check_tokens(folder, tokenizer, backbone)
    tokenizer("What is shown?")  # settings of another kind show here
    if tokenizer.chat_template and not trusted:
        try_out(tokenizer, backbone.image_slot)
    if not tokenizer.chat_template and backbone.model_types[0] not in BARE:
        note(f"{name} brings no chat template: its prompts are the picture, then the question")
    return tokenizer


def load_images(folder: Path, backbone: Backbone) -> Any:
    """Load an image processor.

    Raises:
        UserError: there is none, or it does not fit the model.
    """
    files = [folder / name for name in IMAGE_FILES if (folder / name).exists()]
    if not files:
        raise UserError(f"{folder} has no preprocessor_config.json: its images cannot be prepared")
    for file in files:
        read_json(read_file(file), str(file))
    processor = backbone.load_image_processor(str(folder))
    for problem in _problems(processor, backbone):
        raise UserError(problem)
    return processor


def try_images(backbone: Backbone) -> None:
    """Prepare one grey picture; whatever is raised is for the caller to tell."""
    backbone.prepare_images([Image.new("RGB", (64, 64), "grey")])


def _problems(processor: Any, backbone: Backbone) -> list[str]:
    """What cannot be meant in the settings of an image processor."""
    found = []
    tower = getattr(backbone.model.config, "vision_config", None)
    for name, theirs in _SHARED.items():
        value = getattr(processor, name, None)
        if value is None or isinstance(value, dict):
            continue
        if type(value) is not int or value < 1:
            found.append(f"{name} is {value!r}; give a whole number from 1")
        elif value != (own := getattr(tower, theirs, value)):
            found.append(f"{name} is {value}, but the model's is {own}")
    for name in ("image_mean", "image_std"):
        value = getattr(processor, name, None)
        least = 0 if name == "image_std" else -math.inf
        numbers = value if isinstance(value, list | tuple) else [value] * 3
        if value is not None and not (len(numbers) == 3 and all(_is(x, least) for x in numbers)):
            found.append(f"{name} is {value!r}; give three finite numbers, deviations above 0")
    factor = getattr(processor, "rescale_factor", None)
    if factor is not None and not _is(factor, 0):
        found.append(f"rescale_factor is {factor!r}; give a finite number above 0")
    flags = {name: getattr(processor, name) for name in dir(processor) if name.startswith("do_")}
    found += [
        f"{name} is {value!r}; give true or false"
        for name, value in flags.items()
        if value is not None and not isinstance(value, bool)
    ]
    size = getattr(processor, "size", None)
    for name, value in dict(size or {}).items():
        if value is not None and (type(value) is not int or value < 1):
            found.append(f"size: {name} is {value!r}; give a whole number of pixels")
    area = hasattr(processor, "merge_size")  # where sizes are numbers of pixels, not of one side
    pixels = getattr(processor, "min_pixels", None) or dict(size or {}).get("shortest_edge")
    if isinstance(pixels, int) and (pixels if area else pixels**2) > MOST_PIXELS:
        what = "at least" if area else "a side"
        found.append(f"pictures are brought to {pixels:,} pixels {what}; give less")
    return found


def _is(value: Any, above: float) -> bool:
    """Whether a value is a finite number above another."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and value > above


def _processor_template(folder: Path) -> str | None:
    """The chat template that a folder keeps beside its processor: tokenizers do not look there."""
    for name in ("chat_template.json", "processor_config.json"):
        if (folder / name).is_file():
            values = read_json(read_file(folder / name), str(folder / name))
            template = values.get("chat_template") if isinstance(values, dict) else None
            if isinstance(template, str):
                return template
    return None


def _check_tokens(folder: Path, tokenizer: PreTrainedTokenizerBase, backbone: Backbone) -> None:
    """Refuse a tokenizer of another model: transformers loads an empty one where files lack."""
    token = backbone.image_token
    if tokenizer.convert_tokens_to_ids(token) != backbone.image_token_id:
        raise UserError(
            f"the tokenizer in {folder} does not fit its config.json: {token} is not token "
            f"{backbone.image_token_id}"
        )
    if tokenizer.eos_token_id is None:
        raise UserError(f"the tokenizer in {folder} names no token that ends an answer (eos_token)")
    rows = backbone.text_config.vocab_size
    for role in ("eos_token", "pad_token", "bos_token", "unk_token"):
        number = getattr(tokenizer, f"{role}_id")
        if number is not None and not 0 <= number < rows:
            raise UserError(
                f"the tokenizer in {folder} does not fit its config.json: its {role} is token "
                f"{number}, and the model knows {rows}"
            )

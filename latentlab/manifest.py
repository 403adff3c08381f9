"""`latentlab.json`: what a checkpoint of ours holds beside the weights.

It is the latent plan, the prompt format and the placeholder token; every other file of the folder
is Hugging Face's. What a training leaves beside it tells whether the model knows that token.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from latentlab.errors import UserError
from latentlab.prompts import PromptFormat
from latentlab.reasoning.plan import LatentPlan
from latentlab.schema import STRICT, Whole, read, read_file, read_json, read_yaml

PLAN_FILE = "latentlab.json"
FINAL = "final"
"""Folder that every training leaves its model in; the one above tells which model it is."""

TRAINING = "config.yaml"
"""What a training calls its settings, beside the model or its folder."""


@dataclass(frozen=True)
class Manifest:
    """What makes a vision-language model a latent reasoner."""

    __pydantic_config__: ClassVar = STRICT

    plan: LatentPlan | None = None
    """The latent plan; without one the model takes no latent steps."""

    format: PromptFormat = field(default_factory=PromptFormat)
    """How prompts and answers are worded."""

    placeholder_id: Whole | None = None
    """The token whose embedding fills slots without content."""

    method: str = ""
    """The method that the model was trained to follow, if any (`methods.taught`)."""


def read_manifest(folder: Path) -> Manifest:
    """Read the file in the folder of a checkpoint; an empty one where there is no file.

    Raises:
        UserError: it cannot be read, or a value is refused.
    """
    path = folder / PLAN_FILE
    if not path.exists() and not path.is_symlink():  # one that leads nowhere is a mistake
        return Manifest()
    text = read_file(path)
    return read(Manifest, read_json(text, str(path)), str(path), text)


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write the file into the folder of a checkpoint."""
    text = json.dumps(dataclasses.asdict(manifest), indent=2)
    (folder / PLAN_FILE).write_text(text + "\n")


def met_placeholder(folder: Path, manifest: Manifest) -> bool | None:
    """Whether a training put the placeholder token into slots; None where nothing tells.

    A model that never met it there may mind the token itself, and not what its slots no longer
    hold.

    Args:
        folder: a checkpoint.
        manifest: what its `latentlab.json` says.
    """
    if manifest.plan is None:
        return False  # nothing was ever trained to take latent steps
    if manifest.plan.content == "placeholder":
        return True
    beside = folder.resolve().parent if folder.resolve().name == FINAL else folder
    path = beside / TRAINING
    try:
        settings = read_yaml(read_file(path), str(path)) if path.is_file() else None
        stages = [dict(stage) for stage in settings["stages"]] if settings else []
        emptied = any("emptied" in (stage.get("conditions") or ()) for stage in stages)
    except (UserError, KeyError, TypeError, ValueError):  # some other program's file
        return None
    if emptied:
        return True
    init = settings.get("init") if settings else None
    if stages and isinstance(init, str) and (first := Path(init)).is_dir():
        try:
            return met_placeholder(first, read_manifest(first))
        except (UserError, RecursionError):
            return None
    return False if stages else None

"""`latentlab.json`: what a checkpoint of ours holds beside the weights.

It is the latent plan, the prompt format and the placeholder token; every other file of the folder
is Hugging Face's.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from latentlab.prompts import PromptFormat
from latentlab.reasoning.plan import LatentPlan
from latentlab.schema import STRICT, Whole, read, read_file, read_json

PLAN_FILE = "latentlab.json"


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

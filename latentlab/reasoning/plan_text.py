"""A latent plan as people write it: a JSON file, or a few fields on the command line.

`steps=3,k=32,select=random` names fields of `LatentPlan`; layers and blocked pairs are joined by a
plus sign, as in `select_layers=0+3` and `blocked=answer-image+answer-prompt`. Either way a plan is
complete: what is not named has its default. Markers are written as text; a model's tokenizer makes
ids of them.
"""

import json
import re
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from latentlab.errors import UserError
from latentlab.reasoning.markers import token_id
from latentlab.reasoning.plan import LatentPlan
from latentlab.schema import read_file, read_json

SHOWN = 200
"""Characters of a plan that a message shows."""


def read_plan(text: str) -> LatentPlan:
    """Read a plan.

    Args:
        text: the path of a JSON file (a plan, or the `latentlab.json` of a checkpoint), or fields.

    Raises:
        UserError: there is no such file, it is no plan, or the plan is refused.
    """
    if re.match(r"\s*\w+\s*=", text):
        return LatentPlan.from_dict(_of_fields(text), f"--plan {text[:SHOWN]}")
    written = _written(Path(text))
    values = read_json(written, f"--plan {text}")
    if isinstance(values, dict) and "plan" in values:
        return LatentPlan.from_dict(values["plan"], f"--plan {text}")
    return LatentPlan.from_dict(values, f"--plan {text}", written)


def with_ids(plan: LatentPlan, tokenizer: PreTrainedTokenizerBase, size: int) -> LatentPlan:
    """The plan with its markers as token ids, which the engine runs.

    Args:
        plan: the plan as written.
        tokenizer: what knows the texts of markers.
        size: number of tokens that the model embeds.

    Raises:
        UserError: a marker is no token of the model.
    """
    if plan.start_token is None:
        return plan
    start, end = (token_id(one, tokenizer, size) for one in (plan.start_token, plan.end_token))
    return plan.replace(start_token=start, end_token=end)


def _written(path: Path) -> str:
    """What a file holds."""
    try:
        return read_file(path)
    except UserError as error:
        raise UserError(f"--plan {error}; give a JSON file, or fields as in steps=3,k=32") from None


def _of_fields(text: str) -> dict[str, Any]:
    """Fields and their values."""
    values: dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise UserError(f"--plan {text}: {part!r} is not understood; write steps=3,k=32")
        if name in values:
            raise UserError(f"--plan {text}: {name} is named twice")
        values[name] = _value(name, value)
    return values


def _value(name: str, text: str) -> Any:
    """One value: a list where the field is one, else what JSON makes of it, else the text."""
    if name == "blocked":
        return [pair.split("-") for pair in text.split("+")]
    if name == "select_layers" and text != "null":
        return [_scalar(layer) for layer in text.split("+")]
    return _scalar(text)


def _scalar(text: str) -> Any:
    """A number, true, false or null; anything else is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text

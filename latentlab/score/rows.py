"""Reads every reply by every rule: one row per reply."""

from collections.abc import Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import numpy as np
import pandas as pd

from latentlab.measures.scores import (
    answer_part,
    lenient_match,
    official_m3cot,
    scienceqa_index,
    strict_choice,
)
from latentlab.score.predictions import Prediction

_TYPES = {
    "choice": "Int64",
    "choice_official": "Int64",
    "choice_index": "Int64",
    "correct": "boolean",
    "correct_official": "boolean",
    "correct_index": "boolean",
    "correct_likelihood": "boolean",
    "correct_lenient": "boolean",
}
"""Columns that may be missing, and their types."""


def rows_of(path: Path, predictions: Sequence[Prediction], marker: str) -> pd.DataFrame:
    """One row per reply of a file.

    Args:
        path: what the user named.
        predictions: its replies.
        marker: what stands before an answer where lines do not say.

    Returns:
        Whose reply to what it is (`file, line, model, data, intervention, example, domain, topic,
        grade, has_text, has_image, scienceqa, cluster, options, gold, text`), and for each rule the
        choice as an index and whether it is right: `choice, correct` strictly, `choice_official,
        correct_official` by the M3CoT rule with the `official_step` that decided and the
        `official_letter` that it found, `choice_index, correct_index` by the IVT-LR release's rule
        for ScienceQA, `correct_likelihood` by the likelihood of the options, `correct_lenient` by
        the release's any-match. Columns of rules that do not apply are missing; so is a choice that
        no option has, which is wrong.
    """
    name = path.name if path.is_dir() else path.stem
    rows = [
        {
            "file": str(path),
            "line": one.line,
            "model": one.model or name,
            "data": one.data,
            "intervention": one.intervention,
            "example": one.id,
            "domain": one.domain,
            "topic": one.topic,
            "grade": one.grade,
            "has_text": one.has_text,
            "has_image": one.has_image,
            "scienceqa": one.scienceqa,
            "cluster": list(one.cluster),
            "options": len(one.choices),
            "gold": ascii_uppercase[one.gold],
            "text": one.reply,
            **_by_index(one),
            **_by_words(one, marker),
            "correct_likelihood": _likeliest_is_right(one),
        }
        for one in predictions
    ]
    return pd.DataFrame(rows).astype(_TYPES)


def _by_words(one: Prediction, marker: str) -> dict[str, Any]:
    """What the rules that read words make of a reply."""
    if one.reply is None:
        return dict.fromkeys(
            ("choice", "correct", "choice_official", "correct_official", "correct_lenient")
        ) | {"official_letter": "", "official_step": ""}
    if one.marker is None:
        strict = strict_choice(answer_part(one.reply), one.choices, one.form, marker)
    else:
        strict = strict_choice(one.reply, one.choices, one.form, one.marker)
    letter, step = official_m3cot(one.reply, one.choices)
    official = _at(letter, len(one.choices))
    gold = ascii_uppercase[one.gold]
    return {
        "choice": strict,
        "correct": strict == one.gold,
        "choice_official": official,
        "correct_official": official == one.gold,
        "official_letter": letter,
        "official_step": step,
        # The published match knows no other answers.
        "correct_lenient": lenient_match(one.reply, gold) if one.form == "letter" else None,
    }


def _by_index(one: Prediction) -> dict[str, Any]:
    """What the ScienceQA rule makes of a reply to a question of ScienceQA."""
    if not one.scienceqa:
        return {"choice_index": None, "correct_index": None}
    found = one.index if one.reply is None else scienceqa_index(one.reply)
    known = found if found is not None and 0 <= found < len(one.choices) else None
    return {"choice_index": known, "correct_index": known == one.gold}


def _likeliest_is_right(one: Prediction) -> bool | None:
    if not one.option_logprobs:
        return None
    return int(np.argmax(one.option_logprobs)) == one.gold


def _at(letter: str, options: int) -> int | None:
    """Where a letter is among the options; None where it is not."""
    index = ascii_uppercase.find(letter) if letter else -1
    return index if 0 <= index < options else None

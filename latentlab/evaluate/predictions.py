"""Writes replies as the M3CoT project writes them, for its scoring code, for ours and for others.

One JSON object a line: the fields of the example (`id, question, context, choices, answer, domain,
topic` and its further groups; `answer` is a letter) and `messages`, the prompt and the reply to it.
Besides a line says whose reply it is (`model, data, intervention`), whether a text and a picture
went with the question (`has_text, has_image`), how the answer is worded (`answer_form,
answer_marker`, the marker as the model's tokenizer writes it), the likelihoods of the choices in
nats (`option_logprobs`) and what the question shares with others (`cluster`, see
`measures.clusters`).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import pandas as pd

from latentlab.answers import Answer
from latentlab.data import Example
from latentlab.reasoner import Reasoner
from latentlab.reasoning.trajectory import Trajectory
from latentlab.study.results import PREDICTIONS
from latentlab.study.run import Measure

_EXAMPLE = ("question", "domain", "topic", "has_text", "has_image")
_REPLY = ("model", "data", "intervention", "answer_form", "answer_marker")


def asked_by(reasoner: Reasoner) -> Measure:
    """The columns that rows need to be written as predictions, for `study.run.run_arms`."""
    prompter = reasoner.prompter
    form, marker = prompter.format, prompter.decode(prompter.marker_ids)

    def columns(
        asked: Sequence[Example], state: Trajectory, answers: Sequence[Answer]
    ) -> Mapping[str, Sequence[object]]:
        return {
            "question": [example.question for example in asked],
            "choices": [list(example.choices) for example in asked],
            "answer": [example.answer for example in asked],
            "hint": [example.context for example in asked],
            "groups": [list(map(list, example.groups)) for example in asked],
            "has_text": [bool(example.context) for example in asked],
            "has_image": [example.image is not None for example in asked],
            "prompt": [form.question(example) for example in asked],
            "answer_form": [form.answer_form] * len(asked),
            "answer_marker": [marker] * len(asked),
        }

    return columns


def write_predictions(rows: pd.DataFrame, folder: Path) -> int:
    """Write rows as `predictions.jsonl` in a folder; the file appears complete or not at all.

    Replies to questions without choices or a known answer cannot be scored and are left out.

    Returns:
        Number of lines; where there are none no file is written.
    """
    known = rows[(rows["options"] > 0) & (rows["answer"] != "")]
    lines = [json.dumps(_line(row), ensure_ascii=False) + "\n" for row in known.to_dict("records")]
    if lines:
        fresh = folder / f".{PREDICTIONS}.new"
        fresh.write_text("".join(lines), encoding="utf-8")
        fresh.replace(folder / PREDICTIONS)
    return len(lines)


def _line(row: Mapping[Any, Any]) -> dict[str, Any]:
    choices = list(row["choices"])
    return {
        **dict(row["groups"]),
        "id": row["example"],
        "context": row["hint"],
        "choices": choices,
        "answer": ascii_uppercase[choices.index(row["answer"])],
        "messages": [row["prompt"], row["text"]],
        "option_logprobs": [float(value) for value in row["option_logprobs"]],
        "cluster": list(row["cluster"]),
        **{name: row[name] for name in (*_EXAMPLE, *_REPLY)},
    }

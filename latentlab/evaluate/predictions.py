"""Writes replies as the M3CoT project writes them, for its scoring code, for ours and for others.

One JSON object a line: the fields of the example (`id, question, context, choices, answer, domain,
topic` and its further groups; `answer` is a letter) and `messages`, the prompt and the reply to it.
Besides a line says whose reply it is (`model, data, intervention`; a method stands with the model),
whether a text and a picture went with the question (`has_text, has_image`), how the answer is
worded (`answer_form, answer_marker`, the marker as the model's tokenizer writes it), the
likelihoods of the choices in nats (`option_logprobs`) and what the question shares with others
(`cluster`, see `measures.clusters`).

What was asked is a column of the rows, as text, so that the file is made of rows alone.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from latentlab.answers import Answer
from latentlab.data import Example
from latentlab.files import write_text
from latentlab.reasoner import Reasoner
from latentlab.reasoning.trajectory import Trajectory
from latentlab.study.results import PREDICTIONS
from latentlab.study.run import Measure

ASKED = "asked"
"""Column of rows with what was asked: the example's part of a line, as JSON."""


def asked_of(reasoner: Reasoner, example: Example) -> str:
    """What a model is asked: an example's part of a line, as JSON."""
    prompter = reasoner.prompter
    form, marker = prompter.format, prompter.decode(prompter.marker_ids)
    fields = {
        **dict(example.groups),
        "question": example.question,
        "context": example.context,
        "choices": example.choices,
        "answer": example.letter if example.choices and example.answer else "",
        "has_text": bool(example.context),
        "has_image": example.image is not None,
        "answer_form": form.answer_form,
        "answer_marker": marker,
        "messages": [form.question(example)],
    }
    return json.dumps(fields, ensure_ascii=False)


def asked_by(reasoner: Reasoner) -> Measure:
    """The column `asked` of what a model is asked, for `study.run.run_arms`."""

    def columns(
        asked: Sequence[Example], state: Trajectory, answers: Sequence[Answer]
    ) -> Mapping[str, Sequence[object]]:
        return {ASKED: [asked_of(reasoner, example) for example in asked]}

    return columns


def write_predictions(rows: pd.DataFrame, folder: Path) -> int:
    """Write rows as `predictions.jsonl` in a folder; the file appears complete or not at all.

    Replies to questions without choices or a known answer cannot be scored and are left out.

    Returns:
        Number of lines; where there are none no file is written.
    """
    lines = [json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(rows)]
    if lines:
        write_text(folder / PREDICTIONS, "".join(lines))
    return len(lines)


def _lines(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for row in rows.to_dict("records"):
        asked = json.loads(row[ASKED])
        if asked["answer"]:
            yield {
                **asked,
                "id": row["example"],
                "domain": row["domain"],
                "topic": row["topic"],
                "messages": [*asked["messages"], row["text"]],
                "model": ", ".join(filter(None, [row["model"], row.get("method")])),
                "data": row["data"],
                "intervention": row["intervention"],
                "option_logprobs": [float(value) for value in row["option_logprobs"]],
                "cluster": list(row["cluster"]),
            }

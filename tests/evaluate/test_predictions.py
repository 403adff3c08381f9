"""What the evaluator leaves behind for scoring is the example, the prompt and the reply."""

import dataclasses
import json

from latentlab.evaluate.config import EvaluateConfig
from latentlab.evaluate.predictions import write_predictions
from latentlab.study.results import PREDICTIONS


def test_lines_hold_the_example_with_its_groups_and_what_was_said(
    planned, examples, measured, tmp_path
):
    told = {"context": "Look closely.", "groups": (("subject", "natural science"), ("hint", "yes"))}
    known, other, _ = examples
    asked = [
        dataclasses.replace(known, domain="one", **told),
        dataclasses.replace(other, image=None),
        dataclasses.replace(known, id="free", choices=(), answer=""),
    ]
    reasoner = planned("cot")
    config = EvaluateConfig(max_new_tokens=4, data="mine")
    rows = measured("evaluate", config, reasoner, asked)
    assert write_predictions(rows, tmp_path) == 2
    lines = (tmp_path / PREDICTIONS).read_text(encoding="utf-8").splitlines()
    first, second = map(json.loads, lines)
    prompt = reasoner.prompter.format.question(asked[0])
    assert first["messages"] == [prompt, rows["text"][0]]
    assert (first["id"], first["question"], first["answer"]) == (known.id, known.question, "A")
    assert first["choices"] == list(known.choices)
    assert (first["subject"], first["context"], first["domain"]) == (
        "natural science",
        "Look closely.",
        "one",
    )
    assert (first["has_text"], first["has_image"]) == (True, True)
    assert (second["has_text"], second["has_image"]) == (False, False)
    assert (first["model"], first["data"], first["intervention"]) == ("it", "mine", "none")
    assert first["option_logprobs"] == rows["option_logprobs"][0]
    assert (first["answer_form"], first["answer_marker"]) == ("text", "Answer")

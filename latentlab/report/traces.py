"""Recorded answers as the trace viewer takes them: plain values, picture by picture.

Numbers come from the rows of `latentlab.trace`; pictures, questions and options are looked up in
the data that the rows name. No model is run.
"""

import math
from typing import Any

import pandas as pd

from latentlab.ablate.necessity import necessity
from latentlab.ablate.phrases import CONTROLS, phrase
from latentlab.backbones.sight import Crop
from latentlab.console import estimate
from latentlab.data import Example, readable
from latentlab.errors import UserError
from latentlab.measures.outcomes import NONE, SHAM
from latentlab.notebook import picture_uri
from latentlab.study.asked import load_recorded
from latentlab.study.results import Results
from latentlab.trace.rows import ANSWER, STEP
from latentlab.vocabulary import CONTROL

Plain = dict[str, Any]

DIGITS = 4
"""Decimal places that numbers keep."""


def viewer_data(results: Results, limit: int) -> Plain:
    """Everything that the viewer shows.

    Args:
        results: results of `latentlab.trace`.
        limit: examples at most, the first of the data.

    Returns:
        `models`, each with its `arms` (`name`, `said`, `control_of`), the accuracy of its `probes`
        by step, and its `traces`: of each example the `steps` and, arm by arm, the `answers`. And
        `examples` by identifier: what was asked, its picture and the true path.

    Raises:
        UserError: the data do not hold an example of the results any more.
    """
    rows = results.rows
    wanted = list(rows["example"].unique())[:limit]
    examples = _examples(results, wanted)
    rows = rows[rows["example"].isin(wanted)]
    seen = rows[(rows["record"] == STEP)].drop_duplicates("example").set_index("example")["seen"]
    probes = results.summary[results.summary["record"] == STEP]
    return {
        "examples": {name: _asked(examples[name], seen.get(name)) for name in wanted},
        "models": [
            _model(str(model), of_model, probes[probes["model"] == model])
            for model, of_model in rows.groupby("model", sort=False)
        ],
    }


def _examples(results: Results, wanted: list[str]) -> dict[str, Example]:
    """The examples that rows are about, looked up in the data."""
    config = results.run["config"]
    found = {one.id: one for one in readable(load_recorded(config, config["limit"]))}
    for name in wanted:
        if name not in found:
            raise UserError(
                f"{config['data']} holds no example {name} any more: run latentlab.trace again"
            )
    return found


def _asked(example: Example, seen: Any) -> Plain:
    """What was asked, and what is known about it."""
    walk = range((example.hops or 0) + 1) if example.trace else range(0)
    part = None if seen is None else Crop(*(int(end) for end in seen))
    return {
        "question": example.question,
        "choices": list(example.choices),
        "gold": example.choices.index(example.answer),
        "domain": example.domain,
        "topic": example.topic,
        "picture": picture_uri(example.image, part) if example.image else None,
        "size": None if part is None else [part.right - part.left, part.bottom - part.top],
        "path": [example.trace.at(hop) for hop in walk] if example.trace else [],
        "cells": list(example.trace.cells[: len(walk)]) if example.trace else [],
    }


def _model(model: str, rows: pd.DataFrame, probes: pd.DataFrame) -> Plain:
    """One model with everything it was seen to do."""
    answers = rows[rows["record"] == ANSWER]
    arms = answers.drop_duplicates("intervention")
    labels = necessity(answers).set_index("example")["necessity"]
    steps = dict(list(rows[rows["record"] == STEP].groupby("example")))
    by_arm = answers.set_index(["example", "intervention"])
    names = [str(arm) for arm in arms["intervention"]]
    return {
        "name": model,
        "arms": [_arm(arm, arms) for _, arm in arms.iterrows()],
        "probes": {str(int(line["step"])): _probe(line) for _, line in probes.iterrows()},
        "traces": [
            {
                "id": str(example),
                "necessity": _value(labels.get(example)),
                "steps": [_step(step) for _, step in steps[example].iterrows()],
                "answers": [_answer(by_arm.loc[(example, arm)]) for arm in names],
            }
            for example in answers["example"].unique()
        ],
    }


def _arm(arm: "pd.Series[Any]", arms: pd.DataFrame) -> Plain:
    """An arm, and words for what it does to a model; one under other positions is no control."""
    name, control_of = str(arm["intervention"]), str(arm["control_of"])
    differs = CONTROLS.get(str(arm["control"]), str(arm["control"]))
    if name == NONE:
        said = "left alone"
    elif arm["action"] == SHAM:
        said = "with its own latents put back (sham)"
    elif control_of and arm["kind"] == CONTROL:
        said = differs
    elif control_of:
        said, control_of = (
            f"{phrase(arms[arms['intervention'] == control_of].iloc[0])}, {differs}",
            "",
        )
    else:
        said = phrase(arm)
    return {"name": name, "said": said, "control_of": control_of}


def _probe(line: "pd.Series[Any]") -> Plain:
    """Which probe reads a step, and how often it is right."""
    accuracy = estimate(line, "value")
    return {
        "target": line["target"],
        "place": line["place"],
        "accuracy": accuracy,
        "n": int(line["n"]),
    }


def _step(row: "pd.Series[Any]") -> Plain:
    """One latent step."""
    tokens, shares = row.get("lens_tokens"), row.get("lens_probs")
    named = {
        "attention": "patch_attention",
        "picks": "picks",
        "query": "query",
        "cell_read": "cell_read",
        "cell_target": "cell_target",
        "ratio": "ratio:image/text",
        "uniform_ratio": "uniform_ratio:image/text",
        "focus": "focus:image",
        "uniform_focus": "uniform_focus:image",
        "again": "ratio:reinserted/text",
        "uniform_again": "uniform_ratio:reinserted/text",
    }
    found = {name: _value(row[column]) for name, column in named.items()}
    grid = [_value(row["grid_rows"]), _value(row["grid_columns"])]
    lens = [] if tokens is None else list(zip(tokens, _value(shares), strict=True))
    read = _value(row.get("probe_label"))
    probe = None if read is None else {"label": read, "right": _value(row["probe_correct"])}
    return {**found, "grid": grid, "lens": lens, "probe": probe}


def _answer(row: "pd.Series[Any]") -> Plain:
    """One answer under one arm."""
    return {
        "probabilities": _value(row["option_probs"]),
        "choice": _value(row["choice"]),
        "text": str(row["text"]),
        "right": bool(row["correct"]),
    }


def _value(value: Any) -> Any:
    """A value as JSON knows it: numbers rounded, what is missing as None."""
    if value is None or value is pd.NA:
        return None
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [_value(one) for one in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, DIGITS)
    return value


def about(results: Results) -> str:
    """Which answers were recorded, in a sentence."""
    config = results.run["config"]
    models = " and ".join(results.run["checkpoints"])
    return (
        f"Answers of {models} to {config['data']}, seed {config['seed']}; "
        "knock-outs at inference, weights unchanged."
    )

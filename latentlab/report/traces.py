"""Recorded answers as the trace viewer takes them: plain values, picture by picture.

Numbers come from the rows of `latentlab.trace`; pictures, questions and options are looked up in
the data that the rows name. No model is run.
"""

from typing import Any

import pandas as pd

from latentlab.ablate.necessity import necessity
from latentlab.backbones.sight import Crop
from latentlab.data import Example, readable
from latentlab.errors import UserError
from latentlab.figures.style import model_style
from latentlab.measures.outcomes import NONE
from latentlab.notebook import picture_uri
from latentlab.report.arms import described, in_order
from latentlab.report.fresh import check_recorded
from latentlab.report.opening import opening
from latentlab.report.packing import (
    LONGEST_SIDE,
    QUALITY,
    Pool,
    as_bytes,
    plain,
    scale_of,
    whole,
)
from latentlab.report.transcripts import transcripts
from latentlab.study.asked import load_recorded
from latentlab.study.results import Results
from latentlab.trace.records import ANSWER, STEP, is_written
from latentlab.trace.rows import walk
from latentlab.wording import data_name, joined

Plain = dict[str, Any]

READABLE = 0.5
"""A probe that is right in fewer answers of a model left alone has nothing to say of a single one:
what it reads is neither ticked nor crossed."""


def viewer_data(results: Results, limit: int) -> Plain:
    """Everything that the viewer shows.

    Args:
        results: results of `latentlab.trace`.
        limit: examples at most, the first of the data.

    Returns:
        `examples` by identifier: what was asked, its picture and the true path. `models`, each with
        its `arms`, the accuracy of its `probes` by step, and its `traces`: of each example the
        steps that occur (`pool`, see `_step`), for each arm which of them its run consists of
        (`runs`), and its `answers`. `words` and `nulls` are what steps point to; `most` is the
        attention of byte 255, and `scale` the upper end of the scale of colours, the same for all.
        `opening` says what to show first. `written` and the `pictures` that it points to are what
        models without latent steps wrote (`transcripts.transcripts`); where all are such, `models`
        is empty and only `examples` stands beside.

    Raises:
        UserError: the data do not hold an example of the results any more, or these are of an
            earlier version and lack something.
    """
    check_recorded(results)
    rows = results.rows
    wanted = list(rows["example"].unique())[:limit]
    examples = _examples(results, wanted)
    names = [str(model) for model in rows["model"].unique()]
    rows = rows[rows["example"].isin(wanted)]
    said = is_written(rows)
    written = transcripts(rows[said], examples, names)
    rows = rows[~said]
    if rows.empty:
        return {
            "examples": {name: _asked(examples[name], None) for name in wanted},
            "models": [],
            **written,
        }
    steps = rows[rows["record"] == STEP]
    seen = steps.drop_duplicates("example").set_index("example")["seen"]
    probes = results.summary[results.summary["record"] == STEP]
    most, scale = scale_of(steps["patch_attention"].dropna())
    packed = Packed(most)
    asked = {name: _asked(examples[name], seen.get(name)) for name in wanted}
    models = [
        packed.model(str(model), of_model, probes[probes["model"] == model])
        for model, of_model in rows.groupby("model", sort=False)
    ]
    models = [{**model, "colour": model_style(model["name"], names)[0]} for model in models]
    return {
        "examples": asked,
        "models": models,
        "words": packed.words.values,
        "nulls": packed.nulls.values,
        "most": plain(most),
        "scale": scale,
        "opening": opening(asked, models),
        **written,
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
    part = None if seen is None else Crop(*(int(end) for end in seen))
    return {
        "question": example.question,
        "choices": list(example.choices),
        "gold": example.choices.index(example.answer),
        "domain": example.domain,
        "topic": example.topic,
        "hops": example.hops,
        "picture": picture_uri(example.image, part, LONGEST_SIDE, QUALITY)
        if example.image
        else None,
        "size": None if part is None else [part.right - part.left, part.bottom - part.top],
        "path": walk(example),
    }


class Packed:
    """Models with what recurs kept once."""

    def __init__(self, most: float) -> None:
        """Begin without any.

        Args:
            most: the attention that byte 255 stands for.
        """
        self.words, self.nulls, self.most = Pool(), Pool(), most

    def model(self, model: str, rows: pd.DataFrame, probes: pd.DataFrame) -> Plain:
        """One model with everything it was seen to do."""
        answers = rows[rows["record"] == ANSWER]
        arms = answers.drop_duplicates("intervention")
        arms = in_order(arms)
        labels = necessity(answers).set_index("example")["necessity"]
        steps = dict(list(rows[rows["record"] == STEP].groupby(["example", "intervention"])))
        by_arm = answers.set_index(["example", "intervention"])
        names = [str(arm) for arm in arms["intervention"]]
        traces = []
        for example in answers["example"].unique():
            pool = Pool()
            runs = [
                [pool.add(self._step(step)) for _, step in steps[example, arm].iterrows()]
                for arm in names
            ]
            alone = steps[example, NONE]
            traces.append(
                {
                    "id": str(example),
                    "necessity": plain(labels.get(example)),
                    "grid": [whole(alone[f"grid_{side}"].iloc[0]) for side in ("rows", "columns")],
                    "cells": [
                        [whole(step[f"cell_{which}"]) for which in ("read", "target")]
                        for _, step in alone.iterrows()
                    ],
                    "pool": pool.values,
                    "runs": runs,
                    "answers": [_answer(by_arm.loc[(example, arm)]) for arm in names],
                }
            )
        return {
            "name": model,
            "arms": described(arms),
            "probes": {str(int(line["step"])): _probe(line) for _, line in probes.iterrows()},
            "traces": traces,
        }

    def _step(self, row: "pd.Series[Any]") -> list[Any]:
        """One latent step of one run.

        Returns:
            Attention on the patches (bytes), the picks, what a probe reads (a number of `words`)
            and whether that is right, what the lens reads (numbers of `words` and shares in turns),
            R, F and R of re-inserted patches, and which of `nulls` they are seen beside.
        """
        tokens, shares = row.get("lens_tokens"), row.get("lens_probs")
        lens = None
        if tokens is not None:
            pairs = zip(tokens, plain(shares), strict=True)
            lens = [x for token, p in pairs for x in (self.words.add(token), round(p, 3))]
        label = plain(row.get("probe_label"))
        names = ("query", "uniform_ratio:image/text", "uniform_focus:image")
        nulls = [plain(row[name]) for name in (*names, "uniform_ratio:reinserted/text")]
        return [
            as_bytes(row["patch_attention"], self.most),
            plain(row["picks"]),
            None if label is None else self.words.add(label),
            None if label is None else int(bool(row["probe_correct"])),
            lens,
            *(plain(row[n]) for n in ("ratio:image/text", "focus:image", "ratio:reinserted/text")),
            self.nulls.add(nulls),
        ]


def _probe(line: "pd.Series[Any]") -> Plain:
    """Which probe reads a step, how often it is right, and whether that is worth telling."""
    share, n = float(line["value"]), int(line["n"])
    return {
        "target": line["target"],
        "place": line["place"],
        "right": round(share * n),
        "n": n,
        "readable": share >= READABLE,
    }


def _answer(row: "pd.Series[Any]") -> Plain:
    """One answer under one arm."""
    donor = plain(row.get("donor_question"))
    lent = {} if donor is None else {"donor": donor, "donor_path": plain(row["donor_path"])}
    return {
        "probabilities": plain(row["option_probs"]),
        "choice": whole(row["choice"]),
        "text": str(row["text"]),
        "right": bool(row["correct"]),
        **lent,
    }


def about(results: Results) -> str:
    """Which answers were recorded, in a sentence."""
    config = results.run["config"]
    models = joined(results.run["checkpoints"])
    return (
        f"Answers of {models} to {data_name(config['data'])}, seed {config['seed']}; "
        "knock-outs at inference, weights unchanged."
    )

"""What a mediation study found, as tables and in sentences; made of the summary alone."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import interval_text, table
from latentlab.instruments.mediation.moving import ORDINARY
from latentlab.measures.effects import DISTANCES, EFFECT, EFFECTS, MOVEMENT
from latentlab.measures.outcomes import NONE
from latentlab.measures.summary import ALL

if TYPE_CHECKING:
    Line = pd.Series[float]

CONTROLS = {"mask_needed": "mask_other"}
"""Perturbations with a matched control, and that control."""

_QUESTION = ("restart", "shuffle_words")
_TELLING = ("relink", "mask_needed", "other_image", "blank", "noise", "shuffle", *_QUESTION)
"""Perturbations by how much their effect tells: evidence for one hop before the whole picture."""

_PARTS = {"latent_text": "latent text", "latent_vision": "latent vision", "latent": "latents"}
_ENDS = ("", "_low", "_high")


def show_tables(summary: pd.DataFrame) -> None:
    """Put two tables a model on the screen: shares of effects, and how far latents move."""
    lines = summary[summary["domain"] == ALL]
    for model, of_model in lines.groupby("model", sort=False):
        effects, shares = share_table(of_model)
        head = {"perturbation": "perturbation", "steps": "steps", "n": "n", "te": "effect, nats"}
        title = f"{model}: share of the effect on its answers to {of_model['data'].iloc[0]}, %"
        table(effects, head | {name: name for name in shares}, title, percent=shares)
        moved, names = movement_table(of_model)
        table(moved, names, f"{model}: how far its latents move, in SD over examples", percent=())


def share_table(lines: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """One row per perturbation and steps, with the share of each mediator in columns.

    Args:
        lines: lines of the summary of one model over all domains.

    Returns:
        The table, and the names of the columns that hold shares.
    """
    effects = lines[(lines["measure"] == EFFECT) & (lines["outcome"] == "log_odds")]
    rows, shares = [], []
    for (perturbation, steps), group in effects.groupby(["perturbation", "steps"], sort=False):
        row = {"perturbation": perturbation, "steps": steps, "n": group["n"].iloc[0]}
        row |= {f"te{end}": group[f"te{end}"].iloc[0] for end in _ENDS}
        told = _told(group)
        shares = [_mediator(line) for _, line in told.iterrows()]
        for name, (_, line) in zip(shares, told.iterrows(), strict=True):
            row |= {f"{name}{end}": line[f"share{end}"] for end in _ENDS}
        rows.append(row)
    return pd.DataFrame(rows), shares


def movement_table(lines: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """One row per perturbation, with an ordinary token and each latent text in columns.

    Args:
        lines: lines of the summary of one model over all domains.

    Returns:
        The table, and its columns without the ends of the intervals.
    """
    moved = lines[(lines["measure"] == MOVEMENT) & lines["part"].isin((ORDINARY, "latent_text"))]
    rows, names = [], []
    for perturbation, group in moved.groupby("perturbation", sort=False):
        row: dict[str, object] = {"perturbation": perturbation}
        names = [_moving(line) for _, line in group.iterrows()]
        for name, (_, line) in zip(names, group.iterrows(), strict=True):
            row |= {f"{name}{end}": line[f"sd{end}"] for end in _ENDS}
        rows.append(row)
    return pd.DataFrame(rows), ["perturbation", *names]


def conclusion(summary: pd.DataFrame) -> list[str]:
    """What was found about each model, in one paragraph each.

    Args:
        summary: what `measures.effects.summary_of` returns.
    """
    lines = summary[summary["domain"] == ALL]
    return [
        f"{model}: {' '.join(_sentences(of_model))}"
        for model, of_model in lines.groupby("model", sort=False)
    ]


def sham(lines: pd.DataFrame) -> float:
    """The largest effect or movement that the zero perturbation shows; anything but 0 is wrong."""
    numbers = lines.loc[lines["perturbation"] == NONE, [*EFFECTS, *DISTANCES[:3]]]
    return float(numbers.abs().max().max())


def _sentences(lines: pd.DataFrame) -> Iterator[str]:
    effects = lines[(lines["measure"] == EFFECT) & (lines["outcome"] == "log_odds")]
    # All steps if they were asked for; otherwise the largest set of the first ones.
    steps = effects["steps"].iloc[-1] if ALL not in set(effects["steps"]) else ALL
    effects = effects[effects["steps"] == steps]
    told = [_first(effects, image) for image in (True, False)]
    for perturbation in filter(None, told):
        group = effects[effects["perturbation"] == perturbation]
        yield _effect(perturbation, group, steps)
        yield from _moved(lines, perturbation)
    if not any(told):
        yield "no perturbation changed the answer measurably, so there is nothing to mediate."
    changes = {str(name): group.iloc[0] for name, group in effects.groupby("perturbation")}
    for name, line in changes.items():
        control = CONTROLS.get(name.split(" ")[0])
        if control in changes:
            needed, other = _nats(line), _nats(changes[control])
            yield f"{name} changes them by {needed}, its control {control} by {other}."
    worst = sham(lines)
    broken = "" if worst == 0 else ": the instrument itself disturbs the model"
    yield f"Sham {worst:.1g}{broken}." if worst else "Sham 0.0."


def _first(effects: pd.DataFrame, image: bool) -> str | None:
    """The most telling perturbation of the picture, or of the question, that has a share."""
    known = effects.loc[effects["share"].notna(), "perturbation"].unique().tolist()
    for name in _TELLING:
        found = [known_name for known_name in known if known_name.split(" ")[0] == name]
        if found and (name not in _QUESTION) == image:
            return str(found[0])
    return None


def _effect(perturbation: str, group: pd.DataFrame, steps: str) -> str:
    """An effect, and who carries how much of it."""
    line = group.iloc[0]
    text = f"{perturbation} changes the log-odds of its answer by {_nats(line)} (n = {line['n']})"
    shares = [f"{_mediator(part)} {_percent(part)}" for _, part in _told(group).iterrows()]
    at = "" if steps == ALL else f" at steps {steps}"
    return f"{text}; of that carry{at}: {'; '.join(shares)}."


def _told(group: pd.DataFrame) -> pd.DataFrame:
    """The mediators worth naming: each part once, and the slots as a whole."""
    parts = set(group["part"])
    alone = parts - {"latent"}
    # Of a model with one part both together say nothing new.
    named = alone if len(alone) == 1 else parts
    whole = alone if len(alone) == 1 else {"latent"} & parts or parts
    slots = group["mediator"] == "slots"
    return group[(~slots & group["part"].isin(named)) | (slots & group["part"].isin(whole))]


def _moved(lines: pd.DataFrame, perturbation: str) -> Iterator[str]:
    """How far it moves the latent text of each step, next to an ordinary token."""
    group = lines[(lines["measure"] == MOVEMENT) & (lines["perturbation"] == perturbation)]
    text = group[group["part"] == "latent_text"]
    ordinary = group[group["part"] == ORDINARY]
    if text.empty or ordinary.empty:
        return
    moves = ", ".join(_sd(line) for _, line in text.iterrows())
    yield (
        f"It moves the latent text of steps {text['steps'].iloc[0]} to {text['steps'].iloc[-1]} by "
        f"{moves} SD, an ordinary token by {_sd(ordinary.iloc[0])} SD."
    )


def _mediator(line: "Line") -> str:
    """Who carries a share."""
    name = _PARTS[str(line["part"])]
    return f"{name} with slots" if str(line["mediator"]) == "slots" else name


def _moving(line: "Line") -> str:
    """What moves."""
    part = str(line["part"])
    return "ordinary token" if part == ORDINARY else f"{_PARTS[part]} {line['steps']}"


def _sd(line: "Line") -> str:
    return interval_text(line["sd"], line["sd_low"], line["sd_high"], percent=False)


def _percent(line: "Line") -> str:
    numbers = interval_text(line["share"], line["share_low"], line["share_high"])
    return numbers.replace(" ", " % ", 1)


def _nats(line: "Line") -> str:
    numbers = interval_text(line["te"], line["te_low"], line["te_high"], percent=False)
    return numbers.replace(" ", " nats ", 1)

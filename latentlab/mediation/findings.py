"""What a mediation study found, in sentences; made of the summary alone."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import estimate, interval_text
from latentlab.measures.outcomes import NONE
from latentlab.measures.summary import ALL
from latentlab.mediation.effects import EFFECTS
from latentlab.mediation.movement import ORDINARY
from latentlab.mediation.summary import (
    BETWEEN,
    DISTANCES,
    EFFECT,
    FIRST,
    LAST,
    MOVEMENT,
    single_hops,
)
from latentlab.mediation.tables import PARTS, told

if TYPE_CHECKING:
    Line = pd.Series[float]

CONTROLS = {"mask_needed": "mask_other"}
"""Perturbations with a matched control, and that control."""

_TELLING = (
    ("mask_needed", "relink", "blank", "other_image", "noise", "shuffle"),
    ("restart", "shuffle_words"),
)
"""Perturbations of the picture and of the question, each by how much their effect tells: evidence
for one hop before the whole picture, and evidence that is taken away before other evidence."""

_WHERE = {FIRST: " at the first hop", BETWEEN: " at hops between", LAST: " at the last hop", "": ""}
"""Hops of a sentence. The first one is read before any patch is re-inserted and the last one when
all latents are there: they are never put together with others."""


def conclusion(summary: pd.DataFrame) -> list[str]:
    """What was found about each model, in one paragraph each.

    Args:
        summary: what `mediation.summary.summary_of` returns.
    """
    lines = summary[summary["domain"] == ALL].astype({"hop": object, "reading": object})
    lines = lines.fillna({"hop": "", "reading": ""})
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
    effects = effects[(effects["steps"] == steps) & effects["hop"].isin(list(_WHERE))]
    chosen = [name for names in _TELLING if (name := _first(effects, names))]
    for perturbation in chosen:
        group = effects[effects["perturbation"] == perturbation]
        for hop in _WHERE:
            if (group["hop"] == hop).any():
                yield _effect(group[group["hop"] == hop])
        yield from _control(effects, perturbation)
    yield from _moved(lines, chosen[0] if chosen else "")
    if not chosen:
        least = effects.loc[effects["perturbation"] != NONE, "te_smallest"].max()
        yield (
            "no perturbation changed the answer measurably, so there is nothing to mediate; the "
            f"examples would tell {least:.2g} nats."
        )
    worst = sham(lines)
    broken = "" if worst == 0 else ": the instrument itself disturbs the model"
    yield f"Sham {worst:.1g}{broken}." if worst else "Sham 0.0."


def _first(effects: pd.DataFrame, names: tuple[str, ...]) -> str | None:
    """The most telling of some perturbations that has a share."""
    known = effects.loc[effects["nie_share"].notna(), "perturbation"].unique().tolist()
    for name in names:
        found = [known_name for known_name in known if known_name.split(" ")[0] == name]
        if found:
            return str(found[0])
    return None


def _effect(group: pd.DataFrame) -> str:
    """An effect, and what each part of the latents carries of it."""
    line = group.iloc[0]
    at = "" if line["steps"] == ALL else f"; latents of steps {line['steps']}"
    text = f"{line['perturbation']}{_WHERE[str(line['hop'])]} changes the log-odds of its answer"
    text += f" by {estimate(line, 'te', 'nats')} (n = {line['n']}{at})"
    if pd.isna(line["nie_share"]):
        return f"{text}, too little to be shared out."
    named = told(group)
    vectors = named[named["mediator"] == "latents"]
    single = vectors[(vectors["part"] != "latent") | (len(vectors) == 1)]
    # Where only slots, or only both parts together, were measured, it is said of these.
    shown = next(lines for lines in (single, vectors, named) if len(lines))
    return f"{text}: {'; '.join(_carried(part) for _, part in shown.iterrows())}."


def _carried(line: "Line") -> str:
    """Both shares of a mediator, and what they say together."""
    name = f"the {PARTS[str(line['part'])]}"
    if str(line["mediator"]) == "slots":
        name = f"all slots of {name}"
    return (
        f"{estimate(line, 'nie_share')} of it runs through {name} (NIE), "
        f"and keeping {name} averts {estimate(line, 'tie_share')} (TE - NDE){_word(line)}"
    )


def _word(line: "Line") -> str:
    """What both shares say together; of no use, how little would have been noticed."""
    word = str(line["reading"])
    if word != "bypassed":
        return f": {word}" if word else ""
    if not line[["nie_low", "nie_high", "tie_low", "tie_high"]].any():
        return ": bypassed, exactly 0 in every example"
    least = line[["nie_smallest", "tie_smallest"]].max() / abs(line["te"])
    return f": bypassed, {line['n']} examples would tell {100 * least:.1f} %"


def _control(effects: pd.DataFrame, perturbation: str) -> Iterator[str]:
    """What the matched control of a perturbation does, beside it."""
    name = CONTROLS.get(perturbation)
    lines = effects[effects["perturbation"] == name]
    if len(lines):
        least = f"{lines['n'].iloc[0]} examples would tell {lines['te_smallest'].iloc[0]:.2g}"
        effect = estimate(lines.iloc[0], "te", "nats")
        yield f"Its control {name} changes them by {effect}; {least}."


def _moved(lines: pd.DataFrame, perturbation: str) -> Iterator[str]:
    """How far it moves the latent text of each step, next to an ordinary token.

    Of a perturbation of several hops the middle one is told.
    """
    group = single_hops(lines)
    group = group[(group["measure"] == MOVEMENT) & (group["perturbation"] == perturbation)]
    labels = sorted(group["label"].unique())
    group = group[group["label"].isin(labels[(len(labels) - 1) // 2 :][:1])]
    text = group[group["part"] == "latent_text"]
    ordinary = group[group["part"] == ORDINARY]
    if text.empty or ordinary.empty:
        return
    moves = ", ".join(_sd(line) for _, line in text.iterrows())
    first, last = text["steps"].iloc[0], text["steps"].iloc[-1]
    yield (
        f"{text['label'].iloc[0]} moves the latent text of steps {first} to {last} by {moves} SD, "
        f"an ordinary token by {_sd(ordinary.iloc[0])} SD."
    )


def _sd(line: "Line") -> str:
    return interval_text(line["sd"], line["sd_low"], line["sd_high"], percent=False)

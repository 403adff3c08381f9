"""What a mediation study found, in sentences; made of the summary alone.

Three sentences a model at most: the most telling effect and what carries it, the same at the first
and at the last hop, and the controls. Other perturbations, and how far latents move, are in tables.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import estimate, percent, signed
from latentlab.measures.outcomes import NONE
from latentlab.measures.summary import ALL
from latentlab.mediation.effects import EFFECTS
from latentlab.mediation.lines import DISTANCES
from latentlab.mediation.summary import BETWEEN, EFFECT, FIRST, LAST
from latentlab.mediation.tables import told
from latentlab.wording import PARTS, paragraph, perturbation_name, sentence

if TYPE_CHECKING:
    Line = pd.Series[float]

_DISTURBED = "the instrument itself disturbs the model"

CONTROLS = {"mask_needed": "mask_other"}
"""Perturbations with a matched control, and that control."""

_TELLING = (
    "mask_needed",
    "relink",
    "blank",
    "other_image",
    "noise",
    "shuffle",
    "restart",
    "shuffle_words",
)
"""Perturbations by how much their effect tells: evidence for one hop before the whole picture,
evidence that is taken away before other evidence, and the picture before the question."""

_WHERE = {BETWEEN: " at a middle hop", FIRST: " at the first hop", LAST: " at the last hop", "": ""}
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
        paragraph(str(model), *_sentences(of_model))
        for model, of_model in lines.groupby("model", sort=False)
    ]


def sham(lines: pd.DataFrame) -> float:
    """The largest effect or movement that the zero perturbation shows; anything but 0 is wrong."""
    columns = lines.columns.intersection([*EFFECTS, *DISTANCES[:3]])
    numbers = lines.loc[lines["perturbation"] == NONE, columns]
    return float(numbers.abs().max().max())


def _sentences(lines: pd.DataFrame) -> Iterator[str]:
    effects = lines[(lines["measure"] == EFFECT) & (lines["outcome"] == "log_odds")]
    # All steps if they were asked for; otherwise the largest set of the first ones.
    steps = effects["steps"].iloc[-1] if ALL not in set(effects["steps"]) else ALL
    effects = effects[(effects["steps"] == steps) & effects["hop"].isin(list(_WHERE))]
    chosen = _most_telling(effects)
    groups = effects[effects["perturbation"] == chosen].groupby("hop", sort=False)
    found = {hop: groups.get_group(hop) for hop in _WHERE if hop in groups.groups}
    if found:
        main, *others = found
        yield _effect(found[main], main)
        if others:
            yield sentence(*(_beside(found[hop], hop) for hop in others))
    else:
        least = effects.loc[effects["perturbation"] != NONE, "te_smallest"].max()
        yield sentence(
            "no change of a question moved the answer measurably, so there is nothing to mediate "
            f"(more than {least:.2g} nats would have shown)"
        )
    yield _controls(effects, chosen, sham(lines))


def _most_telling(effects: pd.DataFrame) -> str:
    """The most telling perturbation that has a share; empty where none has."""
    known = effects.loc[effects["nie_share"].notna(), "perturbation"].unique().tolist()
    for name in _TELLING:
        found = [known_name for known_name in known if known_name.split(" ")[0] == name]
        if found:
            return str(found[0])
    return ""


def _effect(group: pd.DataFrame, hop: str) -> str:
    """An effect, and both shares of it that each part of the latents carries."""
    line = group.iloc[0]
    at = "" if line["steps"] == ALL else f", with latents of steps {line['steps']}"
    text = f"{perturbation_name(str(line['perturbation']))}{_WHERE[hop]} changes the log-odds of "
    text += f"its answer by {signed(line, 'te', 'nats')} (n = {line['n']}{at})"
    if pd.isna(line["nie_share"]):
        return sentence(f"{text}, too little to be shared out")
    parts = [_carried(part) for _, part in _shown(group).iterrows()]
    return sentence(f"{text}: {', '.join(parts)}")


def _beside(group: pd.DataFrame, hop: str) -> str:
    """The same at another hop, where a word stands for both shares if there is one."""
    line = group.iloc[0]
    text = f"{_WHERE[hop].strip()} the change is {signed(line, 'te', 'nats')}"
    if pd.isna(line["nie_share"]):
        return f"{text}, too little to be shared out"
    parts = [_short(part) for _, part in _shown(group).iterrows()]
    return f"{text} ({', '.join(parts)})"


def _short(line: "Line") -> str:
    """A mediator and the word for its shares; where there is none, the shares."""
    name, word = _name(line).removeprefix("the "), str(line["reading"])
    if word:
        return f"{name} {word}"
    return f"{name} {estimate(line, 'nie_share')}, kept {estimate(line, 'tie_share')}"


def _carried(line: "Line") -> str:
    """What runs through a mediator, and what keeping it averts: the shares NIE and TE - NDE."""
    said = [f"keeping it averts {estimate(line, 'tie_share')}", _word(line)]
    said = [word for word in said if word]
    return f"{estimate(line, 'nie_share')} of it through {_name(line)} ({': '.join(said)})"


def _shown(group: pd.DataFrame) -> pd.DataFrame:
    """The mediators of a sentence: each part alone, or what alone was measured."""
    named = told(group)
    vectors = named[named["mediator"] != "slots"]
    single = vectors[(vectors["part"] != "latent") | (len(vectors) == 1)]
    # Where only slots, or only both parts together, were measured, it is said of these.
    return next(lines for lines in (single, vectors, named) if len(lines))


def _name(line: "Line") -> str:
    name = f"the {PARTS[str(line['part'])]}"
    return f"all slots of {name}" if str(line["mediator"]) == "slots" else name


def _word(line: "Line") -> str:
    """What both shares say together; of no use, how little would have been noticed."""
    word = str(line["reading"])
    if word != "bypassed":
        return word
    if not line[["nie", "tie"]].any():
        return "bypassed, exactly 0"
    least = line[["nie_smallest", "tie_smallest"]].max() / abs(line["te"])
    return f"bypassed; more than {percent(least)} would have shown"


def _controls(effects: pd.DataFrame, perturbation: str, worst: float) -> str:
    """What the matched control and the zero perturbation do."""
    said = "the same question once more changes nothing"
    if worst:
        said = f"the same question once more changes {worst:.1g}: {_DISTURBED}"
    lines = effects[effects["perturbation"] == CONTROLS.get(perturbation)]
    if lines.empty:
        return sentence(said)
    line = lines.iloc[0]
    return sentence(
        f"{perturbation_name(str(line['perturbation']))}, the control, changes them by "
        f"{signed(line, 'te', 'nats')}",
        said,
    )

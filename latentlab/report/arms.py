"""Arms as the viewer offers them: in which order, in which words, and which belong together."""

from typing import Any

import pandas as pd

from latentlab.ablate.phrases import CONTROLS, phrase
from latentlab.measures.outcomes import NONE, SHAM
from latentlab.vocabulary import CONTROL, EMPTY

Plain = dict[str, Any]

ORDER = ("none", "replace", "drop", SHAM)
"""What arms do, in the order in which they are offered."""

EXCHANGED = "other"
"""What is put in where latents of two questions are exchanged; it is offered first."""


def in_order(arms: pd.DataFrame) -> pd.DataFrame:
    """Rows of arms, one each, in the order in which they are offered."""
    places = [_place(arm) for _, arm in arms.iterrows()]
    return arms.iloc[sorted(range(len(places)), key=places.__getitem__)]


def described(arms: pd.DataFrame) -> list[Plain]:
    """What the viewer is told of each arm (`_arm`)."""
    return [_arm(arm, arms) for _, arm in arms.iterrows()]


def _place(arm: "pd.Series[Any]") -> tuple[int, bool]:
    """Where an arm stands among those that are offered."""
    known = ORDER.index(arm["action"]) if arm["action"] in ORDER else len(ORDER)
    return known, arm["source"] != EXCHANGED


def _arm(arm: "pd.Series[Any]", arms: pd.DataFrame) -> Plain:
    """An arm, and words for what it does to a model; one under other positions is no control.

    Returns:
        Its `name`; what it does as it is `said` of a model; `short` words for a button; the arm
        that it is the matched control of, in `control_of`; and the one that it is offered with, as
        its control or under another rule of positions, in `variant_of`; whether it is the
        `exchange`; and whether something else stands where patches are picked (`overwritten`).
    """
    name, control_of = str(arm["intervention"]), str(arm["control_of"])
    differs = CONTROLS.get(str(arm["control"]), str(arm["control"]))
    variant_of = control_of
    short = differs
    if name == NONE:
        said = "left alone"
    elif arm["action"] == SHAM:
        said = "with its own latents put back (sham)"
    elif control_of and arm["kind"] == CONTROL:
        said = differs
    elif control_of:
        whole = phrase(arms[arms["intervention"] == control_of].iloc[0])
        said, control_of = f"{whole}, {differs}", ""
    else:
        said = phrase(arm)
    if not variant_of:
        short = said.removeprefix("with ").replace("without its ", "no ")
        short = short.removesuffix(" for its latents").removesuffix(" on its latents")
        short = "sham" if arm["action"] == SHAM else short
    exchange = bool(arm["source"] == EXCHANGED and not variant_of)
    return {
        "name": name,
        "said": said,
        "short": short,
        "control_of": control_of,
        "variant_of": variant_of,
        "exchange": exchange,
        "overwritten": _overwrites(arm),
    }


def _overwrites(arm: "pd.Series[Any]") -> bool:
    """Whether something else stands in the slots of the patches that a step picks."""
    replaced = arm["action"] == "replace" and not arm["control_of"]
    emptied = arm["action"] == "drop" and arm["control"] == EMPTY
    return bool((replaced or emptied) and arm["part"] in ("latent", "latent_vision"))

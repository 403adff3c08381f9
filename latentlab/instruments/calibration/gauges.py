"""What each instrument reads on one example, as one number.

Read on models whose truth is known, the number must be high where latents are necessary and zero
where they cannot matter. Which organisms can serve as negative control follows from how they are
made (docs/calibration.md): the answer of `bypass` cannot see its latents, so everything about
latent -> answer must read zero there; `filler` has slots to compute in but nothing to hold, so it
is a control where content is exchanged or emptied, and not where slots are taken away or flooded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from latentlab.measures.outcomes import NONE
from latentlab.vocabulary import LatentPart, Replacement

Instrument = Literal[
    "ablate", "mediation", "movement", "interchange", "patch", "lens", "latent lens", "probe"
]
"""Runs that gauges read."""

Link = Literal["latent -> answer", "input -> latent"]
"""Which half of the chain from input to answer an instrument is about."""

TO_ANSWER: Link = "latent -> answer"
TO_LATENT: Link = "input -> latent"

REPLACEMENTS: tuple[Replacement, ...] = (
    "placeholder",
    "mean",
    "constant",
    "zero",
    "other",
    "permute",
    "first",
    "noise",
    "matched_noise",
    "unit_noise",
)
"""What is put into the slots."""

SIGMA = 2.0
"""Strength of the additive noise, in standard deviations of each slot."""

NEEDED_BY: dict[LatentPart, tuple[str, ...]] = {
    "latent_text": ("relay",),
    "latent_vision": ("gaze",),
    "latent": ("relay", "gaze"),
}
"""Organisms to which a part is necessary by construction."""

Values = pd.Series
"""One number for each example, by its id."""


@dataclass(frozen=True)
class Gauge:
    """One reading of one instrument."""

    name: str
    """What is read."""

    link: Link
    """Which link it is about."""

    part: LatentPart
    """Which part of the latents."""

    unit: str
    """Unit of the reading."""

    run: Instrument
    """Which rows it is read off."""

    read: Callable[[pd.DataFrame], Values]
    """Takes one number an example off the rows; empty where the model lacks the part."""

    positive: tuple[str, ...]
    """Organisms on which it must read high."""

    negative: tuple[str, ...]
    """Organisms on which it must read zero."""


def gauges() -> list[Gauge]:
    """All readings, those of latent -> answer first."""
    parts: tuple[LatentPart, ...] = ("latent_text", "latent_vision")
    made = [gauge for part in parts for gauge in _to_answer(part)]
    hidden = Gauge(
        "patch: hidden from the answer",
        TO_ANSWER,
        "latent",
        "points lost",
        "patch",
        _hidden,
        NEEDED_BY["latent"],
        ("bypass",),
    )
    return [*made, hidden, *(gauge for part in parts for gauge in _to_latent(part))]


def _to_answer(part: LatentPart) -> list[Gauge]:
    both = ("bypass", "filler")
    emptied = {"zero", "unit_noise"}  # which a model that is used to a constant may well notice
    found = [
        _gauge("drop", part, "points lost", "ablate", _lost(f"drop {part}"), ("bypass",)),
    ]
    for name in REPLACEMENTS:
        arm = f"noise {SIGMA:g}" if name == "noise" else name
        negative = ("bypass",) if name in emptied else both
        read = _lost(f"{arm} {part}")
        found.append(_gauge(arm.replace("_", " "), part, "points lost", "ablate", read, negative))
    found.append(_gauge("indirect effect", part, "nats", "mediation", _indirect(part), both))
    found.append(
        _gauge("answers as the donor", part, "fraction", "interchange", _follows(part), both)
    )
    found.append(_gauge("answer restored", part, "fraction", "patch", _restored(part), both))
    if part == "latent_text":
        found.append(_gauge("added to the logit", part, "nats", "lens", _attributed, ("bypass",)))
    return found


def _to_latent(part: LatentPart) -> list[Gauge]:
    holders = (*NEEDED_BY[part], "bypass")
    moved = _gauge(
        "moved by the picture", part, "SD", "movement", _moved(part), ("filler",), holders
    )
    if part != "latent_text":
        return [moved]
    probed = _gauge(
        "object above shuffled", part, "fraction above", "probe", _probed, ("filler",), holders
    )
    named = _gauge(
        "object above another", part, "fraction above", "latent lens", _named, ("filler",), holders
    )
    return [moved, probed, named]


def _gauge(
    name: str,
    part: LatentPart,
    unit: str,
    run: Instrument,
    read: Callable[[pd.DataFrame], Values],
    negative: tuple[str, ...],
    positive: tuple[str, ...] = (),
) -> Gauge:
    link = TO_LATENT if positive else TO_ANSWER
    command = {"movement": "mediation", "latent lens": "lens"}.get(run, run)
    return Gauge(
        f"{command}: {name}", link, part, unit, run, read, positive or NEEDED_BY[part], negative
    )


def _by_example(rows: pd.DataFrame, values: pd.Series) -> Values:
    return values.astype(float).groupby(rows["example"], sort=False).mean()


def _lost(arm: str) -> Callable[[pd.DataFrame], Values]:
    """Points of accuracy that an arm costs, example by example."""

    def read(rows: pd.DataFrame) -> Values:
        right = rows.set_index("example")["correct"].astype(float)
        arms = rows.set_index("example")["intervention"]
        return (right[arms == NONE] - right[arms == arm]).dropna()

    return read


def _indirect(part: str) -> Callable[[pd.DataFrame], Values]:
    """Natural indirect effect of a changed mark, as log-odds of the old answer that are lost."""

    def read(rows: pd.DataFrame) -> Values:
        chosen = rows[
            (rows["measure"] == "effect")
            & (rows["perturbation"] == "relink")
            & (rows["outcome"] == "log_odds")
            & (rows["mediator"] == "latents")
            & (rows["part"] == part)
        ]
        return _by_example(chosen, -chosen["nie"])

    return read


def _follows(part: str) -> Callable[[pd.DataFrame], Values]:
    """Whether the answer is the donor's, all steps exchanged."""

    def read(rows: pd.DataFrame) -> Values:
        chosen = rows[
            (rows["donor"] == "same_image") & (rows["part"] == part) & (rows["step_set"] == "all")
        ]
        return _by_example(chosen, chosen["follows_donor"])

    return read


def _restored(part: str) -> Callable[[pd.DataFrame], Values]:
    """Whether the last latent of the clean run turns the corrupt run's answer to the clean one."""

    def read(rows: pd.DataFrame) -> Values:
        slots = rows.loc[rows["kind"] == "activation patching", "slot"]
        named = slots[slots.str.startswith(f"{part.removeprefix('latent_')} ")]
        if named.empty:
            return _by_example(rows[:0], rows["patched"][:0])
        last = max(named.unique(), key=lambda slot: int(slot.split()[1]))
        chosen = rows[(rows["slot"] == last) & (rows["component"] == "resid_pre")]
        return _by_example(chosen, chosen["hit"] & ~chosen["hit_before"])

    return read


def _hidden(rows: pd.DataFrame) -> Values:
    """Points lost where the answer cannot attend to latents."""
    chosen = rows[rows["slot"] == "answer -/-> latent"]
    return _by_example(chosen, chosen["hit_before"].astype(float) - chosen["hit"].astype(float))


def _attributed(rows: pd.DataFrame) -> Values:
    """What attention to latent text adds to the answer's logit over the other options."""
    chosen = rows[
        (rows["measure"] == "attribution")
        & (rows["source"] == "latent_text")
        & (rows["target"] == "answer")
    ]
    return chosen.groupby("example", sort=False)["logit"].sum().astype(float)


def _moved(part: str) -> Callable[[pd.DataFrame], Values]:
    """How far another picture moves a latent, in deviations of its slot, over all steps."""

    def read(rows: pd.DataFrame) -> Values:
        chosen = rows[
            (rows["measure"] == "movement")
            & (rows["perturbation"] == "other_image")
            & (rows["part"] == part)
        ]
        return _by_example(chosen, chosen["sd"]).dropna()

    return read


def _probed(rows: pd.DataFrame) -> Values:
    """Whether a probe names the step's object from the latent, less a probe of shuffled labels."""
    own = "object " + rows["step"].astype("string")
    chosen = rows[
        (rows["kind"] == "probe")
        & (rows["place"] == "latent_text")
        & (rows["step"] > 0)
        & (rows["target"] == own).fillna(False)
    ]
    return _by_example(chosen, chosen["correct"].astype(float) - chosen["control"].astype(float))


def _named(rows: pd.DataFrame) -> Values:
    """Whether a latent reads as the step's object, less as another object of the picture."""
    fed = rows[(rows["measure"] == "as fed in") & (rows["step"] > 0)]
    own = fed[(fed["target"] == "hop " + fed["step"].astype("string")).fillna(False)]
    other = fed[fed["target"] == "other object"]
    first = _by_example(own, own["rank"] == 1)
    return (first - _by_example(other, other["rank"] == 1)).dropna()

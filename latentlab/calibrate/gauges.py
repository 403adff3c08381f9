"""Which readings are calibrated, and which organisms are controls of which.

Read on models whose truth is known, a number must be high where latents are necessary and zero
where they do not matter. Which organisms can serve as negative control follows from how they are
made (docs/calibration.md): the answer of `bypass` cannot see its latents and that of `decoy` has
learnt nothing from them, so everything about latent -> answer must read zero there; `filler` has
slots to compute in but nothing to hold, so it is a control where content is exchanged or emptied,
and not where slots are taken away or flooded. `redundant` must read zero where patches are taken
away from a picture that is whole, and high where they stand in for one that is not.
"""

from dataclasses import dataclass, replace
from typing import Literal

from latentlab.calibrate import readers
from latentlab.calibrate.readers import Reader
from latentlab.vocabulary import LatentPart, Replacement

RunName = Literal[
    "ablate", "evidence", "mediation", "movement", "interchange", "flips", "patch", "lens",
    "latent lens", "probe",
]  # fmt: skip
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
    "norm_matched",
    "matched_noise",
    "unit_noise",
)
"""What is put into the slots."""

FOREIGN = ("zero", "norm_matched", "unit_noise")
"""Replacements that a model which is used to a constant may well notice."""

SIGMA = 2.0
"""Strength of the additive noise, in standard deviations of each slot."""

NEEDED_BY: dict[LatentPart, tuple[str, ...]] = {
    "latent_text": ("relay",),
    "latent_vision": ("gaze",),
    "latent": ("relay", "gaze"),
}
"""Organisms to which a part is necessary by construction."""

UNREAD = ("bypass", "decoy")
"""Organisms that hold content and whose answer is not read off it."""

INERT = (*UNREAD, "filler")
"""Organisms whose answer follows nothing that their latents could tell."""


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

    run: RunName
    """Which rows it is read off."""

    read: Reader
    """Takes one number an example off the rows; empty where the model lacks the part."""

    positive: tuple[str, ...]
    """Organisms on which it must read high."""

    negative: tuple[str, ...]
    """Organisms on which it must read zero."""

    one_rule: bool = False
    """Whether something is removed under one rule of positions alone, so that what is read may be
    about positions or empty slots."""


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
        readers.hidden,
        NEEDED_BY["latent"],
        UNREAD,
    )
    return [*made, hidden, *(gauge for part in parts for gauge in _to_latent(part))]


def _to_answer(part: LatentPart) -> list[Gauge]:
    """Readings of whether the answer follows a part."""
    spare = ("redundant",) if part == "latent_vision" else ()
    found = [*_removed(part, spare), *_overwritten(part), *_mediated(part, spare)]
    follows, restored = readers.follows(part), readers.restored(part)
    found += [
        _gauge("answers as the donor", part, "fraction", "interchange", follows, INERT),
        _gauge("answer restored", part, "fraction", "patch", restored, INERT),
    ]
    if part == "latent_text":
        added = readers.attributed
        return [*found, _gauge("added to the logit", part, "nats", "lens", added, UNREAD)]
    flipped, supplied, above = readers.flipped, readers.supplied, "fraction above"
    also = (*NEEDED_BY[part], *spare)
    return [
        *found,
        _gauge("mark in a patch", part, above, "flips", flipped, INERT),
        _gauge("patches supply", part, above, "evidence", supplied, INERT, also),
    ]


def _removed(part: LatentPart, spare: tuple[str, ...]) -> list[Gauge]:
    """What slots hold is taken away, under each rule of positions and under all of them."""
    arms = {
        "drop, positions held": (f"drop {part}", UNREAD),
        "drop, positions closed": (f"drop {part}: positions closed", UNREAD),
        "slots emptied": (f"placeholder {part}", (*INERT, *spare)),
    }
    found = []
    for name, (arm, negative) in arms.items():
        gauge = _gauge(name, part, "points lost", "ablate", readers.lost(arm), negative)
        found.append(replace(gauge, one_rule=True))
    name, always = "removed, under every rule", readers.lost(*(arm for arm, _ in arms.values()))
    return [*found, _gauge(name, part, "points lost", "ablate", always, (*INERT, *spare))]


def _overwritten(part: LatentPart) -> list[Gauge]:
    """Slots kept, with something else in them."""
    found = []
    for name in REPLACEMENTS:
        arm = f"noise {SIGMA:g}" if name == "noise" else name
        if name == "placeholder":
            continue  # a removal
        negative = UNREAD if name in FOREIGN else INERT
        read = readers.lost(f"{arm} {part}")
        label = arm.replace("_", " ")
        found.append(_gauge(label, part, "points lost", "ablate", read, negative))
    return found


def _mediated(part: LatentPart, spare: tuple[str, ...]) -> list[Gauge]:
    """Both ends of mediation."""
    mark = readers.effect("nie", part, "relink")
    hidden = readers.effect("nie", part, "mask_needed")
    averted = readers.effect("tie", part, "mask_needed")
    need = NEEDED_BY[part]
    return [
        _gauge("latents of another mark", part, "nats", "mediation", mark, INERT),
        _gauge("latents of a hidden cell", part, "nats", "mediation", hidden, (*INERT, *spare)),
        _gauge("kept latents avert", part, "nats", "mediation", averted, INERT, (*need, *spare)),
    ]


def _to_latent(part: LatentPart) -> list[Gauge]:
    """Readings of whether a part follows the input."""
    holders, none = (*NEEDED_BY[part], *UNREAD), ("filler",)
    moved = readers.moved(part)
    found = [_gauge("moved by the picture", part, "SD", "movement", moved, none, holders)]
    if part == "latent_text":
        probed, named, above = readers.probed, readers.named, "fraction above"
        found += [
            _gauge("object above shuffled", part, above, "probe", probed, none, holders),
            _gauge("object above another", part, above, "latent lens", named, none, holders),
        ]
    return [replace(gauge, link=TO_LATENT) for gauge in found]


_COMMANDS: dict[str, str] = {
    "movement": "mediation",
    "latent lens": "lens",
    "evidence": "ablate",
    "flips": "interchange",
}
"""Commands that make the rows of a run, where they are called otherwise."""


def _gauge(
    name: str,
    part: LatentPart,
    unit: str,
    run: RunName,
    read: Reader,
    negative: tuple[str, ...],
    positive: tuple[str, ...] = (),
) -> Gauge:
    """A reading of latent -> answer; positive are the models that need the part, unless told."""
    named = f"{_COMMANDS.get(run, run)}: {name}"
    return Gauge(named, TO_ANSWER, part, unit, run, read, positive or NEEDED_BY[part], negative)

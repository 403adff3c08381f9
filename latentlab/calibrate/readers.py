"""Takes one number an example off the rows of an instrument.

A reading that a model has nothing for (a part that it lacks) is empty.
"""

from collections.abc import Callable

import pandas as pd

from latentlab.measures.outcomes import NONE
from latentlab.vocabulary import LatentPart

Readings = pd.Series
"""One number for each example, by its id."""

Reader = Callable[[pd.DataFrame], Readings]
"""Takes one number an example off rows."""


def by_example(rows: pd.DataFrame, values: pd.Series) -> Readings:
    """Mean of a column of rows for each example."""
    return values.astype(float).groupby(rows["example"], sort=False).mean()


def lost(*arms: str) -> Reader:
    """Points of accuracy that every one of some arms costs, example by example."""

    def read(rows: pd.DataFrame) -> Readings:
        right = rows.set_index("example")["correct"].astype(float)
        named = rows.set_index("example")["intervention"]
        best = pd.concat([right[named == arm] for arm in arms]).groupby(level=0).max()
        alone = right[named == NONE]
        return (alone - best.reindex(alone.index)).dropna()

    return read


def effect(name: str, part: LatentPart, perturbation: str) -> Reader:
    """An effect of a changed picture, as log-odds of the old answer that are lost.

    Args:
        name: `nie`, what latents of the changed picture do to the whole one, or `tie`, what keeping
            the undisturbed latents averts.
        part: whose latents.
        perturbation: what was changed.
    """

    def read(rows: pd.DataFrame) -> Readings:
        chosen = rows[
            (rows["measure"] == "effect")
            & (rows["perturbation"] == perturbation)
            & (rows["outcome"] == "log_odds")
            & (rows["mediator"] == "latents")
            & (rows["part"] == part)
        ]
        return by_example(chosen, -chosen[name])

    return read


def flipped(rows: pd.DataFrame) -> Readings:
    """Whether the answer becomes what a changed mark in a patch says, less than under the sham."""
    if rows.empty:  # the model re-inserts nothing
        return pd.Series(dtype=float)
    chosen = rows[(rows["part"] == "latent_vision") & (rows["step_set"] == "all")]
    real = chosen[(chosen["patches"] == "needed") & (chosen["sham"] == "")]
    sham = chosen[chosen["sham"] == "permuted"]
    flips = by_example(real, real["strict_flip"]) - by_example(sham, sham["strict_flip"])
    return flips.dropna()


def supplied(rows: pd.DataFrame) -> Readings:
    """Whether patches of the whole picture make an answer right that lacks the needed cell.

    Less whether it is right with the same slots empty, under whichever rule of positions is best.
    """
    masked = rows[(rows["evidence"] == "masked") & (rows["text_slots"] == "remade")]
    own = masked[masked["vision_slots"] == "own"]
    empty = masked[masked["vision_slots"] == "empty"]
    best = empty["correct"].astype(float).groupby(empty["example"], sort=False).max()
    return (by_example(own, own["correct"]) - best).dropna()


def follows(part: str) -> Reader:
    """Whether the answer is the donor's, all steps exchanged."""

    def read(rows: pd.DataFrame) -> Readings:
        chosen = rows[
            (rows["donor"] == "same_image") & (rows["part"] == part) & (rows["step_set"] == "all")
        ]
        return by_example(chosen, chosen["follows_donor"])

    return read


def restored(part: str) -> Reader:
    """Whether the last latent of the clean run turns the corrupt run's answer to the clean one."""

    def read(rows: pd.DataFrame) -> Readings:
        patched = rows[(rows["part"] == part) & (rows["control"] == "")]
        last = patched["step"] == patched["step"].max()
        chosen = patched[last.fillna(False) & (patched["component"] == "resid_pre")]
        return by_example(chosen, chosen["hit"] & ~chosen["hit_before"])

    return read


def hidden(rows: pd.DataFrame) -> Readings:
    """Points lost where the answer cannot attend to latents."""
    cut = (rows["query"] == "answer") & (rows["key"] == "latent")
    chosen = rows[cut & (rows["control"] == "")]
    return by_example(chosen, chosen["hit_before"].astype(float) - chosen["hit"].astype(float))


def attributed(rows: pd.DataFrame) -> Readings:
    """What attention to latent text adds to the answer's logit over the other options."""
    chosen = rows[
        (rows["measure"] == "attribution")
        & (rows["source"] == "latent_text")
        & (rows["target"] == "answer")
    ]
    return chosen.groupby("example", sort=False)["logit"].sum().astype(float)


def moved(part: str) -> Reader:
    """How far another picture moves a latent, in deviations of its slot, over all steps."""

    def read(rows: pd.DataFrame) -> Readings:
        chosen = rows[
            (rows["measure"] == "movement")
            & (rows["perturbation"] == "other_image")
            & (rows["part"] == part)
        ]
        return by_example(chosen, chosen["sd"]).dropna()

    return read


def probed(rows: pd.DataFrame) -> Readings:
    """Whether a probe names the step's object from the latent, less a probe of shuffled labels."""
    own = "object " + rows["step"].astype("string")
    chosen = rows[
        (rows["kind"] == "probe")
        & (rows["place"] == "latent_text")
        & (rows["step"] > 0)
        & (rows["target"] == own).fillna(False)
    ]
    return by_example(chosen, chosen["correct"].astype(float) - chosen["control"].astype(float))


def named(rows: pd.DataFrame) -> Readings:
    """Whether a latent reads as the step's object, less as another object of the picture."""
    fed = rows[(rows["measure"] == "as fed in") & (rows["step"] > 0)]
    own = fed[(fed["target"] == "hop " + fed["step"].astype("string")).fillna(False)]
    other = fed[fed["target"] == "other object"]
    first = by_example(own, own["rank"] == 1)
    return (first - by_example(other, other["rank"] == 1)).dropna()

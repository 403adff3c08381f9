"""From rows of a mediation study to the lines of its tables and figures.

Effects through one hop are lines of their own, and those of different kinds are never put together:
the first hop is read while the first latent is made, before any patch is re-inserted, and the last
one when all latents are there, so that it can go past them.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from latentlab.measures.clusters import labels_of
from latentlab.measures.summary import ALL
from latentlab.mediation.effects import ANSWERS, EFFECTS
from latentlab.mediation.lines import DISTANCES, LineExamples, effect_line, movement_line
from latentlab.vocabulary import DELETIONS

EFFECT, MOVEMENT = "effect", "movement"
"""Values of the column `measure`: input -> answer through latents or past them, input -> latent."""

FIRST, BETWEEN, LAST = "first", "between", "last"
"""Hops of a summary beside single ones, by their place in the question; an only hop is the last."""

_GROUP = [
    *("model", "data", "measure", "perturbation", "hop"),
    *("mediator", "part", "steps", "outcome"),
]


def summary_of(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """One line for each model, perturbation, hop, mediator, part, steps, outcome and domain.

    Args:
        rows: rows of `mediating.rows_of`.
        seed: seed of the bootstrap.

    Returns:
        Lines over all domains (`all`) and each of them, with `n` and, each with `_low` and `_high`:

        - where `measure` is `effect`: means of the effects, each with `_smallest`, the least one
          that so many examples would tell from 0 with 80 % power; `nie_share`, `tie_share` and
          `interaction_share`, their means over the mean TE, with paired bootstrap intervals;
          `share_note`, why shares are missing; and, of a deletion, its `reading`;
        - where it is `movement`: means of the distances.

        `hop` is text: a single hop, and for effects also `first`, `between` and `last`, by its
        place in the question. A question counts once, with its mean over hops of one place.
    """
    return pd.DataFrame(_lines(_with_hops(rows), seed))


def single_hops(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines of a summary that are of one hop or of none.

    Returns:
        The lines, with the `label` of each: its perturbation and, where there is one, its hop.
    """
    lines = lines[~lines["hop"].isin([FIRST, BETWEEN, LAST])]
    hops = lines["hop"].astype(object).fillna("").astype(str)
    return lines.assign(label=lines["perturbation"] + (" hop " + hops).where(hops != "", ""))


def _with_hops(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with `hop` as text, and effects of hops once more by their place in the question."""
    single = rows.assign(hop=rows["hop"].astype("string").fillna(""))
    placed = rows[(rows["measure"] == EFFECT) & rows["hop"].notna()]
    last = (placed["hop"] == placed["hops"]).to_numpy(bool)
    first = (placed["hop"] == 1).to_numpy(bool)
    placed = placed.assign(hop=np.select([last, first], [LAST, FIRST], BETWEEN))
    keys = [*_GROUP, "example", "domain"]
    named = placed.groupby(keys, sort=False, dropna=False)
    first_of = {"cluster": "first"} if "cluster" in placed else {}
    means = named.agg({**dict.fromkeys(EFFECTS, "mean"), **first_of}).reset_index()
    return pd.concat([single, means], ignore_index=True)


def _lines(rows: pd.DataFrame, seed: int) -> Iterator[dict[str, object]]:
    shared = "cluster" in rows
    needed = [*_GROUP, "domain", "cluster", *EFFECTS, *DISTANCES]
    narrow = rows[[name for name in needed if name in rows]]
    for keys, group in narrow.groupby(_GROUP, sort=False):
        head: dict[str, object] = dict(zip(_GROUP, keys, strict=True))
        effect = head["measure"] == EFFECT
        answers, deleted = head["outcome"] in ANSWERS, head["perturbation"] in DELETIONS
        values = group[list(EFFECTS if effect else DISTANCES)].to_numpy(float)
        labels = [labels_of(own) for own in group["cluster"]] if shared else [()] * len(group)
        of = group["domain"].astype(str).tolist()
        for domain in (ALL, *sorted(name for name in group["domain"].unique() if name)):
            where = [i for i, own in enumerate(of) if domain in (ALL, own)]
            who = LineExamples(tuple(labels[i] for i in where), tuple(of[i] for i in where))
            if effect:
                found = effect_line(values[where], answers, deleted, seed, who)
            else:
                found = movement_line(values[where], seed, who)
            yield {**head, "domain": domain, "n": len(where), **found}

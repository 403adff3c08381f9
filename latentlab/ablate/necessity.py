"""Which single answers hang on the latents: right with them, and wrong when they are emptied.

An accuracy that stays may hide as many questions lost as gained. Asked with its latents and with
their slots kept but emptied, each question falls into one of four cells: the comparison on which
arXiv 2605.18641 builds its latent-necessity reward (`latent_necessity.py` of its code). Markers and
positions are there both times. What differs is content, and that the slots now hold a vector that
the model may never have met there: in one training that alone cost a third of the answers, while
leaving the slots out cost none (docs/controls.md).
"""

import numpy as np
import pandas as pd

from latentlab.measures.outcomes import NONE
from latentlab.measures.statistics import accuracy_interval
from latentlab.measures.summary import ALL

NEEDED = "needed"
"""Right with the content, wrong without."""

HARMFUL = "harmful"
"""Wrong with the content, right without."""

RIGHT = "right either way"
"""Right with the content and without."""

WRONG = "wrong either way"
"""Wrong with the content and without."""

LABELS = (NEEDED, HARMFUL, RIGHT, WRONG)
"""Every label, in the order of the tables."""

TRAINED = "placeholder_trained"
"""Column that tells whether a model's training put the placeholder token into slots; missing where
nothing tells. Without that, a wrong answer may be due to the token and not to what is gone."""

_WHOLE = ("latent", "latent_text", "latent_vision", "rationale")
_PAIR = ["model", "data", "example"]


def with_necessity(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the column `necessity` to rows.

    Args:
        rows: rows with `model, data, example, intervention, correct` and the facts of their arms.

    Returns:
        The rows with a label (`LABELS`) where an arm empties slots and keeps them, which is what
        `placeholder PART` and `drop PART: slots kept, empty` do, and missing in all other rows.
    """
    emptied = _emptied(rows).to_numpy(bool)
    alone = rows.loc[rows["intervention"] == NONE, [*_PAIR, "correct"]].drop_duplicates(_PAIR)
    paired = rows[_PAIR].merge(alone, on=_PAIR, how="left")["correct"]
    known = emptied & paired.notna().to_numpy()
    before, after = paired.eq(True).to_numpy(bool), rows["correct"].to_numpy(bool)
    cells = [before & ~after, ~before & after, before & after, ~before & ~after]
    labels = pd.Series(np.select(cells, LABELS, ""), rows.index, dtype="string")
    return rows.assign(necessity=labels.where(pd.Series(known, rows.index)))


def with_training(rows: pd.DataFrame, met: bool | None) -> pd.DataFrame:
    """Add the column `placeholder_trained` to rows of one model, where `necessity` has a label.

    Args:
        rows: what `with_necessity` returns.
        met: whether the model's training put the placeholder token into slots, if that is known.
    """
    known = pd.Series(pd.NA if met is None else met, rows.index, dtype="boolean")
    return rows.assign(**{TRAINED: known.where(rows["necessity"].notna())})


def necessity(rows: pd.DataFrame, part: str | None = None) -> pd.DataFrame:
    """One row per model and example: does its answer need what the latents hold?

    Args:
        rows: rows of `ablate`, with the untouched arm and one that empties slots.
        part: what was emptied, as arms name it: "latent", "latent_text", "rationale", "latent at
            step 2", ... Without it, of each model the most that was emptied.

    Returns:
        The columns `model, data, example, domain, part, right_with, right_without, necessity` and
        `placeholder_trained`, in the order of the rows; empty where no arm empties that part.
    """
    labelled = with_necessity(rows)
    labelled = labelled[labelled["necessity"].notna()]
    at = labelled["steps"].where(~labelled["steps"].isin(("", "all")), "")
    labelled = labelled.assign(
        part=labelled["part"].where(at == "", labelled["part"] + " at step " + at)
    )
    if part is None:
        most = {
            model: min(parts.unique(), key=lambda name: _WHOLE.index(name) if name in _WHOLE else 9)
            for model, parts in labelled.groupby("model")["part"]
        }
        labelled = labelled[labelled["part"] == labelled["model"].map(most)]
    else:
        labelled = labelled[labelled["part"] == part]
    # Replacing a part and the control of leaving it out are the same thing done.
    labelled = labelled.drop_duplicates(_PAIR)
    labelled = labelled.assign(
        right_with=labelled["necessity"].isin([NEEDED, RIGHT]),
        right_without=labelled["necessity"].isin([HARMFUL, RIGHT]),
    )
    if TRAINED not in labelled:  # results of an earlier version
        labelled = labelled.assign(**{TRAINED: pd.Series(pd.NA, labelled.index, dtype="boolean")})
    names = [*_PAIR, "domain", "part", "right_with", "right_without", "necessity", TRAINED]
    return labelled[names].reset_index(drop=True)


def count_necessity(labels: pd.DataFrame) -> pd.DataFrame:
    """Count labels, over all examples and by domain.

    Args:
        labels: what `necessity` returns.

    Returns:
        One line per model, domain (`all` for the total) and label, with `n` examples, the `count`
        of those with that label and their `share`, with its Wilson interval (`share_low`,
        `share_high`), and `placeholder_trained`.
    """
    lines = []
    for (model, part), of_model in labels.groupby(["model", "part"], sort=False):
        trained = of_model[TRAINED].iloc[0]
        for domain, group in ((ALL, of_model), *of_model.groupby("domain")):
            for label in LABELS:
                hits = (group["necessity"] == label).to_numpy()
                share = accuracy_interval(hits)
                lines.append(
                    {
                        "model": model,
                        "part": part,
                        "domain": domain,
                        "necessity": label,
                        "n": share.n,
                        "count": int(hits.sum()),
                        **share.columns("share"),
                        TRAINED: trained,
                    }
                )
    return pd.DataFrame(lines).astype({TRAINED: "boolean"}) if lines else pd.DataFrame()


def _emptied(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Whether an arm empties slots while it keeps them."""
    replaced = (rows["action"] == "replace") & (rows["source"] == "placeholder")
    kept = (rows["action"] == "drop") & (rows["positions"] == "kept")
    return (replaced & (rows["control"] == "")) | kept

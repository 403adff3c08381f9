"""What an interchange does to answers: whose they follow, and how far they move.

Interchange-intervention accuracy is that of Geiger et al. (2021, arXiv 2106.02997): how often a
model that was given a donor's latents answers what the high-level model of the task would. Lift and
margin shift are those of the latent exchange in ReaLVR (Xiao et al. 2026), as are strict and false
flips on counterfactual pairs. All of them are taken against the same recipient, left alone.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from latentlab.interchange.lines import Columns, nothing_above
from latentlab.measures.outcomes import NONE
from latentlab.measures.summary import by_domain_and_pick

_EXCHANGE = ["model", "data", "donor", "hop", "context", "part", "steps", "step_set", "patches"]
_LINE = [*_EXCHANGE, "sham"]
_RECIPIENT = ["model", "data", "donor", "hop", "example"]


def with_interchange(rows: pd.DataFrame) -> pd.DataFrame:
    """Add to each row whose answer it gives, and what that is against the untouched one.

    Args:
        rows: rows with `model, data, donor, example, intervention, choice, choices, correct,
            option_logprobs, own_answer, donor_answer, expected_answer, donor_correct, flip, hop`.
            Each recipient has one row on which it was left alone under each donor rule (and hop
            whose mark is changed), since its options depend on the donor.

    Returns:
        The rows with

        - `follows_expected`: whether the answer is the expected one (`data.pairs.expected_answer`);
          missing where that is undefined, or the recipient's own answer;
        - `follows_donor`: whether it is the donor's answer; missing where both have the same;
        - `keeps_own`: whether it is the right answer to the recipient's own question;
        - `neither`: whether it is neither the donor's nor the recipient's own;
        - `solved`: whether the model, left alone, answers recipient and donor right;
        - `strict_flip`, `false_flip`: whether the answer flips and becomes the donor's, or flips
          and becomes another one; missing where `follows_donor` is;
        - `donor_lift`, `own_lift`: `follows_donor` and `keeps_own` less those of the untouched
          row, -1, 0 or 1;
        - `margin`: log p(donor's answer) - log p(own answer) in nats; missing where they are one;
        - `margin_shift`: `margin` less that of the untouched row.
    """
    own, theirs, expected = (rows[f"{whose}_answer"] for whose in ("own", "donor", "expected"))
    said = pd.Series(
        [
            None if pd.isna(choice) else options[int(choice)]
            for choice, options in zip(rows["choice"], rows["choices"], strict=True)
        ],
        rows.index,
        dtype="str",
    )
    keeps, follows = (said == own).astype("boolean"), (said == theirs).astype("boolean")
    differs = theirs != own
    rows = rows.assign(
        follows_expected=(said == expected)
        .astype("boolean")
        .where(expected.notna() & (expected != own)),
        follows_donor=follows.where(differs),
        keeps_own=keeps,
        neither=~keeps & ~follows,
        strict_flip=(rows["flip"] & follows).where(differs),
        false_flip=(rows["flip"] & ~follows).where(differs),
        margin=[
            scores[list(options).index(b)] - scores[list(options).index(a)] if a != b else np.nan
            for scores, options, a, b in zip(
                rows["option_logprobs"], rows["choices"], own, theirs, strict=True
            )
        ],
    )
    alone = rows.loc[
        rows["intervention"] == NONE,
        [*_RECIPIENT, "correct", "follows_donor", "keeps_own", "margin"],
    ]
    before = rows[_RECIPIENT].merge(alone, on=_RECIPIENT, how="left", validate="many_to_one")
    before.index = rows.index
    return rows.assign(
        solved=before["correct"].astype(bool) & rows["donor_correct"].astype(bool),
        donor_lift=_numbers(rows["follows_donor"]) - _numbers(before["follows_donor"]),
        own_lift=_numbers(rows["keeps_own"]) - _numbers(before["keeps_own"]),
        margin_shift=rows["margin"] - before["margin"],
    )


def summary_of(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """One line per model, exchange (donor rule, hop, part, steps, patches, sham) and group.

    Args:
        rows: what `with_interchange` returns, of any number of models.
        seed: seed of the bootstrap.

    Returns:
        In the order of the rows, `model, data, donor, hop, context, part, steps, step_set, patches,
        sham`, the group: `domain`, and `needed_cell` (`measures.outcomes.PICKED`: whether the cell
        that the hop needs is among the patches of the exchanged steps), each `all` unless the line
        is about one; the number of pairs `n`, and with their intervals (`_low`, `_high`)

        - `iia`: fraction of answers that are the expected ones, of the `n_iia` pairs where that is
          defined and not the recipient's own answer;
        - `iia_solved`: the same over the `n_solved` of these pairs whose two questions the model
          answers right when left alone;
        - `follows_shown`: fraction of answers that are the donor's, of the `n_shown` pairs whose
          recipient's picture shows that object at all;
        - `follows_donor`, `keeps_own`, `neither`, `flip`, `strict_flip`, `false_flip`: see
          `with_interchange` and `with_outcomes`;
        - `donor_correct`: how often donors answer their own question right, the ceiling of `iia`;
        - `donor_lift`, `own_lift` (fractions), `margin_shift`, `kl` (nats) and `change_norm`;
        - `strict_flip_above`, `keeps_own_above`: of a sham, how much more the real change does on
          the same questions (paired);
        - `own_lift_smallest`, `strict_flip_above_smallest`: see
          `measures.statistics.smallest_effect`.

        What no pair of a line defines is missing. Fractions have Wilson intervals, changes of them
        those of `measures.changes`, means bootstrap intervals over examples; all answer for scans
        and donors that pairs share (`cluster`).

    Raises:
        ValueError: there is no row with an interchange.
    """
    swapped = rows[rows["intervention"] != NONE]
    if swapped.empty:
        raise ValueError("there are no rows to summarise")
    return pd.DataFrame(list(_lines(swapped, seed))).astype({"hop": "Int64"})


def _lines(rows: pd.DataFrame, seed: int) -> Iterator[dict[str, object]]:
    """The lines, the total of each before its groups."""
    columns = Columns(rows, seed)
    # Frames are cut into thousands of pieces, each as wide as the frame.
    places = rows[[*_LINE, "domain", "needed_cell_picked"]].assign(place=np.arange(len(rows)))
    real = dict(iter(places[places["sham"] == ""].groupby(_EXCHANGE, dropna=False)["place"]))
    for values, group in places.groupby(_LINE, sort=False, dropna=False):
        head: dict[str, object] = dict(zip(_LINE, values, strict=True))
        treated = real.get(values[:-1]) if head["sham"] else None
        for domain, picked, chosen in by_domain_and_pick(group):
            where = chosen["place"].to_numpy()
            above = nothing_above() if treated is None else columns.above(treated.to_numpy(), where)
            yield {**head, "domain": domain, "needed_cell": picked, **columns.line(where), **above}


def _numbers(flags: pd.Series) -> pd.Series:
    """Zeros and ones, missing where a flag is."""
    return flags.astype("Float64").astype(float)

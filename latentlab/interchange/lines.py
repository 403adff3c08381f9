"""The numbers of one line of an interchange summary, taken from columns.

A summary has thousands of lines, each of some rows of one table. The table is turned into arrays
once; a line then is a list of places in them. What lines have in common (who shares a scan or a
donor, the same values under several exchanges) is looked up.
"""

from collections.abc import Callable, Hashable

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from latentlab.measures.changes import accuracy_difference, change_interval
from latentlab.measures.clusters import Stratified, labels_of
from latentlab.measures.statistics import (
    Interval,
    accuracy_interval,
    bootstrap_interval,
    columns_of,
    smallest_effect,
)

Values = Float[ndarray, " row"]
Places = Int[ndarray, " row"]

FRACTIONS = (
    "iia",
    "iia_solved",
    "follows_shown",
    "follows_donor",
    "keeps_own",
    "neither",
    "flip",
    "strict_flip",
    "false_flip",
    "donor_correct",
)
"""Columns of a summary that are fractions of questions."""

LIFTS = ("donor_lift", "own_lift")
"""Columns of a summary that are changes of such fractions."""

MEANS = ("margin_shift", "kl", "change_norm")
"""Columns of a summary that are means over questions."""

ABOVE = ("strict_flip", "keeps_own")
"""What a real change is compared by with its shams."""

_NUMBERS = ("solved", "donor_shown", "follows_expected", *FRACTIONS[3:], *LIFTS, *MEANS)


class Columns:
    """Rows of an interchange as arrays, and what is told of any of them."""

    def __init__(self, rows: pd.DataFrame, seed: int) -> None:
        """Take the columns that summaries are of.

        Args:
            rows: what `with_interchange` returns.
            seed: seed of the bootstrap.
        """
        self._seed = seed
        self._values = {
            name: rows[name].astype("Float64").to_numpy(float, na_value=np.nan) for name in _NUMBERS
        }
        self._examples = rows["example"].tolist()
        shared = rows["cluster"] if "cluster" in rows else [()] * len(rows)
        self._labels = [labels_of(own) for own in shared]
        self._domains = rows["domain"].astype(str).tolist()
        number: dict[Hashable, int] = {}
        pairs = zip(self._labels, self._domains, strict=True)
        self._alike = np.array([number.setdefault(pair, len(number)) for pair in pairs])
        self._clusters: dict[bytes, Stratified | None] = {}
        self._found: dict[Hashable, Interval] = {}

    def line(self, places: Places) -> dict[str, float]:
        """What a line about some rows says; missing where no row defines it."""
        of = {name: values[places] for name, values in self._values.items()}
        fractions = {
            "iia": of["follows_expected"],
            "iia_solved": np.where(of["solved"] == 1, of["follows_expected"], np.nan),
            "follows_shown": np.where(of["donor_shown"] == 1, of["follows_donor"], np.nan),
        }
        fractions |= {name: of[name] for name in FRACTIONS[3:]}
        known = {name: ~np.isnan(values) for name, values in fractions.items()}
        found: dict[str, float] = {
            "n": len(places),
            "n_iia": int(known["iia"].sum()),
            "n_solved": int(known["iia_solved"].sum()),
            "n_shown": int(known["follows_shown"].sum()),
        }
        for name, values in fractions.items():
            found |= columns_of(
                name, self._interval(accuracy_interval, values, known[name], places)
            )
        for names, interval in ((LIFTS, change_interval), (MEANS, self._mean)):
            for name in names:
                there = ~np.isnan(of[name])
                found |= columns_of(name, self._interval(interval, of[name], there, places))
        lost = smallest_effect(of["own_lift"], self._sharing(places))
        return found | {"own_lift_smallest": lost}

    def above(self, real: Places, sham: Places) -> dict[str, float]:
        """How much more a real change does than its sham, on the questions that have both."""
        at = {self._examples[place]: place for place in real.tolist()}
        pairs = [
            (at[name], place) for place in sham.tolist() if (name := self._examples[place]) in at
        ]
        more, less = np.array(pairs).T
        shared = self._sharing(less)
        found: dict[str, float] = {}
        for name in ABOVE:
            one, other = self._values[name][more], self._values[name][less]
            found |= columns_of(f"{name}_above", accuracy_difference(one, other, shared))
            found[f"{name}_above_smallest"] = smallest_effect(one - other, shared)
        return found

    def _interval(
        self,
        interval: Callable[..., Interval],
        values: Values,
        known: Bool[ndarray, " row"],
        places: Places,
    ) -> Interval | None:
        """The interval of what is known; None where nothing is."""
        if not known.any():
            return None
        values, places = values[known], places[known]
        key = interval.__name__, values.tobytes(), self._alike[places].tobytes()
        if key not in self._found:
            self._found[key] = interval(values, clusters=self._sharing(places))
        return self._found[key]

    def _mean(self, values: Values, clusters: Stratified | None) -> Interval:
        return bootstrap_interval(values, seed=self._seed, clusters=clusters)

    def _sharing(self, places: Places) -> Stratified | None:
        """What rows share with each other; None where nothing."""
        key = self._alike[places].tobytes()
        if key not in self._clusters:
            labels = [self._labels[place] for place in places.tolist()]
            strata = [self._domains[place] for place in places.tolist()]
            self._clusters[key] = Stratified(labels, strata) if any(labels) else None
        return self._clusters[key]


def nothing_above() -> dict[str, float]:
    """`Columns.above` of a line that is about no sham."""
    found: dict[str, float] = {}
    for name in ABOVE:
        found |= {**columns_of(f"{name}_above", None), f"{name}_above_smallest": np.nan}
    return found

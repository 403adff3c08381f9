"""Intervals and p-values of a table, from its rows by textbook formulas and by scipy."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

Z = 1.959963984540054
"""Quantile of the normal distribution at 97.5 %."""

RESAMPLES = 20_000
"""Of the bootstrap by hand."""


@pytest.fixture(scope="session")
def table(results_of):
    parts = ("latent_text", "latent_vision", "latent")
    return results_of("ablate", "ivtlr", "--drop", *parts, "--steps", "1")


def lines_of(summary):
    """Lines over all examples and over those of each domain."""
    whole = (summary["topic"] == "all") & (summary["hops"] == "all")
    return summary[whole & (summary["question_type"] == "all")]


def rows_for(rows, line, name):
    """The rows of an intervention that a line is about, in the order of the examples."""
    chosen = rows["intervention"] == name
    if line["domain"] != "all":
        chosen &= rows["domain"] == line["domain"]
    return rows[chosen]


def wilson(hits, n):
    """Wilson's score interval."""
    p = hits / n
    centre = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return centre - half, centre + half


def is_percentile_end(end, values, tail):
    """Whether an end is where a bootstrap of means has 2.5 % of its weight beyond.

    2000 resamples place it with a standard error of 0.35 % of the weight; 1.4 % are four of these.
    """
    rng = np.random.default_rng(1)
    means = values[rng.integers(len(values), size=(RESAMPLES, len(values)))].mean(1)
    slack = 1e-9 * (1 + np.abs(values).max())
    beyond, at_least = (
        ((means < end - slack).mean(), (means <= end + slack).mean())
        if tail == "low"
        else ((means > end + slack).mean(), (means >= end - slack).mean())
    )
    return beyond <= 0.039 and at_least >= 0.011


def test_accuracy_has_wilsons_interval(table):
    rows, summary = table
    for _, line in lines_of(summary).iterrows():
        own = rows_for(rows, line, line["intervention"])
        assert line["n"] == len(own)
        assert line["accuracy"] == pytest.approx(own["correct"].mean())
        ends = wilson(own["correct"].sum(), len(own))
        assert (line["accuracy_low"], line["accuracy_high"]) == pytest.approx(ends, abs=1e-9)


def test_differences_are_paired_and_bootstrapped_over_examples(table):
    rows, summary = table
    for _, line in lines_of(summary).iterrows():
        treated = rows_for(rows, line, line["intervention"])
        alone = rows_for(rows, line, "none")
        assert list(treated["example"]) == list(alone["example"])
        pairs = {
            "delta": treated["correct"].to_numpy(float) - alone["correct"].to_numpy(float),
            "log_odds_change": treated["gold_log_odds"].to_numpy()
            - alone["gold_log_odds"].to_numpy(),
        }
        for name, values in pairs.items():
            assert line[name] == pytest.approx(values.mean())
            assert is_percentile_end(line[f"{name}_low"], values, "low"), (name, line)
            assert is_percentile_end(line[f"{name}_high"], values, "high"), (name, line)


def test_p_values_are_exact_mcnemar_adjusted_by_holm_within_model_and_group(table):
    rows, summary = table
    for _, group in lines_of(summary).groupby("domain"):
        raw = {}
        for _, line in group.iterrows():
            name = line["intervention"]
            after = rows_for(rows, line, name)["correct"].to_numpy(bool)
            before = rows_for(rows, line, "none")["correct"].to_numpy(bool)
            lost, gained = int((before & ~after).sum()), int((after & ~before).sum())
            p = binomtest(lost, lost + gained).pvalue if lost + gained else 1.0
            assert line["p_mcnemar"] == pytest.approx(p)
            if name != "none":
                raw[name] = p
        # Holm, 1979: the i-th smallest of m is multiplied by m - i + 1, none falls below another.
        highest, adjusted = 0.0, {}
        for i, (name, p) in enumerate(sorted(raw.items(), key=lambda item: item[1])):
            highest = max(highest, min(1.0, (len(raw) - i) * p))
            adjusted[name] = highest
        for _, line in group.iterrows():
            if line["intervention"] != "none":
                assert line["p_holm"] == pytest.approx(adjusted[line["intervention"]])

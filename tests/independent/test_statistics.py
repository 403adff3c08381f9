"""Intervals and p-values of a table, from its rows by textbook formulas and by scipy."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import beta, binomtest

Z = 1.959963984540054
"""Quantile of the normal distribution at 97.5 %."""

Z_POWER = 0.8416212335729143
"""That at 80 %."""

DIGITS = "benchmark:domain=digits"
"""Questions about handwriting, of which several show the same scan: no independent draws."""

RESAMPLES = 20_000
"""Of the bootstrap by hand."""


@pytest.fixture(scope="session")
def tables(results_of):
    """Rows and summaries on all questions, and on those that share scans."""
    parts = ("latent_text", "latent_vision", "latent")
    flags = ("--drop", *parts, "--replace", "zero", "--part", "latent_vision")
    return [results_of("ablate", "ivtlr", *flags, data=data) for data in ("benchmark", DIGITS)]


def each(tables):
    """Every line of every table, with the rows it was made of."""
    return [(rows, line) for rows, found in tables for _, line in lines_of(found).iterrows()]


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


def design_effect(values, labels):
    """How many times the variance of a mean exceeds that of independent examples.

    Kish (1965); the variance sums over pairs that share a label (Fafchamps and Gubert, 2007). Both
    variances are divided by their expectation where examples are in fact independent.
    """
    n, deviations = len(values), values - values.mean()
    shared = np.array(
        [[i == j or bool({*a} & {*b}) for j, b in enumerate(labels)] for i, a in enumerate(labels)]
    )
    if not deviations.any():
        return 1.0
    if shared.all():
        return float(n)
    clustered = sum(deviations[i] * deviations[j] for i, j in np.argwhere(shared))
    alone = (deviations**2).sum() / (1 - 1 / n)
    return float(min(max(clustered / (1 - shared.mean()) / alone, 1), n))


def wilson(p, n):
    """Wilson's score interval."""
    centre = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return centre - half, centre + half


def ends_of_bootstrap(values, effect):
    """Where 1.1 % and 3.9 % of resampled means lie beyond, at the lower and at the upper end.

    An end read off 2000 resamples has 2.5 % beyond it, with a standard error of 0.35 %; these are
    four of them away. Clusters widen by the root of their effect, within the values.
    """
    rng = np.random.default_rng(1)
    means = values[rng.integers(len(values), size=(RESAMPLES, len(values)))].mean(1)
    levels = np.quantile(means, [0.011, 0.039, 0.961, 0.989])
    mean = values.mean()
    return np.clip(mean + (levels - mean) * effect**0.5, values.min(), values.max())


def test_accuracy_has_wilsons_interval_of_as_many_independent_examples(tables):
    for rows, line in each(tables):
        own = rows_for(rows, line, line["intervention"])
        correct = own["correct"].to_numpy(float)
        assert line["n"] == len(own)
        assert line["accuracy"] == pytest.approx(correct.mean())
        ends = wilson(correct.mean(), len(own) / design_effect(correct, own["cluster"]))
        assert (line["accuracy_low"], line["accuracy_high"]) == pytest.approx(ends, abs=1e-9)


def score_of(difference, gained, lost, n):
    """The score statistic of a paired difference, its nuisance found by trying likelihoods.

    Given the difference d, losses have a rate q and gains q + d; what is left is neither.
    """
    least, most = max(0.0, -difference), (1 - difference) / 2

    def unlikely(q):
        parts = ((gained, q + difference), (lost, q), (n - gained - lost, 1 - 2 * q - difference))
        return -sum(count * math.log(max(rate, 1e-300)) for count, rate in parts if count > 0)

    q = minimize_scalar(
        unlikely, bounds=(least, most), method="bounded", options={"xatol": 1e-12}
    ).x
    spread = math.sqrt(n * max(2 * q + difference - difference**2, 0.0))
    return (gained - lost - n * difference) / spread if spread else math.inf


def exact(gained, lost):
    """McNemar's exact p-value of counts that need not be whole (Abramowitz and Stegun, 26.5.24)."""
    few, many = sorted((gained, lost))
    return min(1.0, 2 * beta.sf(0.5, few + 1, many)) if many else 1.0


def test_changes_of_accuracy_have_score_intervals_of_as_many_independent_examples(tables):
    inside = 0
    for rows, line in each(tables):
        if line["intervention"] == "none":
            assert line["delta_low"] == line["delta_high"] == 0
            continue
        after = rows_for(rows, line, line["intervention"])["correct"].to_numpy(float)
        alone = rows_for(rows, line, "none")
        changes = after - alone["correct"].to_numpy(float)
        effect = design_effect(changes, alone["cluster"])
        gained, lost = ((changes == sign).sum() / effect for sign in (1, -1))
        n = len(changes) / effect
        for end, sign in (("low", 1), ("high", -1)):
            found = line[f"delta_{end}"]
            if found == 0 and exact(gained, lost) > 0.05:
                continue  # extended to 0, where the test does not exclude it
            if abs(found) < 1:
                inside += 1
                assert score_of(found, gained, lost, n) == pytest.approx(sign * Z, abs=2e-3), line
    assert inside > 20


def test_differences_are_paired_and_bootstrapped_over_examples(tables):
    effects = set()
    for rows, line in each(tables):
        treated = rows_for(rows, line, line["intervention"])
        alone = rows_for(rows, line, "none")
        assert list(treated["example"]) == list(alone["example"])
        pairs = {
            "delta": treated["correct"].to_numpy(float) - alone["correct"].to_numpy(float),
            "log_odds_change": (
                treated["gold_log_odds"] - alone["gold_log_odds"].to_numpy()
            ).to_numpy(),
        }
        for name, values in pairs.items():
            effect = design_effect(values, alone["cluster"])
            effects.add(effect)
            lowest, low, high, highest = ends_of_bootstrap(values, effect)
            slack = 1e-9 * (1 + np.abs(values).max())
            assert line[name] == pytest.approx(values.mean())
            if name != "delta":  # which has another interval
                assert lowest - slack <= line[f"{name}_low"] <= low + slack, (name, line)
                assert high - slack <= line[f"{name}_high"] <= highest + slack, (name, line)
            error = values.std(ddof=1) * (effect / len(values)) ** 0.5
            found = (Z + Z_POWER) * error
            if name == "delta":
                few = len(values) / effect
                found = max(found, (Z + Z_POWER) ** 2 / (few + (Z + Z_POWER) ** 2))
            if found:
                assert line[f"{name}_smallest"] == pytest.approx(found)
    assert max(effects) > 1.2, (
        "no questions of this sample share a scan, so clusters were not tested"
    )


def test_p_values_are_exact_mcnemar_adjusted_by_holm_within_model_and_group(tables):
    """Shams are in no family; of clusters as many count as tell as much if independent."""
    groups = [(rows, of) for rows, found in tables for _, of in lines_of(found).groupby("domain")]
    stepped = 0
    for rows, group in groups:
        raw = {}
        for _, line in group.iterrows():
            name = line["intervention"]
            after = rows_for(rows, line, name)["correct"].to_numpy(bool)
            before = rows_for(rows, line, "none")["correct"].to_numpy(bool)
            lost, gained = int((before & ~after).sum()), int((after & ~before).sum())
            labels = rows_for(rows, line, "none")["cluster"]
            effect = design_effect(after.astype(float) - before, labels)
            if effect == 1:
                p = binomtest(lost, lost + gained).pvalue if lost + gained else 1.0
            else:
                p = exact(gained / effect, lost / effect)
            assert line["p_mcnemar"] == pytest.approx(p)
            if name != "none" and not name.startswith("sham"):
                raw[name] = p
        # Holm, 1979: the i-th smallest of m is multiplied by m - i + 1, none falls below another.
        highest, adjusted = 0.0, {}
        for i, (name, p) in enumerate(sorted(raw.items(), key=lambda item: item[1])):
            highest = max(highest, min(1.0, (len(raw) - i) * p))
            adjusted[name] = highest
            stepped += highest < min(1.0, len(raw) * p)
        for _, line in group.iterrows():
            name = line["intervention"]
            assert line["family"] == (len(raw) if name in raw else 0)
            if name in raw:
                assert line["p_holm"] == pytest.approx(adjusted[name])
            elif name != "none":
                assert line["p_holm"] == line["p_mcnemar"]
    assert stepped, "Bonferroni would have said the same"

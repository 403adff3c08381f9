"""Simulates how often intervals hold the truth, and writes the table into docs/statistics.md.

    python tools/coverage.py

Each line is 2,000 samples from a fixed seed: fractions and paired changes of answers, independent
or in groups that share something, by the score intervals and by the percentile bootstrap.
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "statistics.md"
START, END = "<!-- coverage -->\n", "<!-- end of coverage -->\n"

SAMPLES = 2000
CASES = [
    # lost, gained: a fraction is a change that goes one way only
    *[("fraction", 0.0, p) for p in (0.002, 0.02, 0.5, 0.98)],
    *[("change", lost, gained) for lost, gained in ((0.002, 0), (0.01, 0.01), (0.02, 0))],
    *[("change", lost, gained) for lost, gained in ((0.3, 0.1), (0.5, 0.5), (0.98, 0))],
]


def covered(kind: str, lost: float, gained: float, n: int, size: int) -> tuple[float, float]:
    """Shares of samples whose interval holds the truth: score, percentile bootstrap."""
    sys.path.insert(0, str(ROOT))
    from latentlab.measures.changes import change_interval
    from latentlab.measures.statistics import accuracy_interval, bootstrap_interval
    from tests.measures.simulated import simulated

    rng, truth = np.random.default_rng(n + size), gained - lost
    counted = change_interval if kind == "change" else accuracy_interval
    held = []
    for k in range(SAMPLES):
        sample, labels = simulated(rng, lost, gained, n, size)
        clusters = None if size == 1 else labels
        found = counted(sample, clusters), bootstrap_interval(sample, 1000, k, clusters)
        held.append([one.low <= truth <= one.high for one in found])
    score, bootstrap = np.mean(held, axis=0)
    return float(score), float(bootstrap)


def table() -> str:
    """The table in Markdown."""
    lines = [["truth", "n", "groups of", "score %", "percentile bootstrap %"], ["---"] * 5]
    for kind, lost, gained in CASES:
        told = f"{100 * gained:g} % right" if kind == "fraction" else _told(lost, gained)
        for n, size in ((100, 1), (500, 1), (500, 4)):
            shares = covered(kind, lost, gained, n, size)
            shown = [f"{100 * share:.1f}" for share in shares]
            lines.append([told, str(n), str(size), *shown])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _told(lost: float, gained: float) -> str:
    """Shares of answers that are lost and gained."""
    return f"{100 * lost:g} % lost, {100 * gained:g} % gained"


def main() -> int:
    """Write the table between its marks."""
    before, start, rest = PAGE.read_text(encoding="utf-8").partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise SystemExit(f"{PAGE} has no place for the table")
    PAGE.write_text(before + start + table() + end + after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

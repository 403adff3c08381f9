"""Sides that take turns, their processor time, and ratios with their range.

A machine that slows down slows all sides of a turn alike, and processor time does not count what
other programs do. So the ratio is taken turn by turn; what is told is its median and its range.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

Key, Found = TypeVar("Key"), TypeVar("Found")


def turns(
    runs: Mapping[Key, Callable[[], Found]], repeats: int
) -> Iterator[tuple[int, Key, Found]]:
    """Run all sides so many times in turns: the turn, the side, and what it returned."""
    for repeat in range(repeats):
        for key, run in runs.items():
            yield repeat, key, run()


def seconds(run: Callable[[], object]) -> float:
    """Processor time of a run, that of all threads together."""
    started = time.process_time()
    run()
    return time.process_time() - started


def spread(name: str, values: Iterable[float]) -> dict[str, Any]:
    """Median and range of what was measured each turn, as three columns of a summary."""
    each = np.asarray(list(values), dtype=float)
    return {
        name: float(np.median(each)),
        f"{name}_low": float(each.min()),
        f"{name}_high": float(each.max()),
    }

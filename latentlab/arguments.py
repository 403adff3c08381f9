"""What no flag of any command can mean: itself once more, or a number without end or too large."""

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from latentlab.errors import UserError

LARGEST = 2**63 - 1
"""What generators of random numbers, and whatever counts, can take."""


def refuse_repeated(arguments: Sequence[str]) -> None:
    """Refuse a flag that is given twice, of which the last would silently count.

    Raises:
        UserError: There is one.
    """
    flags = [one.partition("=")[0].replace("_", "-") for one in arguments if one.startswith("--")]
    flags = ["--" + one[2:].removeprefix("no-") for one in flags]
    for flag, times in Counter(flags).items():
        if times > 1:
            raise UserError(f"{flag} is given {times} times; give it once, with all its values")


def refuse_unreasonable(config: Any) -> None:
    """Refuse numbers that are none, or larger than anything counts.

    Raises:
        UserError: There is one.
    """
    for field in dataclasses.fields(config):
        flag = f"--{field.name.replace('_', '-')}"
        for number in _numbers(getattr(config, field.name)):
            if isinstance(number, float) and not math.isfinite(number):
                raise UserError(f"{flag} {number} is no number that could be meant")
            if abs(number) > LARGEST:
                raise UserError(f"{flag} is too large: it is at most {LARGEST}")


def _numbers(value: Any) -> Iterator[int | float]:
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _numbers(one)

"""The examples that a command is asked for, and word of those that it leaves out."""

from collections.abc import Mapping, Sequence
from typing import Any

from latentlab.command import CommonConfig
from latentlab.console import warn
from latentlab.data import Examples, load_data

SHOWN = 3
"""Reasons that are told in full."""

STRICT = " (--strict stops at the first)"
"""What commands can be told to do instead."""


def load_for(config: CommonConfig, split: str = "", limit: int | None = None) -> Examples:
    """The examples that the flags of a command name.

    Args:
        config: The flags.
        split: Another split than theirs.
        limit: Take the first so many examples, or all.

    Raises:
        UserError: There is no such data, or `--strict`, and an example cannot be used.
    """
    return load_data(
        config.data, split or config.split, config.seed, limit, config.columns, config.strict
    )


def load_recorded(settings: Mapping[str, Any], limit: int | None = None) -> Examples:
    """The examples that a run was asked, by the settings in its record.

    Raises:
        UserError: The data is not there any more.
    """
    split, columns = settings.get("split", "test"), settings.get("columns", ())
    return load_data(settings["data"], split, settings["seed"], limit, columns, strict=False)


def tell_left_out(data: str, reasons: Sequence[str], hint: str = STRICT) -> None:
    """Say how many examples of some data are left out, and why the first of them are.

    Args:
        data: What the flags call the data.
        reasons: One line for each.
        hint: What to do about it, where there is something.
    """
    if not reasons:
        return
    one = len(reasons) == 1
    more = f" ... and {len(reasons) - SHOWN} more" if len(reasons) > SHOWN else ""
    warn(
        f"{data}: {len(reasons)} example{'' if one else 's'} cannot be used and "
        f"{'is' if one else 'are'} left out: {'; '.join(reasons[:SHOWN])}{more}{hint}"
    )

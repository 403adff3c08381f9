"""One line for whatever libraries raise over a broken file."""

from collections.abc import Iterator
from contextlib import contextmanager

from latentlab.checkpoint import quiet
from latentlab.errors import UserError


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Say in one line that something cannot be used, and why; keep the library quiet.

    Raises:
        UserError: anything was raised.
    """
    try:
        with quiet():
            yield
    except UserError:
        raise
    except Exception as error:  # libraries raise undocumented types, each its own
        raise UserError(f"{what} cannot be used: {error or type(error).__name__}") from None

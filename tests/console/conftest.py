"""A screen of any width, in memory."""

import io

import pytest
from rich.console import Console

from latentlab.console import streams


@pytest.fixture
def screen(monkeypatch):
    """Make results or remarks go to a terminal of some width; what it shows is its file's value."""

    def of(width, name="results", encoding="utf-8", terminal=True):
        file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
        console = Console(
            file=file, width=width, force_terminal=terminal, highlight=False, color_system=None
        )
        monkeypatch.setattr(streams, name, console)

        def shown():
            file.flush()
            return file.buffer.getvalue().decode(encoding)

        return shown

    return of

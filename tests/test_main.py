import sys

import pytest

from latentlab import __main__ as frame
from latentlab import __version__

QUICK = '''"""Answers quickly.

And at length.
"""

import torch_is_not_imported_to_list_this  # noqa

'''


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Two commands of which one exists; it would fail if it were imported."""
    (tmp_path / "quick.py").write_text(QUICK)
    monkeypatch.setattr(sys.modules["latentlab"], "__path__", [str(tmp_path)])
    monkeypatch.setattr(frame, "COMMANDS", ("quick", "planned"))
    return tmp_path


def test_list_names_what_exists_without_importing_it(commands, capsys):
    assert frame.main([]) == 0
    shown = capsys.readouterr().out
    assert "quick  Answers quickly." in shown
    assert "at length" not in shown
    assert "planned" not in shown
    assert __version__ in shown


def test_misspelt_command_is_one_line(commands, capsys):
    assert frame.main(["quik"]) == 2
    assert capsys.readouterr().err == "error: there is no command 'quik': did you mean 'quick'?\n"


def test_command_is_run_with_the_arguments_after_its_name(commands, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["latentlab"])
    (commands / "quick.py").write_text('"""Echoes."""\nimport sys\nprint(__name__, sys.argv[1:])\n')
    assert frame.main(["quick", "--limit", "3"]) == 0
    assert capsys.readouterr().out == "__main__ ['--limit', '3']\n"


def test_version(capsys):
    assert frame.main(["--version"]) == 0
    assert capsys.readouterr().out == f"latentlab {__version__}\n"


def test_every_command_that_exists_has_a_summary():
    assert all(summary.endswith((".", "?")) for summary in frame.summaries().values())

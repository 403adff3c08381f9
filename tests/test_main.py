import sys

import pytest

import latentlab
from latentlab import __main__ as frame
from latentlab import __version__, commands

FLAGS = '''"""Answers quickly.

And at length.
"""

import torch_is_not_imported_to_list_this  # noqa

'''
WORKING = '''"""Echoes."""

from dataclasses import dataclass

from latentlab.command import CommonConfig


@dataclass(frozen=True, kw_only=True)
class QuickConfig(CommonConfig):
    """Flags."""
'''
WORK = """def main(config):
    print(config.limit)
    return 7
"""


@pytest.fixture
def quick(tmp_path, monkeypatch):
    """The folder of the only command that is registered; it would fail if it were imported."""
    registry = {"quick": commands.Command("quick", "QuickConfig", "run")}
    monkeypatch.setattr(commands, "COMMANDS", registry)
    monkeypatch.setattr(frame, "COMMANDS", registry)
    monkeypatch.setattr(frame, "__file__", str(tmp_path / "__main__.py"))
    monkeypatch.setattr(latentlab, "__path__", [str(tmp_path)])
    folder = tmp_path / "quick"
    folder.mkdir()
    (folder / "config.py").write_text(FLAGS)
    yield folder
    for name in [name for name in sys.modules if name.startswith("latentlab.quick")]:
        del sys.modules[name]


def test_list_names_commands_without_importing_them(quick, capsys):
    assert frame.main([]) == 0
    shown = capsys.readouterr().out
    assert "quick  Answers quickly." in shown
    assert "at length" not in shown
    assert __version__ in shown


def test_misspelt_command_is_one_line(quick, capsys):
    assert frame.main(["quik"]) == 2
    assert capsys.readouterr().err == "error: there is no command 'quik': did you mean 'quick'?\n"


def test_command_is_run_with_the_arguments_after_its_name(quick, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["latentlab"])
    (quick / "config.py").write_text(WORKING)
    (quick / "run.py").write_text(WORK)
    assert frame.main(["quick", "--limit", "3"]) == 7
    assert capsys.readouterr().out == "3\n"


def test_version(capsys):
    assert frame.main(["--version"]) == 0
    assert capsys.readouterr().out == f"latentlab {__version__}\n"


def test_every_command_has_a_summary():
    found = frame.summaries()
    assert list(found) == list(commands.COMMANDS)
    assert all(summary.endswith((".", "?")) for summary in found.values())

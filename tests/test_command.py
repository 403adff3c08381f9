import os
import subprocess
import sys
from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path

import pytest

import latentlab
from latentlab.command import CommonConfig, run
from latentlab.commands import start
from latentlab.console.streams import is_wide
from latentlab.errors import UserError
from latentlab.processes.devices import find_device

SOURCE = Path(latentlab.__file__).parent.parent

SCRIPT = '''"""Drops things.

A longer explanation.
"""

import sys
from dataclasses import dataclass

from latentlab.command import CommonConfig, run
from latentlab.errors import UserError


@dataclass(frozen=True, kw_only=True)
class DropConfig(CommonConfig):
    """What to drop."""

    drop: tuple[str, ...] = ()
    """Parts to leave out."""


def main(config: DropConfig) -> None:
    if "bug" in config.drop:
        raise RuntimeError("a bug")
    raise UserError("--drop names no part of a latent step: " + "very " * 50 + "sorry")


if __name__ == "__main__":
    try:
        sys.exit(run(DropConfig, main, "drop"))
    finally:
        heavy = {"torch", "transformers", "pandas", "scipy"} & set(sys.modules)
        assert not heavy, heavy
'''


@dataclass(frozen=True, kw_only=True)
class DropConfig(CommonConfig):
    """What to drop."""

    drop: tuple[str, ...] = ()
    """Parts to leave out."""


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "drop.py"
    path.write_text(SCRIPT)
    return path


def test_flags_become_the_configuration():
    seen = []
    flags = ["--drop", "latent_text", "latent_vision", "--model", "relay", "gaze"]
    code = run(DropConfig, seen.append, "drop", [*flags, "--batch-size", "8", "--out", "here"])
    assert code == 0
    expected = DropConfig(
        model=("relay", "gaze"),
        drop=("latent_text", "latent_vision"),
        batch_size=8,
        out=Path("here"),
    )
    assert seen == [expected]


def test_results_go_to_the_folder_of_the_command_unless_told():
    assert CommonConfig().folder("ablate") == Path("results/ablate")
    assert CommonConfig(out=Path("mine")).folder("ablate") == Path("mine")


def test_configuration_is_frozen():
    with pytest.raises(FrozenInstanceError):
        CommonConfig().limit = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--model"], "--model"),
        (["--model", "gaze", "gaze"], "--model"),
        (["--limit", "0"], "--limit"),
        (["--limit", "-5"], "--limit"),
        (["--batch-size", "0"], "--batch-size"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_settings_that_cannot_be_meant_are_one_line(flags, named, capsys):
    assert run(CommonConfig, lambda config: None, "drop", flags) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith(f"error: {named}")
    assert streams.err.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--limt", "3"], "--limt is no flag: did you mean --limit? See "),
        (["--limt=3"], "--limt is no flag: did you mean --limit? See "),
        (["--nothing-like-it"], "--nothing-like-it is no flag; see "),
        (["--limit", "many"], "--limit: 'many' is no whole number; see "),
        (["--limit"], "--limit needs a value; see "),
        (["stray"], "stray belongs to no flag; see "),
        (["--dtype", "float23"], "--dtype float23: did you mean float32? See "),
        (["--dtype", "x"], "--dtype x: it is one of float32, bfloat16, float16; see "),
    ],
)
def test_flags_that_make_no_sense_are_answered_in_one_line(flags, told, capsys):
    assert run(CommonConfig, lambda config: pytest.fail("must not run"), "drop", flags) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err == f"error: {told}python -m latentlab.drop --help\n"


def test_a_misspelt_flag_is_named_also_where_a_value_without_flag_is_missing(capsys):
    assert start("convert", ["--ot", "3"]) == 2
    assert capsys.readouterr().err.startswith("error: --ot is no flag: did you mean --out? See ")


def test_what_must_be_given_is_named(capsys):
    @dataclass(frozen=True, kw_only=True)
    class Required:
        """Needs something."""

        target: Path
        """Where to."""

    assert run(Required, lambda config: pytest.fail("must not run"), "drop", []) == 2
    assert capsys.readouterr().err.startswith("error: --target must be given; see ")


def test_wide_is_told_to_the_screen_before_the_command_starts():
    seen = []
    run(CommonConfig, lambda config: seen.append(is_wide()), "drop", ["--wide"])
    run(CommonConfig, lambda config: seen.append(is_wide()), "drop", [])
    assert seen == [True, False]


def test_interrupt_has_the_code_that_shells_expect(capsys):
    def main(config: CommonConfig) -> None:
        raise KeyboardInterrupt

    assert run(CommonConfig, main, "drop", []) == 130
    assert capsys.readouterr().err == "error: interrupted\n"


def test_user_error_is_one_line_without_traceback(script):
    done = python(str(script), "--drop", "everything", cwd=script.parent)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: --drop names no part of a latent step: very")
    assert done.stderr.endswith("sorry\n")
    assert done.stderr.count("\n") == 1


def test_bug_keeps_its_traceback(script):
    done = python(str(script), "--drop", "bug", cwd=script.parent)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_help_tells_what_the_docstrings_tell_and_imports_nothing_heavy(script):
    done = python(str(script), "--help", cwd=script.parent)
    assert done.returncode == 0, done.stderr
    for text in ("Drops things.", "A longer explanation.", "Parts to leave out.", "--batch-size"):
        assert text in done.stdout


def test_device_is_checked_before_it_is_used():
    assert find_device("cpu").type == "cpu"
    assert find_device("auto").type in ("cpu", "cuda")
    for name in ("gpu", "cuda:99"):
        with pytest.raises(UserError, match=f"--device {name}"):
            find_device(name)

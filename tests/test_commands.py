"""Every command that is registered: its help is quick and complete, and its parts are there."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

import latentlab
from latentlab.command import CommonConfig
from latentlab.commands import COMMANDS
from latentlab.study.instrument import instrument, instruments

SOURCE = Path(latentlab.__file__).parent.parent
HELP = """
import sys, runpy
sys.argv = ["latentlab", "--help"]
try:
    runpy.run_module("latentlab.{name}", run_name="__main__")
finally:
    heavy = {{"torch", "transformers", "pandas", "scipy"}} & set(sys.modules)
    assert not heavy, heavy
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_help_loads_nothing_heavy_and_tells_of_every_flag(name):
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "COLUMNS": "200"}
    script = HELP.format(name=name)
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for field in dataclasses.fields(COMMANDS[name].config):
        if "Positional" not in str(field.type):
            flag = field.name.replace("_", "-")
            assert f"--{flag}" in done.stdout or f"--no-{flag}" in done.stdout
    assert f"python -m latentlab.{name}" in done.stdout


@pytest.mark.parametrize("name", instruments())
def test_an_instrument_is_called_as_its_command_and_shares_the_flags(name):
    found = instrument(name)
    assert found.name == name
    assert issubclass(COMMANDS[name].config, CommonConfig)
    assert found.question.endswith("?")


def test_what_is_no_instrument_is_not_taken_for_one():
    with pytest.raises(KeyError):
        instrument("export")

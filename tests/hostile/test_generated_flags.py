"""Hundreds of generated flags, plans and trainings to every command: success or one line.

Each starts from what is right and has something altered (`inputs`); hypothesis draws them, always
the same ones. What is demanded of each outcome is in `attempts`; files are tried in another test
file, and together they try more than a thousand inputs.
"""

import json
from itertools import chain
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from latentlab.calibrate import run as calibration
from latentlab.calibrate import runs
from latentlab.commands import COMMANDS
from tests.hostile import inputs
from tests.hostile.attempts import check_tried
from tests.hostile.good import TRAINING, cases

LEAST = {"flags": 250, "combinations": 25, "plans": 90, "specs": 60, "trainings": 60}
"""Cases of each kind that the tests of this file try, at least."""

LONG = ("mediation", "interchange", "probe", "patch", "calibrate", "trace", "ablate")
"""Commands that take long even where they are asked for little."""

CPU = ("--device", "cpu")

ran: set[str] = set()
"""Which tests of this file ran in this process."""


@pytest.fixture(autouse=True)
def counted(request):
    """Remember that a test ran."""
    ran.add(request.node.nodeid)


def nothing(_: Path) -> None:
    """Put nothing there."""


def test_what_is_altered_is_right(attempt):
    training = yaml.safe_dump(TRAINING, sort_keys=False)

    def prepare(here: Path) -> None:
        (here / "t.yaml").write_text(training)

    assert not attempt("trainings", prepare, "train", "t.yaml", "--limit", "4", *CPU)
    assert not attempt("flags", nothing, "evaluate", "--limit", "1", *CPU)


@pytest.mark.parametrize("command", COMMANDS)
def test_flags(attempt, command):
    # What is nowhere, so that nothing trains or computes for long where flags happen to be fine.
    always = dict.fromkeys(LONG, ("--model", "nobody")) | {
        "organisms": ("nobody",),
        "check": ("--only", "nothing"),
        "train": ("x.yaml",),
    }
    known = COMMANDS[command].config.__dataclass_fields__

    @cases(14)
    @given(inputs.flags(command))
    def every(given_flags):
        more = (always.get(command, ()), ("--limit", "2"), CPU)
        more = [one for one in more if one and one[0] not in given_flags]
        more = [one for one in more if one[0][:2] != "--" or one[0][2:] in known]
        attempt("flags", nothing, command, *given_flags, *chain(*more))

    every()


@pytest.mark.parametrize("command", LONG)
def test_combinations_of_flags(attempt, command, monkeypatch):
    monkeypatch.setattr(calibration, "ORGANISMS", ("relay",))
    monkeypatch.setattr(runs, "PROBED", 8)
    monkeypatch.setattr(runs, "REFERENCE", 4)
    limit = "20" if command == "probe" else "2"

    @cases(2 if command == "calibrate" else 4)
    @given(inputs.likely(command), st.sampled_from(("relay", "gaze", "ivtlr", "filler", "cot")))
    def every(given_flags, model):
        asked = ("--model", model, "--limit", limit, *CPU)
        attempt("combinations", nothing, command, *given_flags, *asked)

    every()


def test_plan_files(attempt, good):
    plan = json.loads((good / "model" / "latentlab.json").read_text())["plan"]

    @cases(45)
    @given(inputs.json_file(plan))
    def every(content):
        flags = ("--plan", "p.json", "--limit", "1", *CPU)
        attempt("plans", lambda here: (here / "p.json").write_bytes(content), "evaluate", *flags)

    every()


def test_plans_as_text(attempt):
    names = st.sampled_from(("steps", "k", "text", "select", "reuse", "stride", "select_layers"))
    pairs = st.lists(st.tuples(names, inputs.WORDS), min_size=1, max_size=3)

    @cases(45)
    @given(pairs)
    def every(given_pairs):
        plan = ",".join(f"{name}={value}" for name, value in given_pairs)
        attempt("plans", nothing, "evaluate", "--plan", plan, "--limit", "1", *CPU)

    every()


def test_benchmarks(attempt):
    @cases(60)
    @given(inputs.benchmark())
    def every(spec):
        attempt("specs", nothing, "evaluate", "--data", spec, "--limit", "1", *CPU)

    every()


def test_trainings(attempt):
    @cases(60)
    @given(inputs.yaml_file(TRAINING))
    def every(content):
        def prepare(here: Path) -> None:
            (here / "t.yaml").write_bytes(content)

        attempt("trainings", prepare, "train", "t.yaml", "--limit", "4", *CPU)

    every()


def test_absurd_counts_of_processes_start_none(attempt):
    for count in ("100000", str(2**63 - 1), str(2**64)):
        line = attempt("flags", nothing, "evaluate", "--processes", count, "--limit", "1")
        assert "--processes" in line and "large" in line


def test_enough_was_tried(request):
    """Where all tests of this file ran in this process, they tried what they promise."""
    check_tried(request, ran, LEAST)

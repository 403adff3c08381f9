"""More than a thousand generated inputs to every command and every file: success or one line.

Each starts from what is right and has something altered (`inputs`); hypothesis draws them, always
the same ones. What is demanded of each outcome is in `attempts`.
"""

import contextlib
import json
import shutil
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from latentlab import checkpoint
from latentlab.commands import COMMANDS, start
from latentlab.figures import run as figures
from tests.hostile import inputs
from tests.hostile.attempts import check_left, check_told, limited

LEAST = 1000
"""Cases that all tests of this file try together, at least."""

tried: Counter[str] = Counter()
"""How many cases of each kind were tried."""

ran: set[str] = set()
"""Which tests of this file ran in this process."""


@pytest.fixture(autouse=True)
def counted(request):
    """Remember that a test ran."""
    ran.add(request.node.nodeid)


CHECKPOINT = {
    "latentlab.json": 70,
    "config.json": 60,
    "preprocessor_config.json": 60,
    "tokenizer_config.json": 25,
    "tokenizer.json": 25,
    "chat_template.jinja": 10,
}
"""Files of a checkpoint, and how many cases each is worth."""

DATA = [
    {
        "id": f"a{i}",
        "question": "Follow one hop from the red circle.",
        "choices": ["red circle", "red square"],
        "answer": "red square",
        "image": "a.png",
        "rationale": ["red circle"],
        "domain": "digits",
        "topic": "t",
        "hops": 1,
        "groups": {"grade": "1"},
        "trace": {
            "cells": [hop % 2 for hop in range(9)],
            "objects": ["red circle", "red square"],
            "links": [1, 0],
        },
    }
    for i in range(2)
]
TABLE = "q,img,a,b,gold\nFollow one hop.,a.png,red circle,red square,A\nFollow.,a.png,red,blue,B\n"
COLUMNS = ("question=q", "image=img", "choices=a+b", "answer=gold")
TRAINING = {
    "name": "mine",
    "plan": {"steps": 1, "k": 1, "select_layers": [0]},
    "init": {"hidden": 32, "layers": 2, "heads": 2, "feed_forward": 64},
    "seed": 1,
    "weight_decay": 0.01,
    "max_tokens": 400,
    "checkpoint_every": 5,
    "eval_examples": 2,
    "eval_data": "benchmark:hops=1",
    "stages": [
        {"name": "one", "updates": 1, "data": "benchmark:hops=1", "batch_size": 4},
        {"name": "two", "updates": 1, "batch_size": 4, "learning_rate": 0.001, "latent_steps": 1},
    ],
}
LONG = ("mediation", "interchange", "probe", "patch", "calibrate", "trace", "ablate")
"""Commands that take long even where they are asked for little."""

EXPERIMENT = '''"""Title."""
from latentlab.evaluate.config import EvaluateConfig
from latentlab.figures.artifacts import Table
from latentlab.figures.experiment import Study

PART = "main"
STUDIES = (Study("one", "evaluate", EvaluateConfig(limit=2, device="cpu")),)


def make(found):
    lines = found["one"].summary
    return Table(lines.astype(str), lines, "Found.\\n\\nDrawn.")
'''
RESULTS = {"run.json": 80, "summary.csv": 40, "rows.parquet": 20, "predictions.jsonl": 60}
"""Files of results, and how many cases each is worth."""


def cases(count: int):
    """Draw the same so many cases at each run; the first that fails is told as it is."""
    return settings(
        max_examples=count,
        phases=(Phase.explicit, Phase.generate),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def good(qwen, tmp_path_factory) -> Path:
    """A checkpoint, data and results in which nothing is wrong."""
    folder = tmp_path_factory.mktemp("good")
    checkpoint.save(qwen, folder / "model")
    (folder / "data").mkdir()
    Image.new("RGB", (112, 112), "red").save(folder / "data" / "a.png")
    (folder / "data" / "data.jsonl").write_text("\n".join(map(json.dumps, DATA)))
    (folder / "experiments").mkdir()
    (folder / "experiments" / "a_table.py").write_text(EXPERIMENT)
    return folder


@pytest.fixture
def attempt(good, untrained, monkeypatch, tmp_path, capsys):
    """Makes a function that tries a command in an empty folder, after something is put there."""
    monkeypatch.setattr(checkpoint, "ZOO", untrained)
    monkeypatch.setattr(figures, "EXPERIMENTS", good / "experiments")

    def run(kind, prepare, name, *flags: str) -> str:
        tried[kind] += 1
        here = tmp_path / "here"
        here.mkdir()
        monkeypatch.chdir(here)
        prepare(here)
        try:
            with limited():
                code = start(name, flags)
            out, err = capsys.readouterr()
            line = check_told(code, out, err)
            check_left(here)
            return line
        finally:
            capsys.readouterr()
            monkeypatch.chdir(tmp_path)
            shutil.rmtree(here)

    return run


@pytest.fixture
def spoilt(attempt, good):
    """Makes a function that tries a command where one file of a good folder is another."""

    def run(kind, part: str, file: str, content: bytes, *command: str) -> str:
        def prepare(here: Path) -> None:
            shutil.copytree(good / part, here / part)
            (here / part / file).write_bytes(content)

        return attempt(kind, prepare, *command)

    return run


def nothing(_: Path) -> None:
    """Put nothing there."""


def test_what_is_altered_is_right(spoilt, attempt, tmp_path):
    cpu = ("--device", "cpu")
    lines = b"\n".join(map(inputs.as_json, DATA))
    flags = ("evaluate", "--data", "data", "--strict", *cpu)
    assert not spoilt("data", "data", "data.jsonl", lines, *flags)
    flags = ("evaluate", "--data", "data/t.csv", "--columns", *COLUMNS, "--strict", *cpu)
    assert not spoilt("tables", "data", "t.csv", TABLE.encode(), *flags)
    training = yaml.safe_dump(TRAINING, sort_keys=False)

    def prepare(here: Path) -> None:
        (here / "t.yaml").write_text(training)

    assert not attempt("trainings", prepare, "train", "t.yaml", "--limit", "4", *cpu)
    assert not attempt("flags", nothing, "evaluate", "--limit", "1", *cpu)


@pytest.mark.parametrize("command", COMMANDS)
def test_flags(attempt, command):
    # What is nowhere, so that nothing trains or computes for long where flags happen to be fine.
    always = dict.fromkeys(LONG, ("--model", "nobody")) | {
        "organisms": ("nobody",),
        "check": ("--only", "nothing"),
        "train": ("x.yaml",),
    }

    @cases(16)
    @given(inputs.flags(command))
    def every(given_flags):
        known = COMMANDS[command].config.__dataclass_fields__
        few = () if "--limit" in given_flags or "limit" not in known else ("--limit", "2")
        cpu = () if "--device" in given_flags or "device" not in known else ("--device", "cpu")
        attempt("flags", nothing, command, *given_flags, *few, *cpu, *always.get(command, ()))

    every()


@pytest.mark.parametrize("file", CHECKPOINT)
def test_checkpoints(spoilt, good, file):
    content = (good / "model" / file).read_bytes()
    structured = file.endswith(".json")
    drawn = inputs.json_file(json.loads(content)) if structured else inputs.damaged(content)

    @cases(CHECKPOINT[file])
    @given(drawn)
    def every(changed):
        flags = ("--model", "model", "--limit", "1", "--device", "cpu")
        spoilt("checkpoints", "model", file, changed, "evaluate", *flags)

    every()


def test_plan_files(attempt, good):
    plan = json.loads((good / "model" / "latentlab.json").read_text())["plan"]

    @cases(60)
    @given(inputs.json_file(plan))
    def every(content):
        flags = ("--plan", "p.json", "--limit", "1", "--device", "cpu")
        attempt("plans", lambda here: (here / "p.json").write_bytes(content), "evaluate", *flags)

    every()


def test_plans_as_text(attempt):
    names = st.sampled_from(("steps", "k", "text", "select", "reuse", "stride", "select_layers"))
    pairs = st.lists(st.tuples(names, inputs.WORDS), min_size=1, max_size=3)

    @cases(60)
    @given(pairs)
    def every(given_pairs):
        plan = ",".join(f"{name}={value}" for name, value in given_pairs)
        attempt("plans", nothing, "evaluate", "--plan", plan, "--limit", "1", "--device", "cpu")

    every()


def test_benchmarks(attempt):
    @cases(80)
    @given(inputs.benchmark())
    def every(spec):
        attempt("specs", nothing, "evaluate", "--data", spec, "--limit", "1", "--device", "cpu")

    every()


def test_trainings(attempt):
    @cases(90)
    @given(inputs.yaml_file(TRAINING))
    def every(content):
        def prepare(here: Path) -> None:
            (here / "t.yaml").write_bytes(content)

        attempt("trainings", prepare, "train", "t.yaml", "--limit", "4", "--device", "cpu")

    every()


def test_data(spoilt):
    @cases(80)
    @given(inputs.lines_file(DATA), st.booleans())
    def every(content, strict):
        flags = ("--data", "data", "--device", "cpu", *(("--strict",) if strict else ()))
        spoilt("data", "data", "data.jsonl", content, "evaluate", *flags)

    every()


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_tables(spoilt, suffix):
    @cases(25)
    @given(inputs.table_file(TABLE), st.booleans())
    def every(content, mapped):
        rows = [line.split(",") for line in content.decode(errors="replace").splitlines()]
        if suffix == "tsv":
            content = content.replace(b",", b"\t")
        elif suffix == "jsonl":
            head = rows[0] if rows else []
            content = b"\n".join(
                inputs.as_json(dict(zip(head, row, strict=False))) for row in rows[1:]
            )
        elif suffix == "parquet" and rows and len(set(map(len, rows))) == 1:
            with contextlib.suppress(UnicodeError, ValueError):
                content = pd.DataFrame(rows[1:]).set_axis(rows[0], axis=1).to_parquet()
        columns = ("--columns", *COLUMNS) if mapped else ()
        flags = ("--data", f"data/t.{suffix}", *columns, "--limit", "2", "--device", "cpu")
        spoilt("tables", "data", f"t.{suffix}", content, "evaluate", *flags)

    every()


@pytest.fixture(scope="module")
def results(good, untrained) -> Path:
    """Results of the evaluator."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "ZOO", untrained)
        out = str(good / "results" / "one")
        assert start("evaluate", ("--limit", "2", "--device", "cpu", "--out", out)) == 0
    return good / "results"


@pytest.mark.parametrize("file", RESULTS)
def test_results(spoilt, results, file):
    content = (results / "one" / file).read_bytes()
    if file == "run.json":
        drawn = inputs.json_file(json.loads(content))
    elif file == "predictions.jsonl":
        drawn = inputs.lines_file([json.loads(line) for line in content.splitlines()])
    elif file == "summary.csv":
        drawn = inputs.table_file(content.decode())
    else:
        drawn = inputs.damaged(content)
    readers = {
        "figures": ("figures", "a_table", "--results", "results", "--out", "figures"),
        "report": ("report", "--results", "results", "--figures", "none", "--out", "r.html"),
        "score": ("score", "results/one"),
        "again": ("evaluate", "--limit", "2", "--device", "cpu", "--out", "results/one"),
    }
    some = ("score", "again") if file == "predictions.jsonl" else tuple(readers)

    @cases(RESULTS[file])
    @given(drawn, st.sampled_from(some))
    def every(changed, reader):
        spoilt("results", "results", f"one/{file}", changed, *readers[reader])

    every()


def test_absurd_counts_of_processes_start_none(attempt):
    for count in ("100000", str(2**63 - 1), str(2**64)):
        line = attempt("flags", nothing, "evaluate", "--processes", count, "--limit", "1")
        assert "--processes" in line and "large" in line


def test_enough_was_tried(request):
    """Where all tests of this file ran in this process, they tried what they promise."""
    here = {item.nodeid for item in request.session.items if item.path == Path(__file__)}
    if len(here) < 30 + len(CHECKPOINT) or here - ran:
        pytest.skip("only a part of the tests of this file ran in this process")
    sys.stdout.write(f"{dict(tried)}\n")
    assert tried.total() >= LEAST
    assert set(tried) == {
        "flags", "checkpoints", "plans", "specs", "trainings", "data", "tables", "results",
    }  # fmt: skip

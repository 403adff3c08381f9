"""Hundreds of generated files to the commands that read them: success or one line.

As in the test file of flags, each starts from what is right and has something altered.
"""

import contextlib
import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from latentlab import checkpoint
from latentlab.commands import start
from tests.convert.conftest import base
from tests.hostile import inputs
from tests.hostile.attempts import check_tried
from tests.hostile.good import COLUMNS, DATA, M3COT, PROBLEMS, SPLITS, TABLE, cases

__all__ = ["base"]
"""A fixture of the tests of conversion."""

CHECKPOINT = {
    "latentlab.json": 55,
    "config.json": 45,
    "preprocessor_config.json": 45,
    "tokenizer_config.json": 20,
    "tokenizer.json": 15,
    "chat_template.jinja": 8,
}
"""Files of a checkpoint, and how many cases each is worth."""

RESULTS = {"run.json": 60, "summary.csv": 30, "rows.parquet": 15, "predictions.jsonl": 40}
"""Files of results, and how many cases each is worth."""

LAYOUTS = {
    "m3cot/data/test.jsonl": 35,
    "scienceqa/problems.json": 35,
    "scienceqa/pid_splits.json": 20,
}
"""Files of published data, and how many cases each is worth."""

SOURCES = {
    "state.pth": 15,
    "adapter_config.json": 12,
    "state.safetensors": 15,
    "base/config.json": 20,
    "model/published.json": 20,
}
"""Files that a conversion reads, and how many cases each is worth."""

LEAST = {
    "checkpoints": 185, "data": 60, "tables": 80, "results": 140, "layouts": 90, "sources": 80,
}  # fmt: skip
"""Cases of each kind that the tests of this file try, at least."""

CPU = ("--device", "cpu")

ran: set[str] = set()
"""Which tests of this file ran in this process."""


@pytest.fixture(autouse=True)
def counted(request):
    """Remember that a test ran."""
    ran.add(request.node.nodeid)


def test_what_is_altered_is_right(spoilt):
    lines = b"\n".join(map(inputs.as_json, DATA))
    flags = ("evaluate", "--data", "data", "--strict", *CPU)
    assert not spoilt("data", "data", "data.jsonl", lines, *flags)
    flags = ("evaluate", "--data", "data/t.csv", "--columns", *COLUMNS, "--strict", *CPU)
    assert not spoilt("tables", "data", "t.csv", TABLE.encode(), *flags)


@pytest.mark.parametrize("file", CHECKPOINT)
def test_checkpoints(spoilt, good, file):
    content = (good / "model" / file).read_bytes()
    structured = file.endswith(".json")
    drawn = inputs.json_file(json.loads(content)) if structured else inputs.damaged(content)

    @cases(CHECKPOINT[file])
    @given(drawn)
    def every(changed):
        flags = ("--model", "model", "--limit", "1", *CPU)
        spoilt("checkpoints", "model", file, changed, "evaluate", *flags)

    every()


def test_data(spoilt):
    @cases(60)
    @given(inputs.lines_file(DATA), st.booleans())
    def every(content, strict):
        flags = ("--data", "data", *CPU, *(("--strict",) if strict else ()))
        spoilt("data", "data", "data.jsonl", content, "evaluate", *flags)

    every()


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_tables(spoilt, suffix):
    @cases(20)
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
        flags = ("--data", f"data/t.{suffix}", *columns, "--limit", "2", *CPU)
        spoilt("tables", "data", f"t.{suffix}", content, "evaluate", *flags)

    every()


@pytest.fixture(scope="module")
def layouts(tmp_path_factory) -> Path:
    """Published data in the layouts of their projects."""
    folder = tmp_path_factory.mktemp("layouts")
    for place in ("m3cot/data", "scienceqa/images"):
        (folder / place).mkdir(parents=True)
        Image.new("RGB", (112, 112), "red").save(folder / place / "a.png")
    for split in ("train", "dev", "test"):
        lines = b"\n".join(map(inputs.as_json, M3COT))
        (folder / "m3cot" / "data" / f"{split}.jsonl").write_bytes(lines)
    for i in PROBLEMS:
        shutil.copytree(folder / "scienceqa" / "images", folder / "scienceqa" / "own" / i)
        (folder / "scienceqa" / "own" / i).rename(folder / "scienceqa" / "images" / i)
    (folder / "scienceqa" / "problems.json").write_bytes(inputs.as_json(PROBLEMS))
    (folder / "scienceqa" / "pid_splits.json").write_bytes(inputs.as_json(SPLITS))
    return folder


@pytest.mark.parametrize("file", LAYOUTS)
def test_published_layouts(attempt, layouts, file):
    name = file.partition("/")[0]
    content = (layouts / file).read_bytes()
    if name == "scienceqa":
        drawn = inputs.json_file(json.loads(content))
    else:
        drawn = inputs.lines_file(M3COT)

    def once(changed: bytes, strict: bool) -> str:
        def prepare(here: Path) -> None:
            shutil.copytree(layouts / name, here / "root")
            (here / "root" / file.partition("/")[2]).write_bytes(changed)

        flags = ("--data", f"{name}:root=root", *CPU, *(("--strict",) if strict else ()))
        return attempt("layouts", prepare, "evaluate", *flags)

    @cases(LAYOUTS[file])
    @given(drawn, st.booleans())
    def every(changed, strict):
        once(changed, strict)

    assert not once(content, strict=True)
    every()


@pytest.fixture(scope="module")
def sources(base, tmp_path_factory) -> Path:
    """A checkpoint in several formats, a base for it, and what a conversion made of it."""
    from safetensors.torch import save_file

    from tests.convert.conftest import CHECKPOINT as PUBLISHED
    from tests.convert.conftest import META

    folder = tmp_path_factory.mktemp("sources")
    shutil.copytree(base, folder / "base")
    shutil.copy(PUBLISHED, folder / "state.pth")
    state = torch.load(PUBLISHED, weights_only=True)
    save_file({key: value.clone() for key, value in state.items()}, folder / "state.safetensors")
    (folder / "adapter_config.json").write_bytes(inputs.as_json({"lora_alpha": 1, "r": 4}))
    flags = (*forth("state.pth", folder), "--out", str(folder / "model"), "--k", str(META["k"]))
    assert start("convert", flags) == 0
    return folder


def forth(source: str, folder: Path) -> tuple[str, ...]:
    return (str(folder / source), "--base", str(folder / "base"))


@pytest.mark.parametrize("file", SOURCES)
def test_sources_of_conversions(attempt, sources, file):
    content = (sources / file).read_bytes()
    if file.endswith(".json"):
        drawn = inputs.json_file(json.loads(content))
    else:  # what tells of the tensors, which are most of it
        cut = 2000 if file.endswith("safetensors") else len(content) - 2000
        first, last = content[:cut], content[cut:]
        if file.endswith("safetensors"):
            drawn = inputs.damaged(first).map(lambda one: one + last)
        else:
            drawn = inputs.damaged(last).map(lambda one: first + one)

    def once(changed: bytes) -> str:
        def prepare(here: Path) -> None:
            shutil.copytree(sources, here, dirs_exist_ok=True, copy_function=os.link)
            (here / file).unlink()  # a second name of the one that all cases share
            (here / file).write_bytes(changed)

        if file.startswith("model"):
            flags = ("model", "--back", "--out", "back.pth")
        else:
            state = "state.safetensors" if file.endswith(".safetensors") else "state.pth"
            flags = (state, "--base", "base", "--out", "new")
        return attempt("sources", prepare, "convert", *flags)

    @cases(SOURCES[file])
    @given(drawn)
    def every(changed):
        once(changed)

    assert not once(content)
    every()


@pytest.fixture(scope="module")
def results(good, untrained) -> Path:
    """Results of the evaluator."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "ZOO", untrained)
        out = str(good / "results" / "one")
        few = ("--limit", "2", "--max-new-tokens", "2", *CPU)
        assert start("evaluate", (*few, "--out", out)) == 0
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
        "again": ("evaluate", "--limit", "2", *CPU, "--out", "results/one"),
    }
    some = ("score", "again") if file == "predictions.jsonl" else tuple(readers)

    @cases(RESULTS[file])
    @given(drawn, st.sampled_from(some))
    def every(changed, reader):
        spoilt("results", "results", f"one/{file}", changed, *readers[reader])

    every()


def test_enough_was_tried(request):
    """Where all tests of this file ran in this process, they tried what they promise."""
    check_tried(request, ran, LEAST)

"""Names and texts that try to be more than text: wherever they are shown they are only seen."""

import json
import re
import unicodedata
from dataclasses import replace

import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from rich.console import Console

from latentlab import checkpoint, console
from latentlab.commands import start
from latentlab.console import streams
from latentlab.data import Example, export, load_data
from latentlab.errors import UserError
from latentlab.evaluate.config import EvaluateConfig
from latentlab.figures import artifacts, index
from latentlab.figures.artifacts import Drawing, Table
from latentlab.figures.experiment import Study, collect
from latentlab.figures.seen import seen
from latentlab.figures.style import RC
from latentlab.figures.typeset import as_markdown, latex, markdown
from latentlab.report.page import json_block
from latentlab.report.tables import grids_of
from latentlab.study.instrument import instrument
from latentlab.study.results import Results, read_results
from tests.report.conftest import browse, figures, world

__all__ = ["browse", "figures", "world"]
"""Fixtures of the tests of reports."""

EVIL = {
    "escape": "\x1b]0;owned\x07\x1b[31m",
    "C1": "\x9b31m\x85",
    "direction": "\u202egnp.exe\u2066\u200f",
    "line": "a\nb\r\nc\u2028d",
    "NUL": "a\0b",
    "half": "\ud800",
    "script": "<script>document.body.dataset.hacked=1</script><img src=x onerror=alert(1)>",
    "picture": "![x](http://localhost/x.png)[y](javascript:alert(1))![z][z]",
    "pipes": "a | b || c \\| d \\",
    "code": "`rm -rf`",
    "entity": "&lt;b&gt; &#x1b;",
    "latex": "\\input{/etc/passwd} \\write18{touch x} $x_{$ %\n\n & # ~ ^ \\end{tabular} \0evil",
    "formula": "=cmd|' /C calc'!A0",
    "mathtext": r"$\frac{$ $x^2$ $\mathdefault{a}$",
    "format": "{0} {{1}} %s %n",
    "markup": "[bold red]x[/] [link=file:///etc/passwd]",
}
"""Texts, by what they try."""

HELD = {name: text for name, text in EVIL.items() if name != "half"}
"""Those that a table can hold at all."""

EVERY = pytest.mark.parametrize("text", EVIL.values(), ids=EVIL)
EVERY_HELD = pytest.mark.parametrize("text", HELD.values(), ids=HELD)


@pytest.fixture(autouse=True)
def bounded():
    """No limits: a browser reserves more memory than it takes."""


def acts(shown: str) -> list[str]:
    """Characters that act instead of being seen; lines may break."""
    kinds = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return [c for c in shown if c not in "\n\t" and unicodedata.category(c) in kinds]


@EVERY
def test_control_characters_are_seen_and_nothing_else_changes(text):
    shown = console.visible(text)
    assert not acts(shown)
    assert console.visible(shown) == shown
    assert console.visible("naïve −1 ✓ 🦊\n\t") == "naïve −1 ✓ 🦊\n\t"


@EVERY
def test_a_screen_gets_no_control_characters(text, monkeypatch, capsys):
    monkeypatch.setattr(streams, "results", Console(highlight=False, width=200))
    monkeypatch.setattr(streams, "remarks", Console(stderr=True, highlight=False, width=200))
    console.show(text)
    console.warn(text)
    console.fail(str(UserError(text)))
    if text in HELD.values():
        console.table(pd.DataFrame({text: [text], "n": [1]}), (text, "n"), title=text)
    shown = capsys.readouterr()
    assert not acts(shown.out + shown.err)
    assert shown.err.split("\n")[-2].startswith("error: ")


@EVERY_HELD
def test_a_table_in_markdown_keeps_its_cells(text):
    cells = pd.DataFrame({"model": [text, "b"], text: ["1.0", "2.0"]})
    written = markdown(cells)
    assert not acts(written)
    assert len(written.splitlines()) == 4
    grid = grids_of(written)[0]
    seen = " ".join(console.visible(" ".join(text.split())).split())
    assert grid.head == ("model", seen)
    assert grid.rows == ((seen, "1.0"), ("b", "2.0"))
    assert not re.search(r"(?<!\\)<(?=[a-z/!?])|(?<!\\)\]\(|(?<!\\)!\[", written)


@EVERY_HELD
def test_a_table_in_latex_keeps_its_cells(text):
    cells = pd.DataFrame({"model": [text, "b"], "accuracy": ["1.0 [0.5, 2.0]", "–"]})
    written = latex(cells, text, "it")
    assert not acts(written)
    body = written.split("\\midrule\n")[1].split("\\bottomrule")[0]
    rows = body.strip().split("\\\\\n")
    assert len(body.splitlines()) == 2 and len(rows) == 2
    assert all(len(re.findall(r"(?<!\\)&", row)) == 1 for row in rows)
    ours = {"begin", "end", "centering", "small", "caption", "label", "smallskip", "toprule"}
    ours |= {"midrule", "bottomrule", "phantom", "textbackslash", "textasciitilde"}
    ours |= {"textasciicircum"}
    assert set(re.findall(r"\\([a-z]+)", written)) <= ours
    assert len(re.findall(r"(?<!\\)\$", written)) % 2 == 0
    assert written.count("\\begin{") == written.count("\\end{") == 2
    assert not re.search(r"(?<!\\)[%#]", written)


@EVERY_HELD
def test_an_index_of_figures_holds_no_html_and_no_pictures_of_others(text, tmp_path):
    frame = pd.DataFrame({"x": [text]})
    table = Table(frame.astype(str), frame, artifacts.caption(text, "n = 1."))
    artifacts.write(table, "it", tmp_path)
    index.update([index.entry(table, "it", text, "main")], tmp_path)
    page = (tmp_path / "README.md").read_text("utf-8")
    assert not acts(page)
    assert not re.search(r"(?<!\\)<[a-zA-Z/!?]", page)
    assert not re.search(r"(?<!\\)!\[|(?<!\\)\]\(", page)
    assert json.loads((tmp_path / "index.json").read_text())[0]["title"] == text


def test_markdown_of_ordinary_words_is_as_written():
    for text in ("no_cot, 93.1 [91.0, 94.8]", "p <0.001", "a & b", "k = 3 (of 4)!", "−1.2 %"):
        assert as_markdown(text) == text


@EVERY
def test_a_figure_draws_names_as_they_are(text, tmp_path):
    with plt.rc_context(RC):
        figure = Figure(figsize=(2, 2))
        axes = figure.subplots()
        axes.plot([0, 1], label=console.visible(text))
        axes.set_title(console.visible(text))
        axes.set_xticks([0], [console.visible(text)])
        axes.legend()
    made = Drawing(figure, pd.DataFrame({"x": [1]}), "Found.\n\nDrawn.")
    artifacts.write(made, "it", tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".pdf", ".png", ".svg", ".csv", ".txt"}
    assert b"<script" not in (tmp_path / "it.svg").read_bytes()


def test_figures_get_names_in_which_nothing_acts(page):
    folder = page.parent
    flags = {"model": (str(folder / "it<b>$x$=1"),), "data": str(folder / "data")}
    study = Study("evaluate", "evaluate", EvaluateConfig(**flags, device="cpu"))
    assert acts("".join(read_results(folder / "results" / "evaluate").summary["domain"]))
    found = collect([study], folder / "results")["evaluate"]
    for frame in (found.rows, found.summary):
        assert "\\x1b]0;owned" in "".join(frame["domain"])
        for name in frame:
            assert not acts("".join(text for text in frame[name] if isinstance(text, str)))
    changed = read_results(folder / "results" / "evaluate")
    assert found.summary.drop(columns=["domain", "topic"]).equals(
        changed.summary.drop(columns=["domain", "topic"])
    )


def test_records_and_columns_of_figures_are_texts_that_are_only_seen():
    frame = pd.DataFrame({"model": ["a\x1b[31m", None], "n": [1, 2], "maps": [[1.0], [2.0]]})
    run = {"config": {"data": "d\u202e", "model": ["a\x1b[31m"]}, "checkpoints": {"a\x1b": "0"}}
    shown = seen(Results(frame, frame.drop(columns="maps"), run))
    assert shown.rows["model"].tolist()[0] == shown.summary["model"].tolist()[0] == "a\\x1b[31m"
    assert shown.rows["model"].isna().tolist() == [False, True]
    assert shown.rows[["n", "maps"]].equals(frame[["n", "maps"]])
    assert not acts(str(list(shown.run["config"].values()) + list(shown.run["checkpoints"])))


@EVERY
def test_data_on_a_page_read_back_as_what_is_seen(text):
    block = json_block({text: [text]})
    assert not acts(block) and not set("<>&") & set(block)
    seen = console.visible(text)
    assert json.loads(block) == {seen: [seen]}


def test_csv_keeps_data_as_they_are(tmp_path):
    frame = pd.DataFrame({"x": [text for text in HELD.values() if "\0" not in text]})
    table = Table(frame.astype(str), frame, "Found.\n\nDrawn.")
    artifacts.write(table, "it", tmp_path)
    read = pd.read_csv(tmp_path / "it.csv", lineterminator="\n", keep_default_na=False)
    assert list(read["x"]) == list(frame["x"])


@pytest.fixture(scope="module")
def page(qwen, tmp_path_factory):
    """A report on a model and data whose ids, questions, choices, topics and names try it all."""
    folder = tmp_path_factory.mktemp("injected")
    texts = list(HELD.values())
    few = []
    for text, example in zip(texts, load_data("benchmark", limit=len(texts)), strict=True):
        wrong = next(choice for choice in example.choices if choice != example.answer)
        choices = tuple(text if choice == wrong else choice for choice in example.choices)
        held = acts(text) or "\n" in text  # which no id may hold
        name = example.id if held else f"{text} {example.id}"
        asked = f"{example.question} {text}"
        few.append(replace(example, id=name, question=asked, choices=choices))
    export(few, folder / "data")
    model = folder / "it<b>$x$=1"
    checkpoint.save(qwen, model)
    flags = ("--model", str(model), "--data", str(folder / "data"), "--device", "cpu")
    results = folder / "results"
    for command in ("evaluate", "ablate"):
        assert start(command, (*flags, "--out", str(results / command))) == 0
    rows = pd.read_parquet(results / "evaluate" / "rows.parquet")
    for name in ("domain", "topic"):  # as results of other tools may say
        rows[name] = [texts[i % len(texts)] for i in range(len(rows))]
    rows.to_parquet(results / "evaluate" / "rows.parquet", index=False)
    summary = instrument("evaluate").summary(rows, 0)
    summary.to_csv(results / "evaluate" / "summary.csv", index=False)
    out = folder / "report.html"
    places = ("--results", str(results), "--figures", str(folder / "none"), "--out", str(out))
    assert start("report", places) == 0
    return out


@EVERY
@pytest.mark.parametrize("field", ["id", "domain", "topic"])
def test_data_with_names_that_act_are_refused(text, field):
    values = {
        "id": "a",
        "question": "b",
        "choices": ("c", "d"),
        "answer": "c",
        "image": None,
        field: text,
    }
    if acts(text) or "\n" in text:
        with pytest.raises(UserError, match=r"control|half a character") as refused:
            Example(**values)
        assert not acts(str(refused.value)) and "\n" not in str(refused.value)
    else:
        assert getattr(Example(**values), field) == text


def test_a_report_shows_them_as_text(page):
    text = page.read_text("utf-8")
    assert not acts(text)
    assert not re.search(r"<img src=x|<script>document|<b>\$x", text)
    assert "\\x1b]0;owned" in text


def test_a_browser_runs_nothing_of_them(page, browse):
    told = browse("told.alive = true; await new Promise((r) => setTimeout(r, 50));", report=page)
    assert told["alive"] and told["problems"] == [] and told["hacked"] is None

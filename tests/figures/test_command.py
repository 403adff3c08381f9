"""`python -m latentlab.figures` from results on disk to files, and what it says is missing."""

from pathlib import Path

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from latentlab import __version__
from latentlab.commands import start
from latentlab.errors import UserError
from latentlab.evaluate.config import EvaluateConfig
from latentlab.figures import run as figures
from latentlab.figures.experiment import Study
from latentlab.figures.style import RC
from latentlab.study.provenance import resolve
from latentlab.study.results import write_results
from tests.records import UNTOLD

EXPERIMENT = '''"""Title of {name}."""

import pandas as pd
from matplotlib import pyplot as plt

from latentlab.evaluate.config import EvaluateConfig
from latentlab.figures.artifacts import Drawing, Table
from latentlab.figures.experiment import Study

PART = "main"
STUDIES = (Study("{study}", "evaluate", EvaluateConfig(limit=3)),)


def make(found):
    data = found["{study}"].rows
    {made}
'''
DRAWING = "figure = plt.figure(); return Drawing(figure, data, str(plt.rcParams['font.size']))"
TABLE = "return Table(data.astype(str), data, 'caption of ' + data['model'].iloc[0])"


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run the command on two experiments of one study each; returns exit code and streams."""
    folder = tmp_path / "experiments"
    folder.mkdir()
    for name, study, made in (("a_table", "one", TABLE), ("b_figure", "two", DRAWING)):
        (folder / f"{name}.py").write_text(EXPERIMENT.format(name=name, study=study, made=made))
    monkeypatch.setattr(figures, "EXPERIMENTS", folder)
    monkeypatch.chdir(tmp_path)

    def run_it(*flags: str):
        code = start("figures", [*flags, "--results", "r", "--out", "figures"])
        return code, capsys.readouterr()

    return run_it


def results_of(name: str, config: EvaluateConfig) -> None:
    rows = pd.DataFrame({"model": list(config.model)})
    record = UNTOLD | {
        "command": "evaluate",
        "config": resolve(config),
        "versions": {"latentlab": __version__},
        "checkpoints": dict.fromkeys(config.model, "0" * 64),
    }
    write_results(Path("r") / name, rows, rows, record)


def test_what_can_be_made_is_made_and_the_rest_is_named(call):
    results_of("one", EvaluateConfig(limit=3))
    code, streams = call()
    assert code == 0, streams.err
    made = {path.name for path in Path("figures").iterdir()}
    written = {f"a_table.{end}" for end in ("md", "tex", "csv", "txt")}
    assert made == written | {"README.md", "index.json"}
    first, second, third = streams.out.splitlines()
    assert first == "1 tables and figures are in figures; README.md shows them all."
    assert second == (
        "Not made: b_figure. Missing: python -m latentlab.evaluate --limit 3 --out r/two"
    )
    assert third == "All that is missing: python -m latentlab.figures --results r --run"


def test_without_any_results_the_command_is_named_with_the_flags_given(call):
    code, streams = call("b_figure", "--model", "runs/a b", "--data", "d")
    assert code == 2
    assert streams.err == (
        "error: no results in r: run python -m latentlab.figures b_figure --model 'runs/a b' "
        "--data d --results r --run\n"
    )
    assert not Path("figures").exists()


def test_a_study_that_cannot_be_run_costs_its_figure_alone(call, monkeypatch):
    def fake(study, results):
        if study.name == "one":
            raise UserError("there are no traces")
        results_of(study.name, study.config)

    monkeypatch.setattr(Study, "run", fake)
    code, streams = call("--run")
    assert code == 0, streams.err
    assert "one is left out: there are no traces" in streams.err
    assert Path("figures/b_figure.png").is_file()
    assert streams.out.splitlines()[1:] == ["Not made: a_table. one: there are no traces"]
    code, streams = call("a_table", "--run")
    assert code == 2 and "nothing can be made: one: there are no traces" in streams.err


def test_missing_studies_are_run_on_demand(call, monkeypatch):
    ran = []

    def fake(study, results):
        ran.append(study)
        results_of(study.name, study.config)

    monkeypatch.setattr(Study, "run", fake)
    results_of("one", EvaluateConfig(limit=3))
    code, streams = call("--run")
    assert code == 0, streams.err
    assert [study.name for study in ran] == ["two"]
    assert "study 1 of 1: python -m latentlab.evaluate --limit 3" in streams.err
    assert Path("figures/b_figure.png").is_file()
    text = Path("figures/README.md").read_text()
    assert text.index("## a table") < text.index("caption of ivtlr") < text.index("## b figure")
    assert "![Title of b_figure.](b_figure.png)" in text
    assert Path("figures/b_figure.txt").read_text() == f"{RC['font.size']}\n"
    assert plt.rcParams["font.size"] != RC["font.size"]


def test_the_index_keeps_what_was_made_before(call):
    results_of("one", EvaluateConfig(limit=3))
    results_of("two", EvaluateConfig(limit=3))
    assert call("a_table")[0] == 0
    assert "b figure" not in Path("figures/README.md").read_text()
    assert call("b_figure")[0] == 0
    text = Path("figures/README.md").read_text()
    assert "## a table" in text
    assert "## b figure" in text


def test_other_models_and_data_are_asked_for_in_the_studies(call, monkeypatch):
    ran = []

    def fake(study, results):
        ran.append(study.config)
        results_of(study.name, study.config)

    monkeypatch.setattr(Study, "run", fake)
    code, streams = call("a_table", "--model", "x", "y", "--data", "m3cot", "--run")
    assert code == 0, streams.err
    assert (ran[0].model, ran[0].data, ran[0].limit) == (("x", "y"), "m3cot", 3)
    assert "caption of x" in Path("figures/README.md").read_text()


def test_results_of_other_models_are_refused(call):
    results_of("one", EvaluateConfig(limit=3))
    code, streams = call("a_table", "--model", "x")
    assert code == 2
    assert "was made with model=['ivtlr'], not ['x']" in streams.err


def test_an_unknown_name_is_answered_with_the_nearest(call):
    code, streams = call("a_tabel")
    assert code == 2
    assert "there is no experiment 'a_tabel'; did you mean 'a_table'?" in streams.err

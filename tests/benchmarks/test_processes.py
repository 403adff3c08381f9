from types import SimpleNamespace

import pytest

from benchmarks.processes import ProcessesConfig, main
from latentlab.commands import start
from latentlab.study.results import read_results


@pytest.mark.slow
def test_every_number_of_processes_is_timed_as_often_as_asked(tmp_path, monkeypatch):
    """The command lines are those that are run; here one process answers for both."""
    asked = []

    def run(line, **_):
        number = line.index("--processes") + 1
        asked.append(int(line[number]))
        flags = [*line[3:number], "1", *line[number + 1 :]]
        assert start(line[2].removeprefix("latentlab."), flags) == 0

    monkeypatch.setattr("benchmarks.processes.subprocess", SimpleNamespace(run=run))
    config = ProcessesConfig(limit=4, batch_size=2, repeats=2, threads=2, out=tmp_path / "out")
    main(config)
    results = read_results(tmp_path / "out")
    assert asked == [1, 2, 1, 2]
    assert results.summary["processes"].tolist() == [1, 2]
    assert results.summary["threads"].tolist() == [2, 1]
    assert results.summary["n"].tolist() == [2, 2]
    assert (results.rows["seconds"] > 0).all()

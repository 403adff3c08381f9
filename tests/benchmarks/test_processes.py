import pytest

from benchmarks.processes import ProcessesConfig, main
from latentlab.study.results import read_results


@pytest.mark.slow
def test_every_number_of_processes_is_timed_as_often_as_asked(tmp_path):
    config = ProcessesConfig(limit=4, batch_size=2, repeats=1, threads=2, out=tmp_path / "out")
    main(config)
    results = read_results(tmp_path / "out")
    assert results.summary["processes"].tolist() == [1, 2]
    assert results.summary["threads"].tolist() == [2, 1]
    assert (results.rows["seconds"] > 0).all()

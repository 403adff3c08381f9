import pytest

from latentlab.calibrate.config import CalibrateConfig
from latentlab.calibrate.run import main
from latentlab.calibrate.subjects import ORGANISMS
from latentlab.commands import start
from latentlab.errors import UserError
from latentlab.study.results import read_results


def test_only_data_of_known_truth_is_accepted():
    with pytest.raises(UserError, match="whose truth is known"):
        CalibrateConfig(data="my/folder")
    CalibrateConfig(data="benchmark:hops=3")


def test_a_model_without_latent_steps_is_refused(tmp_path, capsys):
    code = start("calibrate", ["--model", "cot", "--out", str(tmp_path / "c")])
    assert code == 2
    assert "takes no latent steps" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


@pytest.mark.slow
def test_every_instrument_tells_the_embedded_organisms_apart(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("latentlab.calibrate.runs.PROBED", 200)
    monkeypatch.setattr("latentlab.calibrate.runs.REFERENCE", 20)
    # As many rows at a time as there are questions: each run is one of its own, and exact.
    config = CalibrateConfig(limit=20, batch_size=20, out=tmp_path / "c")
    assert main(config) == 0
    summary = read_results(tmp_path / "c").summary
    assert set(summary["verdict"]) == {"separates", "one rule of three"}
    alone = set(summary.loc[summary["verdict"] == "one rule of three", "instrument"])
    assert len(alone) == 3
    negative = summary[summary["role"] == "negative"]
    cut = negative[(negative["link"] == "latent -> answer") & (negative["model"] == "bypass")]
    # Of what is cut it is known exactly, as long as the answer itself does not move.
    still = cut[~cut["instrument"].str.contains("closed|every rule")]
    assert len(still) > 30 and (still["value"] == 0).all()
    assert (cut["value"] <= 0.05).all()
    content = summary[(summary["link"] == "input -> latent") & (summary["model"] == "bypass")]
    assert set(content["role"]) == {"positive"}
    assert set(summary["model"]) == {*ORGANISMS, "ivtlr"}
    assert "change exactly 0 on 7 models" in capsys.readouterr().out

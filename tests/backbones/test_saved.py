"""Every family is saved, loaded again, and studied from its folder like any other checkpoint."""

import json

import pytest
from transformers import AutoModelForImageTextToText

from latentlab import checkpoint
from latentlab.commands import start
from tests.tiny.families import TINY

COMMANDS = {
    "evaluate": ("evaluate", "--limit", "3"),
    "ablate": ("ablate", "--drop", "latent_vision", "--limit", "3"),
}


@pytest.fixture(scope="module", params=TINY)
def saved(request, tmp_path_factory):
    """A reasoner and the folder it was saved to."""
    reasoner = TINY[request.param]()
    folder = tmp_path_factory.mktemp(request.param) / "model"
    checkpoint.save(reasoner, folder)
    return reasoner, folder


def test_a_saved_family_answers_as_before(saved, examples):
    reasoner, folder = saved
    loaded = checkpoint.load(str(folder), device="cpu")
    assert type(loaded.backbone) is type(reasoner.backbone)
    assert loaded.plan == reasoner.plan
    for example in examples:
        before, after = (
            it.answer(example.image, example.question, example.choices) for it in (reasoner, loaded)
        )
        assert str(before) == str(after)
        assert before.answer.option_logprobs == after.answer.option_logprobs


def test_a_saved_family_is_an_ordinary_checkpoint(saved):
    reasoner, folder = saved
    model = AutoModelForImageTextToText.from_pretrained(folder)
    assert type(model) is reasoner.backbone.model_class
    assert json.loads((folder / "config.json").read_text())["model_type"] in (
        reasoner.backbone.model_types
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run_on_a_saved_family(saved, command, monkeypatch, tmp_path, capsys):
    _, folder = saved
    monkeypatch.chdir(tmp_path)
    name, *flags = COMMANDS[command]
    assert start(name, ("--model", str(folder), "--device", "cpu", *flags)) == 0
    assert "Traceback" not in capsys.readouterr().err
    assert (tmp_path / "results" / name / "rows.parquet").is_file()

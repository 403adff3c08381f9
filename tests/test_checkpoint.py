"""What was saved is loaded, by others too, and what is broken is named in one line."""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoTokenizer,
    ChameleonForConditionalGeneration,
    Qwen2VLForConditionalGeneration,
)

from latentlab import checkpoint
from latentlab.checkpoint import find_checkpoint, load, load_weights, save
from latentlab.errors import UserError
from latentlab.reasoning.plan import LatentPlan

QUESTION = "Follow two hops from the red circle."
CHOICES = ("red circle", "red square")
PLAIN = LatentPlan(steps=0, positions="mrope")

LOAD = """
import json, numpy, sys
from latentlab.checkpoint import load
reasoner = load("org/name")
pixels = numpy.arange(56 * 84 * 3, dtype=numpy.uint8).reshape(84, 56, 3)
answer = reasoner.answer(pixels, "Follow two hops from the red circle.", ("red circle", "circle"))
print(json.dumps([reasoner.name, str(answer), answer.answer.option_logprobs]))
"""


@pytest.fixture(scope="session")
def saved(qwen, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "tiny-model"
    save(qwen, folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(saved, tmp_path / "broken"))


def answers(reasoner, examples):
    return [reasoner.answer(e.image, QUESTION, CHOICES).answer.option_logprobs for e in examples]


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_a_saved_model_answers_as_before(reasoner, examples, tmp_path, dtype):
    save(reasoner, tmp_path / "model", dtype)
    loaded = load(str(tmp_path / "model"))
    assert loaded.plan == reasoner.plan
    assert loaded.placeholder_id == reasoner.placeholder_id
    assert loaded.prompter.format == reasoner.prompter.format
    assert loaded.name == "model"
    assert not loaded.backbone.model.training
    tensors = load_file(tmp_path / "model" / "model.safetensors")
    assert {str(t.dtype) for t in tensors.values()} == {f"torch.{dtype}"}
    rounded = copy.deepcopy(reasoner)
    model = rounded.backbone.model
    model.load_state_dict(
        {name: w.to(getattr(torch, dtype)).float() for name, w in model.state_dict().items()}
    )
    assert answers(loaded, examples) == answers(rounded, examples)
    if dtype == "float16":
        for new, old in zip(answers(loaded, examples), answers(reasoner, examples), strict=True):
            assert new == pytest.approx(old, rel=5e-3, abs=5e-3)


@torch.no_grad()
def test_a_saved_folder_is_an_ordinary_checkpoint(reasoner, examples, tmp_path):
    save(reasoner, tmp_path / "model")
    chameleon = reasoner.name == "chameleon"
    family = ChameleonForConditionalGeneration if chameleon else Qwen2VLForConditionalGeneration
    assert "latentlab" not in (tmp_path / "model" / "config.json").read_text()
    model = family.from_pretrained(tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    text = "Follow one hop from the red circle ."
    assert tokenizer(text)["input_ids"] == reasoner.prompter.tokenizer(text)["input_ids"]
    batch = reasoner.prompter.batch(examples[:1], PLAIN)
    inputs = {"input_ids": batch.input_ids, **batch.pixels}
    if "image_grid_thw" in batch.pixels:
        image_id = reasoner.backbone.image_token_id
        inputs["mm_token_type_ids"] = (batch.input_ids == image_id).int()
    expected = model(**inputs).logits[:, -1]
    state = reasoner.rollout(PLAIN)(batch)
    torch.testing.assert_close(
        reasoner.backbone.logits(state.hidden), expected, atol=1e-4, rtol=1e-4
    )


def test_tied_weights_are_saved_once_and_stay_tied(qwen, examples, tmp_path):
    tied = copy.deepcopy(qwen)
    model = tied.backbone.model
    model.config.tie_word_embeddings = True
    model.config.text_config.tie_word_embeddings = True
    model.lm_head.weight = model.get_input_embeddings().weight
    for dtype in ("float32", "float16"):
        save(tied, tmp_path / dtype, dtype)
        loaded = load(str(tmp_path / dtype))
        weights = loaded.backbone.model
        assert weights.lm_head.weight is weights.get_input_embeddings().weight
    loaded = load(str(tmp_path / "float32"))
    assert answers(loaded, examples) == answers(tied, examples)


def test_a_plan_may_be_passed_instead_of_the_saved_one(saved, folder):
    plan = LatentPlan(steps=1, k=0)
    assert load(str(saved), plan=plan).plan == plan
    (folder / "latentlab.json").unlink()
    assert load(str(folder), plan=plan).plan == plan


def test_precision_and_device_are_the_callers_choice(saved):
    reasoner = load(str(saved), device="cpu", dtype="bfloat16")
    assert reasoner.backbone.model.dtype == torch.bfloat16
    assert reasoner.backbone.device.type == "cpu"


@pytest.mark.slow
def test_a_repository_in_the_hubs_cache_loads_offline_and_in_silence(saved, tmp_path):
    snapshot = tmp_path / "models--org--name" / "snapshots" / "0123abc"
    shutil.copytree(saved, snapshot)
    refs = tmp_path / "models--org--name" / "refs"
    refs.mkdir()
    (refs / "main").write_text("0123abc")
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    run = subprocess.run(
        [sys.executable, "-W", "default::UserWarning", "-c", LOAD],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.stderr == ""
    name, text, scores = json.loads(run.stdout)
    assert name == "name"
    assert isinstance(text, str)
    assert len(scores) == 2


def test_saving_and_loading_say_nothing(qwen, tmp_path, capfd, caplog):
    save(qwen, tmp_path / "model")
    load(str(tmp_path / "model"))
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def set_json(file, **values):
    """Change top-level values of a JSON file in a folder."""

    def change(folder):
        path = folder / file
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return change


def set_tensor(change):
    """Change the tensors of a folder."""

    def change_all(folder):
        path = folder / "model.safetensors"
        tensors = load_file(path)
        change(tensors)
        save_file(tensors, path, {"format": "pt"})

    return change_all


def remove(*files):
    return lambda folder: [(folder / file).unlink() for file in files]


def write(file, content):
    return lambda folder: (folder / file).write_text(content)


def cut(length):
    def change(folder):
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:length])

    return change


NORM = "model.norm.weight"


@pytest.mark.parametrize(
    ("break_it", "complaint"),
    [
        (remove("config.json"), "is not a checkpoint: it has no config.json"),
        (write("config.json", "{"), r"config.json is not valid JSON: .*line 1"),
        (write("config.json", "[1]"), "config.json holds no JSON object"),
        (set_json("config.json", model_type="bert"), "no backbone drives .*'bert'; known: chamel"),
        (set_json("config.json", text_config={"hidden_size": "x"}), "the model in .*hidden_size"),
        (write("latentlab.json", "steps: 3"), "latentlab.json is not valid JSON"),
        (
            set_json("latentlab.json", plan={"stepz": 3}),
            "plan: unknown field 'stepz'; did you mean 'steps'",
        ),
        (
            set_json("latentlab.json", plan={"select": "x"}),
            "plan.select is 'x'; known: all, attention",
        ),
        (
            set_json("latentlab.json", format={"marker": "A"}),
            "format: unknown field 'marker'; did you",
        ),
        (set_json("latentlab.json", placeholder_id=999), "placeholder_id=999 is none of its"),
        (remove("model.safetensors"), "has no .safetensors weights; convert it"),
        (set_tensor(lambda t: t.pop(NORM)), "lacks 1 weights of its model, e.g. .*norm.weight"),
        (
            set_tensor(lambda t: t.update({NORM: torch.ones(7)})),
            r"holds .*norm.weight with shape \(7,\), but its config.json asks for \(32,\)",
        ),
        (cut(9000), "the model in .* cannot be used: .*header"),
        (cut(5), "the model in .* cannot be used: .*header"),
        (write("model.safetensors", "version https://git-lfs"), "the model in .* cannot be used"),
        (remove("preprocessor_config.json"), "has no preprocessor_config.json"),
        (write("preprocessor_config.json", "{"), "the image processor in .* cannot be used"),
        (write("tokenizer.json", "{"), "the tokenizer in .* cannot be used"),
        (
            remove("tokenizer.json", "tokenizer_config.json"),
            "the tokenizer in .* does not fit its config.json",
        ),
    ],
)
def test_refuses_a_broken_folder_in_one_line(folder, break_it, complaint):
    break_it(folder)
    with pytest.raises(UserError, match=complaint) as error:
        load(str(folder))
    assert str(folder) in str(error.value)
    assert len(str(error.value)) < 400


def test_refuses_a_tokenizer_without_an_end(folder):
    path = folder / "tokenizer_config.json"
    values = json.loads(path.read_text())
    del values["eos_token"]
    path.write_text(json.dumps(values))
    with pytest.raises(UserError, match="names no token that ends an answer"):
        load(str(folder))


def test_names_lead_to_the_zoo_and_near_names_are_suggested(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "ZOO", tmp_path)
    for name in ("relay", "gaze"):
        shutil.copytree(saved, tmp_path / name)
    (tmp_path / "no-model").mkdir()
    assert checkpoint.zoo_names() == ["gaze", "relay"]
    assert find_checkpoint("relay") == tmp_path / "relay"
    assert load("gaze").name == "gaze"
    with pytest.raises(UserError, match="called 'relya'; did you mean 'relay'"):
        load("relya")
    with pytest.raises(UserError, match="called 'nothing-like-it'; known: gaze, relay"):
        load("nothing-like-it")
    with pytest.raises(UserError, match="no model or folder is called '/nowhere/at/all'"):
        load("/nowhere/at/all")


@pytest.mark.parametrize("name", ["org/absent", "org/no good name"])
def test_a_repository_that_is_not_to_be_had_is_one_line(name, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=f"no folder '{name}', and the hub did not give it"):
        load(name)


def test_weights_alone_can_be_loaded(saved, qwen):
    model = load_weights(type(qwen.backbone), saved)
    for name, weight in qwen.backbone.model.state_dict().items():
        assert torch.equal(model.state_dict()[name], weight)

"""The base's configuration, words and weights, in either family, tied or not."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import PreTrainedModel, Qwen2VLForConditionalGeneration

from latentlab.checkpoint import load, quiet
from latentlab.reasoning.plan import LatentPlan
from tests.conftest import picture, tiny_chameleon
from tests.convert.conftest import CHECKPOINT, META, Released, hub_folder, word_tokenizer

PLAIN = LatentPlan(steps=0, positions="mrope")
TOKENS = ["<|start-latent|>", "<|end-latent|>", "<|latent|>"]


def qwen_base(folder: Path, tied: bool = False) -> PreTrainedModel:
    """A hub folder of Qwen2-VL, whose table has more rows than the tokenizer has tokens."""
    words = ["w0", "<eos>", "<|image_pad|>", "<|vision_start|>", "<|vision_end|>", "[Options]:"]
    words += [f"w{i}" for i in range(1, 25)]
    return hub_folder(folder, word_tokenizer(words), rows=40, tied=tied)


def chameleon_base(folder: Path) -> PreTrainedModel:
    """A hub folder of Chameleon: image tokens are in the tokenizer as well."""
    reasoner = tiny_chameleon(LatentPlan(steps=0))
    model = reasoner.backbone.model
    words = list(model.config.vocabulary_map)
    tokenizer = word_tokenizer(["w0", *words[1:]])
    tokenizer.chat_template = None
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    reasoner.backbone.image_processor.save_pretrained(folder)
    return model


@pytest.fixture(params=["qwen", "tied", "chameleon"])
def trained(request, tmp_path):
    """A base folder, and a model that was trained from it as the release does."""
    folder = tmp_path / "base"
    if request.param == "chameleon":
        model, tokens = chameleon_base(folder), 45
    else:
        model, tokens = qwen_base(folder, request.param == "tied"), 33
    released = Released(model, tokens, rank=3, alpha=6.0)
    torch.save(released.state_dict(), tmp_path / "trained.pth")
    return folder, released


@torch.no_grad()
@pytest.mark.parametrize("flag", ["--merge", "--no-merge"])
def test_logits_are_those_of_the_model_that_was_trained(trained, flag, convert, examples):
    base, released = trained
    assert convert("trained.pth", "--base", base, "--alpha", 6, flag, "--out", "model")[0] == 0
    reasoner = load("model", "cpu")
    batch = reasoner.prompter.batch(examples[:1], PLAIN)
    inputs = {"input_ids": batch.input_ids, **batch.pixels}
    if "image_grid_thw" in batch.pixels:
        inputs["mm_token_type_ids"] = (batch.input_ids == reasoner.backbone.image_token_id).int()
    expected = released.base_causallm(**inputs).logits[:, -1]
    found = reasoner.backbone.logits(reasoner.rollout(PLAIN)(batch).hidden)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_tokens_are_added_in_the_order_of_the_release(trained, convert):
    base, _ = trained
    convert("trained.pth", "--base", base, "--alpha", 6, "--out", "model")
    reasoner = load("model")
    rows = reasoner.backbone.text_config.vocab_size
    tokenizer = reasoner.prompter.tokenizer
    assert len(tokenizer) == rows
    assert tokenizer.convert_tokens_to_ids(TOKENS) == [rows - 3, rows - 2, rows - 1]
    assert reasoner.placeholder_id == rows - 1
    assert tokenizer.decode([rows - 1, rows - 3], skip_special_tokens=True) == ""


def test_plan_and_words_are_those_of_the_published_inference(trained, convert, examples):
    base, _ = trained
    convert("trained.pth", "--base", base, "--out", "model")
    reasoner = load("model")
    assert reasoner.plan == LatentPlan(pick_order="published")
    assert (reasoner.plan.steps, reasoner.plan.k) == (3, 32)
    asked = reasoner.prompter.format.question(examples[0])
    assert asked.endswith("\n[Options]:\nA.{red circle}\nB.{red square}\nAnswer:")
    flags = ("--steps", 2, "--k", 4, "--prompts", "scienceqa-inference", "--out", "other")
    convert("trained.pth", "--base", base, *flags)
    other = load("other")
    assert (other.plan.steps, other.plan.k) == (2, 4)
    assert other.prompter.format.answer_form == "index"


def test_what_the_base_says_of_generation_is_kept(trained, convert):
    base, _ = trained
    convert("trained.pth", "--base", base, "--out", "model")
    ours, theirs = (
        json.loads((Path(folder) / "generation_config.json").read_text())
        for folder in ("model", base)
    )
    assert ours["eos_token_id"] == theirs["eos_token_id"]


@pytest.mark.parametrize("names", ["older", "newer"])
def test_frozen_weights_are_compared_with_those_of_the_base(names, convert, tmp_path):
    """In shards, and under the names of any time."""
    model = qwen_base(tmp_path / "base")
    torch.save(Released(model, 33, 3, 6.0).state_dict(), tmp_path / "trained.pth")
    with quiet():
        again = Qwen2VLForConditionalGeneration.from_pretrained(tmp_path / "base")
        (tmp_path / "base" / "model.safetensors").unlink()
        older = names == "older"
        again.save_pretrained(tmp_path / "base", max_shard_size="50KB", save_original_format=older)
    shards = sorted((tmp_path / "base").glob("model-*.safetensors"))
    assert len(shards) > 1
    prefixes = {name.split(".")[1] for shard in shards for name in load_file(shard)}
    assert ("language_model" in prefixes) == (names == "newer")
    code, streams = convert("trained.pth", "--base", "base", "--alpha", 6, "--out", "model")
    assert code == 0
    weights = len(model.state_dict()) - 14 - 14 - 2  # without adapters, table and head
    assert streams.err == f"{weights} weights below the adapters are those of base\n"


def test_weights_of_another_base_are_noticed(convert, tmp_path):
    model = qwen_base(tmp_path / "base")
    state = Released(model, 33, 3, 6.0).state_dict()
    name = "base_causallm.base_model.model.model.language_model.norm.weight"
    state[name] = state[name] + 1
    torch.save(state, tmp_path / "trained.pth")
    code, streams = convert("trained.pth", "--base", "base", "--alpha", 6, "--out", "model")
    assert code == 0
    assert streams.err.startswith("warning: 1 of ")
    assert "e.g. model.language_model.norm.weight: is it the model that was trained?" in streams.err


@pytest.mark.parametrize(
    ("dtype", "written"),
    [("same", "float32"), ("bfloat16", "bfloat16"), ("float16", "float16")],
)
def test_precision_is_that_of_the_checkpoint_or_as_asked(base, convert, tmp_path, dtype, written):
    flags = ("--base", base, "--alpha", 1, "--dtype", dtype, "--out", "model")
    assert convert(CHECKPOINT, *flags)[0] == 0
    tensors = load_file(tmp_path / "model" / "model.safetensors")
    assert {str(tensor.dtype) for tensor in tensors.values()} == {f"torch.{written}"}


def test_a_checkpoint_in_half_precision_is_summed_in_full(base, convert, checkpoint, tmp_path):
    half = {key: value.bfloat16() for key, value in checkpoint.items()}
    torch.save(half, tmp_path / "half.pth")
    assert convert("half.pth", "--base", base, "--alpha", 1, "--out", "model")[0] == 0
    tensors = load_file(tmp_path / "model" / "model.safetensors")
    module = "base_causallm.base_model.model.model.layers.0.self_attn.q_proj"
    a, b = (half[f"{module}.lora_{part}.default.weight"].float() for part in "AB")
    scale = META["lora"]["lora_alpha"] / META["lora"]["r"]
    total = half[f"{module}.base_layer.weight"].float() + scale * b @ a
    assert torch.equal(
        tensors["model.language_model.layers.0.self_attn.q_proj.weight"], total.bfloat16()
    )


def test_a_picture_is_seen_and_answered(base, converted, tmp_path):
    folder = shutil.copytree(converted("merge"), tmp_path / "copy")
    reasoner = load(str(folder), plan=LatentPlan(steps=3, k=2))
    answered = reasoner.answer(picture(4, 4, 0), "w3 w4", ("w5", "w6"), max_new_tokens=4)
    assert len(answered.trajectory.latents) == 3

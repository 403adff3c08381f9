"""Adapters that stand beside the weights: loaded, trained on, saved, and refused where broken."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel
from safetensors.torch import load_file, save_file
from transformers import Qwen2VLForConditionalGeneration

from latentlab.checkpoint import load, save
from latentlab.errors import UserError
from latentlab.lens.logit_attribution import attribute
from latentlab.lora import (
    ADAPTER_FOLDER,
    adapter_names,
    adapters_of,
    attach,
    base_weights,
    weight_of,
)
from latentlab.reasoner import Reasoner
from latentlab.reasoning.unrolled import unroll
from latentlab.study.provenance import checkpoint_hash

MODULE = "model.language_model.layers.1.mlp.up_proj"
OTHER = "model.language_model.layers.0.self_attn.o_proj"
QUESTION = "Follow two hops from the red circle."
CHOICES = ("red circle", "red square")


@pytest.fixture(scope="module")
def adapted(qwen, tmp_path_factory) -> Path:
    """A folder whose model has adapters on two projections."""
    plain = tmp_path_factory.mktemp("lora") / "plain"
    save(qwen, plain)
    reasoner = load(str(plain))
    generator = torch.Generator().manual_seed(0)
    adapters = {}
    for module in (MODULE, OTHER):
        out, into = reasoner.backbone.model.get_submodule(module).weight.shape
        for name, shape in zip(adapter_names(module), ((2, into), (out, 2)), strict=True):
            adapters[name] = torch.randn(shape, generator=generator)
    settings = LoraConfig(r=2, lora_alpha=3, target_modules=[MODULE, OTHER])
    attach(reasoner.backbone.model, settings, adapters)
    save(reasoner, plain.with_name("adapted"))
    return plain.with_name("adapted")


@pytest.fixture
def folder(adapted, tmp_path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(adapted, tmp_path / "broken"))


def scores(reasoner: Reasoner, examples) -> list[tuple[float, ...]]:
    return [reasoner.answer(e.image, QUESTION, CHOICES).answer.option_logprobs for e in examples]


def test_weights_are_those_of_the_base_and_adapters_count(adapted, qwen, examples):
    reasoner = load(str(adapted))
    model = reasoner.backbone.model
    for name, weight in qwen.backbone.model.state_dict().items():
        assert torch.equal(base_weights(model)[name], weight)
    a, b = (adapters_of(model)[name] for name in adapter_names(MODULE))
    hidden = torch.randn(3, a.shape[1])
    projection = model.get_submodule(MODULE)
    expected = hidden @ (projection.base_layer.weight + 1.5 * b @ a).T
    torch.testing.assert_close(projection(hidden), expected)
    assert scores(reasoner, examples) != scores(qwen, examples)


def test_a_saved_model_keeps_its_adapters_and_answers_alike(adapted, examples, tmp_path):
    reasoner = load(str(adapted))
    save(reasoner, tmp_path / "again")
    again = load(str(tmp_path / "again"))
    assert scores(again, examples) == scores(reasoner, examples)
    assert checkpoint_hash(tmp_path / "again") == checkpoint_hash(adapted)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # peft asks for an attribute by its old name
def test_the_folder_is_one_of_the_base_and_peft_reads_its_adapters(adapted):
    """What plain transformers and peft make of it computes what ours does."""
    base = Qwen2VLForConditionalGeneration.from_pretrained(adapted)
    assert not adapters_of(base)
    theirs = PeftModel.from_pretrained(base, adapted / ADAPTER_FOLDER).eval()
    ours = load(str(adapted)).backbone.model
    ids = torch.arange(8)[None]
    positions = ids.expand(3, 1, -1)
    for_both = {"input_ids": ids, "position_ids": positions}
    torch.testing.assert_close(theirs(**for_both).logits, ours(**for_both).logits)


def test_precision_is_that_of_the_weights(adapted, tmp_path):
    reasoner = load(str(adapted), dtype="bfloat16")
    assert {weight.dtype for weight in reasoner.backbone.model.state_dict().values()} == {
        torch.bfloat16
    }
    save(reasoner, tmp_path / "half", "bfloat16")
    tensors = load_file(tmp_path / "half" / ADAPTER_FOLDER / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.bfloat16}


def test_gradients_reach_adapters_and_weights(adapted, examples):
    reasoner = load(str(adapted))
    model = reasoner.backbone.model
    state = reasoner.rollout()(reasoner.batch(examples[:1]))
    reasoner.backbone.logits(state.hidden).logsumexp(-1).sum().backward()
    for name, weight in model.named_parameters():
        assert weight.requires_grad
        if MODULE in name:
            assert weight.grad is not None and weight.grad.any(), name


@torch.no_grad()
def test_attribution_counts_what_adapters_add(adapted, examples):
    """Its parts would not sum to the logit otherwise, and it refuses where they do not."""
    reasoner = load(str(adapted))
    projection = reasoner.backbone.model.get_submodule(OTHER)
    hidden = torch.randn(3, projection.in_features)
    torch.testing.assert_close(hidden @ weight_of(projection).T, projection(hidden))
    rollout = reasoner.rollout()
    marker = torch.tensor(reasoner.prompter.marker_ids)
    _, unrolled = unroll(rollout, reasoner.batch(examples), marker)
    found = attribute(rollout, unrolled, torch.zeros(len(examples), 1, dtype=torch.long))
    torch.testing.assert_close(found.shares.sum(0), found.total, atol=1e-4, rtol=1e-4)


def change_settings(**values):
    def change(folder):
        path = folder / ADAPTER_FOLDER / "adapter_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return change


def change_tensors(change):
    def change_all(folder):
        path = folder / ADAPTER_FOLDER / "adapter_model.safetensors"
        tensors = load_file(path)
        change(tensors)
        save_file(tensors, path)

    return change_all


A, B = adapter_names(MODULE)


@pytest.mark.parametrize(
    ("break_it", "complaint"),
    [
        (lambda f: (f / "adapter" / "adapter_config.json").unlink(), "no adapter_config.json"),
        (lambda f: (f / "adapter" / "adapter_model.safetensors").unlink(), "no adapter_model"),
        (lambda f: (f / "adapter" / "adapter_config.json").write_text("{"), "the adapters in"),
        (lambda f: (f / "adapter" / "adapter_model.safetensors").write_text("no"), "the adapters"),
        (change_settings(peft_type="IA3", r=None), "cannot be used"),
        (change_settings(r=5), r"is \(2, 32\), not \(5, 32\)"),
        (change_settings(target_modules=[MODULE]), f"{OTHER}.lora_A.weight is .* not nothing"),
        (change_tensors(lambda t: t.pop(B)), f"{B} is nothing, not "),
    ],
)
def test_refuses_broken_adapters_in_one_line(folder, break_it, complaint):
    break_it(folder)
    with pytest.raises(UserError, match=complaint) as error:
        load(str(folder))
    assert str(folder) in str(error.value)
    assert len(str(error.value)) < 400

"""Keys of the published layout find their places, also at full size."""

import pytest
import torch
from transformers import PreTrainedModel, Qwen2VLConfig, Qwen2VLForConditionalGeneration

from latentlab.convert.layout import Place, places_of, sort_state
from tests.convert.conftest import PROJECTIONS

PREFIX = "base_causallm.base_model.model."
Q_PROJ = "model.language_model.layers.3.self_attn.q_proj.weight"


@pytest.fixture(scope="module")
def seven_billion() -> PreTrainedModel:
    """Qwen2-VL-7B with the tokens of the release, without weights."""
    config = Qwen2VLConfig(
        text_config={
            **{"vocab_size": 151_660, "hidden_size": 3584, "intermediate_size": 18_944},
            **{"num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4},
            "rope_parameters": {
                **{"rope_type": "default", "rope_theta": 1e6},
                "mrope_section": [16, 24, 24],
            },
        },
        vision_config={"depth": 32, "embed_dim": 1280, "hidden_size": 3584, "num_heads": 16},
        tie_word_embeddings=False,
    )
    with torch.device("meta"):
        return Qwen2VLForConditionalGeneration(config)


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("model.layers.3.self_attn.q_proj.base_layer.weight", Place("weight", Q_PROJ)),
        ("model.layers.3.self_attn.q_proj.lora_A.default.weight", Place("lora_A", Q_PROJ)),
        ("model.layers.3.self_attn.q_proj.lora_B.weight", Place("lora_B", Q_PROJ)),
        (f"{Q_PROJ.removesuffix('weight')}lora_B.default.weight", Place("lora_B", Q_PROJ)),
        ("model.norm.weight", Place("weight", "model.language_model.norm.weight")),
        ("visual.merger.ln_q.bias", Place("weight", "model.visual.merger.ln_q.bias")),
        ("lm_head.weight", Place("weight", "lm_head.weight")),
    ],
)
def test_a_key_is_told_under_every_prefix(seven_billion, key, place):
    keys = [f"{prefix}{key}" for prefix in (PREFIX, f"module.{PREFIX}", "base_causallm.", "")]
    assert set(places_of(keys, seven_billion).values()) == {place}


def test_the_wrappers_own_table_is_the_models(seven_billion):
    table = Place("table", "model.language_model.embed_tokens.weight")
    keys = ["embedding.weight", "module.embedding.weight"]
    assert set(places_of(keys, seven_billion).values()) == {table}


def test_a_checkpoint_of_full_size_is_complete(seven_billion):
    state = {}
    for name, weight in seven_billion.state_dict().items():
        old = name.replace("language_model.", "").replace("model.visual.", "visual.")
        module, _, end = old.rpartition(".")
        adapted = module.rpartition(".")[2] in PROJECTIONS
        state[f"{PREFIX}{module}{'.base_layer' * adapted}.{end}"] = weight
        if adapted and end == "weight":
            for part, shape in (("A", (64, weight.shape[1])), ("B", (weight.shape[0], 64))):
                key = f"{PREFIX}{module}.lora_{part}.default.weight"
                state[key] = torch.empty(shape, device="meta")
    found = sort_state(state, seven_billion, "it does not fit")
    assert len(state) == 1122
    assert found.rank == 64
    assert len(found.adapted) == 7 * 28
    sizes = [sum(t.numel() for t in part.values()) for part in (found.weights, found.adapters)]
    assert sizes == [8_288_479_744, 161_480_704]

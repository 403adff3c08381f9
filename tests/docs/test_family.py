"""Pages on families: the one that docs/extending.md adds passes, and families.md has all."""

import pytest
import torch
from transformers import LlavaConfig, LlavaForConditionalGeneration
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from latentlab.backbones import FAMILIES
from latentlab.check.checks import CHECKS
from latentlab.check.material import Material, material_of
from tests.docs.test_code import ROOT, blocks
from tests.tiny.common import picture_first, reasoner_of, word_tokenizer
from tests.tiny.families import TINY


@pytest.fixture(scope="module")
def material() -> Material:
    """A tiny LLaVA of nine patches a picture, driven by the page's class."""
    (code,) = [one for one in blocks(ROOT / "docs" / "extending.md") if "LlavaBackbone" in one]
    names: dict[str, object] = {"__name__": "page"}
    try:
        exec(code, names)
        backbone_class = FAMILIES["llava"]
    finally:
        FAMILIES.pop("llava", None)
    tokenizer = word_tokenizer(["<image>"], picture_first("<image>"))
    vision = {
        "model_type": "clip_vision_model",
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 42,
        "patch_size": 14,
        "projection_dim": 32,
    }
    text = {
        "model_type": "llama",
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "initializer_range": 0.2,
        "pad_token_id": 0,
    }
    token = tokenizer.convert_tokens_to_ids("<image>")
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_index=token)
    torch.manual_seed(0)
    model = LlavaForConditionalGeneration(config).eval()
    size = {"height": 42, "width": 42}
    processor = CLIPImageProcessorPil(size={"shortest_edge": 42}, crop_size=size)
    return material_of(reasoner_of(backbone_class(model, processor), tokenizer))


@pytest.mark.parametrize("name", CHECKS)
def test_the_family_of_the_page_conforms(material, name):
    assert CHECKS[name].measure(material) <= CHECKS[name].tolerance


def test_the_page_of_families_has_every_family_and_every_check():
    page = (ROOT / "docs" / "families.md").read_text(encoding="utf-8")
    described, _, measured = page.partition("<!-- measured -->\n")
    for model_type in FAMILIES:
        assert f"`{model_type}`" in described
    families, _, *lines = [line.strip("| ").split(" | ") for line in measured.splitlines()]
    assert families == ["check", "tolerance", *(f"`{family}`" for family in TINY)]
    assert [line[0] for line in lines] == [f"`{name}`" for name in CHECKS]
    for name, tolerance, *found in lines:
        assert float(tolerance) == CHECKS[name.strip("`")].tolerance
        assert all(float(difference) <= float(tolerance) for difference in found)

"""Pictures in tiles: prompts are those of the families' own processors, and so are the counts."""

import copy
import dataclasses
from typing import Any

import pytest
import torch
from PIL import Image
from transformers import (
    Gemma3Config,
    Gemma3Processor,
    Idefics3Config,
    Idefics3Processor,
    LlavaOnevisionConfig,
    LlavaOnevisionProcessor,
)
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import (
    LlavaOnevisionImageProcessorPil,
)

from latentlab.data import Example
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from tests.tiny.families import TINY
from tests.tiny.tiles import SIGLIP, TILE, idefics3, llava_onevision, smolvlm

SIZES = ((16, 16), (16, 60), (20, 33), (64, 64), (90, 31), (7, 5))
"""Width and height of pictures: one tile and several, squares and strips."""


class ImagesOnly(LlavaOnevisionProcessor):
    """The processor without its video half, which needs torchvision."""

    def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
        return type(argument)


def processor_of(reasoner: Reasoner, per_tile: int) -> Any:
    """The family's own processor around the parts of a reasoner.

    That of SmolVLM needs a package for the words of numbers; it writes pictures as Idefics3 does.
    """
    images, tokenizer = reasoner.backbone.image_processor, reasoner.prompter.tokenizer
    match reasoner.name:
        case "llava_onevision":
            return ImagesOnly(
                images,
                tokenizer,
                num_image_tokens=per_tile,
                vision_feature_select_strategy="full",
            )
        case "gemma3":
            for name, token in (("boi", "<start_of_image>"), ("eoi", "<end_of_image>")):
                setattr(tokenizer, f"{name}_token", token)
            tokenizer.boi_token_id = tokenizer.convert_tokens_to_ids("<start_of_image>")
            tokenizer.image_token = "<image_soft_token>"
            tokenizer.image_token_id = tokenizer.convert_tokens_to_ids("<image_soft_token>")
            return Gemma3Processor(images, tokenizer, image_seq_length=per_tile)
        case _:
            return Idefics3Processor(images, tokenizer, image_seq_len=per_tile)


@pytest.fixture(scope="module", params=["llava_onevision", "idefics3", "smolvlm", "gemma3"])
def family(request) -> Reasoner:
    return TINY[request.param]()


@pytest.fixture(scope="module")
def asked() -> list[Example]:
    generator = torch.Generator().manual_seed(0)
    questions = ("Follow one hop.", "Follow two hops from the red circle.")
    examples = []
    for i, (width, height) in enumerate(SIZES):
        pixels = torch.randint(256, (height, width, 3), generator=generator).to(torch.uint8)
        image = Image.fromarray(pixels.numpy())
        examples.append(Example(f"e{i}", questions[i % 2], ("red", "one"), "red", image))
    return examples


def test_prompts_are_those_of_the_familys_processor(family, asked):
    ours = family.prompter.batch(asked, LatentPlan(steps=0))
    per_tile = (TILE // 4) ** 2 if family.name == "llava_onevision" else (TILE // 8) ** 2
    theirs = processor_of(family, per_tile)(
        text=[family.prompter.prompt_text(example) for example in asked],
        images=[[example.image] for example in asked],
        return_tensors="pt",
        padding=True,
        padding_side="left",
        add_special_tokens=False,
    )
    assert ours.input_ids.tolist() == theirs["input_ids"].tolist()
    assert ours.attention_mask.tolist() == theirs["attention_mask"].bool().tolist()
    assert set(ours.pixels) <= set(theirs)
    for name, pixels in ours.pixels.items():
        assert torch.equal(pixels, theirs[name])


@torch.no_grad()
def test_every_visual_token_has_its_embedding(family, asked):
    backbone = family.backbone
    together = backbone.prepare_images([example.image for example in asked])
    embeds = backbone.image_embeds(together.pixels)
    assert len(embeds) == sum(together.counts)
    for example, found in zip(asked, embeds.split(list(together.counts)), strict=True):
        alone = backbone.prepare_images([example.image])
        assert alone.counts == (len(found),)
        torch.testing.assert_close(backbone.image_embeds(alone.pixels), found, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_batch_may_mix_pictures_and_none(family, asked):
    plan = LatentPlan(steps=2, k=0)
    mixed = [asked[0], dataclasses.replace(asked[1], image=None), asked[4]]
    rollout = family.rollout(plan)
    together = rollout(family.prompter.batch(mixed, plan))
    for i, example in enumerate(mixed):
        alone = rollout(family.prompter.batch([example], plan))
        torch.testing.assert_close(together.hidden[i], alone.hidden[0], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_runs_in_bfloat16(family, asked):
    half = copy.deepcopy(family)
    half.backbone.model.to(torch.bfloat16)
    state = half.rollout()(half.batch(asked))
    assert state.hidden.dtype == torch.bfloat16
    assert state.hidden.isfinite().all()
    assert state.picks.shape == (len(asked), 2, 2)


def test_only_pictures_in_one_piece_have_a_grid(family, asked):
    grids = family.backbone.prepare_images([example.image for example in asked]).grids
    assert set(grids) == ({(2, 2)} if family.name == "gemma3" else {None})
    for maker in (idefics3, smolvlm):
        (grid,) = maker(TILE).backbone.prepare_images([asked[1].image]).grids
        assert grid == (2, 2)


@torch.no_grad()
def test_idefics_reads_a_picture_that_is_not_cut(asked):
    reasoner = idefics3(TILE)
    batch = reasoner.prompter.batch(asked, LatentPlan(steps=0))
    tokens = reasoner.prompter.tokenizer.convert_ids_to_tokens(batch.input_ids[0].tolist())
    start = tokens.index("<fake_token_around_image>")
    assert tokens[start + 1] == "<global-img>"
    assert tokens[start + 2 : start + 7] == ["<image>"] * 4 + ["<fake_token_around_image>"]
    assert len(reasoner.backbone.image_embeds(batch.pixels)) == 4 * len(asked)


@torch.no_grad()
def test_llava_ends_every_row_of_tiles_with_its_newline(asked):
    backbone = llava_onevision().backbone
    newline = backbone.model.model.image_newline
    prepared = backbone.prepare_images([asked[3].image])  # a square of two by two tiles
    embeds = backbone.image_embeds(prepared.pixels)
    ends = (embeds == newline).all(-1).nonzero()[:, 0].tolist()
    side = TILE // 4
    assert ends == [side**2 + (2 * side + 1) * row + 2 * side for row in range(2 * side)]


FULL_SIZE = {
    "llava_onevision": (LlavaOnevisionConfig(), LlavaOnevisionImageProcessorPil(), 27**2),
    "idefics3": (
        Idefics3Config(vision_config={"image_size": 364, "patch_size": 14}),
        Idefics3ImageProcessorPil(),
        13**2,
    ),
    "gemma3": (
        Gemma3Config(vision_config={**SIGLIP, "image_size": 896, "patch_size": 14}),
        Gemma3ImageProcessorPil(size={"height": 896, "width": 896}),
        16**2,
    ),
}
"""Configurations and processors of published sizes, and how many visual tokens a tile has."""


@pytest.mark.parametrize("size", [(280, 280), (640, 480)])
@pytest.mark.parametrize("name", FULL_SIZE)
def test_pictures_count_as_published_at_full_size(name, size):
    config, processor, per_tile = FULL_SIZE[name]
    tiny = TINY[name]()
    with torch.device("meta"):
        model = type(tiny.backbone).model_class(config)
    backbone = type(tiny.backbone)(model, processor)
    picture = Image.new("RGB", size, "red")
    reasoner = Reasoner(backbone, tiny.plan, tiny.prompter, tiny.placeholder_id, name)
    theirs = processor_of(reasoner, per_tile)(text=[backbone.image_slot], images=[[picture]])
    prepared = backbone.prepare_images([picture])
    assert prepared.counts == (theirs["input_ids"][0].count(tiny.backbone.image_token_id),)
    assert prepared.texts[0].count(backbone.image_token) == prepared.counts[0]

"""A small model for one's own words and pictures, made from scratch.

Its tokenizer is learned from the training data: byte-level pieces of words (BPE, by the library
`tokenizers`), as many as are asked for, so that frequent words are one token and no text at all is
unknown to it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from latentlab.data import Example
from latentlab.errors import UserError
from latentlab.prompts import PromptFormat
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.schema import STRICT, Count, check
from latentlab.training.tiny import (
    PLACEHOLDER,
    SPECIALS,
    TinyConfig,
    assembled,
    wrapped,
)

MERGE = 2
"""Sides of the vision tower's patches that make up the side of one that is re-inserted."""

CONTEXT = 4096
"""Positions that a model is made for."""

FORMAT = PromptFormat(answer_form="text", choices_in_prompt=False)
"""How such a model is asked, unless `prompts` names another wording."""

SIZES = {
    "tiny": TinyConfig(),
    "small": TinyConfig(hidden=256, layers=6, heads=8, feed_forward=768, vision_hidden=128),
    "medium": TinyConfig(
        hidden=512, layers=8, heads=8, feed_forward=1536, vision_layers=4, vision_hidden=256
    ),
}
"""Sizes by name: about 1, 5 and 29 million parameters beside the vocabulary."""


@dataclass(frozen=True)
class ModelConfig:
    """A model that is made from scratch for the data that it is trained on."""

    __pydantic_config__: ClassVar = STRICT

    size: Literal["tiny", "small", "medium"] = "tiny"
    """How large: about 1, 5 or 29 million parameters beside the vocabulary."""

    picture: Count = 112
    """Side of a square picture in pixels; every picture is brought to about as many pixels as that
    has, whatever its shape."""

    patch: Count = 28
    """Side of a patch that a latent step may re-insert, in pixels; even. A square picture has
    (picture / patch)^2 of them."""

    vocabulary: Count = 4096
    """Tokens at most, learned from the texts of the training data."""

    def __post_init__(self) -> None:
        """Refuse pictures that do not divide into patches."""
        check(self, "model")
        if self.patch % MERGE or self.picture % self.patch:
            raise UserError(
                f"model: picture={self.picture} is no multiple of patch={self.patch}, which is even"
            )
        if self.picture > 4096:
            raise UserError(f"model: picture={self.picture} is more than 4096 pixels a side")
        if self.vocabulary < 300:
            raise UserError("model: vocabulary is at least 300, 256 of which are single bytes")

    @property
    def patches(self) -> int:
        """Patches of a square picture."""
        return (self.picture // self.patch) ** 2


def texts_of(examples: Iterable[Example], format: PromptFormat) -> Iterator[str]:
    """What a model reads and writes of some examples, as they are worded.

    Args:
        examples: the examples; their pictures are not looked at.
        format: how they are worded.
    """
    for example in examples:
        yield format.question(example)
        yield format.step_separator.join(example.rationale)
        for answer in format.answer_texts(example.choices) or [example.answer]:
            yield f"{format.answer_marker}{format.joint}{answer}"


def learned_tokenizer(texts: Iterable[str], size: int) -> PreTrainedTokenizerFast:
    """Learn a tokenizer from texts; the same texts give the same one.

    Args:
        texts: all that there is to read.
        size: tokens at most.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[*SPECIALS, PLACEHOLDER],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return wrapped(tokenizer)


def own_reasoner(
    plan: LatentPlan,
    config: ModelConfig,
    tokenizer: PreTrainedTokenizerFast,
    seed: int = 0,
    format: PromptFormat = FORMAT,
) -> Reasoner:
    """Build the untrained model.

    Args:
        plan: how it will reason.
        config: its size, pictures and patches.
        tokenizer: what `learned_tokenizer` returned.
        seed: of its initial weights.
        format: how it is asked.
    """
    pixels = config.picture**2
    processor = Qwen2VLImageProcessorPil(
        patch_size=config.patch // MERGE,
        merge_size=MERGE,
        temporal_patch_size=1,
        min_pixels=pixels,
        max_pixels=pixels,
    )
    sizes = SIZES[config.size]
    return assembled(plan, sizes, tokenizer, processor, seed, format=format, context=CONTEXT)

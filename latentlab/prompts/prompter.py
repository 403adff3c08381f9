"""From examples to tokens: prompts, the text that follows the latents, and its reading back.

The wording belongs to the model: the chat template lives in its tokenizer, and a `PromptFormat`,
saved beside the plan, says how choices, rationale and answer are written. Everything else treats
text as token ids with a `Kind` each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from latentlab.backbones import Backbone, Batch
from latentlab.data.example import Example
from latentlab.errors import UserError
from latentlab.prompts.fit import check_fit
from latentlab.prompts.format import PromptFormat
from latentlab.prompts.picks import traced_picks
from latentlab.prompts.template import worded
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.plan_text import with_ids
from latentlab.reasoning.said import Words
from latentlab.reasoning.visibility import Kind
from latentlab.reasoning.words import StepEnds

MOST_ANSWERS = 10_000
"""Answers whose tokens are remembered."""


@dataclass(frozen=True)
class Continuation:
    """The text after the latents, for teacher forcing; right-padded."""

    ids: Int[Tensor, "batch tokens"]
    """Token ids."""

    kinds: Int[Tensor, "batch tokens"]
    """RATIONALE up to the marker, ANSWER from it on, PAD after the end."""


class Prompter:
    """Tokenizes examples for one model."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, backbone: Backbone, format: PromptFormat
    ) -> None:
        """Keep the tokenizer and the family's way with images."""
        self.tokenizer = tokenizer
        self.backbone = backbone
        self.format = format
        self._answers: dict[str, list[int]] = {}
        self.marker_ids = self.encode(format.answer_marker)
        self.step_ends = StepEnds(
            separator=format.step_separator,
            separator_ids=tuple(self.encode(format.step_separator)),
            decode=lambda ids: str(tokenizer.decode(ids)),
            stops=frozenset([*self.eos_ids, *self.marker_ids[:1]]),
        )

    @property
    def eos_id(self) -> int:
        """The token that ends an answer where one is written for the model."""
        return int(self.tokenizer.eos_token_id)

    @property
    def eos_ids(self) -> frozenset[int]:
        """All tokens that end an answer: the tokenizer's, and those the model is published with."""
        settings: Any = self.backbone.model.generation_config
        known = getattr(settings, "eos_token_id", None)
        known = known if isinstance(known, list) else [known]
        return frozenset([self.eos_id, *(token for token in known if token is not None)])

    @property
    def pad_id(self) -> int:
        """The token that fills short rows."""
        pad = self.tokenizer.pad_token_id
        return self.eos_id if pad is None else int(pad)

    def resolve(self, plan: LatentPlan) -> LatentPlan:
        """The plan with its markers as token ids.

        Raises:
            UserError: a marker is no token of the model.
        """
        return with_ids(plan, self.tokenizer, int(self.backbone.text_config.vocab_size))

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, without special tokens."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids, without special tokens."""
        text = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return str(text).strip()

    def batch(self, examples: Sequence[Example], plan: LatentPlan) -> Batch:
        """Tokenize prompts and prepare their images.

        Where the plan opens a block of latent steps, its start token ends each prompt.

        Raises:
            UserError: a prompt does not show its picture exactly once, or the plan is given its
                picks, but an example has no trace to take them from.
        """
        images = [example.image for example in examples if example.image is not None]
        inputs = self.backbone.prepare_images(images) if images else None
        shown = iter(zip(inputs.texts, inputs.counts, strict=True) if inputs else ())
        pictures = [("", 0) if example.image is None else next(shown) for example in examples]
        start = None if plan.lead else self.resolve(plan).start_token
        opened = [start] if isinstance(start, int) else []
        rows = [ids + opened for ids in self._rows(examples, pictures)]
        width = max(map(len, rows))
        input_ids = torch.tensor([[self.pad_id] * (width - len(row)) + row for row in rows])
        mask = torch.tensor([[False] * (width - len(row)) + [True] * len(row) for row in rows])
        names = tuple(example.id for example in examples)
        given = None
        if plan.select == "given" and plan.steps:
            picks = zip(examples, pictures, strict=True)
            given = torch.tensor([traced_picks(example, plan, n) for example, (_, n) in picks])
        return Batch(names, input_ids, mask, inputs.pixels if inputs else {}, given)

    def continuation(self, examples: Sequence[Example], skip_steps: int | None) -> Continuation:
        """Tokenize rationale (from step `skip_steps` on; None leaves it out), marker and answer.

        Raises:
            UserError: an example has no answer.
        """
        skipped = [() if skip_steps is None else e.rationale[skip_steps:] for e in examples]
        return self._text(examples, [self._rationale(steps) for steps in skipped])

    def written(
        self, examples: Sequence[Example], steps: int
    ) -> tuple[tuple[Words, ...], Continuation]:
        """Tokenize rationales whose first `steps` are written step by step, and what follows.

        One after the other these are the tokens of a continuation that skips none. An example
        without a rationale goes on with its answer at once.

        Raises:
            UserError: an example has no answer, or a rationale of too few steps, or one whose steps
                cannot be told apart.
        """
        rows = [self._steps(example, steps) for example in examples]
        words = tuple(
            Words.of([row[t] if row else [] for row in rows], [bool(row) for row in rows])
            for t in range(steps)
        )
        return words, self._text(examples, [list(chain(*row[steps:])) for row in rows])

    def answer_ids(self, text: str) -> list[int]:
        """Token ids of an answer as it follows the marker, with the end token."""
        if text not in self._answers:  # questions share options, and a tokenizer is slow to call
            if len(self._answers) >= MOST_ANSWERS:
                self._answers.clear()
            self._answers[text] = [*self.encode(self.format.joint + text), self.eos_id]
        return list(self._answers[text])

    def _text(self, examples: Sequence[Example], rationales: Sequence[list[int]]) -> Continuation:
        """Put marker and answer after what is left of each rationale."""
        tails = [self._tail(example) for example in examples]
        rows = [before + after for before, after in zip(rationales, tails, strict=True)]
        width = max(map(len, rows))
        ids = [row + [self.pad_id] * (width - len(row)) for row in rows]
        kinds = [
            [int(Kind.RATIONALE)] * (len(row) - len(tail))
            + [int(Kind.ANSWER)] * len(tail)
            + [int(Kind.PAD)] * (width - len(row))
            for row, tail in zip(rows, tails, strict=True)
        ]
        return Continuation(torch.tensor(ids), torch.tensor(kinds))

    def _tail(self, example: Example) -> list[int]:
        """Token ids of marker and answer."""
        answer = example.answer
        if not answer:
            raise UserError(f"{example.id} has no answer to write after the latent steps")
        if example.choices:
            at = example.choices.index(answer)
            answer = self.format.answer_texts(example.choices)[at]
        return [*self.marker_ids, *self.answer_ids(answer)]

    def _rationale(self, steps: Sequence[str]) -> list[int]:
        """Token ids of a rationale, a separator after every step."""
        if not steps:
            return []
        text = self.format.step_separator.join(steps)
        return [*self.encode(text), *self.step_ends.separator_ids]

    def _steps(self, example: Example, wanted: int) -> list[list[int]]:
        """Token ids of a rationale, step by step."""
        said = len(example.rationale)
        if 0 < said < wanted:
            raise UserError(
                f"{example.id} has a rationale of {said} steps, but the plan writes {wanted}; "
                "lower its steps, or leave such examples out"
            )
        return self.step_ends.split(self._rationale(example.rationale), said, example.id)

    def prompt_text(self, example: Example, picture: str = "") -> str:
        """A prompt as it is tokenized.

        Args:
            example: what is asked.
            picture: what stands for its picture (`ImageInputs.texts`).
        """
        text = self._prompt(example)
        return text.replace(self.backbone.image_slot, picture, 1) if picture else text

    def _rows(
        self, examples: Sequence[Example], pictures: Sequence[tuple[str, int]]
    ) -> list[list[int]]:
        """Token ids of prompts, with one image token for each patch; one call for all."""
        backbone = self.backbone
        token, config = backbone.image_token_id, backbone.text_config
        pairs = zip(examples, pictures, strict=True)
        texts = [self.prompt_text(example, text) for example, (text, _) in pairs]
        rows: list[list[int]] = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        for example, (_, n_patches), ids in zip(examples, pictures, rows, strict=True):
            if (found := ids.count(token)) != n_patches:
                raise UserError(
                    f"{example.id}: the prompt has {found} image tokens for {n_patches} patches; "
                    f"the chat template must write {backbone.image_slot} once for a picture, and "
                    "the text never"
                )
            check_fit(config, example.id, ids)
        return rows

    @property
    def beginning(self) -> str:
        """What the tokenizer puts before a text where no chat template says how one begins."""
        bos = self.tokenizer.bos_token_id
        begins = bos is not None and self.tokenizer("")["input_ids"][:1] == [bos]
        return str(self.tokenizer.bos_token) if begins else ""

    def _prompt(self, example: Example) -> str:
        before, after = self.format.around_image(example)
        content: list[Any] = [{"type": "text", "text": after}]
        if example.image is None:
            content[0]["text"] = before + after
        else:
            content.insert(0, {"type": "image"})
            content[:0] = [{"type": "text", "text": before}] if before else []
        text = worded(self.tokenizer, content, self.backbone.image_slot)
        return text if self.tokenizer.chat_template else self.beginning + text

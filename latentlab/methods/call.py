"""A method as a value: the calls by which a question becomes an answer.

A method is a generator: it yields one `Call` after the other, is sent the reply to each, and
returns what of the format failed. So its branches (another zoom, an answer at once) are plain
Python, and whoever runs it (`methods.run`) lets all questions of a batch talk side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template
from typing import Literal

from PIL.Image import Image

from latentlab.data.example import Example
from latentlab.prompts import PromptFormat
from latentlab.reasoning.plan import LatentPlan

Part = str | Image
"""A piece of a turn: words, or a picture."""

REASONING = 256
"""Tokens of what is written before an answer, at most: CCoT's number, for all methods alike."""


@dataclass(frozen=True)
class Turn:
    """What one side says."""

    speaker: Literal["user", "assistant"]
    """Who says it, as chat templates call the two."""

    parts: tuple[Part, ...]
    """Words and pictures, in the order in which they are read."""


@dataclass(frozen=True)
class Call:
    """One call of the model."""

    name: str
    """What it is for, e.g. "scene graph"."""

    turns: tuple[Turn, ...]
    """What is read, the user's turn last."""

    longest: int
    """Tokens of the reply at most."""

    plan: LatentPlan | None = None
    """Steps to take before the reply; None for none."""

    newlines: int = 1
    """Line breaks that end a step, for plans that write theirs; 0 ends it as the model's own."""

    answers: bool = True
    """Whether the reply may be the answer, so that the options are scored after it."""

    @property
    def pictures(self) -> tuple[Image, ...]:
        """The pictures it shows, in order."""
        return tuple(part for turn in self.turns for part in turn.parts if isinstance(part, Image))


@dataclass(frozen=True)
class Question:
    """What a method is given: an example, and how its model is asked."""

    example: Example
    """What is asked."""

    format: PromptFormat
    """How the model's prompts and answers are worded."""

    marker: str
    """The answer marker as the model's tokenizer writes it."""

    plan: LatentPlan
    """How the model reasons by itself."""

    brings_plan: bool
    """Whether that plan came with the weights; otherwise it is one of the flags."""

    bare: LatentPlan
    """A plan without steps, with the positions that the model was trained on."""

    longest: int = 64
    """Tokens of an answer at most."""

    def words(self, name: str, **values: str) -> str:
        """A prompt file, filled in.

        Args:
            name: of the file in `methods/prompts`, without its ending.
            **values: what its further names stand for; `$question` (with the options), `$marker`
                and `$form` (what answers look like) are known.
        """
        known = {
            "question": self.format.question(self.example),
            "marker": self.format.answer_marker,
            "form": self._form,
        }
        return prompt(name).substitute(known | values)

    def asked(self, *parts: Part | None) -> tuple[Turn, ...]:
        """One turn of the user's; a picture that is not there is left out."""
        return (Turn("user", tuple(part for part in parts if part is not None)),)

    @property
    def own(self) -> tuple[Turn, ...]:
        """The question as the model is asked by itself."""
        before, after = self.format.around_image(self.example)
        if self.example.image is None:
            return self.asked(before + after)
        return self.asked(before or None, self.example.image, after)

    @property
    def _form(self) -> str:
        """What the answer looks like, in words."""
        if not self.example.choices:
            return "the answer in a few words"
        form = self.format.answer_form
        if form == "letter":
            return "the letter of the right option"
        if form == "text":
            return "the right option, word for word"
        return "the number of the right option, counted from 0"


Talk = Generator[Call, str, tuple[str, ...]]
"""Yields calls, is sent their replies, and returns the failures of format that it met."""


@dataclass(frozen=True)
class Method:
    """A way to get from a question to an answer."""

    name: str
    """What `--method` calls it."""

    paper: str
    """Where it is from."""

    ask: Callable[[Question], Talk]
    """The calls."""

    prompts: tuple[str, ...] = ()
    """Files of `methods/prompts` that it uses."""

    pictures: int = 0
    """Pictures that a prompt has to show: 0 where a question may come without one."""

    adds_tokens: int = 0
    """Tokens by which later prompts may be longer than the first one, pictures apart."""

    adds_pictures: int = 0
    """Pictures, no larger than the question's, that later prompts may show beside the first's."""

    unfit: Callable[[LatentPlan, bool], str] = lambda plan, brings: ""
    """Told a model's plan, and whether it came with the weights: why the method does not go with
    it; empty where it does."""


@cache
def prompt(name: str) -> Template:
    """A prompt file, to be filled in."""
    path = files("latentlab.methods") / "prompts" / f"{name}.txt"
    return Template(path.read_text(encoding="utf-8").strip())

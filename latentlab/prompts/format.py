"""The words of a prompt: marker, form of the answer, how options and steps are told."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from latentlab.data.example import Example
from latentlab.errors import UserError, did_you_mean

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

PLAIN_TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{{ image_token if part['type'] == 'image' else part['text'] }}"
    "{% endfor %}{% endfor %}"
)
"""Chat template of tokenizers that bring none: the picture, then the question."""


@dataclass(frozen=True)
class PromptFormat:
    """How a model's prompts and answers are worded."""

    answer_marker: str = "Answer:"
    """What stands between the rationale and the answer."""

    answer_form: Literal["letter", "text"] = "letter"
    """Whether the answer is a choice's letter or its text."""

    choices_in_prompt: bool = True
    """Whether the prompt lists the choices; without, they serve scoring only."""

    step_separator: str = "\n"
    """What joins the steps of a rationale."""

    joint: str = " "
    """What joins the marker to the answer."""

    def __post_init__(self) -> None:
        """Refuse letters as answers to choices that the prompt does not show."""
        if self.answer_form not in ("letter", "text"):
            raise UserError(f"answer_form is {self.answer_form!r}; known: letter, text")
        if self.answer_form == "letter" and not self.choices_in_prompt:
            raise UserError("answers by letter need choices_in_prompt=true")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "PromptFormat":
        """Read a format back from JSON values.

        Raises:
            UserError: a field is unknown, or a value is refused.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            if name not in known:
                hint = did_you_mean(name, known)
                raise UserError(f"the prompt format has an unknown field {name!r}; {hint}")
        return cls(**values)

    def question(self, example: Example) -> str:
        """Word the question, with its choices where the format lists them."""
        if not (self.choices_in_prompt and example.choices):
            return example.question
        lines = [f"{LETTERS[i]}. {choice}" for i, choice in enumerate(example.choices)]
        return "\n".join([example.question, *lines])

    def answer_texts(self, choices: Sequence[str]) -> list[str]:
        """Word each choice as an answer."""
        if self.answer_form == "letter":
            return list(LETTERS[: len(choices)])
        return list(choices)

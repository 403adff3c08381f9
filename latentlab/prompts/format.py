"""The words of a prompt: marker, form of the answer, how options and steps are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import Template
from typing import ClassVar, Literal

from latentlab.data.example import Example
from latentlab.errors import UserError
from latentlab.schema import STRICT, check, read

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class PromptFormat:
    """How a model's prompts and answers are worded."""

    __pydantic_config__: ClassVar = STRICT

    answer_marker: str = "Answer:"
    """What stands between the rationale and the answer."""

    answer_form: Literal["letter", "text", "index"] = "letter"
    """Whether the answer is a choice's letter, its text or its number, counted from 0."""

    choices_in_prompt: bool = True
    """Whether the prompt lists the choices; without, they serve scoring only."""

    step_separator: str = "\n"
    """What joins the steps of a rationale."""

    joint: str = " "
    """What joins the marker to the answer."""

    context_in_prompt: bool = True
    """Whether a line above the question tells the example's context."""

    question_form: str = "$question"
    """How the question is worded. The picture stands where it says `$image`, or before all text."""

    options_head: str = ""
    """Line above the choices; none if empty."""

    option_form: str = "$letter. $choice"
    """How each choice is listed, on a line of its own."""

    prompt_end: str = ""
    """What ends the prompt, right after the last choice."""

    def __post_init__(self) -> None:
        """Refuse forms that leave something out, and answers that the prompt does not show."""
        check(self, "the prompt format")
        if self.answer_form != "text" and not self.choices_in_prompt:
            raise UserError(f"answers by {self.answer_form} need choices_in_prompt=true")
        _check_form("question_form", self.question_form, {"question"}, {"image"})
        _check_form("option_form", self.option_form, {"choice"}, {"letter"})

    @classmethod
    def from_dict(
        cls, values: object, where: str = "the prompt format", text: str | None = None
    ) -> "PromptFormat":
        """Read a format back from JSON values; `where` and `text` are for messages.

        Raises:
            UserError: a field is unknown, or a value is refused.
        """
        return read(cls, values, where, text)

    def question(self, example: Example) -> str:
        """Word the question, with its choices where the format lists them, without the picture."""
        return "".join(self.around_image(example))

    def around_image(self, example: Example) -> tuple[str, str]:
        """Word the question: the text before its picture, and the text after."""
        before, image, after = self.question_form.partition("$image")
        if not image:
            before, after = "", self.question_form
        lines = [Template(after).substitute(question=example.question)]
        if self.choices_in_prompt and example.choices:
            lines += [self.options_head] if self.options_head else []
            option = Template(self.option_form)
            for letter, choice in zip(LETTERS, example.choices, strict=False):
                lines.append(option.substitute(letter=letter, choice=choice))
        before = Template(before).substitute(question=example.question)
        after = "\n".join(lines) + self.prompt_end
        if not (self.context_in_prompt and example.context):
            return before, after
        context = f"{example.context}\n"
        return (context + before, after) if image else (before, context + after)

    def answer_texts(self, choices: Sequence[str]) -> list[str]:
        """Word each choice as an answer."""
        if self.answer_form == "letter":
            return list(LETTERS[: len(choices)])
        if self.answer_form == "index":
            return [str(i) for i in range(len(choices))]
        return list(choices)


def _check_form(field: str, form: str, needed: set[str], allowed: set[str]) -> None:
    """Refuse a form with a name that nothing fills, or without one that it is there to show.

    Raises:
        UserError: the form is no such form; the message names the field.
    """
    template = Template(form)
    names = set(template.get_identifiers())
    if not template.is_valid() or not needed <= names <= needed | allowed:
        known = ", ".join(f"${name}" for name in sorted(needed | allowed))
        least = ", ".join(f"${name}" for name in sorted(needed))
        raise UserError(f"{field} is {form!r}: it has to hold {least}, and may hold {known} only")

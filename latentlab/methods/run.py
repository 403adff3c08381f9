"""Lets the questions of a batch go through a method side by side.

At each round the pending calls of all questions go through the model together; a question that is
done drops out, so that a zoom of one does not cost the others a call.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from latentlab.answers import Answer
from latentlab.data.example import Example
from latentlab.measures.scores import parse_answer
from latentlab.methods.call import Method, Question
from latentlab.methods.speaker import Said, Speaker, bare_plan
from latentlab.reasoner import Reasoner

NO_MARKER = "no marker"
"""Failure of format: the last reply does not say where its answer begins."""

UNREAD = "no answer"
"""Failure of format: what is read as the answer names no single option."""


@dataclass(frozen=True)
class Told:
    """What a method made of one question."""

    answer: Answer
    """The last reply, read strictly, with the cost of all calls."""

    said: tuple[tuple[str, Said], ...]
    """Name of and reply to every call, in order."""

    failures: tuple[str, ...]
    """What of the format failed."""

    @property
    def forward_tokens(self) -> int:
        """Positions that the decoder ran, in all calls."""
        return sum(one.forward_tokens for _, one in self.said)

    @property
    def pictures(self) -> int:
        """Pictures that were encoded, in all calls."""
        return sum(one.pictures for _, one in self.said)


def question_of(reasoner: Reasoner, example: Example, longest: int) -> Question:
    """An example as a method is given it."""
    prompter = reasoner.prompter
    marker = prompter.decode(prompter.marker_ids)
    return Question(
        example,
        prompter.format,
        marker,
        reasoner.plan,
        reasoner.brings_plan,
        bare_plan(reasoner),
        longest,
    )


def run_method(
    reasoner: Reasoner,
    method: Method,
    examples: Sequence[Example],
    longest: int = 64,
    seed: int = 0,
    speaker: Speaker | None = None,
) -> list[Told]:
    """Ask some examples by a method, as one batch.

    Args:
        reasoner: the model.
        method: how it is asked.
        examples: what it is asked.
        longest: tokens of an answer at most; what a method writes before has its own bound.
        seed: seed of random picks.
        speaker: what answers the calls; by default the model.

    Raises:
        UserError: a prompt does not fit the model (`check.misfit` finds most before).
    """
    speaker = speaker or Speaker(reasoner, seed)
    questions = [question_of(reasoner, example, longest) for example in examples]
    texts = [reasoner.prompter.format.answer_texts(example.choices) for example in examples]
    talks = [method.ask(question) for question in questions]
    pending = {i: next(talk) for i, talk in enumerate(talks)}
    said: list[list[tuple[str, Said]]] = [[] for _ in examples]
    failed: list[tuple[str, ...]] = [() for _ in examples]
    while pending:
        who, calls = list(pending), list(pending.values())
        options = [texts[i] if call.answers else [] for i, call in pending.items()]
        replies = speaker.say(calls, [examples[i].id for i in who], options)
        for i, call, reply in zip(who, calls, replies, strict=True):
            said[i].append((call.name, reply))
            try:
                pending[i] = talks[i].send(reply.text)
            except StopIteration as end:
                failed[i] = end.value
                del pending[i]
    of_each = zip(questions, said, failed, strict=True)
    return [told_of(question, calls, failures) for question, calls, failures in of_each]


def told_of(
    question: Question,
    said: Sequence[tuple[str, Said]],
    failures: tuple[str, ...],
    answer: str | None = None,
) -> Told:
    """What calls and replies come to.

    Args:
        question: what was asked.
        said: name of and reply to every call.
        failures: what of the format failed so far.
        answer: what is read as the answer; None for what follows the last reply's last marker.
    """
    replies = [reply for _, reply in said]
    last = replies[-1]
    options = question.format.answer_texts(question.example.choices)
    _, found, after = last.text.rpartition(question.marker) if question.marker else ("", "", "")
    # An empty marker is everywhere: all is the answer.
    if answer is None:
        answer = after if found else last.text
    choice = parse_answer(answer, options, question.format.answer_form)
    failures += () if found or not question.marker else (NO_MARKER,)
    failures += (UNREAD,) if options and choice is None else ()
    made = Answer(
        text=last.text,
        choice=choice,
        option_logprobs=last.option_logprobs,
        latent_steps=sum(reply.latent_steps for reply in replies),
        new_tokens=sum(reply.new_tokens for reply in replies),
        seconds=sum(reply.seconds for reply in replies),
    )
    return Told(made, tuple(said), failures)

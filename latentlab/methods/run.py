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
    form = reasoner.prompter.format.answer_form
    told = []
    for question, row, calls_of, failures in zip(questions, texts, said, failed, strict=True):
        replies_of = [reply for _, reply in calls_of]
        last = replies_of[-1]
        _, found, after = last.text.rpartition(question.marker)
        # An empty marker is everywhere: all is the answer.
        answer = after if found else last.text
        choice = parse_answer(answer, row, form)
        failures += () if found or not question.marker else (NO_MARKER,)
        failures += (UNREAD,) if row and choice is None else ()
        made = Answer(
            text=last.text,
            choice=choice,
            option_logprobs=last.option_logprobs,
            latent_steps=sum(reply.latent_steps for reply in replies_of),
            new_tokens=sum(reply.new_tokens for reply in replies_of),
            seconds=sum(reply.seconds for reply in replies_of),
        )
        told.append(Told(made, tuple(calls_of), failures))
    return told

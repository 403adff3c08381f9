"""Runs a method with given words: what it writes is known, and it only answers.

What a model writes before its answer is its *transcript*: of every reply what stands before the
answer marker. Replayed, calls before the last get their words without a call of the model; the last
reply is begun with its words and the marker. The method's own generator runs on them, so what
follows from words (a crop of the cell that they name, a prompt that holds them) follows from those
that are given. On a model's own transcript it answers as it did by itself.
"""

from collections.abc import Sequence
from dataclasses import replace

from latentlab.data.example import Example
from latentlab.methods.begun import marked
from latentlab.methods.call import Call, Method, Question
from latentlab.methods.run import Told, question_of, told_of
from latentlab.methods.speaker import Said, Speaker
from latentlab.prompts import Prompter
from latentlab.reasoner import Reasoner

Transcript = tuple[tuple[int, ...], ...]
"""Token ids of every reply before the answer marker; an empty one is an answer at once."""


def transcript_of(prompter: Prompter, told: Told) -> Transcript | None:
    """What a model wrote before its answer; None where its last reply never came to the marker."""
    *before, last = [reply.ids for _, reply in told.said]
    end = marked(prompter, last) if prompter.marker_ids else 0
    if end is None:
        return None
    return (*(_ended(prompter, ids) for ids in before), tuple(last[:end]))


def all_of(prompter: Prompter, told: Told) -> Transcript:
    """Everything that was written, as if an answer marker followed."""
    return tuple(_ended(prompter, reply.ids) for _, reply in told.said)


def transcript_in(prompter: Prompter, replies: Sequence[str]) -> Transcript:
    """Words of every reply as a transcript, such as those of a teacher."""
    return tuple(tuple(prompter.encode(reply)) for reply in replies)


def replay(
    reasoner: Reasoner,
    method: Method,
    examples: Sequence[Example],
    transcripts: Sequence[Transcript],
    longest: int = 64,
    seed: int = 0,
    stands: Sequence[int | None] = (),
    speaker: Speaker | None = None,
) -> list[Told]:
    """Let a model answer after given words, as one batch.

    Args:
        reasoner: the model.
        method: how it is asked.
        examples: what it is asked.
        transcripts: what each is given as written. Where a method asks for more replies than there
            are, they are empty; where it ends before, the words of the reply that ended it are
            followed by the marker.
        longest: tokens of an answer at most.
        seed: seed of random picks.
        stands: position id at which each answer marker is put; None, or nothing at all, where it
            follows on the words.
        speaker: what answers the calls; by default the model.

    Returns:
        What each came to, with the cost of its last call alone.

    Raises:
        UserError: a prompt does not fit the model.
    """
    speaker = speaker or Speaker(reasoner, seed)
    prompter = reasoner.prompter
    questions = [question_of(reasoner, example, longest) for example in examples]
    texts = [prompter.format.answer_texts(example.choices) for example in examples]
    most = max((len(prompter.answer_ids(text)) for row in texts for text in row), default=1)
    asked: list[Call] = []
    given: list[list[tuple[str, str]]] = []
    pairs = zip(questions, transcripts, stands or [None] * len(examples), strict=True)
    for question, transcript, at in pairs:
        call, words, before = _last(prompter, method, question, transcript)
        begun = (*words, *prompter.marker_ids)
        room = max(call.longest, len(begun) + max(most, longest))
        place = None if at is None else at - len(words)
        asked.append(replace(call, begun=begun, longest=room, answers=True, stands=place))
        given.append(before)
    replies = speaker.say(asked, [example.id for example in examples], texts)
    found = []
    for question, call, before, reply in zip(questions, asked, given, replies, strict=True):
        said = [(name, Said(text)) for name, text in before] + [(call.name, reply)]
        failures = _failures(method, question, [one.text for _, one in said])
        answer = prompter.decode(reply.ids[len(call.begun or ()) :])
        found.append(told_of(question, said, failures, answer))
    return found


def _last(
    prompter: Prompter, method: Method, question: Question, transcript: Transcript
) -> tuple[Call, tuple[int, ...], list[tuple[str, str]]]:
    """The call that is to be answered, its given words, and names and words of those before."""
    talk = method.ask(question)
    call, before = next(talk), list[tuple[str, str]]()
    while True:
        number = len(before)
        words = transcript[number] if number < len(transcript) else ()
        if call.answers and number + 1 >= len(transcript):
            return call, words, before
        text = _text(prompter, words)
        try:
            follows = talk.send(text)
        except StopIteration:
            return call, words, before
        before.append((call.name, text))
        call = follows


def _failures(method: Method, question: Question, replies: Sequence[str]) -> tuple[str, ...]:
    """What of the format a method finds failed in some replies; none where it would go on."""
    talk = method.ask(question)
    next(talk)
    try:
        for reply in replies:
            talk.send(reply)
    except StopIteration as end:
        return tuple(end.value)
    return ()


def _text(prompter: Prompter, ids: Sequence[int]) -> str:
    """Given words as a method reads them; unlike in a model's own, each token counts."""
    return str(prompter.tokenizer.decode(list(ids))).strip()


def _ended(prompter: Prompter, ids: Sequence[int]) -> tuple[int, ...]:
    """A reply without its end token."""
    return tuple(ids[:-1] if ids and ids[-1] in prompter.eos_ids else ids)

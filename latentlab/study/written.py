"""What a model writes by its method, edited before it answers: rationales, graphs, looks, captions.

Models that were trained to follow a method may take several calls, and pictures may follow from
their words. They are asked by `methods.run` and answer after other words by `methods.replay`; the
edits are those of `study.rationale`, and the rows those of `study.run`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch

from latentlab.data.example import Example
from latentlab.methods import own
from latentlab.methods.call import Method
from latentlab.methods.replay import Transcript, replay, transcript_of
from latentlab.methods.run import Told, run_method
from latentlab.prompts import Prompter
from latentlab.reasoner import Reasoner
from latentlab.study.arms import Arm
from latentlab.study.batches import Numbered, one_round, over_batches
from latentlab.study.by_method import own_method
from latentlab.study.identity import identity
from latentlab.study.instrument import Subject
from latentlab.study.rationale import RationaleEdit, Rationales, StepIds, split
from latentlab.study.rationale_run import write_all
from latentlab.study.run import Row, framed, lent, score

REHEARSED = 8
"""Examples on which a model shows whether it writes anything."""

WRITES_NOTHING = "takes no latent steps and writes nothing before its answer"
"""What is said of a model of which there is nothing to study in words."""


def method_in_words(reasoner: Reasoner) -> Method | None:
    """How a model reasons in words; None where it takes latent steps instead.

    It is the method that it was trained for, or else its own way, with steps in words or none.
    """
    plan = reasoner.plan
    return own_method(reasoner) or (None if plan.steps and not plan.in_words else own.METHOD)


@dataclass(frozen=True)
class Written:
    """Questions asked of a model in its own way, and what it wrote before its answers."""

    told: list[Told]
    """What came of each question."""

    rationales: Rationales
    """Of each question the replies before its answer, one a step."""

    @property
    def stands(self) -> list[int | None]:
        """Where each answer marker stood; None where there was none."""
        places = zip(self.told, self.rationales.steps, strict=True)
        return [None if steps is None else told.said[-1][1].stands for told, steps in places]


@torch.no_grad()
def write_down(
    reasoner: Reasoner, method: Method, examples: Sequence[Example], longest: int, seed: int
) -> Written:
    """Ask a batch and keep what it writes."""
    told = run_method(reasoner, method, examples, longest, seed)
    found = [transcript_of(reasoner.prompter, one) for one in told]
    steps = [None if one is None else [list(reply) for reply in one] for one in found]
    return Written(told, Rationales(tuple(example.id for example in examples), tuple(steps)))


def write_down_all(
    reasoner: Reasoner,
    method: Method,
    examples: Sequence[Example],
    batch_size: int = 64,
    seed: int = 0,
    longest: int = 64,
) -> Written:
    """What a model writes and answers to some examples, in their order."""

    def of_batch(numbered: Numbered) -> list[tuple[int, Told, StepIds | None]]:
        numbers, asked = [number for number, _ in numbered], [example for _, example in numbered]
        own = write_down(reasoner, method, asked, longest, seed)
        return list(zip(numbers, own.told, own.rationales.steps, strict=True))

    batches = over_batches(examples, batch_size, of_batch, f"{reasoner.name}: written words")
    found = sorted((row for batch in batches for row in batch), key=lambda row: row[0])
    _, told, steps = zip(*found, strict=True)
    return Written(list(told), Rationales(tuple(example.id for example in examples), steps))


def writes_anything(
    subject: Subject, method: Method | None, seed: int, longest: int, lacking: str
) -> bool:
    """Whether a model writes anything before its answers, by a rehearsal on a few examples.

    Args:
        subject: the model and what it is asked.
        method: how it writes; None where its words are one rationale after its latent steps.
        seed: seed of random picks.
        longest: tokens of an answer at most.
        lacking: what is told where it writes nothing.
    """
    reasoner, few = subject.reasoner, subject.examples[:REHEARSED]
    if method is None:
        words = write_all(reasoner, few, REHEARSED, seed, longest)
    else:
        words = write_down_all(reasoner, method, few, REHEARSED, seed, longest).rationales.written
    if not words.examples:
        subject.lacks(lacking)
    return bool(words.examples)


def edited(
    edit: RationaleEdit, own: Rationales, prompter: Prompter, seed: int
) -> list[Transcript | None]:
    """What each example is given as written; None where it is left to itself.

    Where several replies hold words they are the steps of an order; of a single one, its parts are.
    """
    found: list[Transcript | None] = []
    for example, replies in zip(own.examples, edit.lent(own, seed), strict=True):
        places = [i for i, reply in enumerate(replies or ()) if reply]
        if replies is None or edit.how in ("drop", "own", "given", "other"):
            made = edit.changed(example, replies, seed)
        elif len(places) == 1:
            parts = edit.changed(example, split(prompter, replies[places[0]]), seed) or []
            made = [list(reply) for reply in replies]
            made[places[0]] = [token for part in parts for token in part]
        else:
            steps = edit.changed(example, [replies[i] for i in places], seed) or []
            made = [list(reply) for reply in replies]
            for i, step in zip(places, steps, strict=True):
                made[i] = step
        found.append(None if made is None else tuple(tuple(reply) for reply in made))
    return found


@torch.no_grad()
def answer_after(
    reasoner: Reasoner,
    method: Method,
    examples: Sequence[Example],
    own: Written,
    given: Sequence[Transcript | None],
    longest: int = 64,
    seed: int = 0,
    held: bool = False,
) -> list[Told]:
    """Answers after given words; who is left to itself answers as it did.

    Args:
        reasoner: the model.
        method: how it is asked.
        examples: the batch.
        own: what it wrote and answered by itself.
        given: what each is given as written.
        longest: tokens of an answer at most.
        seed: seed of random picks.
        held: whether answers stand where they stood, whatever is written before.
    """
    where = [i for i, words in enumerate(given) if words is not None]
    found = list(own.told)
    if where:
        words = [transcript for transcript in given if transcript is not None]
        asked = [examples[i] for i in where]
        stands = [own.stands[i] for i in where] if held else ()
        told = replay(reasoner, method, asked, words, longest, seed, stands)
        for i, one in zip(where, told, strict=True):
            found[i] = one
    return found


@torch.no_grad()
def run_written(
    reasoner: Reasoner,
    method: Method,
    examples: Sequence[Example],
    arms: Sequence[Arm],
    data: str,
    batch_size: int = 64,
    seed: int = 0,
    longest: int = 64,
) -> pd.DataFrame:
    """Run arms that edit what a model writes by its method.

    Returns:
        Rows as of `study.run.run_arms`; their costs are those of the last call.
    """
    by_letter = reasoner.prompter.format.answer_form == "letter"

    def of_batch(numbered: Numbered) -> list[Row]:
        asked = [example for _, example in numbered]
        own = write_down(reasoner, method, asked, longest, seed)
        rows: list[Row] = []
        for place, arm in enumerate(arms):
            edit, told, donors = arm.rationale, own.told, [None] * len(asked)
            if edit is not None:
                given = edited(edit, own.rationales, reasoner.prompter, seed)
                told = answer_after(reasoner, method, asked, own, given, longest, seed, edit.held)
                donors = _donors(edit, own.rationales, seed)
            one_round(asked)
            for (number, example), one, donor in zip(numbered, told, donors, strict=True):
                facts: dict[str, Any] = {"donor_example": donor, "control_positions": None}
                row = {
                    **identity(reasoner.name, data, example),
                    "cluster": [*example.clusters, *lent(facts)],
                    **arm.facts,
                    "seed": seed + arm.draw,
                    **facts,
                    **score(example, one.answer, by_letter),
                }
                rows.append(((place, number), row))
        return rows

    name = f"{reasoner.name}, {method.name}"
    found = over_batches(examples, batch_size, of_batch, name, len(arms), "answers")
    return framed(row for batch in found for row in batch)


def _donors(edit: RationaleEdit, own: Rationales, seed: int) -> list[Any]:
    """Whose words each example is given; None where its own."""
    if edit.how != "other" or edit.donors is None:
        return [None] * len(own.examples)
    return list(edit.donors.names(own.examples, seed + edit.draw))

"""The runs of a mediation study: inputs perturbed, latents taken from the other run."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
import pandas as pd
import torch

from latentlab.console import note
from latentlab.data.perturb import Perturbation
from latentlab.mediation import in_words
from latentlab.mediation.config import MediationConfig
from latentlab.mediation.effects import OUTCOMES, outcomes, with_effects
from latentlab.mediation.input_run import InputRun
from latentlab.mediation.lines import DISTANCES
from latentlab.mediation.mediators import Mediator, PreparedMediation
from latentlab.mediation.movement import (
    Slots,
    Spreads,
    movement_rows,
    reference_spreads,
    slots_of,
)
from latentlab.mediation.perturbed import about, perturbed
from latentlab.mediation.summary import EFFECT
from latentlab.reasoner import Reasoner
from latentlab.study.batches import Numbered, over_batches
from latentlab.study.instrument import Subject
from latentlab.study.written import method_in_words
from latentlab.wording import perturbation_name


@torch.no_grad()
def rows_of(config: MediationConfig, subject: Subject, prepared: PreparedMediation) -> pd.DataFrame:
    """Measure how a model's latents move with the input and what they carry of its effect.

    Args:
        config: the flags.
        subject: the model, what it is asked, and at least two references that the spread of its
            latents is measured on.
        prepared: what is done to it.

    Returns:
        Rows of two sorts in one table, told apart by `measure` (docs/mediation.md lists the
        columns): `effect`, one per example, perturbation, hop, mediator, part, steps and outcome,
        and `movement`, one per example, perturbation, hop, part and step. Examples that do not
        allow a perturbation have no rows for it.
    """
    reasoner, examples = subject.reasoner, subject.examples
    edits, chosen = prepared.edits, prepared.mediators
    if (method := method_in_words(reasoner)) is not None:
        found = in_words.frames_of(config, subject, method, edits)
        return _finished(reasoner.name, chain(*found), edits, len(examples))

    def undisturbed(numbered: Numbered) -> Slots:
        asked = [example for _, example in numbered]
        return slots_of(InputRun(reasoner, asked, config.seed, slots=False))

    def of_batch(numbered: Numbered) -> list[pd.DataFrame]:
        return list(_of_batch(config, reasoner, numbered, edits, chosen, spreads))

    size, name = config.batch_size, reasoner.name
    kept = over_batches(subject.references, size, undisturbed, f"{name}: references")
    spreads = reference_spreads(kept)
    found = over_batches(examples, size, of_batch, name, len(edits), "comparisons")
    return _finished(name, chain(*found), edits, len(examples))


def _finished(
    model: str, frames: Iterable[pd.DataFrame], edits: Sequence[Perturbation], n: int
) -> pd.DataFrame:
    """All rows in their order, with effects; tells how many examples allow each perturbation."""
    rows = pd.concat(frames, ignore_index=True)
    for order, edit in enumerate(edits):
        lacking = n - rows.loc[rows["order"] == order, "example"].nunique()
        if lacking:
            hop = "" if edit.hop is None else f", hop {edit.hop}"
            what = f"{perturbation_name(edit.name)}{hop}"
            note(f"{model}: {lacking} of {n} examples do not allow {what}; left out of it")
    rows = rows.sort_values(["order", "index"], kind="stable", ignore_index=True)
    whole = {"hops": "Int64", "hop": "Int64"}
    return with_effects(rows.drop(columns=["order", "index"]).astype(whole))


def _of_batch(
    config: MediationConfig,
    reasoner: Reasoner,
    numbered: Numbered,
    edits: Sequence[Perturbation],
    chosen: Sequence[Mediator],
    spreads: Spreads,
) -> Iterator[pd.DataFrame]:
    """Rows of one batch; columns `order` and `index` say where they belong."""
    examples = [example for _, example in numbered]
    slots = any(mediator.name == "slots" for mediator in chosen)
    prompter = reasoner.prompter
    texts = [prompter.format.answer_texts(example.choices) for example in examples]
    options = [[prompter.answer_ids(text) for text in row] for row in texts]
    clean = InputRun(reasoner, examples, config.seed, slots)
    says = clean.option_logprobs(clean.state, options)
    answers = [int(np.argmax(row)) for row in says]
    named = about(reasoner.name, config.data, numbered)
    for made in perturbed(numbered, edits):
        other = InputRun(reasoner, made.inputs, config.seed, slots)
        head, allowed = made.head(named), made.allowed
        for columns in movement_rows(clean, other, spreads):
            moved = head.assign(**{name: value[allowed] for name, value in columns.items()})
            # Where no pick stayed there are no embeddings to compare.
            yield moved.dropna(subset=list(DISTANCES), how="all")
        runs = {"y_clean": says, "y_perturbed": other.option_logprobs(other.state, options)}
        whole = {mediator: mediator.of_whole(reasoner.plan) for mediator in chosen}
        each = list(dict.fromkeys(whole.values()))
        # What leaves the input as it is has to change nothing to the last bit.
        room = config.batch_size if made.edit.name != "none" else 0
        direct = other.says_taking(clean, each, options, room)
        indirect = clean.says_taking(other, each, options, room)
        done = {}
        for one in each:
            said = runs | {"y_direct": direct[one], "y_indirect": indirect[one]}
            done[one] = {name: outcomes(of, answers, made.expected) for name, of in said.items()}
        for mediator in chosen:
            taken = {"measure": EFFECT, "mediator": mediator.name, "part": mediator.part}
            for outcome in OUTCOMES:
                values = {name: of[outcome][allowed] for name, of in done[whole[mediator]].items()}
                frame = head.assign(**taken, steps=mediator.steps_label, outcome=outcome, **values)
                yield frame.dropna(subset=list(values))

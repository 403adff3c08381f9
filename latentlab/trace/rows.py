"""Rows of recorded answers: one for each latent step, and one for each way to run the model.

Everything is measured by the instruments that also make the tables (attention, ablation, probes and
lens), so that a number in the viewer is the same as in a table. This module only joins them. Models
without latent steps have answers alone (`written`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import pandas as pd

from latentlab.ablate import rows as ablate
from latentlab.ablate.applicable import Applicable
from latentlab.ablate.config import AblateConfig
from latentlab.ablate.necessity import with_necessity
from latentlab.attention.config import AttentionConfig
from latentlab.backbones.sight import seen_part
from latentlab.data import Example, readable
from latentlab.methods import Method
from latentlab.reasoner import Reasoner
from latentlab.study.arms import Arm
from latentlab.study.asked import load_for
from latentlab.study.instrument import Subject
from latentlab.study.references import reference_bank
from latentlab.study.run import run_arms
from latentlab.study.steps import same_steps
from latentlab.trace import written
from latentlab.trace.config import TraceConfig
from latentlab.trace.reading import lens_columns, probe_columns
from latentlab.trace.records import ANSWER, STEP, option_probabilities, record_types
from latentlab.trace.runs import run_steps
from latentlab.vocabulary import Replacement


@dataclass(frozen=True)
class PreparedTrace:
    """The knock-outs of one model."""

    flags: AblateConfig
    """What is done, as flags of the ablation."""

    applicable: Applicable
    """What of them applies."""


Prepared = PreparedTrace | tuple[Method, ...]
"""Of a model with latent steps its knock-outs, of one that writes the methods to ask it by."""


def prepare(config: TraceConfig, subject: Subject) -> Prepared | None:
    """Look for what would go wrong in the middle of a run.

    Raises:
        UserError: the model's steps do not fit the data, or a method does not fit the model.
    """
    reasoner = subject.reasoner
    if written.writes(config, reasoner):
        return written.prepare(config, subject)
    if not same_steps(subject, "records step by step"):
        return None
    flags = knock_outs(config, reasoner)
    # A part that the model does not have gets no arm.
    found = ablate.prepare(flags, replace(subject, lacks=lambda message: None))
    return None if found is None else PreparedTrace(flags, found)


def rows_of(config: TraceConfig, subject: Subject, prepared: Prepared) -> pd.DataFrame:
    """Record one model's answers.

    Args:
        config: `data`, `batch_size`, `seed`, `reference`, `tokens` and `method` are read.
        subject: a model, what to ask it, and other examples, which the knock-outs take deviations
            and donors from.
        prepared: what `prepare` returned.

    Returns:
        Rows with `model, data, example, domain, topic, hops, question_type` and `record`:

        - `step`: one per example, arm and latent step, with the `intervention`, the columns
          `runs.LOOKED` of that very run; `seen` (left, top, right and bottom of the part of the
          picture that the grid covers, in pixels); the tokens that the logit lens ranks first in
          the latent text as it is fed in (`reading.lens_columns`); and what a probe reads there
          (`reading.probe_columns`);
        - `answer`: one per example and arm, as `study.run.run_arms` returns them, with
          `option_probs`, `necessity` (`ablate.necessity`), and where another question lends its
          latents, what that asks and its walk as far as it goes (`donor_question, donor_path`).

        A model that writes has answers alone (`written.rows_of`).
    """
    if isinstance(prepared, tuple):
        return written.rows_of(config, subject, prepared)
    flags, reasoner, examples = prepared.flags, subject.reasoner, subject.examples
    arms = ablate.arms_of(flags, subject, prepared.applicable)
    answers = run_arms(
        reasoner,
        examples,
        arms,
        flags.data,
        flags.batch_size,
        flags.seed,
        flags.max_new_tokens,
        at_once=flags.answer == "at_once",
    )
    answers = _with_donors(with_necessity(answers), subject.references)
    probabilities = [option_probabilities(values) for values in answers["option_logprobs"]]
    answers = answers.assign(record=ANSWER, option_probs=pd.Series(probabilities, answers.index))
    steps = _step_rows(config, subject, arms)
    return record_types(pd.concat([steps, answers], ignore_index=True))


def knock_outs(config: TraceConfig, reasoner: Reasoner) -> AblateConfig:
    """What is done to the latents of every example, as flags of the ablation."""
    empty: tuple[Replacement, ...] = ("placeholder",) if reasoner.placeholder_id is not None else ()
    return AblateConfig(
        model=config.model,
        data=config.data,
        limit=config.limit,
        batch_size=config.batch_size,
        seed=config.seed,
        drop=("latent_text", "latent_vision", "latent"),
        replace=(*empty, "other", "noise"),
        part=("latent",),
    )


def _with_donors(answers: pd.DataFrame, references: Sequence[Example]) -> pd.DataFrame:
    """Answer rows that say what the question asks whose latents are put in, and its walk."""
    if "donor_example" not in answers:
        return answers
    lenders = {example.id: example for example in references}
    found = [lenders.get(name) for name in answers["donor_example"]]
    questions = [None if one is None else one.question for one in found]
    paths = [None if one is None else walk(one) for one in found]
    columns = {"donor_question": questions, "donor_path": paths}
    return answers.assign(**{n: pd.Series(v, answers.index) for n, v in columns.items()})


def walk(example: Example) -> list[str]:
    """The objects of an example's hops, as far as its question asks; empty without a trace."""
    trace = example.trace
    return [trace.at(hop) for hop in range((example.hops or 0) + 1)] if trace else []


def _step_rows(config: TraceConfig, subject: Subject, arms: Sequence[Arm]) -> pd.DataFrame:
    """Attention, lens and probe of every step of every example in every arm."""
    reasoner, examples = subject.reasoner, subject.examples
    looking_at = AttentionConfig(
        model=config.model, data=config.data, batch_size=config.batch_size, seed=config.seed
    )
    runs = run_steps(looking_at, reasoner, examples, arms)
    asked = [examples[i] for i in range(len(examples))]
    known = _fitted_on(config, subject, asked)
    bank = reference_bank(reasoner, known, config.batch_size, config.seed)
    names = [example.id for example in asked]
    rows, keys = runs.rows, ["example", "intervention", "step"]
    for frames in (
        lens_columns(reasoner, runs, names, config.tokens),
        probe_columns(bank, known, runs, len(asked), config.seed),
    ):
        if frames:
            rows = rows.merge(pd.concat(frames), on=keys, how="left")
    backbone = reasoner.backbone
    seen = {e.id: None if e.image is None else list(seen_part(backbone, e.image)) for e in asked}
    return rows.assign(seen=rows["example"].map(seen), record=STEP)


def _fitted_on(config: TraceConfig, subject: Subject, asked: list[Example]) -> list[Example]:
    """What probes are fitted on: the recorded examples and others, none of which lends latents.

    A probe that had seen the latents of a donor would read them in the exchange.
    """
    wanted = max(len(asked), config.reference)
    spared = {example.id for example in (*asked, *subject.references)}
    reach = wanted + len(subject.references)
    others = (one for one in readable(load_for(config, limit=reach)) if one.id not in spared)
    return [*asked, *islice(others, wanted - len(asked))]

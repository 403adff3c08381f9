"""Interchange in words: what another question wrote before its answer, put in as a model's own.

Of models that reason in words, or write by the method that they were trained for. A donor's words
are what the model itself writes about it. A counterfactual donor's are a teacher's, who knows the
walk on the edited picture, while the recipient sees the picture as it was: words that mislead.
"""

from collections.abc import Iterator, Sequence

import pandas as pd

from latentlab.data import Example, Examples
from latentlab.data.pairs import Pairs, expected_answer
from latentlab.interchange import counterfactual
from latentlab.interchange.config import InterchangeConfig
from latentlab.interchange.donors import TREATMENT
from latentlab.interchange.edits import DONOR, Edit, edits_of
from latentlab.interchange.labels import labelled
from latentlab.measures.outcomes import NONE
from latentlab.measures.summary import ALL
from latentlab.methods.call import Method
from latentlab.methods.replay import transcript_in
from latentlab.methods.taught import lesson_of
from latentlab.reasoner import Reasoner
from latentlab.study.arms import Arm
from latentlab.study.instrument import Subject
from latentlab.study.rationale import RationaleEdit, Rationales
from latentlab.study.written import (
    WRITES_NOTHING,
    method_in_words,
    run_written,
    write_down_all,
    writes_anything,
)
from latentlab.vocabulary import CONTROL, INTERCHANGE, AblatedPart, DonorRule

PART: AblatedPart = "rationale"
"""What is exchanged: all that is written, as a whole."""


def can_exchange(config: InterchangeConfig, subject: Subject) -> bool:
    """See whether a model writes something to exchange."""
    name, method = subject.reasoner.name, method_in_words(subject.reasoner)
    assert method is not None
    for part in config.part:
        if part != "latent":  # all that a model has is, of this one, its words
            subject.lacks(f"--part {part}: {name} has none; it reasons in words")
    if "all" not in config.steps:
        subject.lacks(
            f"--steps {' '.join(config.steps)}: what {name} writes is exchanged as a whole"
        )
        return False
    lacking = f"{name} {WRITES_NOTHING}, so there is nothing to exchange"
    return writes_anything(subject, method, config.seed, config.max_new_tokens, lacking)


def rows_of(
    config: InterchangeConfig,
    reasoner: Reasoner,
    method: Method,
    examples: Examples,
    matched: Sequence[tuple[DonorRule, Pairs]],
) -> Iterator[pd.DataFrame]:
    """Run the exchange from every donor, one frame each, as `interchange.rows` does of latents."""
    for rule, pairs in matched:
        if len(pairs):
            yield _rows(config, reasoner, method, rule, pairs)
    for hop in (config.hop or (None,)) if DONOR in config.donor else ():
        edits = misleading(config, reasoner, examples, hop)
        if len(edits) > 1:
            yield _misled(config, reasoner, method, edits)


def misleading(
    config: InterchangeConfig, reasoner: Reasoner, examples: Examples, hop: int | None
) -> list[Edit]:
    """Edited pictures of which a teacher would write something else.

    Words mostly tell the walk up to where its last hop begins, so that by default it is the mark of
    the hop before the last one that is changed.
    """
    if hop is not None:
        found = edits_of(config, examples, hop)
    else:
        hops = sorted({(example.hops or 0) - 1 for example in examples} - {-1, 0})
        found = [
            edit
            for one in hops
            for edit in edits_of(config, examples, one)
            if edit.example.hops == one + 1
        ]
    return [e for e in found if _taught(reasoner, e.donor) != _taught(reasoner, e.example)]


def _taught(reasoner: Reasoner, example: Example) -> tuple[str, ...]:
    """What a teacher writes before the answer to a question."""
    if reasoner.method:
        return lesson_of(reasoner.method).replies(example)
    separator = reasoner.prompter.format.step_separator
    return ("".join(f"{step}{separator}" for step in example.rationale),)


def _run(
    config: InterchangeConfig,
    reasoner: Reasoner,
    method: Method,
    asked: Sequence[Example],
    *arms: Arm,
) -> pd.DataFrame:
    size, seed, longest = config.batch_size, config.seed, config.max_new_tokens
    return run_written(reasoner, method, asked, (Arm(), *arms), config.data, size, seed, longest)


def _rows(
    config: InterchangeConfig, reasoner: Reasoner, method: Method, rule: DonorRule, pairs: Pairs
) -> pd.DataFrame:
    """The rows of one donor rule."""
    size, seed, longest = config.batch_size, config.seed, config.max_new_tokens
    donors = write_down_all(reasoner, method, pairs.donors, size, seed, longest)
    names = tuple(recipient.id for recipient in pairs.recipients)
    arm = Arm(
        "interchange",
        PART,
        source=rule,
        label=f"{rule} {PART}",
        kind=INTERCHANGE if rule == TREATMENT else CONTROL,
        rationale=RationaleEdit("given", Rationales(names, donors.rationales.steps)),
    )
    rows = _run(config, reasoner, method, pairs.recipients, arm)
    correct = [
        told.answer.choice is not None and donor.choices[told.answer.choice] == donor.answer
        for told, donor in zip(donors.told, pairs.donors, strict=True)
    ]
    named: list[list[dict[str, str | None]]] = []
    for recipient, donor in pairs:
        # The last object that is written is that of the hop before the answer.
        expected = expected_answer(recipient, donor, max((recipient.hops or 1) - 1, 0))
        untouched = {"intervention": NONE, "expected_answer": None, "step_set": ""}
        named.append(
            [
                untouched,
                {"intervention": arm.name, "expected_answer": expected, "step_set": ALL},
            ]
        )
    # Donors are told of by `labelled`.
    rows = rows.drop(columns=["donor_example", "donor_uses"], errors="ignore")
    return labelled(rows, rule, pairs, correct, named)


def _misled(
    config: InterchangeConfig, reasoner: Reasoner, method: Method, edits: Sequence[Edit]
) -> pd.DataFrame:
    """The rows of counterfactual donors: words that lead to another option, and the own ones."""
    prompter = reasoner.prompter
    words = [transcript_in(prompter, _taught(reasoner, edit.donor)) for edit in edits]
    names = tuple(edit.example.id for edit in edits)
    steps = tuple([list(reply) for reply in transcript] for transcript in words)
    put = RationaleEdit("given", Rationales(names, steps))
    label = f"{DONOR} {PART}"
    arms = [
        Arm("interchange", PART, None, DONOR, label=label, kind=INTERCHANGE, rationale=put),
        Arm(
            "interchange",
            PART,
            source=DONOR,
            control="self",
            label=label,
            kind=CONTROL,
            rationale=RationaleEdit("own"),
        ),
    ]
    rows = _run(config, reasoner, method, [edit.example for edit in edits], *arms)
    facts = pd.DataFrame([counterfactual.pair_of(edit) for edit in edits])
    about = pd.concat(
        facts.assign(
            intervention=name,
            expected_answer=facts["donor_answer"] if name != NONE else None,
            step_set=ALL if name != NONE else "",
            sham=sham,
        )
        for name, sham in ((NONE, ""), (arms[0].name, ""), (arms[1].name, "self"))
    )
    about = about.assign(
        donor_correct=True, patches="", change_norm=float("nan"), needed_cell_picked=None
    )
    found = rows.drop(columns=["donor_example", "donor_uses"], errors="ignore").merge(
        about, on=["example", "intervention"], validate="one_to_one"
    )
    kinds = {"expected_answer": "str", "donor_shown": "boolean", **counterfactual.TYPES}
    return found.astype(kinds)

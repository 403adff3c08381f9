"""Ablation by hand: each arm is a few words of definition on top of the plain rollout."""

import dataclasses
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
import torch

from latentlab.data import load_data
from tests.independent.rollout import Latent

pytestmark = pytest.mark.slow

PARTS = {
    "latent_text": ("text",),
    "latent_vision": ("vision",),
    "latent": ("text", "vision"),
}
"""Fields of a latent that each part names."""

FLAGS = {
    "ivtlr": "--drop latent_text latent_vision --replace zero mean --part latent --reference 6",
    "relay": "--drop latent_text --replace mean other other_any --part latent_text --reference 6",
    "relay at step 2": "--drop latent_text --at 2 --context remade frozen",
    "ivtlr otherwise": "--select attention bottom --k 1 --steps 1",
    "gaze": "--drop latent latent_vision",
    "bypass": "--drop latent --replace zero --part latent --reference 6",
}
"""What is asked of each model; few arms, since every one is run by hand as well."""

ARMS = [
    ("ivtlr", "held", "latent_text"),
    ("ivtlr", "held", "latent_vision"),
    ("ivtlr", "closed", "latent_vision"),
    ("ivtlr", "kept", "latent_vision"),
    ("ivtlr", "zero", "latent"),
    ("ivtlr", "mean", "latent"),
    ("ivtlr", "sham", "latent"),
    ("relay", "held", "latent_text"),
    ("relay", "closed", "latent_text"),
    ("relay", "mean", "latent_text"),
    ("gaze", "closed", "latent"),
    ("gaze", "kept", "latent_vision"),
    ("bypass", "zero", "latent"),
]
"""Model, what is done, and to what."""

POSITIONS = {"held": "", "closed": ": positions closed", "kept": ": slots kept, empty"}
"""What becomes of positions where a part is removed, and how names of arms end."""


@pytest.fixture(scope="session")
def ablated(results_of):
    """Rows and summary of one command for each model."""
    return lru_cache(lambda name: results_of("ablate", name.split()[0], *FLAGS[name].split()))


@pytest.fixture(scope="session")
def references(asked):
    """Means and donors are taken from the questions right behind those that are evaluated."""
    n = len(asked())
    return {example.id: example for example in load_data("benchmark", limit=n + 6)[n:]}


def with_part(latent: Latent, part: str, make) -> Latent:
    """A latent one part of which is made anew from what it was."""
    changed = {name: make(name, getattr(latent, name)) for name in PARTS[part]}
    return dataclasses.replace(latent, **{n: v for n, v in changed.items() if v is not None})


def edits(model, how, part, typical, own):
    """What an arm does to the latent of a step."""
    empty = model.embed([model.placeholder_id])[0]
    make = {
        "zero": lambda step: lambda name, old: torch.zeros_like(old),
        "kept": lambda step: lambda name, old: empty.expand_as(old),
        "sham": lambda step: lambda name, old: getattr(own.latents[step], name),
        "mean": lambda step: (
            lambda name, old: torch.stack(
                [getattr(run.latents[step], name) for run in typical]
            ).mean(0)
        ),
    }
    if how in ("held", "closed"):
        gone = dict.fromkeys(PARTS[part])
        return lambda step, latent: dataclasses.replace(latent, **gone, closed=how == "closed")
    return lambda step, latent: with_part(latent, part, make[how](step))


@pytest.mark.parametrize(("name", "how", "part"), ARMS)
def test_an_arm_is_its_definition(
    name, how, part, plain, asked, untouched, references, ablated, nats, log_odds
):
    model, (rows, _) = plain(name), ablated(name)
    arm = f"drop {part}{POSITIONS[how]}" if how in POSITIONS else f"{how} {part}"
    arm = rows[rows["intervention"] == arm]
    assert (arm["positions"] == (how if how in POSITIONS else "")).all()
    alone = rows[rows["intervention"] == "none"].set_index("example")
    typical = [model.rollout(one) for one in references.values()] if how == "mean" else []
    for row, example, own in zip(arm.itertuples(), asked(), untouched(name), strict=True):
        assert row.example == example.id
        run = model.rollout(example, edits(model, how, part, typical, own))
        scores = model.option_logprobs(run, example.choices)
        assert row.option_logprobs == pytest.approx(scores, abs=nats)
        gold = example.choices.index(example.answer)
        before = alone.loc[example.id, "gold_log_odds"]
        assert row.gold_log_odds == pytest.approx(log_odds(scores, gold), abs=2 * nats)
        before_all = np.array(alone.loc[example.id, "option_logprobs"], float)
        p, q = (np.exp(one - np.logaddexp.reduce(one)) for one in (before_all, np.array(scores)))
        assert row.kl == pytest.approx(float((p * np.log(p / q)).sum()), abs=2 * nats)
        change = log_odds(scores, gold) - before
        assert row.log_odds_change == pytest.approx(change, abs=2 * nats)
        if how in ("held", "closed"):
            said = model.text(model.write(run, longest=6, at_once=True))
            assert row.correct == (said == example.answer)
            named = example.choices.index(said) if said in example.choices else None
            assert named == (None if pd.isna(row.choice) else row.choice)


def test_a_sham_and_a_path_that_is_cut_change_no_bit(ablated):
    for name, arm in (("ivtlr", "sham latent"), ("bypass", "zero latent")):
        rows, _ = ablated(name)
        touched = rows[rows["intervention"] == arm]
        alone = rows[rows["intervention"] == "none"]
        assert [*map(tuple, touched["option_logprobs"])] == [*map(tuple, alone["option_logprobs"])]
        assert not touched["flip"].any()


@pytest.mark.parametrize("how", ["other", "other_any"])
def test_another_questions_latents_are_those_of_the_donor_named_who_is_not_evaluated(
    how, plain, asked, references, ablated, nats
):
    model, (rows, _) = plain("relay"), ablated("relay")
    arm = rows[rows["intervention"] == f"{how} latent_text"]
    lent = {name: model.rollout(example) for name, example in references.items()}
    uses = arm["donor_example"].value_counts()
    assert not set(uses.index) & {example.id for example in asked()}
    for row, example in zip(arm.itertuples(), asked(), strict=True):
        donor = references[row.donor_example]
        assert row.donor_uses == uses[donor.id]
        if how == "other":
            assert donor.domain == example.domain
        theirs = lent[donor.id].latents
        run = model.rollout(example, lambda step, latent, d=theirs: Latent(None, d[step].text))
        scores = model.option_logprobs(run, example.choices)
        assert row.option_logprobs == pytest.approx(scores, abs=nats)
    evenly = [arm] if how == "other_any" else [of for _, of in arm.groupby("domain")]
    for of in evenly:
        counts = of["donor_example"].value_counts()
        assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("context", ["remade", "frozen"])
@pytest.mark.parametrize("positions", POSITIONS)
def test_one_step_is_taken_away_and_the_others_are_made_anew_or_held(
    context, positions, plain, asked, untouched, ablated, nats
):
    model, (rows, _) = plain("relay"), ablated("relay at step 2")
    name = "drop latent_text at step 2" + (", others frozen" if context == "frozen" else "")
    arm = rows[rows["intervention"] == f"{name}{POSITIONS[positions]}"]
    assert (arm["context"] == context).all()
    empty = model.embed([model.placeholder_id])[0]
    for row, example, own in zip(arm.itertuples(), asked(), untouched("relay"), strict=True):

        def edit(step, latent, own=own):
            if step == 1:
                left = empty if positions == "kept" else None
                return Latent(None, left, closed=positions == "closed")
            return own.latents[step] if context == "frozen" else latent

        run = model.rollout(example, edit)
        scores = model.option_logprobs(run, example.choices)
        assert row.option_logprobs == pytest.approx(scores, abs=nats)


@pytest.mark.parametrize(
    ("arm", "closed", "steps", "fewest"),
    [
        ("select attention, k=1", False, 3, False),
        ("select bottom, k=1", False, 3, True),
        ("select bottom, k=1: positions closed", True, 3, True),
        ("steps=1", True, 1, None),
        ("steps=1: positions held", False, 1, None),
    ],
)
def test_fewer_steps_and_other_patches(arm, closed, steps, fewest, plain, asked, ablated, nats):
    """One patch a step, most or least attended; or one step, then nothing."""
    model, (rows, _) = plain("ivtlr"), ablated("ivtlr otherwise")
    rows = rows[rows["intervention"] == arm]

    def choose(score, free):
        order = sorted(free, key=lambda i: score[i] if fewest else -score[i])
        return order[: model.plan.k if fewest is None else 1]

    def edit(step, latent):
        if step >= steps:
            return Latent(None, None, closed)
        return dataclasses.replace(latent, closed=closed)

    for row, example in zip(rows.itertuples(), asked(), strict=True):
        run = model.rollout(example, edit, picks=choose)
        scores = model.option_logprobs(run, example.choices)
        assert row.option_logprobs == pytest.approx(scores, abs=nats)

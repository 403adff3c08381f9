"""Interchange by hand: a run on a donor's latents, and what the walk makes of them."""

from functools import lru_cache

import pandas as pd
import pytest
import torch

from latentlab.data import Benchmark
from latentlab.data.counterfactual import relink
from latentlab.data.perturb import example_stream
from tests.independent.rollout import Latent

pytestmark = pytest.mark.slow

CASES = [
    ("relay", "same_image", "latent_text", "1"),
    ("relay", "same_image", "latent_text", "1..3"),
    ("relay", "unrelated", "latent_text", "2"),
    ("ivtlr", "same_image", "latent_vision", "1..3"),
    ("ivtlr", "unrelated", "latent", "1..3"),
    ("ivtlr", "self", "latent", "1..3"),
]
"""Model, donor rule, part, steps."""


@pytest.fixture(scope="session")
def exchanged(rows_of):
    """Rows of one model, of what is run by hand as well."""
    flags = {
        "relay": "--donor same_image unrelated --part latent_text --steps each all",
        "ivtlr": "--donor same_image unrelated self --part latent_vision latent --steps all",
    }
    return lru_cache(lambda name: rows_of("interchange", name, *flags[name].split()))


def named(donor, examples):
    """The example that an id stands for: one of the data, or one asked from another start."""
    of = {example.id: example for example in examples}
    base, _, start = donor.partition("-start")
    return Benchmark().restart(of[base], int(start)) if start else of[base]


def walk(trace, cell, hops):
    """The object where so many marks lead."""
    for _ in range(hops):
        cell = trace.links[cell]
    return trace.objects[cell]


def swap(donor, part, steps):
    """An edit that puts a donor's latents into some steps."""

    def edit(step: int, latent: Latent) -> Latent:
        if step not in steps:
            return latent
        theirs = donor.latents[step]
        if part == "latent_text":
            return Latent(latent.vision, theirs.text)
        return Latent(theirs.vision, latent.text if part == "latent_vision" else theirs.text)

    return edit


@pytest.mark.parametrize(("name", "rule", "part", "at"), CASES)
def test_an_exchange_is_a_run_on_the_donors_latents(
    name, rule, part, at, plain, asked, untouched, exchanged, nats
):
    model, rows = plain(name), exchanged(name)
    rows = rows[rows["donor"] == rule]
    alone = rows[rows["intervention"] == "none"].set_index("example")
    rows = rows[(rows["part"] == part) & (rows["steps"] == at)].set_index("example")
    assert len(rows) > 0.8 * len(asked()), "nearly every question has such a donor"
    first, last = int(at[0]), int(at[-1])
    steps = range(first - 1, last)
    for example, own in zip(asked(), untouched(name), strict=True):
        if example.id not in rows.index:
            continue
        told = rows.loc[example.id]
        donor = named(told["donor_example"], asked())
        choices = list(told["choices"])
        assert {example.answer, donor.answer} <= set(choices)
        theirs = own if donor is example else model.rollout(donor)
        run = model.rollout(example, swap(theirs, part, steps))
        scores = model.option_logprobs(run, choices)
        assert told["option_logprobs"] == pytest.approx(scores, abs=nats)
        # The high-level model: what hop `last` met, followed on in the recipient's own picture.
        hop = min(last, example.hops)
        met = donor.trace.objects[donor.trace.cells[hop]]
        expected = None
        if met in example.trace.objects:
            here = example.trace.objects.index(met)
            expected = walk(example.trace, here, example.hops - hop)
        assert (None if pd.isna(told["expected_answer"]) else told["expected_answer"]) == expected
        said = model.text(model.write(run, longest=6, at_once=True))
        if expected is not None and expected != example.answer:
            assert told["follows_expected"] == (said == expected)
        assert pd.isna(told["follows_donor"]) == (donor.answer == example.answer)
        if donor.answer != example.answer:
            assert told["follows_donor"] == (said == donor.answer)
            margin = scores[choices.index(donor.answer)] - scores[choices.index(example.answer)]
            assert told["margin"] == pytest.approx(margin, abs=2 * nats)
            before = alone.loc[example.id, "option_logprobs"]
            start = before[choices.index(donor.answer)] - before[choices.index(example.answer)]
            assert told["margin_shift"] == pytest.approx(margin - start, abs=4 * nats)


def test_interchange_accuracy_is_over_pairs_that_have_another_answer_to_expect(
    exchanged, summary_of
):
    rows = exchanged("relay")
    summary = summary_of("interchange", rows)
    lines = summary[(summary["domain"] == "all") & (summary["needed_cell"] == "all")]
    for _, line in lines.iterrows():
        of = rows[(rows["donor"] == line["donor"]) & (rows["part"] == line["part"])]
        of = of[of["steps"] == line["steps"]]
        known = of[of["expected_answer"].notna() & (of["expected_answer"] != of["own_answer"])]
        said = [
            None if pd.isna(choice) else options[int(choice)]
            for choice, options in zip(known["choice"], known["choices"], strict=True)
        ]
        assert line["n_iia"] == len(known)
        if len(known):
            assert line["iia"] == pytest.approx((known["expected_answer"] == said).mean())


MARKS = [
    ("ivtlr", "latent_vision", "needed"),
    ("ivtlr", "latent", "every"),
    ("gaze", "latent_vision", "needed"),
]
"""Model, part, and which patches come from the edited picture."""


@pytest.fixture(scope="session")
def edited(rows_of):
    """Rows of one model whose latents alone see another mark at the last hop."""
    flags = ("--donor", "counterfactual", "--steps", "all", "--part", "latent_vision")
    parts = {"ivtlr": ("latent",), "gaze": ()}
    return lru_cache(lambda name: rows_of("interchange", name, *flags, *parts[name]))


@pytest.mark.parametrize(("name", "part", "patches"), MARKS)
def test_one_mark_is_changed_in_latents_and_nowhere_else(
    name, part, patches, plain, asked, untouched, edited, nats
):
    """All latents are put back as they were, but for the patch of the changed cell."""
    model, rows = plain(name), edited(name)
    rows = rows[(rows["part"] == part) & (rows["patches"] == patches)].set_index("example")
    shams, rows = rows[rows["sham"] != ""], rows[rows["sham"] == ""]
    assert len(rows) > 0.8 * len(asked())
    for example, own in zip(asked(), untouched(name), strict=True):
        if example.id not in rows.index:
            continue
        told, hop = rows.loc[example.id], example.hops
        donor = relink(example, hop, Benchmark(), example_stream(example, 0, f"relink {hop}"))
        assert donor.trace.links[example.trace.cells[hop - 1]] != example.trace.cells[hop]
        theirs, needed = model.rollout(donor), example.trace.cells[hop - 1]
        first = theirs.kinds.index("image")
        new = torch.stack(theirs.embeds[first : first + 16])

        def edit(step, latent, own=own, theirs=theirs, new=new, needed=needed):
            was = own.latents[step]
            vision = was.vision.clone()
            for slot, cell in enumerate(own.picks[step]):
                if patches == "every" or cell == needed:
                    vision[slot] = new[cell]
            return Latent(vision, theirs.latents[step].text if part == "latent" else was.text)

        run = model.rollout(example, edit)
        scores = model.option_logprobs(run, example.choices)
        assert told["option_logprobs"] == pytest.approx(scores, abs=nats)
        moved = [
            torch.stack([getattr(now, field) - getattr(was, field)]).square().sum()
            for now, was in zip(run.latents, own.latents, strict=True)
            for field in ("vision", "text")
        ]
        assert told["change_norm"] == pytest.approx(float(sum(moved).sqrt()), abs=1e-3)
        picked = any(needed in picks for picks in own.picks)
        assert told["needed_cell_picked"] == picked
        said = model.text(model.write(run, longest=6, at_once=True))
        assert told["follows_donor"] == (said == donor.answer)
        assert told["strict_flip"] == (said == donor.answer)
        assert told["keeps_own"] == (said == example.answer)
        if example.id in shams.index and patches == "needed":
            as_large = shams.loc[[example.id]].set_index("sham")["change_norm"]
            assert as_large["self"] == 0
            assert as_large.drop("self").to_numpy() == pytest.approx(told["change_norm"], abs=1e-3)

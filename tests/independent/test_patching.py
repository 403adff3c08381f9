"""Activation patching and attention knock-out by hand."""

from dataclasses import replace
from functools import lru_cache

import pytest
import torch

from latentlab.data import Benchmark

pytestmark = pytest.mark.slow

CELLS = {
    "ivtlr": [
        ("resid_pre", 0, "text 2", [(2, -1)]),
        ("resid_pre", 0, "vision 1", [(1, -2), (1, -3)]),
        ("resid_post", 1, "prompt end", [(0, -1)]),
        ("resid_post", 0, "vision 3", [(3, -2), (3, -3)]),
        ("resid_post", 2, "answer", [(4, -1)]),
    ],
    "relay": [
        ("resid_post", 1, "text 1", [(1, -1)]),
        ("resid_post", 3, "text 3", [(3, -1)]),
    ],
}
"""Of each model the component, the layer, the slot, and its positions by clock, from the end."""

KNOCKOUTS = {
    "answer -/-> latent": lambda run: run.where("answer")[:, None] & run.where("latent"),
    "answer -/-> image": lambda run: run.where("answer")[:, None] & run.where("image"),
    "latent -/-> image": lambda run: run.where("latent")[:, None] & run.where("image"),
    "latent -/-> earlier": lambda run: earlier(run),
}
"""(queries, keys) of what each knock-out hides."""


@pytest.fixture(scope="session")
def patched(rows_of):
    """Rows of one model."""
    names = ("answer-latent", "answer-image", "latent-image", "latent-earlier")
    flags = ("--mode", "restore", "--pair", "same_image", "--knockout", *names)

    def rows(name):
        chosen = {cell[:3] for cell in CELLS[name]}

        def narrow(prepared):
            cells = [c for c in prepared.cells if (c.component, c.layer, c.slot.name) in chosen]
            return replace(prepared, cells=cells)

        return rows_of("patch", name, *flags, narrow=narrow)

    return lru_cache(rows)


@pytest.fixture(scope="session")
def corrupted(plain, asked, patched):
    """The corrupt side of each pair, the same picture asked from another start, and its run."""

    @lru_cache
    def sides(name):
        of = patched(name).drop_duplicates("example").set_index("example")["corrupt_example"]
        found = []
        for example in asked():
            base, _, start = of[example.id].partition("-start")
            assert base == example.id
            corrupt = Benchmark().restart(example, int(start))
            found.append((corrupt, plain(name).rollout(corrupt)))
        return found

    return sides


def earlier(run):
    """Latent positions and the latent positions of steps before theirs."""
    latent, clock = run.where("latent"), torch.tensor(run.clocks)
    return latent[:, None] & latent & (clock[:, None] > clock)


def difference(model, run, right, wrong):
    """Logit of one answer less that of another, by their first tokens, after the marker."""
    logits = model.forward(model.say(run, model.prompter.marker_ids)).logits[-1]
    a, b = (int(model.option_ids(text)[0]) for text in (right, wrong))
    return float(logits[a] - logits[b]), logits


def activations(model, run, component, layer, places):
    """What is to be put in, from a run with the answer marker."""
    whole = model.say(run, model.prompter.marker_ids)
    states = model.forward(whole)
    stream = states.resid[0 if component == "resid_pre" else layer + 1]
    return {
        (component, layer, clock, place): stream[whole.at(clock, place)] for clock, place in places
    }


@pytest.mark.parametrize("name", CELLS)
def test_the_two_runs_of_a_pair_are_read_by_both_answers(
    name, plain, asked, untouched, patched, corrupted, nats
):
    model, rows = plain(name), patched(name).drop_duplicates("example")
    sides = zip(rows.itertuples(), asked(), untouched(name), corrupted(name), strict=True)
    for row, example, clean, (other, corrupt) in sides:
        answers = example.answer, other.answer
        assert row.clean == pytest.approx(difference(model, clean, *answers)[0], abs=2 * nats)
        assert row.corrupt == pytest.approx(difference(model, corrupt, *answers)[0], abs=2 * nats)


@pytest.mark.parametrize(
    ("name", "component", "layer", "slot", "places"),
    [(name, *cell) for name, cells in CELLS.items() for cell in cells],
)
def test_a_cell_of_the_clean_run_put_into_the_corrupt_one(
    name, component, layer, slot, places, plain, asked, untouched, patched, corrupted, nats
):
    """Later latents and picks are made anew from what the patched activation leads to."""
    model, rows = plain(name), patched(name)
    rows = rows[(rows["mode"] == "restore") & (rows["slot"] == slot)]
    rows = rows[(rows["component"] == component) & (rows["layer"] == layer)]
    sides = zip(rows.itertuples(), asked(), untouched(name), corrupted(name), strict=True)
    for row, example, clean, (other, _) in sides:
        assert row.example == example.id
        forced = activations(model, clean, component, layer, places)
        run = model.rollout(other, forced=forced)
        found, logits = difference(model, run, example.answer, other.answer)
        assert row.patched == pytest.approx(found, abs=2 * nats)
        options = {int(model.option_ids(choice)[0]): choice for choice in other.choices}
        said = options[max(options, key=lambda token: float(logits[token]))]
        assert row.hit == (said == example.answer)


@pytest.mark.parametrize("name", ["ivtlr", "relay"])
@pytest.mark.parametrize("slot", KNOCKOUTS)
def test_a_knock_out_is_a_mask(name, slot, plain, asked, untouched, patched, corrupted, nats):
    """Picks stay those of the untouched run: what is knocked out is reading, not choosing."""
    model, rows = plain(name), patched(name)
    rows = rows[(rows["mode"] == "knock-out") & (rows["slot"] == slot)]
    sides = zip(rows.itertuples(), asked(), untouched(name), corrupted(name), strict=True)
    for row, example, clean, (other, _) in sides:
        assert row.example == example.id and row.layers == 4
        run = model.rollout(example, picks=clean.picks, hidden_keys=KNOCKOUTS[slot])
        found, _ = difference(model, run, example.answer, other.answer)
        assert row.patched == pytest.approx(found, abs=2 * nats)

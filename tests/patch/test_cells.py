"""What a patch must recover by construction it recovers to the bit."""

import dataclasses

import pandas as pd
import pytest
import torch

from latentlab.patch.cells import Slot, slots_of
from latentlab.patch.knockouts import (
    applicable,
    knockout_of,
    knockout_rows,
    logits_without,
    windows,
)
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.visibility import Kind
from latentlab.training.recipes import PLANS

EVERY = ("resid_post", "attn_out", "mlp_out", "z")
RELAY = LatentPlan(
    steps=3,
    k=0,
    blocked=tuple((query, key) for query in ("answer", "latent") for key in ("image", "prompt")),
)


def test_own_activations_change_nothing(grid):
    there = grid("ivtlr", EVERY, heads=True)
    own, everything = there.corrupt.activations, {}
    for cell in there.cells:
        everything |= cell.values(own, own, there.places, 2)
    assert torch.equal(there.corrupt.patched(everything), there.corrupt.logits)


def test_the_sham_is_a_row_of_each_mode(grid):
    rows = grid("relay").rows("restore", "corrupt")
    sham = rows[rows["slot"] == "sham"]
    assert len(sham) == 2 * 5
    assert sham["patched"].equals(sham["corrupt"].where(sham["mode"] == "restore", sham["clean"]))
    assert not sham["changed"].any()


def test_the_last_residual_at_the_answer_is_the_answer(grid):
    rows = grid("ivtlr").rows("restore", "corrupt")
    last = rows[(rows["slot"] == "answer") & (rows["layer"] == 1)]
    to = last["clean"].where(last["mode"] == "restore", last["corrupt"])
    assert last["patched"].equals(to)
    assert (last["clean"] != last["corrupt"]).all()


def test_what_the_answer_cannot_see_recovers_nothing(grid):
    rows = grid("bypass", EVERY).rows("restore")
    latent = rows["step"].notna()
    assert latent.sum() == (4 * 2 + 1) * 6 * 2 * 5  # rows of the grid, slots, with control, pairs
    assert (rows["patched"] == rows["corrupt"])[latent].all()
    answer = (rows["slot"] == "answer") & (rows["component"] == "resid_post")
    assert (rows["patched"] != rows["corrupt"])[answer].all()


def test_all_latents_of_a_relay_are_all_there_is(grid):
    there = grid(RELAY)
    values = {}
    for step in (1, 2, 3):
        values |= there.values(there.clean, f"text {step}", "resid_pre")
    assert torch.equal(there.corrupt.patched(values), there.clean.logits)
    last = there.values(there.clean, "text 3", "resid_pre")
    assert not torch.equal(there.corrupt.patched(last), there.clean.logits)


def test_a_question_that_differs_in_its_last_word_is_restored_by_that_word(grid):
    """Everything after a patched prompt is computed anew, the picks as well."""
    there = grid("ivtlr")
    values = there.values(there.clean, "prompt end", "resid_pre")
    assert torch.equal(there.corrupt.patched(values, exact=True), there.clean.logits)


@pytest.mark.parametrize("model", ["ivtlr", "bypass"])
def test_of_a_prompt_only_what_can_change_is_read_again(grid, model, monkeypatch):
    there = grid(model)
    widths = []
    forward = type(there.clean.rollout.backbone).forward

    def counting(self, embeds, *more, **named):
        widths.append(embeds.shape[1])
        return forward(self, embeds, *more, **named)

    monkeypatch.setattr(type(there.clean.rollout.backbone), "forward", counting)
    for component in ("resid_pre", "resid_post"):
        values = there.values(there.clean, "prompt end", component)
        widths.clear()
        short = there.corrupt.patched(values)
        assert widths[0] == 1
        widths.clear()
        whole = there.corrupt.patched(values, exact=True)
        assert widths[0] == there.corrupt.batch.input_ids.shape[1]
        torch.testing.assert_close(short, whole, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("slot", ["prompt end", "vision 2", "text 1", "answer"])
def test_all_heads_together_are_attention(grid, slot):
    there = grid("ivtlr", ("attn_out", "z"), heads=True)
    whole = there.corrupt.patched(there.values(there.clean, slot, "z"))
    attention = there.corrupt.patched(there.values(there.clean, slot, "attn_out"))
    torch.testing.assert_close(whole, attention, atol=1e-5, rtol=1e-5)
    heads = {}
    for cell in there.cells:
        if cell.head is not None and cell.layer == 0 and cell.slot.name == slot:
            heads |= cell.values(there.clean.activations, {}, [], 2)
    assert len(heads) == 2 * len(next(c.slot.positions for c in there.cells if c.slot.name == slot))
    assert torch.equal(there.corrupt.patched(heads), whole)


@pytest.mark.parametrize("part_order", ["vision_text", "text_vision"])
def test_slots_are_where_their_kinds_are(grid, part_order):
    plan = LatentPlan(steps=2, k=2, part_order=part_order, select="random")
    kinds = grid(plan).clean.state.kinds[0]
    ends = {1: len(kinds) - 3, 2: len(kinds)}
    for slot in slots_of(plan, marker=True):
        for kind, part in (
            (Kind.LATENT_TEXT, "latent_text"),
            (Kind.LATENT_VISION, "latent_vision"),
        ):
            if slot.part == part:
                places = [ends[slot.pass_index] + position for position in slot.positions]
                assert (kinds[places] == kind).all()
                assert len(places) == (1 if part == "latent_text" else 2)


def test_models_without_latents_or_marker_have_fewer_slots():
    end, one = Slot("prompt", 0), Slot("prompt", 0, (), 1)
    assert slots_of(LatentPlan(steps=0, k=0), True) == [end, Slot("answer", 1), one]
    assert slots_of(LatentPlan(steps=0, k=0), False) == [end, one]


def test_the_control_patches_as_many_positions_of_the_prompt(grid):
    there = grid("ivtlr")
    (cell,) = [c for c in there.cells if c.slot.drawn == 2 and c.component == "resid_pre"]
    marked = {site: torch.full_like(v, 7.0) for site, v in there.clean.activations.items()}
    values = cell.values(marked, there.corrupt.activations, there.places, 2)
    taken = torch.stack([(value == 7).all(-1) for value in values.values()])
    assert (taken.sum(0) == 2).all()
    assert {site.pass_index for site in values} == {0}
    assert -1 not in {site.position for site in values}


WHAT = ["query", "key", "control"]
NAMES = ("answer-latent", "answer-image", "answer-prompt", "latent-image", "latent-earlier")


def test_knocking_out_in_no_layer_changes_nothing(grid):
    """Picks are those of the undisturbed run, though the engine that knocks out is told them."""
    there = grid("ivtlr")
    for name in NAMES:
        nowhere = dataclasses.replace(knockout_of(name), layers=())
        logits = logits_without(there.reasoner, there.clean, nowhere, 0)
        assert torch.equal(logits, there.clean.logits)


@pytest.mark.parametrize(
    ("model", "inert"),
    [
        ("relay", {"answer-image", "answer-prompt"}),
        ("bypass", {"answer-latent", "latent-image", "latent-earlier"}),
        ("gaze", {"answer-image", "latent-image"}),
        ("ivtlr", set()),
    ],
)
def test_only_what_construction_cuts_can_be_knocked_out_for_nothing(grid, model, inert):
    there = grid(model)
    rows = pd.DataFrame(
        [row for _, row in knockout_rows(there.reasoner, there.clean, there.readout, NAMES, 0, 0)]
    )
    same = (rows["patched"] == rows["clean"]).groupby([rows[c] for c in WHAT]).all()
    cut, random = same.xs("", level="control"), same.xs("random", level="control")
    assert {"-".join(what) for what in cut[cut].index} == inert
    if model == "relay":  # the answer sees nothing of the prompt, so there is nothing to hide
        assert random.xs("answer", level="query").all()


def test_windows_slide_over_the_layers():
    assert windows(4, 0) == [range(4)]
    assert windows(4, 3) == [range(4), range(3), range(1, 4)]
    assert windows(2, 2) == [range(2)]


def test_a_model_is_only_cut_where_it_has_something():
    names = ("answer-latent", "answer-latent_vision", "answer-image", "latent-earlier")
    assert applicable(names, PLANS["ivtlr"], True) == list(names)
    assert applicable(names, PLANS["relay"], True) == [names[0], names[2], names[3]]
    assert applicable(names, PLANS["no_cot"], True) == ["answer-image"]
    assert applicable(names, PLANS["ivtlr"], False) == ["latent-earlier"]

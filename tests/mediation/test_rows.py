"""What must be exactly zero is, and what must be exactly everything is."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from latentlab.data import load_data
from latentlab.mediation.config import MediationConfig
from latentlab.mediation.effects import EFFECTS
from latentlab.mediation.input_run import InputRun
from latentlab.mediation.mediators import Mediator
from latentlab.reasoning.plan import LatentPlan

ANSWER_SEES_LATENTS_ONLY = (("answer", "image"), ("answer", "prompt"))
LATENTS_SEE_LATENTS_ONLY = (("latent", "image"), ("latent", "prompt"))
PERTURB = ("other_image", "relink", "restart")


@pytest.fixture(scope="module")
def data():
    return list(load_data("benchmark:hops=1+4", limit=5))


@pytest.fixture
def measure(measured, planned, data):
    def call(plan, lacks=None, **flags) -> pd.DataFrame:
        # As many rows at a time as there are questions, so that each run is one of its own.
        flags = {"perturb": PERTURB, "batch_size": len(data), **flags}
        config = MediationConfig(data="benchmark:hops=1+4", **flags)
        references = load_data(config.data, limit=12)[5:]
        return measured("mediation", config, planned(plan), data, references, lacks)

    return call


def mirrored(examples):
    """Other examples with pictures of the same sizes."""
    flip = Image.Transpose.FLIP_TOP_BOTTOM
    return [replace(e, id=f"other {e.id}", image=e.image.transpose(flip)) for e in examples]


def effects(rows: pd.DataFrame, mediator: str, part: str = "latent") -> pd.DataFrame:
    chosen = (rows["measure"] == "effect") & (rows["mediator"] == mediator)
    chosen &= (rows["part"] == part) & (rows["perturbation"] != "none")
    return rows[chosen & (rows["outcome"] == "log_odds")]


def movement(rows: pd.DataFrame, part: str) -> pd.DataFrame:
    return rows[(rows["measure"] == "movement") & (rows["part"] == part)]


@pytest.mark.parametrize("name", ["ivtlr", "relay", "gaze", "bypass", "filler"])
def test_the_zero_perturbation_is_bit_for_bit_nothing(measure, name):
    steps = ("all", "cumulative")
    rows = measure(name, perturb=("noise",), strength=(0.0,), steps=steps)
    rows = rows[rows["outcome"] != "follows"]  # the right answer is right before and after
    assert set(rows["perturbation"]) == {"none", "noise 0"}
    acted = rows[rows["measure"] == "effect"]
    assert (acted[list(EFFECTS)] == 0).all().all()
    assert set(acted["steps"]) == {"all", "1", "1..2"}
    moved = rows[rows["measure"] == "movement"]
    assert (moved[["cosine", "centred", "sd"]].fillna(0) == 0).all().all()
    assert (moved[["kept", "jaccard"]].fillna(1) == 1).all().all()


def test_effects_decompose_and_the_input_matters(measure):
    rows = measure("ivtlr")
    acted = rows[rows["measure"] == "effect"]
    assert (acted["te"] - acted["nde"] - acted["tie"]).abs().max() < 1e-12
    assert (acted["te"] - acted["nie"] - acted["tde"]).abs().max() < 1e-12
    assert (acted["interaction"] - (acted["tie"] - acted["nie"])).abs().max() < 1e-12
    assert (effects(rows, "latents")["te"] != 0).any()
    odds = acted[acted["outcome"] == "log_odds"]
    assert (odds.groupby("example")["y_clean"].nunique() == 1).all()


def test_latents_that_the_answer_cannot_see_carry_exactly_nothing(measure):
    rows = measure("bypass", perturb=("restart", "mask_needed"), steps=("all", "each"))
    acted = rows[rows["measure"] == "effect"]
    assert (acted["nie"] == 0).all()
    assert (acted["tie"] == 0).all()
    assert (effects(rows, "latents")["te"] != 0).any()
    assert (movement(rows, "latent_text")["sd"] > 0).any()


def test_slots_carry_exactly_all_where_the_answer_sees_nothing_else(measure):
    for blocked in (ANSWER_SEES_LATENTS_ONLY, ANSWER_SEES_LATENTS_ONLY + LATENTS_SEE_LATENTS_ONLY):
        plan = LatentPlan(steps=3, k=0, blocked=blocked)
        rows = effects(measure(plan), "slots")
        assert (rows["nde"] == 0).all()
        assert (rows["nie"] == rows["te"]).all()
        assert (rows["tie"] == rows["te"]).all()
        assert (rows["te"] != 0).any()


def test_latents_carry_exactly_all_only_where_their_positions_see_nothing_else(measure):
    relay = LatentPlan(steps=3, k=0, blocked=ANSWER_SEES_LATENTS_ONLY)
    assert (effects(measure(relay), "latents")["nde"] != 0).any()  # they look at the image again
    closed = relay.replace(blocked=ANSWER_SEES_LATENTS_ONLY + LATENTS_SEE_LATENTS_ONLY)
    rows = effects(measure(closed), "latents")
    assert (rows["nde"] == 0).all()
    assert (rows["nie"] == rows["te"]).all()
    assert (rows["tie"] == rows["te"]).all()


def test_constants_do_not_move_and_carry_nothing_as_latents_but_may_as_slots(measure):
    rows = measure("filler")
    assert (effects(rows, "latents")["nie"] == 0).all()
    assert (effects(rows, "slots")["nie"] != 0).any()
    for part in ("latent_text", "latent_vision"):
        assert (movement(rows, part)[["cosine", "centred", "sd"]] == 0).all().all()
    assert movement(rows, "picks").empty
    assert (movement(rows, "ordinary")["sd"] > 0).any()


@pytest.mark.parametrize("order", ["vision_text", "text_vision"])
@pytest.mark.parametrize("part", ["latent_text", "latent_vision", "latent"])
def test_slots_of_a_part_hold_what_the_other_run_had_there(planned, data, order, part):
    reasoner = planned(LatentPlan(steps=2, k=2, part_order=order, select="random"))
    with torch.no_grad():
        here = InputRun(reasoner, data[:2], 0, slots=True)
        moved = [replace(new, id=old.id) for new, old in zip(data[2:4], data[:2], strict=True)]
        there = InputRun(reasoner, moved, 0, slots=True)
        mixed = here.taking(there, Mediator("slots", part))
    # What a step's last slot holds is the next step's latent text, so it is the other run's too.
    last_taken = part == "latent" or (part == "latent_text") == (order == "vision_text")
    assert torch.equal(mixed.hidden, there.state.hidden) == last_taken
    for step, (ours, theirs) in enumerate(zip(mixed.latents, there.state.latents, strict=True)):
        text_taken = part != "latent_vision" or (step > 0 and last_taken)
        assert torch.equal(ours.text, theirs.text) == text_taken
        assert torch.equal(ours.vision, theirs.vision) == (part != "latent_text")


def test_a_model_with_one_part_has_the_same_rows_for_it_and_for_both(measure):
    rows = measure("relay")
    for mediator in ("latents", "slots"):
        one, both = (effects(rows, mediator, part) for part in ("latent_text", "latent"))
        columns = ["example", "perturbation", *EFFECTS]
        assert one[columns].to_numpy().tolist() == both[columns].to_numpy().tolist()


def test_every_hop_is_measured_on_its_own_whatever_others_are(measure, data):
    flags = {"perturb": ("mask_needed", "restart"), "mediator": ("latents",)}
    rows = measure("relay", **flags)
    of_hops = rows[rows["perturbation"] == "mask_needed"]
    for hop, group in of_hops.groupby("hop"):
        allowed = {example.id for example in data if example.hops >= hop}
        assert set(group["example"]) == allowed
    assert set(of_hops["hop"]) == {1, 2, 3, 4}
    assert rows.loc[rows["perturbation"] != "mask_needed", "hop"].isna().all()
    second = measure("relay", **flags, hop=(2,))
    both = [frame[frame["hop"] == 2].reset_index(drop=True) for frame in (rows, second)]
    pd.testing.assert_frame_equal(*both, check_exact=True)


def test_rows_do_not_depend_on_batches_and_come_in_order(measure, data):
    one, many, again = (measure("ivtlr", perturb=PERTURB[:1], batch_size=n) for n in (2, 64, 64))
    key = ["perturbation", "measure", "mediator", "part", "steps", "outcome", "example"]
    assert not one.duplicated(key).any()
    assert one[key].sort_values(key).to_numpy().tolist() == (
        many[key].sort_values(key).to_numpy().tolist()
    )
    pairs = one.merge(many, on=key)
    for name in ("te", "nie", "nde", "sd"):
        gap = (pairs[f"{name}_x"] - pairs[f"{name}_y"]).abs()
        assert gap[pairs["outcome"].isin(["log_odds", ""])].max() < 1e-3
    assert one["perturbation"].unique().tolist() == ["none", PERTURB[0]]
    assert one["example"].unique().tolist() == [example.id for example in data]
    assert many.equals(again)


@pytest.mark.parametrize("plan", ["ivtlr", "relay"])
def test_mediators_share_passes_where_there_is_room(measure, planned, monkeypatch, plan):
    backbone = type(planned(plan).backbone)
    forward, sizes = backbone.forward, []

    def counting(self, embeds, *more, **named):
        sizes.append(len(embeds))
        return forward(self, embeds, *more, **named)

    monkeypatch.setattr(backbone, "forward", counting)
    flags = {"mediator": ("latents", "slots"), "steps": ("each", "all")}
    alone = measure(plan, **flags)
    many, most = len(sizes), max(sizes)
    sizes.clear()
    together = measure(plan, **flags, batch_size=22)  # four runs of five questions
    pd.testing.assert_frame_equal(together, alone, atol=1e-4, rtol=1e-4)
    assert most == 5 and max(sizes) == 20 and len(sizes) < 0.9 * many
    zero = together["perturbation"] == "none"
    for name in EFFECTS:
        assert together[name][zero].equals(alone[name][zero])


def test_what_an_example_does_not_allow_leaves_no_rows(measure, capsys):
    rows = measure("relay", perturb=("mask_needed", "blank"), hop=(3,))
    n = rows[rows["measure"] == "movement"].groupby("perturbation")["example"].nunique()
    four = sum(example.hops == 4 for example in load_data("benchmark:hops=1+4", limit=5))
    assert n.to_dict() == {"none": 5, "mask_needed": four, "blank": 5}
    assert (
        f"{5 - four} of 5 examples do not allow blanking a needed cell, hop 3"
        in capsys.readouterr().err
    )


def test_follows_is_there_only_where_the_new_answer_is_known(measure):
    rows = measure("relay", perturb=("blank", "relink"))
    known = rows[rows["outcome"] == "follows"]
    assert set(known["perturbation"]) == {"none", "relink"}
    assert np.isin(known[["y_clean", "y_perturbed"]], (0, 1)).all()


def test_a_model_without_latent_steps_has_no_rows(measure):
    told = []
    assert measure("cot", told).empty
    assert told


def test_another_family_and_pictures_of_several_sizes(measured, reasoner, examples):
    config = MediationConfig(data="benchmark", perturb=("other_image", "shuffle", "shuffle_words"))
    rows = measured("mediation", config, reasoner, examples, mirrored(examples))
    assert set(rows["perturbation"]) == {"none", "other_image", "shuffle", "shuffle_words"}
    assert (
        (rows.loc[rows["perturbation"] == "none", ["te", "nie", "nde"]].fillna(0) == 0).all().all()
    )
    assert rows.loc[rows["measure"] == "effect", list(EFFECTS)].notna().all().all()

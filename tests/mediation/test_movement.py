import numpy as np
import pytest
import torch

from latentlab.data import load_data
from latentlab.mediation.input_run import InputRun
from latentlab.mediation.movement import movement_rows, reference_spreads, slots_of
from latentlab.reasoning.plan import LatentPlan


@pytest.fixture(scope="module")
def data():
    return list(load_data("benchmark", limit=6))


@pytest.fixture
def compared(planned, data):
    def call(plan):
        reasoner = planned(plan)
        with torch.no_grad():
            runs = [InputRun(reasoner, part, 0, slots=False) for part in (data[:3], data[3:])]
            spreads = reference_spreads(map(slots_of, runs))
            rows = list(movement_rows(*runs, spreads))
        return runs, {(row["part"][0], row["steps"][0]): row for row in rows}

    return call


def test_distances_are_those_of_the_recorded_vectors(compared):
    runs, rows = compared("ivtlr")
    steps = [("latent_text", str(step)) for step in (1, 2, 3)]
    assert set(rows) == {("ordinary", "")} | {
        (part, step) for _, step in steps for part in ("latent_text", "latent_vision", "picks")
    }
    every = torch.cat([run.bank.text for run in runs]).double()
    for key in steps:
        step = int(key[1]) - 1
        before, after = (run.bank.text[:, step].double() for run in runs)
        by_hand = ((after - before) / every[:, step].std(0)).square().mean(-1).sqrt()
        np.testing.assert_allclose(rows[key]["sd"], by_hand.numpy())
        centred = [vectors - every[:, step].mean(0) for vectors in (before, after)]
        cosine = torch.cosine_similarity(*centred, dim=-1)
        np.testing.assert_allclose(rows[key]["centred"], 1 - cosine.numpy(), atol=1e-9)


def test_ordinary_tokens_are_those_in_the_middle_of_the_prompts_last_position(compared):
    runs, rows = compared("relay")
    # The first latent text is the same position after the last layer: another state.
    assert not np.allclose(rows["ordinary", ""]["sd"], rows["latent_text", "1"]["sd"])
    assert runs[0].ordinary.shape == runs[0].state.latents[0].text.shape


def test_embeddings_are_compared_only_where_a_pick_stays(compared):
    _, rows = compared("ivtlr")
    for step in ("1", "2", "3"):
        stays = rows["picks", step]["kept"] > 0
        assert np.array_equal(~np.isnan(rows["latent_vision", step]["sd"]), stays)


def test_every_patch_re_inserted_stays_picked(compared):
    _, rows = compared(LatentPlan(steps=1, k=0, select="all"))
    assert (rows["picks", "1"]["kept"] == 1).all()
    assert (rows["latent_vision", "1"]["sd"] > 0).all()

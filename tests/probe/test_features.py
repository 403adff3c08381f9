"""What is collected is what the rollout did, whatever the batches; labels come from traces."""

import dataclasses

import numpy as np
import pytest
import torch

from latentlab.data import load_data
from latentlab.probe.features import collect, labels_of
from latentlab.probe.probes import INPUT, ProbeSite
from latentlab.probe.similarity import similarity_values
from latentlab.reasoning.plan import LatentPlan


@pytest.fixture(scope="module")
def asked():
    data = load_data("benchmark:hops=4+1", limit=10)
    return [data[i] for i in range(10)]


@pytest.fixture(scope="module")
def ivtlr(planned, asked):
    return collect(planned("ivtlr"), asked)


def test_every_place_step_and_layer_is_there(ivtlr):
    layers, steps = range(2), range(1, 4)
    expected = {
        ProbeSite(part, step, INPUT) for part in ("latent_text", "latent_vision") for step in steps
    }
    expected |= {ProbeSite("slot", step, layer) for step in steps for layer in layers}
    expected |= {
        ProbeSite(place, step, la)
        for place, step in (("prompt", 0), ("answer", 4))
        for la in layers
    }
    expected.add(ProbeSite("question", 0, INPUT))
    assert set(ivtlr.features) == expected
    assert all(len(values) == 10 for values in ivtlr.features.values())
    names = {"latent_text", "latent_vision", "patches", "prompt", "words", "placeholder"}
    # One-hop questions have one step of rationale: three words are not there to compare.
    assert set(ivtlr.series) == names - {"words"}
    assert all(values.shape == (10, 3, 32) for values in ivtlr.series.values())


@torch.no_grad()
def test_activations_are_those_of_the_rollout(ivtlr, planned, asked):
    reasoner = planned("ivtlr")
    state = reasoner.rollout()(reasoner.prompter.batch(asked, reasoner.plan))
    for step, latent in enumerate(state.latents):
        found = ivtlr.features[ProbeSite("latent_text", step + 1, INPUT)]
        np.testing.assert_allclose(found, latent.text, atol=1e-5)
        np.testing.assert_allclose(ivtlr.series["latent_text"][:, step], latent.text, atol=1e-5)
        mean = ivtlr.features[ProbeSite("latent_vision", step + 1, INPUT)]
        np.testing.assert_allclose(mean, latent.vision.mean(1), atol=1e-5)
    # The first latent is the state of the prompt's last position, after the final norm.
    np.testing.assert_allclose(
        ivtlr.series["prompt"][:, -1], ivtlr.series["latent_text"][:, 0], atol=1e-5
    )
    # The last layer's stream at a slot becomes the next latent by the final norm.
    norm = reasoner.backbone.decoder.norm
    stream = torch.from_numpy(ivtlr.features[ProbeSite("slot", 1, 1)])
    np.testing.assert_allclose(norm(stream), state.latents[1].text, atol=1e-5)


def test_the_size_of_the_batches_changes_nothing(ivtlr, planned, asked):
    again = collect(planned("ivtlr"), asked, batch_size=3)
    for found, expected in ((again.features, ivtlr.features), (again.series, ivtlr.series)):
        assert found.keys() == expected.keys()
        for name in found:
            np.testing.assert_allclose(found[name], expected[name], atol=2e-5)


def test_words_are_there_where_every_rationale_is_long_enough(planned):
    data = load_data("benchmark", limit=4)
    reasoner = planned("relay")
    collected = collect(reasoner, [data[i] for i in range(4)], layers=(1,))
    assert set(collected.series) == {"latent_text", "prompt", "words", "placeholder"}
    assert collected.series["words"].shape == (4, 3, 32)
    assert {spot.layer for spot in collected.features} == {INPUT, 1}


def test_filler_is_fed_the_same_vector_always(planned, asked):
    collected = collect(planned("filler"), asked)
    found = {(n, s): v for n, s, v in similarity_values(collected.series["latent_text"])}
    np.testing.assert_allclose(found["inter-example cosine, raw", 2], 1, rtol=1e-9)
    assert not any("centred" in name for name, _ in found)


def test_a_plan_without_text_has_only_patches(planned, asked):
    plan = LatentPlan(steps=2, k=2, text=False)
    collected = collect(planned(plan), asked)
    places = {spot.place for spot in collected.features}
    assert places == {"latent_vision", "slot", "prompt", "answer", "question"}


def test_every_patch_is_averaged_without_padding(planned, examples):
    collected = collect(planned(LatentPlan(steps=1, k=0, select="all")), examples)
    for i, example in enumerate(examples):
        alone = collect(planned(LatentPlan(steps=1, k=0, select="all")), [example])
        spot = ProbeSite("latent_vision", 1, INPUT)
        np.testing.assert_allclose(collected.features[spot][i], alone.features[spot][0], atol=1e-5)


def test_labels_come_from_the_trace(asked):
    labels, traced = labels_of(asked)
    assert traced
    hops = [f"{what} {hop}" for hop in range(5) for what in ("object", "cell")]
    assert set(labels) == {*hops, "answer", "hops"}
    example = asked[3]
    assert labels["object 2"][3] == example.trace.at(2)
    assert labels["cell 2"][3] == str(example.trace.cells[2])
    assert labels["answer"][3] == example.answer
    assert labels["hops"][3] == str(example.hops)


def test_without_traces_labels_have_to_come_back(asked):
    bare = [dataclasses.replace(e, trace=None, hops=None, domain="d") for e in asked] * 4
    labels, traced = labels_of(bare)
    assert not traced
    assert set(labels) == {"option", "topic"}
    assert labels["option"] == [example.letter for example in bare]
    without, _ = labels_of([dataclasses.replace(e, topic="") for e in bare])
    assert set(without) == {"option"}  # no topic is no label

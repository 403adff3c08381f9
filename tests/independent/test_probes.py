"""Probes by hand: scikit-learn's ridge classifier on the states of the plain rollout."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

LAYER = 2
"""Decoder layer that is read beside what steps are fed."""


@pytest.fixture(scope="session")
def probed(rows_of):
    """Rows of all readings of one model."""
    return rows_of("probe", "ivtlr", "--layer", str(LAYER))


@pytest.fixture(scope="session")
def features(plain, untouched):
    """(example, hidden) states by place, step and layer; -1 is what a step is fed."""
    model, found = plain("ivtlr"), {}
    for run in untouched("ivtlr"):
        for step, latent in enumerate(run.latents, start=1):
            found.setdefault(("latent_text", step, -1), []).append(latent.text)
            found.setdefault(("latent_vision", step, -1), []).append(latent.vision.mean(0))
        whole = model.say(run, model.prompter.marker_ids)
        stream = model.forward(whole).resid[LAYER + 1]
        for clock, place in ((0, "prompt"), (1, "slot"), (2, "slot"), (3, "slot"), (4, "answer")):
            found.setdefault((place, clock, LAYER), []).append(stream[whole.at(clock, -1)])
    return {spot: np.stack([value.numpy() for value in values]) for spot, values in found.items()}


def labels_of(target, examples):
    """What a probe is asked for, of every example."""
    what, _, hop = target.partition(" ")
    if what == "object":
        return [example.trace.objects[example.trace.cells[int(hop)]] for example in examples]
    if what == "cell":
        return [str(example.trace.cells[int(hop)]) for example in examples]
    return [example.domain for example in examples]


@pytest.mark.parametrize("target", ["object 0", "object 2", "object 4", "cell 1", "domain"])
def test_a_probe_is_a_cross_validated_ridge_classifier(target, probed, features, asked):
    """Same states, same penalty a feature, same folds: the same examples come out right.

    Predictions are compared and not scores, so there is no tolerance; states agree to 1e-4.
    """
    rows, labels = probed[probed["kind"] == "probe"], labels_of(target, asked())
    codes = pd.factorize(np.asarray(labels, object))[0]
    for (place, step, layer), values in features.items():
        told = rows[(rows["place"] == place) & (rows["step"] == step)]
        told = told[(told["layer"] == layer) & (told["target"] == target)]
        assert list(told["example"]) == [example.id for example in asked()]
        assert list(told["label"]) == labels
        probe = make_pipeline(StandardScaler(), RidgeClassifier(alpha=0.1 * values.shape[1]))
        folds = KFold(5, shuffle=True, random_state=0)
        predicted = cross_val_predict(probe, values, codes, cv=folds)
        assert list(told["correct"]) == list(predicted == codes), (place, step, layer)


def test_latents_alone_answer_as_the_model_does_whose_answer_sees_nothing_else(
    probed, plain, asked, untouched
):
    """`latent-only`: no answer position sees picture or question; the latents are as they were."""
    model, target = plain("ivtlr"), "likeliest option"
    told = probed[(probed["kind"] == "latent-only") & (probed["target"] == target)]

    def hidden(run):
        return run.where("answer")[:, None] & (run.where("image") | run.where("prompt"))

    for row, example, own in zip(told.itertuples(), asked(), untouched("ivtlr"), strict=True):
        run = own.fork()
        run.hidden_keys = hidden
        scores = model.option_logprobs(run, example.choices)
        assert row.correct == (int(np.argmax(scores)) == example.choices.index(example.answer))

"""Arms that share a batch give the rows that they give alone."""

import numpy as np
import pandas as pd
import pytest

from latentlab.checkpoint import load
from latentlab.data import load_data
from latentlab.reasoning.interventions import Drop, Replace
from latentlab.reasoning.sources import Given, Placeholder, Zero
from latentlab.study import asking
from latentlab.study.arms import Arm
from latentlab.study.joined import answers_joined, joinable
from latentlab.study.run import run_arms
from latentlab.vocabulary import CONTROL, KNOCK_OUT

ARMS = [
    Arm(),
    Arm("drop", "latent_text", kind=KNOCK_OUT, interventions=(Drop("latent_text"),)),
    Arm("drop", "latent_vision", kind=KNOCK_OUT, interventions=(Drop("latent_vision"),)),
    Arm(
        "replace",
        "latent_text",
        (2,),
        "placeholder",
        kind=KNOCK_OUT,
        interventions=(Replace("latent_text", Placeholder(), (2,)),),
    ),
    Arm("replace", "latent", source="zero", interventions=(Replace("latent", Zero()),)),
    Arm("sham", "latent", kind=CONTROL, interventions=(Replace("latent", Given()),)),
]


@pytest.fixture(scope="module")
def ivtlr():
    return load("ivtlr")


@pytest.mark.parametrize(
    # In single precision sums of a larger batch are rounded otherwise: up to 2e-4 nats of 9.
    ("dtype", "limit", "apart"),
    [("float32", 1, 5e-4), ("float32", 5, 5e-4), ("float64", 5, 1e-9)],
)
def test_rows_of_joined_arms_are_those_of_separate_ones(monkeypatch, dtype, limit, apart):
    model = load("ivtlr", dtype=dtype)
    examples = load_data("benchmark:hops=4+1", limit=limit)
    joined = run_arms(model, examples, ARMS, "benchmark", batch_size=16)
    monkeypatch.setattr(asking, "answers_joined", lambda *_: {})
    alone = run_arms(model, examples, ARMS, "benchmark", batch_size=16)
    ours, theirs = (
        pd.DataFrame(rows["option_logprobs"].tolist(), rows.index) for rows in (joined, alone)
    )
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=apart)
    same = [c for c in joined if c != "seconds" and not pd.api.types.is_float_dtype(joined[c])]
    same.remove("option_logprobs")
    pd.testing.assert_frame_equal(joined[same], alone[same])
    untouched = joined[joined["action"] == "none"]["option_logprobs"].tolist()
    shams = joined[joined["action"] == "sham"]["option_logprobs"].tolist()
    assert [list(x) for x in untouched] == [list(x) for x in shams]


def test_arms_that_do_something_else_or_must_be_exact_run_alone(ivtlr):
    assert [joinable(ivtlr, arm) for arm in ARMS] == [False, True, True, True, True, False]
    own = Arm("interchange", "latent", source="self", interventions=ARMS[-1].interventions)
    assert own.is_exact and not joinable(ivtlr, own)
    fewer = ivtlr.plan.replace(steps=2)
    assert not joinable(ivtlr, Arm("steps", strength=2, plan=fewer))
    assert not joinable(load("cot"), ARMS[1])


def test_no_more_rows_run_at_a_time_than_were_asked_for(ivtlr, monkeypatch):
    examples = list(load_data("benchmark", limit=2))
    rows = []
    forward = type(ivtlr.backbone).forward

    def counted(self, embeds, *rest):
        rows.append(len(embeds))
        return forward(self, embeds, *rest)

    monkeypatch.setattr(type(ivtlr.backbone), "forward", counted)
    monkeypatch.setattr(type(ivtlr), "decode", lambda *given: [None] * len(given[3]))
    prefixes = asking.Asking(ivtlr, examples, ARMS)._prefixes
    rows.clear()
    found = answers_joined(ivtlr, examples, ARMS, prefixes, None, sequences=4)
    assert sorted(found) == [1, 2, 3, 4]
    assert max(rows) == 4
    assert answers_joined(ivtlr, examples, ARMS, prefixes, None, sequences=3) == {}

"""Lines hold the means of their rows, and sums of parts are sums example by example."""

import numpy as np
import pandas as pd
import pytest

from latentlab.lens.summary import summary_of
from latentlab.measures.statistics import smallest_effect

HEAD = {"model": "m", "data": "d", "hops": 4}
ASKED = [("answer", "target"), ("other option", "control")]


def rows() -> pd.DataFrame:
    """Two readings of four examples in two domains, and their attribution to two layers."""
    rng = np.random.default_rng(0)
    made = []
    for i in range(4):
        example = {**HEAD, "example": f"e{i}", "domain": "ab"[i % 2]}
        for target, kind in ASKED:
            asked = {"target": target, "kind": kind}
            place = {"measure": "logit lens", "step": 1, "slot": "latent_text"}
            for layer in (0, 1):
                numbers = {"rank": 1.0 + (i == 3), "logprob": -i - layer, "margin": np.nan}
                made.append({**example, **asked, **place, "layer": layer, **numbers})
            parts = [
                ("attn_out", layer, "latent_text", step) for layer in (0, 1) for step in (1, 2)
            ]
            parts += [("attn_out", layer, "image", None) for layer in (0, 1)]
            parts += [("embed", None, None, None)]
            logits = rng.normal(size=len(parts))
            for (component, layer, source, step), logit in zip(parts, logits, strict=True):
                part = {"component": component, "layer": layer, "source": source, "step": step}
                part |= {"measure": "attribution", "logit": logit, "margin": np.nan}
                made.append({**example, **asked, **part})
    return pd.DataFrame(made)


def line(lines: pd.DataFrame, **values: object) -> pd.Series:
    """The one line with these values, where None is missing."""
    for name, value in values.items():
        lines = lines[lines[name].isna() if value is None else lines[name] == value]
    assert len(lines) == 1
    return lines.iloc[0]


def test_readings_are_counted_and_averaged():
    lines = summary_of(rows())
    lens = lines[lines["measure"] == "logit lens"]
    found = line(lens, target="answer", layer=1, domain="all")
    assert (found["n"], found["top1"], found["rank"], found["logprob"]) == (4, 0.75, 1.25, -2.5)
    assert found["top1_low"] < 0.75 < found["top1_high"]
    assert np.isnan(found["margin"])
    assert np.isnan(found["logit"])
    odd = line(lens, target="answer", layer=0, domain="b")
    assert (odd["n"], odd["top1"]) == (2, 0.5)


def test_parts_are_summed_over_layers_and_steps():
    made = rows()
    lines = summary_of(made)
    parts = lines[(lines["measure"] == "attribution") & (lines["target"] == "answer")]
    raw = made[(made["measure"] == "attribution") & (made["target"] == "answer")]
    text = raw[raw["source"] == "latent_text"]
    second = text[text["step"] == 2]
    common = {"domain": "all", "component": "attn_out"}
    for values, chosen in (
        ({"source": "latent_text", "step": 2, "layer": 1}, second[second["layer"] == 1]),
        ({"source": "latent_text", "step": 2, "layer": None}, second),
        ({"source": "latent_text", "step": None, "layer": None}, text),
        ({"source": "image", "step": None, "layer": None}, raw[raw["source"] == "image"]),
    ):
        found = line(parts, **common, **values)
        sums = chosen.groupby("example")["logit"].sum()
        assert found["n"] == 4
        assert found["logit"] == pytest.approx(sums.mean())
        assert sums.min() <= found["logit_low"] <= found["logit_high"] <= sums.max()
    assert not line(parts, domain="all", component="embed").isna()["logit"]


def test_examples_that_share_scans_widen_readings_and_sums_of_parts():
    made = rows()
    # The four examples twice over: eight rows of each kind, and as much to tell as four.
    twice = pd.concat([made, made.assign(example=made["example"] + " again")], ignore_index=True)
    shared = twice.assign(cluster=[[name.split()[0]] for name in twice["example"]])
    naive, lines = summary_of(twice), summary_of(shared)
    assert lines["logit"].equals(naive["logit"])
    parts = (lines["measure"] == "attribution") & (lines["domain"] == "all")
    spread = [of["logit_high"] - of["logit_low"] for of in (naive[parts], lines[parts])]
    assert (spread[1] > 1.2 * spread[0]).all()
    read = (lines["measure"] == "logit lens") & (lines["domain"] == "all")
    assert (lines["top1_low"] < naive["top1_low"])[read].all()
    alone = twice.assign(cluster=[[name] for name in twice["example"]])
    pd.testing.assert_frame_equal(summary_of(alone), naive)


def test_the_smallest_margin_is_that_of_the_margins():
    made = rows()
    margin = np.random.default_rng(2).normal(size=len(made))
    lines = summary_of(made.assign(margin=margin))
    found = line(lines, measure="logit lens", target="answer", layer=1, domain="all")
    chosen = (made["measure"] == "logit lens") & (made["target"] == "answer") & (made["layer"] == 1)
    assert found["margin_smallest"] == smallest_effect(margin[chosen], answers=False)

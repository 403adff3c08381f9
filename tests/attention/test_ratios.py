"""Attention measures against their formulas by hand, and against what uniform attention gives."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from latentlab.attention import pointing_score as pointing
from latentlab.attention import ratios as attention
from latentlab.attention.ratios import BUCKETS, Bucket, key_buckets, keys_of
from latentlab.attention.summary import MEASURES, READING, summary_of
from latentlab.reasoning.visibility import Kind, visibility_table

OPEN = visibility_table(())

# Two sequences of one batch, left-padded; the newest position is the query.
KINDS = torch.tensor(
    [
        [Kind.PROMPT, Kind.IMAGE, Kind.IMAGE, Kind.PROMPT, Kind.LATENT_VISION, Kind.LATENT_TEXT],
        [Kind.PAD, Kind.PAD, Kind.IMAGE, Kind.IMAGE, Kind.PROMPT, Kind.RATIONALE],
    ]
)
ROW = torch.tensor([[0.05, 0.30, 0.10, 0.25, 0.20, 0.10], [0.0, 0.0, 0.4, 0.3, 0.2, 0.1]])


def members(blocked=()):
    return key_buckets(KINDS, visibility_table(blocked))


def test_every_visible_key_is_in_one_bucket_and_padding_in_none():
    found = members()
    assert found.sum(-1).tolist() == [[1] * 6, [0, 0, 1, 1, 1, 1]]
    # The first token is the sink, whatever else it would be.
    assert found[0].int().argmax(-1).tolist() == [
        Bucket.SINK,
        Bucket.IMAGE,
        Bucket.IMAGE,
        Bucket.PROMPT,
        Bucket.REINSERTED,
        Bucket.LATENT_TEXT,
    ]
    assert found[1, 2:].int().argmax(-1).tolist() == [
        Bucket.SINK,
        Bucket.IMAGE,
        Bucket.PROMPT,
        Bucket.WORDS,
    ]


def test_keys_hidden_from_the_query_are_in_no_bucket_but_the_query_sees_itself():
    blocked = (("latent_text", "image"), ("latent_text", "latent"), ("rationale", "prompt"))
    found = members(blocked).any(-1)
    assert found.tolist() == [
        [True, False, False, True, False, True],
        [False, False, True, True, False, True],
    ]


def test_masses_of_a_row_sum_to_one():
    masses = [attention.mass(ROW, members()[..., bucket]) for bucket in Bucket]
    assert torch.stack(masses).sum(0).tolist() == pytest.approx([1, 1])
    assert [float(mass[0]) for mass in masses] == pytest.approx([0.05, 0.4, 0.25, 0.1, 0.2, 0])


def test_ratio_and_focus_by_hand():
    image = keys_of(members(), (Bucket.IMAGE,))
    text = keys_of(members(), attention.TEXT_KEYS["text"])
    ratio = attention.attention_ratio(ROW, image, text)
    assert ratio.tolist() == pytest.approx([0.4 / 0.35, 0.3 / 0.3])
    assert attention.uniform_ratio(image, text).tolist() == pytest.approx([2 / 2, 1 / 2])
    # Within the image of the first sequence: 3/4 and 1/4.
    nats = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert float(attention.entropy(ROW, image)[0]) == pytest.approx(nats)
    focus = attention.attention_focus(ROW, image, epsilon=0.5)
    assert float(focus[0]) == pytest.approx(1 / (nats + 0.5))
    spread = attention.normalised_entropy(ROW, image)
    assert float(spread[0]) == pytest.approx(nats / math.log(2))
    # One patch has no spread to speak of.
    assert focus[1].isnan() and spread[1].isnan()


def test_no_keys_is_missing_and_not_zero():
    none = keys_of(members(), (Bucket.REINSERTED,))[1:]
    text = keys_of(members(), (Bucket.PROMPT,))[1:]
    assert attention.attention_ratio(ROW[1:], none, text).isnan().all()
    assert attention.attention_ratio(ROW[1:], text, none).isnan().all()
    assert attention.entropy(ROW[1:], none).isnan().all()
    # Keys that are there but get nothing are no missing keys.
    assert attention.attention_ratio(torch.tensor([[0.0, 1.0]]), *torch.eye(2).bool()[:, None]) == 0


@pytest.mark.parametrize("image", attention.IMAGE_KEYS)
@pytest.mark.parametrize("text", attention.TEXT_KEYS)
def test_uniform_attention_reads_its_own_null(image, text):
    kinds = torch.tensor([[*[2] * 3, *[1] * 5, 3, 4, 3, 3, 4, 5, 5]])
    of = key_buckets(kinds, OPEN)
    row = torch.full(kinds.shape, 1 / kinds.shape[1])
    seen = keys_of(of, attention.IMAGE_KEYS[image])
    read = keys_of(of, attention.TEXT_KEYS[text])
    ratio = attention.attention_ratio(row, seen, read)
    torch.testing.assert_close(ratio, attention.uniform_ratio(seen, read))
    assert float(attention.normalised_entropy(row, seen)) == pytest.approx(1)
    torch.testing.assert_close(attention.attention_focus(row, seen), attention.uniform_focus(seen))


def test_reductions_average_and_name_what_went_in():
    rows = torch.rand(2, 3, 4, 5)
    ((layers, heads, mean),) = attention.reduce_rows(rows, (1, 3), "mean")
    assert (layers, heads) == ("all", "all")
    by_layer = list(attention.reduce_rows(rows, (1, 3), "layer"))
    assert [name[:2] for name in by_layer] == [("1", "all"), ("3", "all")]
    by_head = list(attention.reduce_rows(rows, (1, 3), "head"))
    assert [name[:2] for name in by_head[3:5]] == [("1", "3"), ("3", "0")]
    torch.testing.assert_close(torch.stack([row for *_, row in by_layer]).mean(0), mean)
    torch.testing.assert_close(torch.stack([row for *_, row in by_head]).mean(0), mean)
    torch.testing.assert_close(by_head[5][2], rows[1, :, 1])


ON_PATCHES = torch.tensor([[0.1, 0.4, 0.2, 0.3], [0.5, 0.2, 0.3, 0.0]])
EXISTS = torch.tensor([[True] * 4, [True, True, True, False]])


def test_pointing_counts_the_most_and_the_least_attended():
    order = pointing.by_attention(ON_PATCHES, EXISTS)
    assert order.tolist() == [[1, 3, 2, 0], [0, 2, 1, 3]]
    for patch, first, last in (((1, 0), True, False), ((0, 1), False, True), ((2, 2), False, True)):
        cells = torch.tensor(patch)
        assert pointing.points_at(order, EXISTS, cells, 1).tolist() == [first] * 2
        among = pointing.points_at(order, EXISTS, cells, 2, last=True).tolist()
        assert among == [last] * 2


def test_random_picks_hit_as_often_as_chance_and_do_not_depend_on_the_batch():
    exists = torch.ones(400, 8, dtype=torch.bool)
    names = [f"e{i}" for i in range(400)]
    order = pointing.at_random(exists, names, 0, 1)
    hits = pointing.points_at(order, exists, torch.full((400,), 5), 2).float().mean()
    assert abs(float(hits) - 0.25) < 0.08
    wider = torch.cat([exists[:3], torch.zeros(3, 40, dtype=torch.bool)], dim=1)
    assert pointing.at_random(wider, names[:3], 0, 1)[:, :8].equal(order[:3])
    assert not pointing.at_random(exists, names, 0, 2).equal(order)


def test_enrichment_is_relative_to_background_of_the_same_area():
    cells = torch.tensor([1, 2])
    rho = pointing.enrichment(ON_PATCHES, EXISTS, cells)
    assert rho.tolist() == pytest.approx([0.4 / (0.6 / 3), 0.3 / (0.7 / 2)])
    uniform = torch.full((2, 4), 0.1)
    assert pointing.enrichment(uniform, EXISTS, cells).tolist() == pytest.approx([1, 1])


def made_up(n: int, **columns) -> pd.DataFrame:
    """Rows of one reading in which everything but a few columns is missing or constant."""
    measured = {name for m in MEASURES for name in (m.column, m.null) if isinstance(name, str)}
    derived = ("share:", "visible_mass:", "log_")
    missing = {name: np.full(n, np.nan) for name in measured if not name.startswith(derived)}
    head = {"model": "m", "data": "d", "mode": "latent", "step": 1, "query": "q"}
    head |= {"layers": "all", "heads": "all", "domain": "", "keys": 6}
    head |= {"example": [f"e{i}" for i in range(n)], "correct_likelihood": [None] * n}
    counts = {f"n:{name}": np.ones(n) for name in BUCKETS}
    masses = {f"mass:{name}": np.full(n, 1 / 6) for name in BUCKETS}
    return pd.DataFrame({**missing, **head, **counts, **masses, **columns})


def line(lines: pd.DataFrame, measure: str, keys: str, **where) -> pd.Series:
    found = lines[(lines["measure"] == measure) & (lines["keys"] == keys)]
    for name, value in where.items():
        found = found[found[name] == value]
    assert len(found) == 1
    return found.iloc[0]


def test_lines_leave_missing_values_out_and_stand_beside_their_null():
    ratios, nulls = [1.0, 3.0, np.nan], [2.0, 4.0, np.nan]
    rows = made_up(3, **{"ratio:image/text": ratios, "uniform_ratio:image/text": nulls})
    lines = summary_of(rows)
    found = line(lines, "ratio", "image/text")
    assert (found["n"], found["value"], found["null"]) == (2, 2, 3)
    assert found["value_low"] == 1 and found["value_high"] == 3
    assert line(lines, "log_ratio", "image/text")["value"] == pytest.approx(math.log(3) / 2)
    assert line(lines, "mass", "image")["null"] == pytest.approx(1 / 6)
    assert "entropy" not in set(lines["measure"])


def test_differences_are_paired_by_example():
    first = made_up(4, **{"entropy:image": [0.1, 0.2, 0.3, 0.4]})
    later = made_up(3, step=2, query="r", **{"entropy:image": [0.2, 0.3, 0.4]})
    words = later.assign(model="w", mode="explicit", **{"entropy:image": [0.5, 0.6, 0.7]})
    lines = summary_of(pd.concat([first, later, words], ignore_index=True))
    step = line(lines, "entropy", "image", against="step 1")
    assert (step["n"], step["null"], step["step"]) == (3, 0, 2)
    assert step["value"] == pytest.approx(0.1)
    mode = line(lines, "entropy", "image", against="w")
    assert mode["value"] == pytest.approx(-0.3) and mode["model"] == "m"
    assert set(READING) <= set(lines.columns)

"""The command: everyone is asked the same, files are there, and what cannot be is refused."""

from pathlib import Path

import pandas as pd
import pytest

from latentlab.compare.config import CompareConfig
from latentlab.compare.ways import EMBEDDED, TWINS, WAYS, way_of, ways_of
from latentlab.errors import UserError
from latentlab.study.results import CLAIMS, PAIRS, read_results

SMALL = ("--limit", "6", "--max-new-tokens", "4")


@pytest.fixture
def compare(commanded):
    return commanded("compare", *SMALL)


def test_everyone_is_asked_the_same_and_counted_alike(compare):
    code, streams = compare("--model", "no_cot", "cot_vision", "ivtlr")
    assert code == 0, streams.err
    results = read_results(Path("results/compare"))
    rows = results.rows
    assert rows.groupby("way")["example"].agg(tuple).nunique() == 1
    assert list(dict.fromkeys(rows["way"])) == ["no_cot", "icot", "ivtlr"]
    assert rows["method"].eq("own").all()
    assert not rows[["forward_tokens", "pictures", "calls", "times"]].isna().any(axis=None)
    assert set(results.summary["way"]) == set(rows["way"])
    pairs = pd.read_csv(Path("results/compare", PAIRS))
    assert len(pairs[(pairs["domain"] == "all") & (pairs["hops"] == "all")]) == 3
    claims = pd.read_csv(Path("results/compare", CLAIMS))
    assert set(claims["against"]) == {"no_cot", "icot"}
    for told in ("ICoT", "IVT-LR", "less No-CoT", "Not among the ways: CoT, CCoT"):
        assert told in streams.out


def test_one_model_is_asked_in_several_ways(compare):
    code, streams = compare("--model", "ivtlr", "--method", "own", "ivtlr")
    assert code == 0, streams.err
    rows = read_results(Path("results/compare")).rows
    assert list(dict.fromkeys(rows["way"])) == ["ivtlr, own", "ivtlr, ivtlr"]
    first, second = (of.reset_index() for _, of in rows.groupby("method", sort=False))
    assert first["text"].tolist() == second["text"].tolist()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--method", "ccott"), "no method is called 'ccott'; did you mean 'ccot'?"),
        (("--model", "ivtlr", "--method", "cot"), "does not know 100 % of the words"),
        (("--model", "gaze"), "its patches are given with each question"),
        (("--model", "ivtlrr"), "did you mean"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(compare, refused, flags, said):
    assert said in refused(compare(*flags))


def test_answers_need_room():
    with pytest.raises(UserError, match="too small"):
        CompareConfig(max_new_tokens=0)


def test_the_ten_ways_and_their_twins():
    assert len(WAYS) == len(TWINS) == 10
    assert set(EMBEDDED) <= set(TWINS)
    assert [way_of(twin, "own") for twin in TWINS] == list(WAYS)
    assert way_of("ivtlr-s2", "own") == "ivtlr"
    assert way_of("capimagine-s1", "capimagine") == "capimagine"
    assert way_of("some-model", "icot") == "icot"


def test_two_that_answer_in_one_way_keep_their_names():
    pairs = [("ivtlr-s1", "own"), ("ivtlr-s2", "own"), ("cot", "own")]
    assert list(ways_of(pairs).values()) == ["ivtlr-s1", "ivtlr-s2", "cot"]

"""`--method` of the evaluation: rows with a method and its costs, and refusals in one line."""

import json
from pathlib import Path

import pandas as pd
import pytest

from latentlab.study.results import PREDICTIONS, read_results


@pytest.fixture
def evaluate(commanded):
    return commanded("evaluate", "--limit", "6", "--max-new-tokens", "4")


def test_rows_say_by_which_method_and_at_what_cost(evaluate):
    code, streams = evaluate("--model", "coconut", "ivtlr", "--method", "coconut")
    assert code == 0, streams.err
    assert "method coconut on ivtlr: its latent steps re-insert patches" in streams.err
    assert "coconut answers" in streams.out
    assert "questions by coconut" in streams.out
    results = read_results(Path("results/evaluate"))
    rows = results.rows
    assert set(rows["method"]) == {"coconut"}
    assert set(rows["model"]) == {"coconut"}
    assert rows["calls"].eq(1).all()
    assert rows["pictures"].eq(1).all()
    assert (rows["forward_tokens"] > rows["autoregressive_steps"]).all()
    assert (rows["failed"].str.len() > 0).eq(rows["format_failures"] > 0).all()
    said = json.loads(rows["calls_said"].iloc[0])
    assert said == [{"call": "latent steps and answer", "said": rows["text"].iloc[0]}]
    total = results.summary.iloc[0]
    assert total["forward_tokens"] == pytest.approx(rows["forward_tokens"].mean())
    assert total["method"] == "coconut"
    lines = Path("results/evaluate", PREDICTIONS).read_text().splitlines()
    assert {json.loads(line)["model"] for line in lines} == {"coconut, coconut"}


def test_a_method_that_does_not_fit_one_model_is_run_on_the_others(evaluate):
    code, streams = evaluate("--model", "coconut", "ivtlr", "--method", "coconut", "ivtlr")
    assert code == 0, streams.err
    rows = read_results(Path("results/evaluate")).rows
    assert rows[["model", "method"]].drop_duplicates().to_numpy().tolist() == [
        ["coconut", "coconut"],
        ["ivtlr", "ivtlr"],
    ]


def test_the_models_own_way_has_no_such_columns(evaluate):
    code, streams = evaluate("--model", "coconut")
    assert code == 0, streams.err
    results = read_results(Path("results/evaluate"))
    new = {"method", "calls", "forward_tokens", "pictures", "format_failures", "failed"}
    assert not new & set(results.rows)
    assert not new & set(results.summary)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--method", "ccott"), "no method is called 'ccott'; did you mean 'ccot'?"),
        (("--method", "cot", "cot"), "--method names cot twice"),
        (("--method", "cot", "--no-image"), "give no --method with it"),
        (("--method", "cot"), "does not know 100 % of the words of its prompts"),
        (("--method", "ivtlr"), "its steps do not hold both latent text and patches"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(evaluate, refused, flags, said):
    assert said in refused(evaluate("--model", "coconut", *flags))


def test_methods_of_one_model_have_lines_of_their_own():
    from latentlab.evaluate.summary import summary_of

    row = {"model": "m", "data": "d", "intervention": "none", "kind": "none", "domain": "x"}
    row |= {"topic": "", "hops": None, "cluster": [], "correct_likelihood": None, "seconds": 0.1}
    row |= {"correct_lenient": None, "autoregressive_steps": 1, "latent_steps": 0, "new_tokens": 1}
    row |= {"calls": 1, "forward_tokens": 9, "pictures": 1, "format_failures": 0}
    rows = [row | {"method": m, "correct": m == "cot"} for m in ("cot", "ccot") for _ in range(3)]
    summary = summary_of(pd.DataFrame(rows))
    total = summary[summary["domain"] == "all"]
    assert total.set_index("method")["accuracy"].to_dict() == {"cot": 1.0, "ccot": 0.0}

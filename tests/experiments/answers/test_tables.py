"""Tables of accuracies: of all models, of organisms, and of retrained arms."""

import json

import pytest

from latentlab.errors import UserError
from latentlab.evaluate.summary import summary_of as answer_lines
from latentlab.figures import studies
from latentlab.figures.cells import MISSING
from latentlab.study.results import Results

N = 20


def test_the_main_table_counts_right_answers_and_keeps_published_numbers_apart(make, found):
    made = make("main_table")
    assert made.cells["method"].tolist() == ["cot", "no_cot", "ivtlr", "coconut"]
    line = made.data.set_index("model").loc["coconut"]
    rows = found["answers"].rows
    of_model = rows[rows["model"] == "coconut"]
    assert line["accuracy"] == pytest.approx(of_model["correct"].mean())
    by_hops, by_domain_ = (of_model.groupby(name)["correct"].mean() for name in ("hops", "domain"))
    assert line["hops 4"] == pytest.approx(by_hops[4])
    assert line["domain digits"] == pytest.approx(by_domain_["digits"])
    assert line["ms"] == pytest.approx(70)
    assert line["steps"] == 10
    assert f"4 hops (n={N // 2})" in made.cells
    assert "71.8 (10.0 steps, 0.65 s)" in made.published.to_numpy()
    assert not made.cells.isin(made.published.to_numpy().ravel()).any().any()


def test_the_table_of_organisms_shows_what_their_logs_say(make):
    from latentlab.checkpoint import ZOO

    made = make("organisms")
    log = [json.loads(line) for line in (ZOO / "cot" / "metrics.jsonl").read_text().splitlines()]
    ends = [entry for entry in log if "held_out" in entry]
    line = made.data.set_index("model").loc["cot"]
    assert line["updates"] == sum(entry["update"] for entry in ends)
    minutes = sum(entry["cpu_seconds"] for entry in ends) / 60
    assert line["CPU minutes"] == pytest.approx(minutes, abs=0.05)
    assert made.cells.columns[:4].tolist() == ["model", "4 hops", "digits", "letters"]


def test_a_model_without_a_log_has_no_updates(make, found):
    answers = found["answers"]
    renamed = answers.summary.replace({"model": {"cot": "mine"}})
    run = answers.run | {"config": answers.run["config"] | {"model": ["ivtlr", "mine"]}}
    kept = renamed[renamed["model"].isin(["ivtlr", "mine"])]
    made = make("organisms", {"answers": Results(answers.rows, kept, run)})
    assert made.cells.set_index("model").loc["mine", "updates"] == MISSING


def test_retrained_arms_are_paired_with_the_full_method(make, found):
    made = make("retrained_arms")
    rows = found["answers"].rows
    four = rows[rows["hops"] == 4]
    right = four.pivot(index="example", columns="model", values="correct").astype(float)
    gap = made.data.set_index("model").loc["cot", "gap"]
    assert gap == pytest.approx((right["cot"] - right["ivtlr"]).mean())
    assert gap < 0
    assert made.cells.iloc[0]["points above full on 4 hops"] == MISSING
    assert "cot_vision" not in made.data["model"].to_numpy()
    assert "Not among the results: cot_vision." in made.caption
    assert made.published["M3CoT %"].tolist() == ["71.83", "52.20", "46.64", "58.02"]


def test_without_retrained_arms_nothing_is_drawn(make, tmp_path, rows_of, results_of):
    rows = rows_of("mine", {}, "m3cot", known=False)
    results = results_of(studies.ANSWERS, rows, tmp_path, answer_lines)
    with pytest.raises(UserError, match="none of the retrained arms is among the results: ivtlr"):
        make("retrained_arms", {"answers": results})

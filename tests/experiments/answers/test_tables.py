"""Tables of accuracies: of all models, of organisms, and of retrained arms."""

import json
import re

import pytest

from latentlab.console import MISSING
from latentlab.errors import UserError
from latentlab.evaluate.summary import summary_of as answer_lines
from latentlab.figures import published, studies
from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.style import PAGE
from latentlab.figures.typeset import CITE, LETTERS, letters
from latentlab.study.results import Results

N = 20


def test_the_main_table_counts_right_answers_and_keeps_published_numbers_apart(make, found):
    made = make("main_table")
    assert made.cells["model"].tolist() == ["cot", "no_cot", "ivtlr", "coconut"]
    line = made.data.set_index("model").loc["coconut"]
    rows = found["answers"].rows
    of_model = rows[rows["model"] == "coconut"]
    by_hops = of_model.groupby("hops")["correct"].mean()
    of_four = of_model[of_model["hops"] == 4].groupby("domain")["correct"].mean()
    assert line["hops 4"] == pytest.approx(by_hops[4])
    assert line["hops 1"] == pytest.approx(by_hops[1])
    assert line["domain digits"] == pytest.approx(of_four["digits"])
    assert line["steps"] == 10
    assert f"n = {N // 2}" in made.caption
    # One number over all hops would hide a model that answers one hop alone.
    assert made.cells.columns[:3].tolist() == ["model", "1 hop", "4 hops"]
    assert not made.cells.columns.str.contains("ms|all|second").any()
    assert "71.8" in made.published.to_numpy()
    assert "71.8" not in made.cells.to_numpy()
    assert letters(made.cells) <= LETTERS[PAGE]


def test_every_published_row_is_cited_from_the_bibliography():
    keys = set(re.findall(r"^@misc\{(\w+),$", (EXPERIMENTS / "published.bib").read_text(), re.M))
    assert {*published.MAIN[CITE], *published.ARMS[CITE]} == keys


def test_the_main_table_shows_what_logs_say(make):
    from latentlab.checkpoint import ZOO

    made = make("main_table")
    log = [json.loads(line) for line in (ZOO / "cot" / "metrics.jsonl").read_text().splitlines()]
    ends = [entry for entry in log if "held_out" in entry]
    line = made.data.set_index("model").loc["cot"]
    assert line["updates"] == sum(entry["update"] for entry in ends)
    minutes = sum(entry["cpu_seconds"] for entry in ends) / 60
    assert line["CPU minutes"] == pytest.approx(minutes, abs=0.05)


def test_a_model_without_a_log_has_no_updates(make, found):
    answers = found["answers"]
    renamed = answers.summary.replace({"model": {"cot": "mine"}})
    run = answers.run | {"config": answers.run["config"] | {"model": ["ivtlr", "mine"]}}
    kept = renamed[renamed["model"].isin(["ivtlr", "mine"])]
    made = make("main_table", {"answers": Results(answers.rows, kept, run)})
    assert made.cells.set_index("model").loc["mine", "updates"] == MISSING


def test_retrained_arms_are_paired_with_the_full_method(make, found):
    made = make("retrained_arms")
    rows = found["answers"].rows
    four = rows[rows["hops"] == 4]
    right = four.pivot(index="example", columns="model", values="correct").astype(float)
    change = made.data.set_index("model").loc["cot", "change"]
    assert change == pytest.approx((right["cot"] - right["ivtlr"]).mean())
    assert change < 0
    assert made.cells.iloc[0]["change from full\n(points, 4 hops)"] == MISSING
    assert "cot_vision" not in made.data["model"].to_numpy()
    assert "Not among the results: cot_vision." in made.caption
    assert made.published["M3CoT (%)"].tolist() == ["71.83", "52.20", "46.64", "58.02"]


def test_without_retrained_arms_nothing_is_drawn(make, tmp_path, rows_of, results_of):
    rows = rows_of("mine", {}, "m3cot", known=False)
    results = results_of(studies.ANSWERS, rows, tmp_path, answer_lines)
    with pytest.raises(UserError, match="none of the retrained arms is among the results: ivtlr"):
        make("retrained_arms", {"answers": results})

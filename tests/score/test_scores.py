"""Every rule reads every reply, and lines count right answers in the projects' own groups."""

from pathlib import Path

import pandas as pd
import pytest

from latentlab.measures.summary import ALL
from latentlab.score.findings import differences
from latentlab.score.predictions import Prediction, read_predictions
from latentlab.score.rows import rows_of
from latentlab.score.summary import GROUPS, summary_of
from tests.score.lines import line, replies

PUBLISHED = {
    "gpt4v-direct": {"all": 56.90, "commonsense": 75.38, "mathematics": 42.74, "science": 53.82},
    "llava-7b-cot": {"all": 35.76, "commonsense": 59.12, "mathematics": 22.82, "science": 31.13},
}
"""Per cent right by the official rule, as published."""

SIZES = {"all": 2318, "commonsense": 455, "mathematics": 241, "science": 1622}
ANSWERS = [parent / "shared" / "data" / "m3cot" for parent in Path(__file__).parents]
PAGE = Path(__file__).parents[2] / "docs" / "scoring.md"
HERE = next((folder for folder in ANSWERS if folder.is_dir()), None)


@pytest.fixture
def scored(written):
    """Makes a function that scores lines."""

    def score(lines) -> pd.DataFrame:
        path = written(lines)
        return rows_of(path, read_predictions(path)[0], "Answer:")

    return score


@pytest.fixture(params=PUBLISHED)
def published(request) -> tuple[str, pd.DataFrame]:
    """A name and the rows of the answers that go by it."""
    if HERE is None:
        pytest.skip("the published answers do not lie beside the checkout")
    path = HERE / f"{request.param}.jsonl"
    predictions, problems = read_predictions(path)
    assert problems == []
    return request.param, rows_of(path, predictions, "Answer:")


def test_published_answers_get_the_published_scores(published):
    name, rows = published
    lines = summary_of(rows)
    coarse = lines[lines["topic"] == ALL].set_index("domain")
    assert coarse["n"].to_dict() == SIZES
    assert (100 * coarse["official"]).round(2).to_dict() == PUBLISHED[name]


def test_the_page_tells_where_rules_part_as_the_command_does(published):
    _, rows = published
    page = PAGE.read_text(encoding="utf-8")
    counts = ["replies", "differ", "unread", "official_right", "strict_right"]
    for found in differences(rows).to_dict("records"):
        told = " | ".join(f"{found[name]:,}" for name in counts)
        assert f"`{found['step']}` | {told} |" in page


def test_rules_read_the_same_replies_side_by_side(scored):
    rows = scored(replies("(B)", "It is (B)", "Answer: B", "a dog", "B, or is it (C)?", "no idea"))
    assert rows["official_step"].tolist() == [
        "brackets",
        "brackets",
        "capital",
        "choice text",
        "brackets",
        "none",
    ]
    assert rows["choice_official"].fillna(-1).tolist() == [1, 1, 1, 1, 2, -1]
    assert rows["choice"].fillna(-1).tolist() == [1, -1, 1, -1, -1, -1]
    assert rows["correct_lenient"].tolist() == [False, False, True, False, False, False]
    assert rows["correct_index"].isna().all()
    assert rows["correct_likelihood"].isna().all()


def test_a_letter_that_no_choice_has_is_wrong_and_no_choice(scored):
    (row,) = scored(replies("(F)")).to_dict("records")
    assert (row["official_letter"], row["correct_official"]) == ("F", False)
    assert pd.isna(row["choice_official"])


def test_answers_by_text_are_read_as_text_and_have_no_any_match(scored):
    rows = scored(replies("Answer a dog", "Answer B", answer_form="text", answer_marker="Answer"))
    assert rows["correct"].tolist() == [True, False]
    assert rows["correct_lenient"].isna().all()


def test_likelihoods_are_read_where_lines_have_them(scored):
    rows = scored([line(option_logprobs=[-2.0, -1.0, -3.0]), line(id="q2")])
    assert rows["correct_likelihood"].tolist()[0] is True
    assert pd.isna(rows["correct_likelihood"][1])


def test_indices_are_read_of_scienceqa_only(scored):
    rows = scored([line(answer=1, messages=["?", "the answer is 1"]), line(id="q2")])
    assert rows["correct_index"].tolist()[0] is True
    assert pd.isna(rows["correct_index"][1])


def test_rules_part_where_verdicts_are_counted(scored):
    rows = scored(replies("(B)", "It is (B)", "B", "so (C)", "Answer: B (C)", "a dog"))
    lines = differences(rows).set_index("step")
    assert lines.index.tolist() == ["brackets", "choice text", "capital"]
    counts = ["replies", "differ", "unread", "official_right", "strict_right"]
    assert lines.loc["brackets", counts].tolist() == [4, 3, 3, 1, 0]
    assert lines.loc["choice text", counts].tolist() == [1, 1, 1, 1, 0]
    assert lines.loc["capital", counts].tolist() == [1, 0, 0, 0, 0]
    strict_alone = scored(replies("(B) A dog.\n(C) A fish."))
    assert differences(strict_alone)[counts].to_numpy().tolist() == [[1, 1, 0, 0, 1]]


def science(name: str, index: int, subject: str, grade: int, text: bool, image: bool) -> Prediction:
    divided = {"domain": subject, "grade": f"grade{grade}", "has_text": text, "has_image": image}
    return Prediction(1, name, ("a", "b"), 0, None, index, **divided, scienceqa=True)


def test_the_table_of_scienceqa_has_its_own_groups():
    problems = [
        science("1", 0, "natural science", 6, text=True, image=True),
        science("2", 1, "natural science", 7, text=False, image=True),
        science("3", 0, "social science", 12, text=True, image=False),
        science("4", 9, "language science", 1, text=False, image=False),
    ]
    rows = rows_of(Path("results.json"), problems, "Answer:")
    lines = summary_of(rows)
    named = lines[list(GROUPS)].apply(lambda own: " ".join(v for v in own if v != ALL), axis=1)
    found = lines.assign(group=named).set_index("group")
    assert found[["n", "index"]].apply(tuple, axis=1).to_dict() == {
        "": (4, 0.5),
        "natural science": (2, 0.5),
        "social science": (1, 1.0),
        "language science": (1, 0.0),
        "has text": (2, 1.0),
        "has image": (2, 0.5),
        "no context": (1, 0.0),
        "1-6": (2, 0.5),
        "7-12": (2, 0.5),
    }
    assert found["official"].isna().all()
    assert rows["choice"].isna().all()
    assert differences(rows).empty

"""Files of replies: what a line may hold, and what becomes of lines that cannot be read."""

import json

import pytest

from latentlab.errors import UserError
from latentlab.score.predictions import gold_index, read_predictions
from latentlab.score.scienceqa import read_results
from tests.score.lines import line

PROBLEM = {
    "question": "What is it?",
    "choices": ["a cat", "a dog"],
    "answer": 1,
    "hint": "",
    "image": "image.png",
    "subject": "natural science",
    "topic": "biology",
    "grade": "grade4",
}


def test_the_last_message_is_scored_and_the_rest_says_what_it_is(written):
    messages = ["?", "let me think", "and so?", "(B)"]
    unsaid = json.dumps(line(id="q2", topic=None) | {"context": None, "model": None})
    path = written([line(messages=messages, context="a hint"), unsaid])
    (first, second), problems = read_predictions(path)
    assert problems == []
    assert (first.line, first.id, first.reply, first.gold) == (1, "q1", "(B)", 1)
    assert (first.domain, first.topic, first.has_text) == ("science", "animals", True)
    assert (second.line, second.topic, second.has_text, second.has_image) == (2, "", False, False)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "one JSON object"),
        (json.dumps(line(topic="\ud800")), "not valid JSON"),
        (line(id=None), "field 'id' is missing"),
        (json.dumps(line() | {"id": None}), "field 'id' is missing"),
        (line(messages=None), "field 'messages' is missing"),
        (line(id=3), "field 'id' must be a text"),
        (line(domain=["science"]), "field 'domain' must be a text"),
        (line(choices=[]), "field 'choices' must be a list of texts"),
        (line(choices=["a", 2]), "field 'choices' must be a list of texts"),
        (line(messages=["?", None]), "field 'messages' must be a list of texts"),
        (line(messages=["?"]), "a reply to each prompt"),
        (line(answer="D"), "the answer 'D' is not among the 3 choices"),
        (line(answer=3), "the answer 3 is not among the 3 choices"),
        (line(answer_form="word"), "field 'answer_form' is 'word'"),
        (line(option_logprobs=[-1.0]), "field 'option_logprobs'"),
        (line(option_logprobs=[-1.0, -2.0, float("nan")]), "field 'option_logprobs'"),
        (line(cluster="scan"), "field 'cluster'"),
        (line(choices=[str(i) for i in range(27)]), "more than there are letters"),
        (line(id="good"), "id 'good' is already that of line 1"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_and_the_others_stay(written, bad, told):
    path = written([line(id="good"), "", bad, line(id="last")])
    found, (problem,) = read_predictions(path)
    assert [one.id for one in found] == ["good", "last"]
    assert problem.startswith(f"{path}, line 3: ")
    assert told in problem
    assert "\n" not in problem
    with pytest.raises(UserError, match="line 3"):
        read_predictions(path, strict=True)


def test_bytes_that_are_no_text_are_one_bad_line(written):
    path = written([line()])
    path.write_bytes(path.read_bytes() + b'{"id": "\xff"}\n')
    found, problems = read_predictions(path)
    assert (len(found), len(problems)) == (1, 1)


def test_one_question_may_be_answered_by_several_models_and_arms(written):
    arms = [line(model="one"), line(model="two"), line(model="two", intervention="no image")]
    found, problems = read_predictions(written(arms))
    assert [(one.model, one.intervention) for one in found] == [
        ("one", "none"),
        ("two", "none"),
        ("two", "no image"),
    ]
    assert problems == []


def test_a_file_without_a_line_to_score_is_refused(written, tmp_path):
    for lines, told in ((["{"], "line 1: not valid JSON"), ([], "it is empty")):
        with pytest.raises(UserError, match=told):
            read_predictions(written(lines))
    with pytest.raises(UserError, match=r"predictions\.jsonl cannot be read"):
        read_predictions(tmp_path)


def test_an_answer_is_an_index_or_a_letter_or_a_choice():
    choices = ("B", "A", "a dog")
    assert [gold_index(answer, choices) for answer in (2, "A", "C", "a dog")] == [2, 0, 2, 2]
    for answer in (3, -1, True, 1.0, "D", "", "a", None):
        with pytest.raises(UserError, match="not among the 3 choices"):
            gold_index(answer, choices)


def test_results_of_scienceqa_are_indices_of_problems(written):
    problems = written([json.dumps({"4": PROBLEM, "5": PROBLEM, "6": {}})], "problems.json")
    results = {"acc": 50.0, "results": {"4": "1", "5": "B", "6": 0, "7": 0}}
    path = written([json.dumps(results)], "results.json")
    (one,), told = read_results(path, problems, strict=False)
    assert (one.id, one.index, one.gold, one.reply) == ("4", 1, 1, None)
    assert (one.domain, one.grade) == ("natural science", "grade4")
    assert (one.has_text, one.has_image, one.scienceqa) == (False, True, True)
    assert [text.partition(": ")[2] for text in told] == [
        "problem '5' has the result 'B', which is no index",
        "problem '6' has no list of choices",
        "problem '7' is not among the 3 problems",
    ]
    with pytest.raises(UserError, match="result 2: problem '5'"):
        read_results(path, problems, strict=True)
    for text, reason in (("[]", "one JSON object"), ("{}", "no object 'results'"), ("{", "JSON")):
        with pytest.raises(UserError, match=reason):
            read_results(written([text], "other.json"), problems, strict=False)

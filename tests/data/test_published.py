"""M3CoT and ScienceQA: every layout gives the same examples, and a bad one is told by its place."""

import json
import shutil
from pathlib import Path

import datasets
import pytest

from latentlab.data import load_data
from latentlab.data.m3cot import HUB
from latentlab.errors import UserError

SAMPLES = Path(__file__).parents[1] / "samples"


def same(ours, theirs):
    assert list(ours) == list(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one.image.tobytes() == other.image.tobytes()


@pytest.mark.parametrize("split", ["train", "validation", "dev", "test"])
@pytest.mark.parametrize("layout", ["m3cot", "m3cot/data", "m3cot_parquet", "m3cot_arrow"])
def test_m3cot_is_the_same_in_every_layout(layout, split):
    usual = load_data(f"m3cot:root={SAMPLES / 'm3cot'}", split)
    assert len(usual) == {"train": 4, "test": 3}.get(split, 2)
    same(load_data(f"m3cot:root={SAMPLES / layout}", split), usual)
    same(load_data(str(SAMPLES / layout), split), usual)  # known by its columns


def test_what_m3cot_says_of_a_question_is_kept():
    first, second, third = load_data(f"m3cot:root={SAMPLES / 'm3cot'}")
    assert first.letter == "C"
    assert (first.domain, first.topic) == ("science", "natural-science")
    assert first.groups == (("category", "Lengths"),)
    assert (first.context, second.context) == ("Rods lie on a table.", "")
    assert first.rationale == (
        "The navy rod is 28 mm long. The crimson rod is 16 mm long",
        "The seagreen rod is 46 mm long",
        "So it is the seagreen rod.",
    )
    assert third.image.size == (280, 280)
    (own,) = load_data(f"m3cot:root={SAMPLES / 'm3cot'},size=own", limit=1)
    assert own.image.size == (60, 60)


def test_a_copy_that_the_project_wrote_anew_is_read_as_well(tmp_path):
    """Its files name pictures by another field, and by where they once lay."""
    shutil.copytree(SAMPLES / "m3cot" / "data", tmp_path / "copy")
    file = tmp_path / "copy" / "test.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    moved = [{**row, "image_path": row["image"] and f"old/{row['id']}.png"} for row in rows]
    for row in moved:
        del row["image"]
    file.write_text("\n".join(map(json.dumps, moved)))
    same(load_data(str(tmp_path / "copy")), load_data(str(SAMPLES / "m3cot")))


def test_what_scienceqa_says_of_a_question_is_kept():
    for spec in (f"scienceqa:root={SAMPLES / 'scienceqa'}", str(SAMPLES / "scienceqa")):
        first, second, _ = load_data(spec)
        assert (first.id, first.answer) == ("9", "the seagreen rod")
        assert (first.domain, first.topic) == ("natural science", "physics")
        assert dict(first.groups) == {
            "subject": "natural science",
            "grade": "grade2",
            "category": "Measuring",
            "skill": "Compare lengths",
            "task": "closed choice",
            "hint": "yes",
        }
        assert dict(second.groups)["hint"] == "no"
        assert first.context == "Rods lie on a table."
        assert first.rationale[0].startswith("A length is how far one end is from the other. The")
        assert second.rationale[0].startswith("The navy rod is 12 mm long")  # it has no lecture
        assert first.image.size == (60, 60)


def test_only_questions_with_a_picture_are_asked_unless_told_otherwise(tmp_path):
    spec = f"scienceqa:root={SAMPLES / 'scienceqa'}"
    assert len(load_data(spec)) == 3
    *_, bare = load_data(f"{spec},pictures=all")
    assert (bare.image, bare.domain) == (None, "language science")
    shutil.copy(SAMPLES / "scienceqa" / "pid_splits.json", tmp_path)
    problems = json.loads((SAMPLES / "scienceqa" / "problems.json").read_text())
    bare = {pid: {**problem, "image": None} for pid, problem in problems.items()}
    (tmp_path / "problems.json").write_text(json.dumps(bare))
    with pytest.raises(UserError, match="no example has a picture, and only those with one are"):
        load_data(f"scienceqa:root={tmp_path}")


def test_a_rationale_that_is_missing_is_the_answer_as_in_the_release(tmp_path):
    shutil.copytree(SAMPLES / "scienceqa", tmp_path / "data")
    problems = json.loads((tmp_path / "data" / "problems.json").read_text())
    problems["9"] |= {"lecture": "", "solution": None}
    (tmp_path / "data" / "problems.json").write_text(json.dumps(problems))
    assert load_data(str(tmp_path / "data"))[0].rationale == ("2",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": "D"}, "the answer 'D' is not among the choices"),
        ({"answer": "the navy rod"}, "the answer 'the navy rod' is not among the choices"),
        ({"answer": None}, "field 'answer' is missing"),
        ({"id": None}, "field 'id' is missing"),
        (
            {"choices": ["the navy rod", "the navy rod "], "answer": "A"},
            "two choices have the same text",
        ),
        ({"choices": "A"}, "field 'choices' must be a list of texts"),
        ({"question": 3}, "field 'question' must be a text"),
        ({"id": "geometry-test-2"}, "id 'geometry-test-2' is already that of line 2"),
        ({"image": "data/images/no.png", "id": "x"}, "image 'data/images/no.png' does not exist"),
        ({"image": "../secret.png", "id": "x"}, "image '../secret.png' lies outside the folder"),
    ],
)
def test_a_bad_example_is_left_out_and_told_or_stops(changes, message, tmp_path):
    shutil.copytree(SAMPLES / "m3cot", tmp_path / "m3cot")
    file = tmp_path / "m3cot" / "data" / "test.jsonl"
    *lines, bare = file.read_text().splitlines()
    lines[2] = json.dumps(json.loads(lines[2]) | changes)
    file.write_text("\n".join([*lines, bare]))
    spec = f"m3cot:root={tmp_path / 'm3cot'}"
    with pytest.raises(UserError, match=rf"test\.jsonl, line 3: .*{message}"):
        load_data(spec)
    data = load_data(spec, strict=False)
    assert [example.letter for example in data] == ["C", "B"]
    (reason,) = data.left_out
    assert f"line 3: {message}" in reason.replace("example physical-commonsense-test-3: ", "")


def test_a_problem_that_is_named_and_not_there_is_left_out(tmp_path):
    shutil.copytree(SAMPLES / "scienceqa", tmp_path / "s")
    (tmp_path / "s" / "pid_splits.json").write_text(json.dumps({"test": ["9", 77]}))
    data = load_data(str(tmp_path / "s"), strict=False)
    assert [example.id for example in data] == ["9"]
    assert "problem 77: is named in pid_splits.json, but is no problem" in data.left_out[0]


def test_the_hub_is_asked_by_name_and_gives_the_same(monkeypatch):
    saved = datasets.load_from_disk(str(SAMPLES / "m3cot_arrow"))
    asked = []
    monkeypatch.setattr(datasets, "load_dataset", lambda name: asked.append(name) or saved)
    same(load_data("m3cot"), load_data(str(SAMPLES / "m3cot_parquet")))
    assert asked == [HUB]


def test_what_cannot_be_had_from_the_hub_is_told_in_one_line(monkeypatch):
    def refuse(name):
        raise RuntimeError("Dataset scripts are no longer supported\nbut found M3CoT.py")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(UserError) as caught:
        load_data("scienceqa")
    assert str(caught.value) == (
        "derek-thomas/ScienceQA cannot be had from the hub (RuntimeError: Dataset scripts are no "
        "longer supported but found M3CoT.py); where there is no network, give the folder of a "
        "copy with root=PATH"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("root=no/such", "m3cot has root=no/such, but there is no such file or folder"),
        ("rot=x", "m3cot has no option 'rot'; did you mean 'root'"),
        (f"root={SAMPLES / 'm3cot'},size=big", "size=big is neither a number of pixels nor 'own'"),
        (f"root={SAMPLES / 'm3cot'},pictures=olny", "pictures=olny; did you mean 'only'"),
        (f"root={SAMPLES / 'm3cot'},split=tset", "no split is called 'tset'; did you mean 'test'"),
        (
            f"root={SAMPLES / 'own'}",
            r"rods\.csv is no m3cot: it has no column 'question'; known: a",
        ),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        load_data(f"m3cot:{options}")

"""A table of one's own: every way to write choices and answers gives the same example."""

import json
from pathlib import Path

import pytest

from latentlab.data import Example, export, load_data
from latentlab.errors import UserError

OWN = Path(__file__).parents[1] / "samples" / "own" / "rods.csv"
COLUMNS = ("question=q", "image=img", "choices=a+b+c", "answer=gold")


def test_the_sample_reads_as_it_was_drawn():
    data = load_data(str(OWN), columns=(*COLUMNS, "rationale=why", "groups=school"))
    assert [example.letter for example in data] == ["B", "C", "A", "C"]
    assert [example.id for example in data] == ["rods-1", "rods-2", "rods-3", "rods-4"]
    assert data[0].choices == ("the navy rod", "the crimson rod", "the seagreen rod")
    assert data[0].groups == (("school", "south"),)
    assert len(data[0].rationale) == 3
    assert data[0].image.size == (60, 60)
    options = ",".join((*COLUMNS, "size=28"))
    (inline,) = load_data(f"{OWN}:{options}", limit=1)
    assert (inline.question, inline.image.size) == (data[0].question, (28, 28))


@pytest.fixture
def one(tmp_path):
    """A function that reads one row of JSON, through columns."""

    def read(row, *columns):
        (tmp_path / "t.jsonl").write_text(json.dumps(row))
        (example,) = load_data(str(tmp_path / "t.jsonl"), columns=columns)
        return example

    return read


EXPECTED = Example("t-1", "Which?", ("left", "right"), "right", None)


@pytest.mark.parametrize(
    "choices",
    [["left", "right"], '["left", "right"]', "['left', 'right']", "left|right", "left; right",
     "left\nright"],
)  # fmt: skip
def test_choices_may_stand_in_one_column(one, choices):
    for answer in ("right", "B"):
        assert one({"question": "Which?", "choices": choices, "answer": answer}) == EXPECTED


@pytest.mark.parametrize("index", [1, "1", 1.0])
def test_an_answer_may_be_a_number_from_0_where_that_is_said(one, index):
    row = {"question": "Which?", "x": "left", "y": "right", "z": "", "n": index}
    assert one(row, "choices=x+y+z", "answer_index=n") == EXPECTED
    with pytest.raises(UserError, match="'1' is not among the choices"):
        one(row, "choices=x+y+z", "answer=n")


def test_fields_are_read_from_columns_of_their_names_unless_told_otherwise(one):
    row = {"question": "Which?", "choices": ["3", "4"], "answer": 4, "domain": "a", "sort": "b"}
    assert one(row, "topic=sort", "id=sort") == Example(
        "b", "Which?", ("3", "4"), "4", None, domain="a", topic="b"
    )
    for hops in (2, "2", 2.0):
        assert one({**row, "domain": None, "hops": hops}).hops == 2
    assert one(row, "domain=sort").domain == "b"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (("rationale=whi",), "no column 'whi' for rationale; did you mean 'why'"),
        (("question=w",), "no column 'w' for question; known: a, b, c, gold, img, q"),
        (("question=q",), "no column 'choices'; say which one it is with --columns choices=NAME"),
        (("quesiton=q",), "no field 'quesiton'; did you mean 'question'"),
        (("q",), "'q' is not of the form field=column"),
        (("question=q", "question=a"), "question is given twice"),
        (("answer=gold", "answer_index=gold"), "give answer or answer_index, not both"),
    ],
)
def test_columns_that_cannot_be_meant_are_refused(columns, message):
    with pytest.raises(UserError, match=message):
        load_data(str(OWN), columns=columns)


def test_columns_are_for_tables_of_ones_own():
    with pytest.raises(UserError, match="--columns is for tables of your own"):
        load_data("benchmark", columns=COLUMNS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"question": ""}, "the question is empty"),
        ({"choices": "left"}, "column 'choices' holds one choice only"),
        ({"choices": {"a": 1}}, "column 'choices' holds dict, not a text"),
        ({"answer": "up"}, "'up' is not among the choices"),
        ({"answer": True}, "column 'answer' holds bool, not a text"),
        ({"image": "none.png"}, "image 'none.png' does not exist"),
        ({"image": "../none.png"}, "image '../none.png' lies outside the folder"),
        ({"hops": "many"}, "hops is 'many'; give a whole number"),
    ],
)
def test_mistakes_in_cells_are_named_with_file_and_line(one, changes, message):
    row = {"question": "Which?", "choices": ["left", "right"], "answer": "left"}
    assert one(row).answer == "left"
    with pytest.raises(UserError, match=rf"t\.jsonl, line 1: .*{message}"):
        one({**row, **changes})


def test_a_choice_that_is_missing_before_another_would_shift_the_letters(one):
    row = {"question": "Which?", "x": "left", "y": " ", "z": "right", "answer": "left"}
    with pytest.raises(UserError, match="column 'y' is empty, but a later choice is not"):
        one(row, "choices=x+y+z")


def test_what_export_wrote_is_read_through_columns_as_well(tmp_path):
    written = [
        Example("a", "Which?", ("left", "right"), "left", None, ("First.",), groups=(("g", "x"),)),
        load_data("benchmark")[0],
    ]
    folder = export(written, tmp_path / "mine")
    assert list(load_data(str(folder), columns=("question=question",))) == written

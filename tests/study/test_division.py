"""No example is both evaluated and referred to, and each can be scored."""

import json

import pytest

from latentlab.command import CommonConfig
from latentlab.data import export, load_data
from latentlab.errors import UserError
from latentlab.study.division import divide


def divided(data, limit, most, **flags):
    return divide(CommonConfig(data=str(data), limit=limit, **flags), most)


def ids(examples):
    return [example.id for example in examples]


def test_references_are_the_examples_after_the_limit_whatever_is_asked_for(capsys):
    whole = ids(load_data("benchmark:size=12"))
    one, again = (divided("benchmark:size=12", 5, 4) for _ in range(2))
    assert ids(one.evaluated) == whole[:5]
    assert ids(one.references) == ids(again.references) == whole[5:9]
    assert ids(divided("benchmark:size=12", 5, 99).references) == whole[5:]
    nothing = divided("benchmark:size=12", 50, 0)
    assert ids(nothing.evaluated) == whole
    assert not len(nothing.references)
    assert capsys.readouterr().err == ""


def test_where_the_data_have_no_more_another_split_is_referred_to(tmp_path, capsys):
    for split, n in (("test", 4), ("train", 9), ("validation", 1)):
        export(load_data("benchmark", split, limit=n), tmp_path / split)
    division = divided(tmp_path, 50, 5)
    assert ids(division.evaluated) == ids(load_data("benchmark", limit=4))
    assert ids(division.references) == ids(load_data("benchmark", "train", limit=5))
    assert "references are 5 examples of the train split" in capsys.readouterr().err
    generated = divided("benchmark:size=4", 50, 5)
    assert ids(generated.references) == [f"validation-0-{i}" for i in range(4)]


@pytest.mark.parametrize(
    ("n", "limit", "most", "held"), [(3, 9, 9, 2), (8, 8, 9, 2), (40, 40, 9, 9), (40, 39, 30, 10)]
)
def test_where_there_is_no_other_split_the_last_quarter_is_held_back(
    n, limit, most, held, tmp_path, capsys
):
    export(load_data("benchmark", limit=n), tmp_path)
    division = divided(tmp_path, limit, most)
    evaluated, references = ids(division.evaluated), ids(division.references)
    assert evaluated + references == ids(load_data("benchmark", limit=n))
    assert len(references) == held
    assert f"the last {held} of {n} examples are references" in capsys.readouterr().err
    named = divided("benchmark:size=8,split=test", 8, 9)
    assert (len(named.evaluated), len(named.references)) == (6, 2)


def test_two_references_and_one_to_evaluate_are_the_least(tmp_path):
    export(load_data("benchmark", limit=2), tmp_path)
    with pytest.raises(UserError, match="two for reference and one to evaluate"):
        divided(tmp_path, 9, 9)


@pytest.fixture
def spoilt(tmp_path):
    """Twelve questions, of which one cannot be read, one has no picture left and one no answer."""
    folder = export(load_data("benchmark", limit=12), tmp_path / "data")
    lines = (folder / "data.jsonl").read_text().splitlines()
    lines[1] = "{"
    lines[6] = json.dumps(json.loads(lines[6]) | {"answer": ""})
    (folder / "data.jsonl").write_text("\n".join(lines))
    (folder / "images" / "000003.png").write_bytes(b"no picture")
    return folder


def test_bad_examples_are_left_out_told_and_counted(spoilt, capsys):
    whole = ids(load_data("benchmark", limit=12))
    division = divided(spoilt, 8, 3)
    assert ids(division.evaluated) == [whole[i] for i in (0, 2, 4, 5, 7, 8)]
    assert ids(division.references) == whole[9:]
    told = capsys.readouterr().err
    assert "3 examples cannot be used and are left out" in told
    for reason, where in zip(division.left_out, ("line 2", "line 4", "has no known"), strict=True):
        assert where in reason
        assert reason in told
    assert division.record == {"examples": 3, "first": list(division.left_out)}


def test_one_bad_reference_costs_itself_alone(spoilt):
    whole = ids(load_data("benchmark", limit=12))
    division = divided(spoilt, 2, 9)
    assert ids(division.evaluated) == [whole[0], whole[2]]
    assert ids(division.references) == [whole[i] for i in (4, 5, 7, 8, 9, 10, 11)]
    assert len(division.left_out) == 3


def test_the_first_bad_example_stops_where_that_is_asked_for(spoilt):
    with pytest.raises(UserError, match=r"data\.jsonl, line 2 is not valid JSON"):
        divided(spoilt, 8, 3, strict=True)
    lines = (spoilt / "data.jsonl").read_text().splitlines()
    (spoilt / "data.jsonl").write_text("\n".join(lines[:1] + lines[2:]))
    with pytest.raises(UserError, match=r"line 3, example .*: 000003\.png is no readable image"):
        divided(spoilt, 8, 3, strict=True)


def test_data_of_which_nothing_is_left_is_refused(spoilt):
    for picture in (spoilt / "images").iterdir():
        picture.write_bytes(b"")
    with pytest.raises(
        UserError, match=r"no example of 8 can be used; .*000000\.png is no readable"
    ):
        divided(spoilt, 8, 3)


def test_a_split_that_is_missing_is_passed_over(tmp_path):
    for split in ("test", "train"):
        export(load_data("benchmark", split, limit=4), tmp_path / split)
    division = divided(tmp_path, 9, 3)
    assert ids(division.references) == ids(load_data("benchmark", "train", limit=3))
    other = divided(tmp_path, 2, 2, split="train")
    assert ids(other.evaluated) + ids(other.references) == ids(
        load_data("benchmark", "train", limit=4)
    )

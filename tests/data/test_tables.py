"""Rows know their lines, and one that cannot be read never takes another one with it."""

import pytest

from latentlab.data.leftout import LeftOut
from latentlab.data.tables import text_table
from latentlab.errors import UserError


@pytest.fixture
def table(tmp_path):
    """A function that writes a file and reads it: its columns, rows by line, what is left out."""

    def read(name, content):
        (tmp_path / name).write_bytes(content)
        found, left = text_table(tmp_path / name), LeftOut(strict=False)
        rows = {row.where.rpartition(" ")[2]: row.values for row in found.rows(left)}
        return found.columns, rows, [reason.removeprefix(f"{tmp_path}/") for reason in left.reasons]

    return read


def test_csv_rows_are_found_by_their_first_line(table):
    content = b'\xef\xbb\xbfq,a\nfirst,1\n"two\nlines",2\n\nlast,"3, or 4"\n'
    columns, rows, left = table("t.csv", content)
    assert columns == ("q", "a")
    assert rows == {
        "2": {"q": "first", "a": "1"},
        "3": {"q": "two\nlines", "a": "2"},
        "6": {"q": "last", "a": "3, or 4"},
    }
    assert not left


def test_tsv_is_divided_by_tabs(table):
    columns, rows, _ = table("t.tsv", b"q\ta,b\nx\ty,z\n")
    assert columns == ("q", "a,b")
    assert rows == {"2": {"q": "x", "a,b": "y,z"}}


def test_bad_rows_of_a_csv_file_are_left_out_by_themselves(table):
    content = b'q,a\nfew\nx,y,many\n"x"y,z\n\xff,y\nx,\xc3\xa9\n'
    _, rows, left = table("t.csv", content)
    assert rows == {"6": {"q": "x", "a": "é"}}
    assert left[0] == "t.csv, line 2: has 1 cells for 2 columns"
    assert left[1] == "t.csv, line 3: has 3 cells for 2 columns"
    assert left[2].startswith("t.csv, line 4: ")
    assert left[3] == "t.csv, line 5: cannot be read as UTF-8 text"


def test_bad_json_lines_are_left_out_by_themselves(table):
    columns, rows, left = table("t.jsonl", b'{"q": 1}\n{\n\n[2]\n"\xff"\n{"q": 3, "a": 4}')
    assert columns == ("q", "a")
    assert rows == {"1": {"q": 1}, "6": {"q": 3, "a": 4}}
    assert left[0].startswith("t.jsonl, line 2 is not valid JSON: Expecting property name")
    assert [reason.partition(" (")[0] for reason in left[1:]] == [
        "t.jsonl, line 4: must be one JSON object, in braces",
        "t.jsonl, line 5: cannot be read as UTF-8 text",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"t\.csv, line 1: names no columns"),
        (b"q,a,q\n", r"t\.csv, line 1: two columns are called 'q'"),
        (b'q,a\nx,y\n"x,y\nx,y\n', r"t\.csv, line 3: a quote is opened and never closed"),
    ],
)
def test_what_would_lose_many_rows_is_refused(table, content, message):
    with pytest.raises(UserError, match=message):
        table("t.csv", content)


def test_the_first_bad_row_stops_where_none_may_be_left_out(tmp_path):
    (tmp_path / "t.csv").write_text("q,a\nfew\n")
    with pytest.raises(UserError, match=r"t\.csv, line 2: has 1 cells for 2 columns"):
        list(text_table(tmp_path / "t.csv").rows(LeftOut(strict=True)))
    with pytest.raises(UserError, match=r"none\.csv: cannot be read"):
        text_table(tmp_path / "none.csv")

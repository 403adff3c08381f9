"""Whatever a row holds, it becomes an example or is refused in one line, never by a traceback."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.data.columns import ColumnReader
from latentlab.data.example import Example
from latentlab.data.leftout import LeftOut
from latentlab.data.m3cot import COLUMNS as M3COT
from latentlab.data.m3cot import M3CoTReader
from latentlab.data.records import FIELDS, read_record
from latentlab.data.scienceqa import COLUMNS as SCIENCEQA
from latentlab.data.scienceqa import GROUPS, ScienceQAReader
from latentlab.data.tables import Row, Table, text_table
from latentlab.errors import UserError

SAMPLES = Path(__file__).parents[1] / "samples"
TEXTS = st.text(max_size=6) | st.sampled_from(
    ["A", "B", "0", "1", "['a', 'b']", "[[", "a|b", "nan"]
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=5,
)
TWO = st.just(["left", "right"])


def rows(*names):
    """Rows of some columns, most of them with a question and two choices."""
    usual = {"question": TEXTS | ODD, "choices": TWO | ODD}
    return st.fixed_dictionaries({}, optional={name: usual.get(name, ODD) for name in names})


def reads(read, row):
    """Whether a reader makes an example of a row, or refuses it in one line."""
    try:
        record = read(row)
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert record is None or isinstance(record.example, Example)


@settings(max_examples=80)
@given(rows(*M3COT, "id", "context", "image", "image_path"))
def test_odd_rows_of_m3cot(values):
    table = Table("m3cot", tuple(M3COT), lambda left: (), (SAMPLES / "m3cot",))
    reads(M3CoTReader(table, all_examples=True), Row("here", "row", values))


@settings(max_examples=80)
@given(rows(*SCIENCEQA, *GROUPS, "topic", "image", "pid", "split"))
def test_odd_rows_of_scienceqa(values):
    table = Table("scienceqa", tuple(SCIENCEQA), lambda left: (), (SAMPLES / "scienceqa",))
    reads(ScienceQAReader(table, all_examples=True), Row("here", "row", values))


@settings(max_examples=80)
@given(rows(*FIELDS), st.sampled_from([(), ("answer_index=answer",), ("choices=question+answer",)]))
def test_odd_rows_of_ones_own(values, columns):
    table = Table("mine", FIELDS, lambda left: (), (SAMPLES / "own",))
    reads(ColumnReader(table, columns), Row("here", "row", values))
    reads(lambda row: read_record(row.values), Row("here", "row", values))


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl"])
@settings(max_examples=60)
@given(st.binary(max_size=60), st.lists(TEXTS, max_size=2))
def test_odd_bytes_cost_rows_and_no_more(name, tmp_path_factory, content, cells):
    file = tmp_path_factory.mktemp("odd") / name
    whole = json.dumps({"q": cells}) if name == "t.jsonl" else "q,a\nx,y"
    file.write_bytes(whole.encode() + b"\n" + content)
    try:
        found = list(text_table(file).rows(LeftOut(strict=False)))
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert found or name == "t.tsv"
    assert csv.field_size_limit() == 131_072

"""The table of a split is found wherever the known layouts keep it, and nothing is ever run."""

import shutil
from pathlib import Path

import pytest
from datasets import Dataset, Features, Image, Value

from latentlab.data import Example, export, load_data
from latentlab.errors import UserError

SAMPLES = Path(__file__).parents[1] / "samples"
ROW = "question,choices,answer\nWhich?,left|right,{}\n"


def example(name, answer="left"):
    return Example(name, "Which?", ("left", "right"), answer, None)


@pytest.mark.parametrize(
    "file", ["test.csv", "data/test.csv", "test/anything.csv", "test-00000-of-00001.csv"]
)
def test_files_are_of_the_split_that_they_are_named_after(file, tmp_path):
    for name, answer in ((file, "left"), (file.replace("test", "dev"), "right")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(ROW.format(answer))
    assert load_data(str(tmp_path))[0].answer == "left"
    assert load_data(str(tmp_path), "validation")[0].answer == "right"
    with pytest.raises(UserError, match=r"has no split 'train'; it has (test, dev|dev, test)"):
        load_data(str(tmp_path), "train")


def test_a_table_alone_has_no_splits(tmp_path):
    (tmp_path / "mine.csv").write_text(ROW.format("left"))
    for path in (tmp_path, tmp_path / "mine.csv"):
        for split in ("train", "test"):
            assert list(load_data(str(path), split)) == [example("mine-1")]


def test_own_folders_keep_their_layout_and_splits_their_other_names(tmp_path):
    for split in ("train", "dev"):
        export([example(split)], tmp_path / split)
    assert load_data(str(tmp_path), "validation")[0].id == "dev"
    with pytest.raises(UserError, match="has no split 'test'; it has train, dev"):
        load_data(str(tmp_path))


def test_shards_of_parquet_are_one_table_and_cells_may_hold_paths(tmp_path):
    shutil.copytree(SAMPLES / "own" / "pictures", tmp_path / "pictures")
    for part in range(2):
        rows = [
            {"question": "Which?", "choices": ["left", "right"], "answer_index": i, "image": image}
            for i, image in ((0, f"pictures/{part}.png"), (1, None))
        ]
        Dataset.from_list(rows).to_parquet(tmp_path / f"test-0000{part}-of-00002.parquet")
    data = load_data(str(tmp_path))
    assert [one.id for one in data] == ["test-0", "test-1", "test-2", "test-3"]
    assert [one.letter for one in data] == ["A", "B"] * 2
    assert [one.image and one.image.size for one in data] == [(60, 60), None] * 2


def test_a_saved_data_set_without_splits_is_read_with_columns(tmp_path):
    kinds = {
        "q": Value("string"),
        "a": Value("string"),
        "b": Value("string"),
        "gold": Value("string"),
    }
    rows = [{"q": "Which?", "a": "left", "b": "right", "gold": "A", "pic": None}]
    Dataset.from_list(rows, Features(kinds | {"pic": Image()})).save_to_disk(tmp_path / "mine")
    columns = ("question=q", "choices=a+b", "answer=gold", "image=pic")
    assert list(load_data(str(tmp_path / "mine"), columns=columns)) == [example("mine-0")]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"holds no data that is read: no \.parquet, \.jsonl, \.csv, \.tsv file"),
        ({"a.csv": "q\n", "b.csv": "q\n"}, r"holds several tables \(a\.csv, b\.csv\): name the"),
        ({"test.parquet": "PAR1 nothing"}, r"test\.parquet is no readable parquet file"),
        ({"dataset_dict.json": "{"}, "cannot be read as a saved data set"),
        ({"state.json": "{}"}, "cannot be read as a saved data set"),
        ({"problems.json": "[]", "pid_splits.json": "{}"}, r"problems\.json: must be one JSON obj"),
        ({"problems.json": "{}"}, r"pid_splits\.json cannot be read"),
        ({"test.csv": "question,choices,answer\n"}, r"test\.csv: holds no examples"),
        ({"test.csv": ROW.format("up")}, r"line 2: .*the answer 'up' is not among the choices"),
        ({"mine.py": "raise SystemExit(7)"}, "holds no data that is read"),
    ],
)
def test_folders_that_hold_nothing_to_read_are_refused(files, message, tmp_path):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message):
        load_data(str(tmp_path))


def test_broken_pages_of_parquet_are_told_in_one_line(tmp_path):
    file = tmp_path / "test.parquet"
    whole = (SAMPLES / "m3cot_parquet/data/test-00000-of-00001.parquet").read_bytes()
    file.write_bytes(whole[:40] + b"\0" * 400 + whole[440:])
    with pytest.raises(
        UserError, match=r"^\S*test\.parquet .*(is no readable|cannot be used)"
    ) as e:
        load_data(str(tmp_path))
    assert "\n" not in str(e.value)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "mine.pkl").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(UserError, match=r"tables of the kind '\.pkl' are not read; known: \.csv"):
        load_data(str(tmp_path / "mine.pkl"))


def test_all_bad_is_refused_with_the_first_reason_also_where_one_may_be_left_out(tmp_path):
    (tmp_path / "test.csv").write_text(ROW.format("up") + "Which?,left|right,down\n")
    with pytest.raises(UserError, match=r"none of its 2 examples can be used; .*line 2: .*'up'"):
        load_data(str(tmp_path), strict=False)

"""Own data: what is exported reads back unchanged, and mistakes are named with their line."""

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from latentlab.data import Benchmark, BenchmarkConfig, Example, FolderDataset, export
from latentlab.errors import UserError

LINE = {"id": "a", "question": "Which?", "choices": ["left", "right"], "answer": "left"}


@pytest.fixture
def folder(tmp_path):
    """A function that writes records as a folder and returns it."""

    def write(*records):
        lines = [r if isinstance(r, str) else json.dumps(r) for r in records]
        (tmp_path / "data.jsonl").write_text("\n".join(lines))
        return tmp_path

    return write


def test_benchmark_survives_the_round_trip_pixel_for_pixel(tmp_path):
    examples = list(Benchmark(BenchmarkConfig(hops=(1, 4), size=12)))
    read = FolderDataset(export(examples, tmp_path / "new" / "data"))
    assert list(read) == examples
    assert any(example.clusters for example in read)
    for ours, theirs in zip(examples, read, strict=True):
        assert ours.clusters == theirs.clusters
        assert ours.image and theirs.image
        assert ours.image.tobytes() == theirs.image.tobytes()


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)


@settings(max_examples=50, deadline=None)
@given(texts, texts, st.lists(texts, max_size=5, unique=True), st.lists(texts, max_size=3))
def test_any_text_survives_the_round_trip(tmp_path_factory, name, question, choices, rationale):
    assume(len({" ".join(choice.split()) for choice in choices}) == len(choices))
    answer = choices[-1] if choices else "free"
    example = Example(name, question, tuple(choices), answer, None, rationale=tuple(rationale))
    folder = export([example], tmp_path_factory.mktemp("export") / "data")
    assert list(FolderDataset(folder)) == [example]


def test_export_takes_an_empty_folder_and_refuses_a_used_one(tmp_path):
    example = Example("a", "?", (), "yes", None)
    target = tmp_path / "data"
    target.mkdir()
    export([example], target)
    with pytest.raises(UserError, match="not an empty folder"):
        export([example], target)
    with pytest.raises(UserError, match="not an empty folder"):
        export([example], target / "data.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_failed_export_leaves_nothing_behind(tmp_path):
    def examples():
        yield Example("a", "?", (), "yes", None)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        export(examples(), tmp_path / "data")
    with pytest.raises(UserError, match="no examples to export"):
        export([], tmp_path / "data")
    assert not list(tmp_path.iterdir())


def test_answer_may_be_a_letter_unless_letters_are_the_options(folder):
    lettered = {**LINE, "answer": "B"}
    literal = {**LINE, "id": "b", "choices": ["B", "A"], "answer": "A"}
    data = FolderDataset(folder(lettered, "", literal))
    assert [example.answer for example in data] == ["right", "A"]
    assert [example.letter for example in data] == ["B", "B"]


def test_pictures_are_opened_on_access_and_become_rgb(folder, tmp_path):
    Image.new("L", (4, 3), 7).save(tmp_path / "grey.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    broken = {**LINE, "id": "b", "image": "broken.png"}
    data = FolderDataset(folder({**LINE, "image": "grey.png"}, broken))
    image = data[0].image
    assert image and (image.mode, image.size, image.getpixel((0, 0))) == ("RGB", (4, 3), (7, 7, 7))
    with pytest.raises(UserError, match=r"example b: broken\.png is no readable image"):
        data[1]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[1]", "JSON object"),
        ({k: v for k, v in LINE.items() if k != "answer"}, "'answer' is missing"),
        ({**LINE, "rational": []}, "unknown field 'rational'; did you mean 'rationale'"),
        ({**LINE, "question": 3}, "question is 3; give a text"),
        ({**LINE, "question": None}, "question is null; give a text"),
        ({**LINE, "choices": "left"}, "choices is 'left'; give a list"),
        ({**LINE, "rationale": [1]}, "rationale 1 is 1; give a text"),
        ({**LINE, "answer": "up"}, "'up' is not among the choices"),
        ({**LINE, "answer": "C"}, "'C' is not among the choices"),
        ({**LINE, "hops": "two"}, "hops is 'two'; give a whole number"),
        ({**LINE, "trace": {"cells": [0]}}, "trace: the field 'objects' is missing"),
        (
            {**LINE, "trace": {"cells": [0.5], "objects": [], "links": []}},
            "trace.cells 1 is 0.5; give a whole number",
        ),
        ({**LINE, "image": "none.png"}, "'none.png' does not exist"),
        ({**LINE, "image": "../other.png"}, "lies outside the folder"),
        ({**LINE, "image": "/etc/hostname"}, "lies outside the folder"),
        ({**LINE, "id": "first"}, "id 'first' is already that of line 1"),
    ],
)
def test_mistakes_are_named_with_file_and_line(folder, record, message):
    with pytest.raises(UserError, match=rf"data\.jsonl, line 3.*{message}"):
        FolderDataset(folder({**LINE, "id": "first"}, "", record))


def test_a_link_out_of_the_folder_is_no_way_out(folder, tmp_path, tmp_path_factory):
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.png"
    Image.new("RGB", (2, 2)).save(secret)
    (tmp_path / "inside.png").symlink_to(secret)
    with pytest.raises(UserError, match="lies outside the folder"):
        FolderDataset(folder({**LINE, "image": "inside.png"}))


def test_a_folder_without_examples_is_refused(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        FolderDataset(tmp_path)
    (tmp_path / "data.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="cannot be read"):
        FolderDataset(tmp_path)
    (tmp_path / "data.jsonl").write_text("\n")
    with pytest.raises(UserError, match="holds no examples"):
        FolderDataset(tmp_path)

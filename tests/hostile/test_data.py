"""Data with one thing wrong: fields, texts, files and pictures that nobody meant."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

GOOD = {
    "id": "a",
    "question": "Follow one hop from the red circle.",
    "choices": ["red circle", "red square"],
    "answer": "red square",
    "image": "a.png",
}


@pytest.fixture
def data(tmp_path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    Image.new("RGB", (112, 112), "red").save(folder / "a.png")
    return folder


def lines(folder: Path, *records: object) -> None:
    texts = [one if isinstance(one, str) else json.dumps(one) for one in records]
    (folder / "data.jsonl").write_text("\n".join(texts) + "\n")


def with_(**values: object) -> dict[str, object]:
    return {**GOOD, **values}


def without(name: str) -> dict[str, object]:
    return {key: value for key, value in GOOD.items() if key != name}


REFUSED = {
    "no id": (without("id"), "the field 'id' is missing"),
    "no answer": (without("answer"), "the field 'answer' is missing"),
    "misspelt": (with_(rational=[]), "unknown field 'rational'; did you mean 'rationale'"),
    "empty id": (with_(id=""), "id"),
    "empty question": (with_(question=" "), "question"),
    "id a number": (with_(id=1), "id is 1; give a text"),
    "hops a truth": (with_(hops=True), "hops is true"),
    "hops a float": (with_(hops=1.0), "hops is 1.0"),
    "choices a text": (with_(choices="ab"), "choices is 'ab'; give a list"),
    "choices null": (with_(choices=None), "choices is null"),
    "groups a list": (with_(groups=[1]), "groups is"),
    "groups of numbers": (with_(groups={"a": 1}), "groups.a is 1"),
    "a group of ours": (with_(groups={"model": "x"}), "no group can be called 'model'"),
    "trace of truths": (with_(trace={"cells": [True], "objects": [], "links": []}), "is true"),
    "trace of nothing": (with_(trace={"cells": [], "objects": [], "links": []}), "trace"),
    "domain called all": (with_(domain="all"), "all"),
    "topic called all": (with_(topic="all"), "all"),
    "domain with a break": (with_(domain="a\nb"), "domain"),
    "domain with a control": (with_(domain="a\x1b[31mb"), "domain"),
    "choices alike but for a blank": (with_(choices=["red square", "red square "]), "differ"),
    "an empty choice": (with_(choices=["red square", " "]), "empty"),
    "too many choices": (with_(choices=[f"c{i}" for i in range(27)], answer="c1"), "letters"),
    "given twice": ('{"id": "a", "id": "b"}', "'id' is given twice"),
    "deep": ("[" * 100_000, "nested too deeply"),
    "digits": ('{"hops": ' + "9" * 5000 + "}", "thousands of digits"),
    "half a character in an id": ('{"id": "\\ud800"}', "surrogate"),
    "half a character in a question": (json.dumps(with_(question="\ud800")), "surrogate"),
    "half a character in a domain": (json.dumps(with_(domain="\udfff")), "surrogate"),
    "a list": ("[]", "must be one JSON object"),
    "NaN": ('{"id": NaN}', "id is nan|missing"),
    "a long question": (with_(question="red " * 2_500_000), "question"),
    "a long choice": (with_(choices=["red square", "x " * 2_000_000]), "choice"),
    "a long id": (with_(id="i" * 100_000), "id"),
    "image a number": (with_(image=3), "image is 3"),
    "image with a null": (with_(image="a\0.png"), "does not exist"),
    "image too long": (with_(image="a" * 5000), "does not exist"),
    "image outside": (with_(image="../a.png"), "outside"),
    "image a folder": (with_(image="."), "does not exist"),
    "image empty": (with_(image=""), "does not exist"),
    "image a loop": (with_(image="loop.png"), "does not exist"),
    "image a pipe": (with_(image="pipe.png"), "does not exist"),
    "image a text": (with_(image="data.jsonl"), "no readable image"),
    "image too narrow": (with_(image="thin.png"), "times the other"),
    "image too wide": (with_(image="wide.png"), "times the other"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_in_one_line(outcome, data, name):
    (data / "loop.png").symlink_to("loop.png")
    os.mkfifo(data / "pipe.png")
    Image.new("RGB", (1, 5000)).save(data / "thin.png")
    Image.new("RGB", (5000, 1)).save(data / "wide.png")
    record, complaint = REFUSED[name]
    lines(data, record)
    line, _ = outcome("evaluate", "--data", str(data), "--device", "cpu")
    assert re.search(complaint, line), line
    assert len(line) < 1500


FILES = {
    "pipe": "pipe|no data|regular",
    "loop": "no data|does not exist|no source",
    "folder": "no data|read",
    "bytes": "UTF-8|JSON",
    "nothing": "no examples",
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_files_that_hold_no_data_are_refused(outcome, data, kind, direct, suffix):
    path = data / f"data.{suffix}"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"\xff\xfe\x00{" if kind == "bytes" else b"")
    line, _ = outcome("evaluate", "--data", str(path if direct else data), "--device", "cpu")
    assert line


def read(data: Path, name: str) -> np.ndarray:
    from latentlab.data import load_data

    lines(data, with_(image=name))
    return np.asarray(load_data(str(data))[0].image)


def ramp(kind: str) -> np.ndarray:
    return np.tile(np.linspace(0, 1, 64), (64, 1)).astype(kind)


def test_pictures_of_sixteen_bits_keep_their_greys(data):
    Image.fromarray((ramp("float64") * 65535).astype(np.uint16)).save(data / "deep.png")
    Image.fromarray((ramp("float64") * 65535).astype(np.uint16)).save(data / "deep.tif")
    for name in ("deep.png", "deep.tif"):
        pixels = read(data, name)
        assert abs(pixels[0, :, 0] / 255 - ramp("float64")[0]).max() < 0.01


def test_pictures_of_floats_keep_their_greys(data):
    Image.fromarray(ramp("float32")).save(data / "one.tif")
    Image.fromarray(ramp("float32") * 255).save(data / "byte.tif")
    for name in ("one.tif", "byte.tif"):
        assert abs(read(data, name)[0, :, 0] / 255 - ramp("float64")[0]).max() < 0.01
    Image.fromarray(np.full((64, 64), np.nan, np.float32)).save(data / "nan.tif")
    from latentlab.errors import UserError

    with pytest.raises(UserError, match="finite"):
        read(data, "nan.tif")


def test_pictures_stand_as_their_camera_was_held(data):
    upright = Image.fromarray((np.arange(64 * 32 * 3) % 251).reshape(64, 32, 3).astype(np.uint8))
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    turned.save(data / "turned.png", exif=exif)
    assert np.array_equal(read(data, "turned.png"), np.asarray(upright))


def test_words_that_the_model_does_not_know_are_remarked_upon(outcome, data):
    lines(data, with_(question="Which animal sleeps here?", choices=["cat", "dog"], answer="cat"))
    line, remarks = outcome("evaluate", "--data", str(data), "--device", "cpu")
    assert not line and re.search(r"does not know \d+ % of the (words|tokens)", remarks)


def test_words_that_it_knows_are_not(outcome, data):
    lines(data, GOOD)
    line, remarks = outcome("evaluate", "--data", str(data), "--device", "cpu")
    assert not line and "does not know" not in remarks


def test_options_that_are_one_to_the_model_are_remarked_upon(outcome, data):
    lines(data, with_(choices=["red square", "red square."]))
    line, remarks = outcome("evaluate", "--data", str(data), "--device", "cpu")
    assert not line and "cannot tell apart some options of 1 of 1 questions" in remarks


def test_attention_without_pictures_is_refused(outcome, data):
    lines(data, without("image"))
    line, _ = outcome("attention", "--data", str(data), "--model", "coconut", "--device", "cpu")
    assert "picture" in line

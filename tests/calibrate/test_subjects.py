"""A training is known for what it is by its own record, and is read once."""

import json
from dataclasses import replace

import pytest

from latentlab.calibrate.subjects import (
    CANNOT_REASON,
    ONE_HOP,
    ORGANISMS,
    check_distinct,
    retrained,
    subject,
)
from latentlab.checkpoint import ZOO
from latentlab.errors import UserError


@pytest.fixture
def trained(tmp_path):
    folder = tmp_path / "whatever" / "final"
    folder.mkdir(parents=True)
    record = {"command": "train", "config": {"name": "relay", "seed": 7}}
    (folder / "run.json").write_text(json.dumps(record))
    return folder


def test_a_retrained_organism_is_the_organism(trained):
    found = retrained(str(trained), trained)
    assert (found.name, found.model, found.training_seed) == (str(trained), "relay", 7)
    assert subject(str(trained), trained).model == "whatever"
    embedded = subject("relay", ZOO / "relay")
    assert (embedded.model, embedded.training_seed) == ("relay", 0)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"config": {}}', '{"config": {"name": "x", "seed": {}}}']
)
def test_a_folder_that_does_not_tell_is_no_known_training(trained, text):
    (trained / "run.json").write_text(text)
    with pytest.raises(UserError, match="does not say which model was trained"):
        retrained("it", trained)
    assert subject("it", trained).training_seed is None


def test_no_training_is_read_twice(trained):
    one = retrained("one", trained)
    check_distinct([one, replace(one, training_seed=8), replace(one, model="gaze")])
    with pytest.raises(UserError, match="other and one are one training of relay, seed 7"):
        check_distinct([one, replace(one, name="other")])


def test_models_that_cannot_reason_are_asked_what_they_can_answer():
    assert set(CANNOT_REASON) < set(ORGANISMS)
    for model in ORGANISMS:
        data = subject(model, ZOO / model).data("benchmark")
        assert (data == ONE_HOP) == (model in CANNOT_REASON)

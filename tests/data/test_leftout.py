"""What cannot be used is left out with its reason, or stops what was begun."""

import pytest
from PIL import Image

from latentlab.data import CachedExamples, Example, LazyExamples, load_data, readable, sound
from latentlab.data.leftout import Substituted
from latentlab.errors import UserError


def broken():
    raise UserError("b.png is no readable image")


def example(name, choices=("left", "right"), answer="left"):
    return Example(name, "Which?", choices, answer, Image.new("RGB", (2, 2)))


@pytest.fixture
def mixed():
    makers = [
        lambda: example("good"),
        broken,
        lambda: example("free", (), ""),
        lambda: example("unknown", answer=""),
        lambda: example("also good"),
    ]
    return LazyExamples(makers)


def test_what_cannot_be_made_or_scored_is_left_out_with_its_reason(mixed):
    kept, reasons = sound(mixed, strict=False)
    assert [one.id for one in kept] == ["good", "also good"]
    assert [reason.partition(",")[0] for reason in reasons] == [
        "b.png is no readable image",
        "example free has no choices",
        "example unknown has no known answer",
    ]
    kept, reasons = sound(mixed, strict=False, scored=False)
    assert [one.id for one in kept] == ["good", "free", "unknown", "also good"]
    assert len(reasons) == 1
    assert [one.id for one in readable(mixed)] == [one.id for one in kept]


def test_the_first_one_stops_where_that_is_asked_for(mixed):
    with pytest.raises(UserError, match=r"^b\.png is no readable image$"):
        sound(mixed, strict=True)
    with pytest.raises(UserError, match="example free has no choices, so an answer to it cannot"):
        sound(mixed[2:], strict=True)


def test_sound_examples_stay_as_they_are():
    all_good = LazyExamples([lambda: example("good")])
    assert sound(all_good, strict=True) == (all_good, ())


def test_what_a_table_left_out_is_known_of_every_part_of_it(tmp_path):
    rows = ("Which?,left|right,left", "Which?,left|right,up", "What?,left|right,right")
    (tmp_path / "t.csv").write_text("\n".join(("question,choices,answer", *rows)))
    data = load_data(str(tmp_path / "t.csv"), strict=False)
    assert [one.id for one in data] == ["t-1", "t-3"]
    for part in (data, data[:1], CachedExamples(data[1:])):
        (reason,) = part.left_out
        assert "t.csv, line 3" in reason
    assert load_data("benchmark").left_out == ()


def test_the_next_example_stands_in_for_one_that_cannot_be_made(mixed):
    told = []
    data = Substituted(mixed, told.append)
    assert len(data) == len(mixed)
    for _ in range(2):
        assert [data[i].id for i in range(5)] == ["good", *["also good"] * 4]
    assert len(told) == 3  # each once: the broken, the free one and the one without an answer
    assert "b.png is no readable image; the next example stands in for it" in told
    with pytest.raises(UserError, match="none of the examples can be used"):
        Substituted(LazyExamples([broken, broken]), told.append)[1]


def test_the_first_stands_in_for_the_last(mixed):
    data = Substituted(LazyExamples([lambda: example("good"), broken]), lambda _: None)
    assert data[1].id == "good"

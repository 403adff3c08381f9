"""Lazy sequences behave like lists and make only what is asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from latentlab.data import CachedExamples, Example, Examples, LazyExamples

SIZE = 10


class Counting(Examples):
    """Ten examples that remember which of them were made."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def __len__(self) -> int:
        return SIZE

    def make(self, index: int) -> Example:
        self.made.append(index)
        return Example(str(index), "?", (), "yes", None)


ends = st.none() | st.integers(-2 * SIZE, 2 * SIZE)
slices = st.builds(slice, ends, ends, ends.filter(lambda step: step != 0))


@given(slices, slices)
def test_slices_of_slices_select_as_lists_do(first, second):
    expected = list(range(SIZE))[first][second]
    assert [int(example.id) for example in Counting()[first][second]] == expected


@given(st.integers(-SIZE, SIZE - 1))
def test_an_index_makes_one_example(index):
    data = Counting()
    assert data[index].id == str(range(SIZE)[index])
    assert data.made == [index % SIZE]


def test_length_and_slices_make_nothing():
    data = Counting()
    assert len(data[2:5]) == 3
    assert not data.made


@pytest.mark.parametrize("index", [SIZE, -SIZE - 1])
def test_there_is_no_example_beyond_the_ends(index):
    with pytest.raises(IndexError):
        Counting()[index]


def test_examples_are_made_once_while_there_is_room():
    made = []

    def maker(name, size):
        def make():
            made.append(name)
            return Example(name, "?", (), "yes", size and Image.new("RGB", size))

        return make

    sizes = {"e0": (10, 10), "e1": (20, 20), "e2": None}
    kept = CachedExamples(LazyExamples([maker(*item) for item in sizes.items()]), limit=1000)
    for _ in range(3):
        assert [example.id for example in kept] == ["e0", "e1", "e2"]
    assert sorted(made) == ["e0", "e1", "e1", "e1", "e2"]  # the second picture has 1200 bytes
    assert kept[:2][1].id == "e1"

"""Changes at a known place of the walk: what they touch, and the answer that follows."""

from dataclasses import replace

import numpy as np
import pytest

from latentlab.data import Benchmark, BenchmarkConfig, counterfactual_answer
from latentlab.data.counterfactual import mask_needed, mask_other, relink, relink_other, restart

BENCHMARK = Benchmark(BenchmarkConfig(hops=(4, 1), size=12))


def stream():
    return np.random.default_rng(3)


def changed_cells(before, after) -> list[int]:
    """Cells of 28 pixels in which two pictures differ."""
    differ = (np.array(before.image) != np.array(after.image)).any(-1)
    cells = differ.reshape(4, 28, 4, 28).any((1, 3)).ravel()
    return np.flatnonzero(cells).tolist()


@pytest.mark.parametrize("index", range(6))
def test_each_change_touches_the_cell_it_is_about(index):
    example = BENCHMARK[index]
    path = example.trace.cells[: example.hops + 1]
    for hop in range(1, example.hops + 1):
        assert changed_cells(example, mask_needed(example, hop)) == [path[hop - 1]]
        linked = relink(example, hop, BENCHMARK, stream())
        if linked is not None:
            assert changed_cells(example, linked) == [path[hop - 1]]
    (other,) = changed_cells(example, mask_other(example, stream()))
    assert other not in path


@pytest.mark.parametrize("index", range(6))
def test_new_answers_follow_from_the_trace_and_are_options(index):
    example = BENCHMARK[index]
    hop = example.hops
    linked, moved = relink(example, hop, BENCHMARK, stream()), restart(example, stream())
    for new in (linked, moved):
        assert new.id == example.id
        assert new.choices == example.choices
        assert new.answer != example.answer
        assert new.answer == new.trace.at(new.hops)
    assert linked.answer == counterfactual_answer(example, hop, linked.trace.cells[hop])
    assert linked.question == example.question
    assert moved.question == f"Follow {'four hops' if hop == 4 else 'one hop'} from the " + (
        f"{moved.trace.at(0)}."
    )
    assert moved.image is example.image
    assert mask_needed(example, hop).answer == ""
    assert mask_other(example, stream()).answer == example.answer


def test_what_an_example_does_not_allow_gives_none():
    example = BENCHMARK[0]
    bare = replace(example, trace=None)
    assert mask_needed(example, example.hops + 1) is None
    assert mask_needed(bare, 1) is None
    assert mask_other(bare, stream()) is None
    assert restart(bare, stream()) is None
    assert restart(replace(example, question="Where to?"), stream()) is None
    assert relink(bare, 1, BENCHMARK, stream()) is None
    stranger = Benchmark(BenchmarkConfig(seed=5, hops=(4, 1), size=12))
    assert relink(example, 1, stranger, stream()) is None
    assert mask_needed(replace(example, image=None), 1) is None


@pytest.mark.parametrize("index", range(6))
def test_a_mark_off_the_walk_changes_neither_walk_nor_answer(index):
    example = BENCHMARK[index]
    walk, named = example.trace.cells[: example.hops + 1], example.trace.cells[example.hops]
    changed, mark = relink_other(example, range(16), named, BENCHMARK, stream())
    assert changed_cells(example, changed) == [mark]
    assert mark not in walk
    assert changed.trace.links[mark] == named != example.trace.links[mark]
    assert changed.trace.cells[: example.hops + 1] == walk
    assert (changed.id, changed.question, changed.choices, changed.answer) == (
        example.id,
        example.question,
        example.choices,
        example.answer,
    )
    assert relink_other(example, walk, named, BENCHMARK, stream()) is None

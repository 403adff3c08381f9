"""Perturbations depend on the example and the seed, and say what they need."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from latentlab.data import Benchmark, BenchmarkConfig
from latentlab.data.perturb import NEEDS, Surroundings, perturbations
from latentlab.errors import UserError
from latentlab.vocabulary import PerturbationName

BENCHMARK = Benchmark(BenchmarkConfig(size=9))
EXAMPLES = list(BENCHMARK)


def around(examples=None, seed=0, grid=(4, 4)):
    return Surroundings(examples or EXAMPLES, lambda example: grid, BENCHMARK, seed)


def edit(name, example, **where):
    (only,) = perturbations([name], around(**where), hops=(2,))
    return only.edit(example)


def pixels(example):
    return np.array(example.image)


def test_every_name_says_what_it_needs():
    assert set(NEEDS) == set(get_args(PerturbationName))
    made = perturbations(get_args(PerturbationName), around(), hops=(2,))
    assert [p.needs for p in made] == list(NEEDS.values())


@pytest.mark.parametrize("name", [n for n in NEEDS if n != "none"])
def test_same_example_and_seed_same_result_and_identity_kept(name):
    example = EXAMPLES[2]
    one, again = edit(name, example), edit(name, Benchmark(BENCHMARK.config)[2])
    assert (one.id, one.choices) == (example.id, example.choices)
    assert one.image.size == example.image.size
    assert (one.question, one.answer, one.trace) == (again.question, again.answer, again.trace)
    np.testing.assert_array_equal(pixels(one), pixels(again))
    touched_image = not np.array_equal(pixels(one), pixels(example))
    touched_text = one.question != example.question
    assert touched_image != touched_text  # exactly one of both


def test_zero_perturbations_return_the_example_as_it_is():
    example = EXAMPLES[0]
    assert edit("none", example) is example
    (silent,) = perturbations(["noise"], around(), strengths=[0])
    assert silent.name == "noise 0"
    assert pixels(silent.edit(example)) == pytest.approx(pixels(example), abs=0)


def test_another_seed_draws_otherwise():
    example = EXAMPLES[1]
    for name in ("other_image", "noise", "shuffle"):
        a, b = (edit(name, example, seed=seed) for seed in (0, 4))
        assert not np.array_equal(pixels(a), pixels(b)), name


def test_another_picture_comes_from_the_same_domain_in_the_same_size():
    example = EXAMPLES[0]
    same = [e for e in EXAMPLES if e.domain == example.domain and e.id != example.id]
    new = edit("other_image", example)
    assert any(np.array_equal(pixels(new), pixels(e)) for e in same)
    small = [replace(e, image=e.image.resize((56, 84))) for e in EXAMPLES[1:]]
    resized = edit("other_image", example, examples=[example, *small])
    assert resized.image.size == example.image.size
    assert edit("other_image", example, examples=[example]) is None


def test_a_shuffle_of_cells_moves_the_trace_along():
    example = EXAMPLES[3]
    moved = edit("shuffle", example)
    assert moved.answer == example.answer == moved.trace.at(moved.hops)
    assert [moved.trace.at(hop) for hop in range(9)] == [example.trace.at(h) for h in range(9)]
    assert sorted(moved.trace.objects) == sorted(example.trace.objects)
    assert edit("shuffle", EXAMPLES[0]).clusters == EXAMPLES[0].clusters != ()
    # What a cell of the trace names is what the picture shows there.
    for old, name in enumerate(example.trace.objects):
        new = moved.trace.objects.index(name)
        row, column = divmod(new, 4)
        there = pixels(moved)[28 * row : 28 * row + 28, 28 * column : 28 * column + 28]
        row, column = divmod(old, 4)
        here = pixels(example)[28 * row : 28 * row + 28, 28 * column : 28 * column + 28]
        np.testing.assert_array_equal(there, here)
    assert edit("shuffle", example, grid=(8, 8)).answer == ""


def test_shuffled_words_are_the_same_words_and_names_stay_whole():
    example = EXAMPLES[4]
    new = edit("shuffle_words", example)
    assert new.question != example.question
    assert example.trace.at(0) in new.question
    assert sorted(new.question.replace(".", "").split()) == sorted(
        example.question.replace(".", "").split()
    )
    assert edit("shuffle_words", replace(example, question="Where?", trace=None)) is None


def test_hops_and_strengths_give_one_perturbation_each():
    names = ["relink", "mask_needed", "noise", "blank", "noise"]
    made = perturbations(names, around(), hops=(1, 3), strengths=(0.2, 1))
    assert [p.label for p in made] == [
        *("relink hop 1", "relink hop 3", "mask_needed hop 1", "mask_needed hop 3"),
        *("noise 0.2", "noise 1", "blank"),
    ]
    assert [p.hop for p in made] == [1, 3, 1, 3, None, None, None]
    assert {p.name for p in made if p.hop} == {"relink", "mask_needed"}


def test_every_hop_is_perturbed_unless_some_are_named():
    assert [p.hop for p in perturbations(["relink"], around())] == [1, 2, 3, 4]
    two = list(Benchmark(BenchmarkConfig(size=2, hops=(1, 2))))
    assert [p.hop for p in perturbations(["mask_needed"], around(two))] == [1, 2]


def test_what_is_not_there_is_refused_or_left_out():
    with pytest.raises(UserError, match="did you mean 'relink'"):
        perturbations(["relnk"], around())
    with pytest.raises(UserError, match="0 \\(none\\) to 1"):
        perturbations(["noise"], around(), strengths=[2])
    with pytest.raises(UserError, match="counted from 1"):
        perturbations(["relink"], around(), hops=[0])
    blind = replace(EXAMPLES[0], image=None)
    for name in ("other_image", "blank", "noise", "shuffle", "mask_needed", "mask_other", "relink"):
        assert edit(name, blind) is None, name

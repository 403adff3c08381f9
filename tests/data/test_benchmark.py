"""The benchmark: what it says is what it shows, and the text alone says nothing."""

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from scipy.stats import chisquare

from latentlab.data import (
    Benchmark,
    BenchmarkConfig,
    Example,
    counterfactual_answer,
    counterfactual_cells,
    traced,
)
from latentlab.data.glyphs import SPLITS
from latentlab.data.scene import CELLS, GRID, SIZE
from latentlab.data.sprites import CELL, COLOURS, DOMAINS, sheet
from latentlab.errors import UserError

benchmarks = st.builds(
    lambda split, seed, hops: Benchmark(BenchmarkConfig(split=split, seed=seed, hops=hops)),
    st.sampled_from(SPLITS),
    st.integers(0, 1 << 40),
    st.lists(st.integers(1, 8), min_size=1, max_size=3, unique=True).map(tuple),
)
indices = st.integers(0, 1999)
few = settings(max_examples=40, deadline=None)


def pixels(image: Image.Image | None) -> np.ndarray:
    assert image is not None
    return np.asarray(image).astype(np.int16)


def cells(example: Example) -> np.ndarray:
    """The picture cut into its cells, (16, 28, 28, 3)."""
    grid = pixels(example.image).reshape(GRID, CELL, GRID, CELL, 3)
    return grid.swapaxes(1, 2).reshape(CELLS, CELL, CELL, 3)


def read(example: Example, part: str) -> list[str]:
    """The big glyph or the mark of every cell."""
    return [name for name, _ in matched(example, part)]


def matched(example: Example, part: str) -> list[tuple[str, int]]:
    """Glyphs or marks, each with its drawing, read off the picture by matching all drawings."""
    tiles = sheet(example.domain, example.topic, example.id.split("-")[0])
    paint = np.array(list(COLOURS.values())) - tiles.background
    drawings = tiles.glyphs if part == "glyph" else tiles.marks
    windows = sliding_window_view(drawings, (CELL, CELL), axis=(2, 3)) / 255
    windows = windows.reshape(len(DOMAINS[example.domain].kinds), -1, CELL * CELL)
    area = windows.max(axis=(0, 1)) > 0
    other = tiles.marks if part == "glyph" else tiles.glyphs
    area &= ~(sliding_window_view(other, (CELL, CELL), axis=(2, 3)).max((0, 1, 2, 3)) > 0).ravel()
    found = []
    for cell in cells(example) - np.array(tiles.background):
        seen = cell.reshape(-1, 3)[area]
        # Least squares over colour and drawing: |seen|^2 - 2 seen.shown + |shown|^2.
        shown = windows[..., area]
        error = -2 * shown @ seen @ paint.T + (shown**2).sum(-1)[..., None] * (paint**2).sum(-1)
        kind, window, colour = np.unravel_index(error.argmin(), error.shape)
        name = f"{list(COLOURS)[colour]} {DOMAINS[example.domain].kinds[kind]}"
        found.append((name, int(window) * drawings.shape[1] // windows.shape[1]))
    return found


@few
@given(benchmarks, indices)
def test_texts_agree_with_the_trace(benchmark, index):
    example = benchmark[index]
    trace, hops = traced(example)
    words = example.question.removesuffix(".").split()
    assert example.question.endswith(f"from the {trace.at(0)}.")
    assert words[:2] == ["Follow", benchmark.vocabulary()[4 + hops]]
    assert words[2] == ("hop" if hops == 1 else "hops")
    assert example.rationale == tuple(trace.at(hop) for hop in range(1, hops))
    assert example.answer == trace.at(hops)
    assert example.answer not in example.rationale
    assert len(example.choices) == 4
    assert set(example.choices) < set(trace.objects) - {trace.at(0)}
    assert example.choices["ABCD".index(example.letter)] == example.answer


@few
@given(benchmarks, indices)
def test_scene_has_unique_objects_and_one_cycle(benchmark, index):
    trace, _ = traced(benchmark[index])
    assert len(set(trace.objects)) == CELLS
    assert {trace.follow(0, hops) for hops in range(CELLS)} == set(range(CELLS))
    assert trace.follow(0, CELLS) == 0


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("index", range(4))
def test_picture_shows_the_objects_and_the_links(domain, index):
    example = Benchmark(BenchmarkConfig(domains=(domain,)))[index]
    trace, _ = traced(example)
    assert example.image is not None
    assert (example.image.size, example.image.mode) == ((SIZE, SIZE), "RGB")
    assert read(example, "glyph") == list(trace.objects)
    assert read(example, "mark") == [trace.objects[link] for link in trace.links]


@pytest.mark.parametrize(("split", "variants"), [("train", 6), ("test", 1)])
def test_examples_name_the_scans_that_their_walk_reads(split, variants):
    benchmark = Benchmark(BenchmarkConfig(domains=("digits",), split=split))
    for index in range(2):
        example = benchmark[index]
        trace, hops = traced(example)
        shown = [matched(example, part) for part in ("glyph", "mark")]
        names = [
            {f"{split} {name.split()[1]}.{drawing // variants}" for name, drawing in pair}
            for pair in zip(*shown, strict=True)
        ]
        assert [set(scans) for scans in trace.scans] == names
        walk = set().union(*(names[cell] for cell in trace.cells[:hops]))
        assert set(example.clusters) == walk


def test_changed_questions_name_the_scans_that_they_read():
    benchmark = Benchmark(BenchmarkConfig(domains=("digits",)))
    example = benchmark[0]
    trace, hops = traced(example)
    donor = benchmark.restart(0, trace.cells[1])
    assert set(donor.clusters) == {
        scan for cell in trace.cells[1 : hops + 1] for scan in trace.scans[cell]
    }
    cell = counterfactual_cells(example, 1)[0]
    changed, _ = traced(benchmark.relink(0, 1, cell))
    here = trace.cells[0]
    assert changed.scans[:here] + changed.scans[here + 1 :] == (
        trace.scans[:here] + trace.scans[here + 1 :]
    )
    digit = trace.objects[cell].split()[1]
    assert changed.scans[here][0] == trace.scans[here][0]
    assert changed.scans[here][1].startswith(f"test {digit}.")
    # What is not handwritten is drawn one way only, so that nothing sampled is shared.
    assert Benchmark(BenchmarkConfig(domains=("letters",)))[0].clusters == ()


@few
@given(benchmarks, indices)
def test_an_example_depends_on_its_index_alone(benchmark, index):
    example = benchmark[index]
    benchmark[(index + 1) % 2000]
    again = Benchmark(benchmark.config)[index]
    assert again == example
    assert (pixels(again.image) == pixels(example.image)).all()


def test_size_changes_no_example_and_bounds_the_index():
    small, large = (Benchmark(BenchmarkConfig(size=size)) for size in (3, 9))
    assert [example.id for example in small] == ["test-0-0", "test-0-1", "test-0-2"]
    assert small[-1] == large[2]
    with pytest.raises(IndexError):
        small[3]


def test_splits_and_seeds_share_no_example():
    traces = {
        traced(example)[0]
        for split in SPLITS
        for seed in range(2)
        for example in Benchmark(BenchmarkConfig(split=split, seed=seed, size=20))
    }
    assert len(traces) == 3 * 2 * 20


@few
@given(benchmarks, indices, st.data())
def test_relinking_changes_one_cell_and_the_answer(benchmark, index, data):
    example = benchmark[index]
    trace, hops = traced(example)
    hop = data.draw(st.integers(1, hops))
    cell = data.draw(st.sampled_from(counterfactual_cells(example, hop)))
    changed = benchmark.relink(index, hop, cell)
    assert changed.question == example.question
    assert changed.answer == counterfactual_answer(example, hop, cell) != example.answer
    assert {changed.answer, example.answer} <= set(changed.choices)
    assert len(set(changed.choices) - set(example.choices)) <= 1
    assert traced(changed)[0].cells[hop] == cell
    differs = (cells(example) != cells(changed)).any(axis=(1, 2, 3))
    assert np.flatnonzero(differs).tolist() == [trace.cells[hop - 1]]


def test_relinking_moves_no_glyph():
    benchmark = Benchmark(BenchmarkConfig(domains=("digits",)))
    example, changed = (
        benchmark[0],
        benchmark.relink(0, 2, counterfactual_cells(benchmark[0], 2)[0]),
    )
    assert read(changed, "glyph") == read(example, "glyph") == list(traced(changed)[0].objects)
    links = traced(changed)[0].links
    assert read(changed, "mark") == [traced(changed)[0].objects[link] for link in links]


def test_relinking_to_the_same_cell_changes_nothing():
    benchmark = Benchmark()
    example = benchmark[5]
    same = benchmark.relink(5, 2, traced(example)[0].cells[2])
    assert (same.answer, same.choices) == (example.answer, example.choices)
    assert (pixels(same.image) == pixels(example.image)).all()


def test_a_walk_that_comes_back_to_the_changed_mark_obeys_it():
    benchmark = Benchmark()
    trace, hops = traced(benchmark[0])
    looped = benchmark.relink(0, 2, trace.cells[1])
    assert hops == 4
    assert looped.answer == trace.at(1)
    assert trace.cells[1] not in counterfactual_cells(benchmark[0], 2)


@few
@given(benchmarks, indices, st.integers(0, CELLS - 1))
def test_restarting_keeps_picture_and_options(benchmark, index, cell):
    example = benchmark[index]
    donor = benchmark.restart(example, cell)
    trace, _ = traced(donor)
    assert donor.image is example.image
    assert (trace.links, trace.objects) == (traced(example)[0].links, traced(example)[0].objects)
    assert donor.question.endswith(f"from the {trace.objects[cell]}.")
    assert donor.answer == counterfactual_answer(example, 0, cell)
    assert {donor.answer, example.answer} <= set(donor.choices)
    assert donor == benchmark.restart(index, cell)


def test_changes_refuse_what_is_not_there():
    benchmark = Benchmark()
    with pytest.raises(UserError, match="hop is 5, choose 1 to 4"):
        benchmark.relink(0, 5, 0)
    with pytest.raises(UserError, match="cell is 16, choose 0 to 15"):
        benchmark.relink(0, 1, 16)
    with pytest.raises(UserError, match="cell is -1"):
        benchmark.restart(0, -1)


def test_any_run_of_examples_is_balanced():
    benchmark = Benchmark(BenchmarkConfig(hops=(1, 4), size=480))
    run = benchmark[120:]
    counts = Counter((example.domain, example.topic, example.hops) for example in run)
    assert len(counts) == 3 * 2 * 2
    assert all(abs(count - 30) <= 8 for count in counts.values())


def test_weights_are_shares():
    config = BenchmarkConfig(
        domains=("relation", "digits"), domain_weights=(1, 3), hops=(2, 8), hop_weights=(4, 1)
    )
    sample = Benchmark(config)[:400]
    assert Counter(example.domain for example in sample)["digits"] == pytest.approx(300, abs=5)
    assert Counter(example.hops for example in sample)[2] == pytest.approx(320, abs=5)


def test_the_text_alone_is_at_chance():
    sample = list(Benchmark(BenchmarkConfig(domains=("relation",), seed=3, size=3000)))
    letters = Counter(example.letter for example in sample)
    assert chisquare([letters[letter] for letter in "ABCD"]).pvalue > 0.01

    # Guessers that read the question and the options; each is right a quarter of the time.
    def shared(example: Example, word: int) -> list[str]:
        start = example.question.removesuffix(".").split()[-2:]
        return [choice for choice in example.choices if choice.split()[word] == start[word]]

    guesses = {
        "alphabet": [min(example.choices) == example.answer for example in sample],
        "colour of the start": [e.answer in s[:1] for e in sample if (s := shared(e, 0))],
        "kind of the start": [e.answer in s[:1] for e in sample if (s := shared(e, 1))],
        "blue first": [
            e.answer in b[:1] for e in sample if (b := [c for c in e.choices if "blue" in c])
        ],
    }
    for guesser, right in guesses.items():
        spread = (0.25 * 0.75 / len(right)) ** 0.5
        assert np.mean(right) == pytest.approx(0.25, abs=3 * spread), guesser


def test_answers_are_spread_over_all_objects():
    sample = Benchmark(BenchmarkConfig(domains=("letters",), seed=1, size=3000))
    counts = Counter(example.answer for example in sample)
    assert len(counts) == 60
    assert chisquare(list(counts.values())).pvalue > 0.01


def test_vocabulary_is_exactly_the_units_of_the_texts():
    benchmark = Benchmark(BenchmarkConfig(hops=tuple(range(1, 9)), size=3000))
    units = set()
    for example in benchmark:
        units |= {example.answer, *example.choices, *example.rationale}
        units |= set(example.question.removesuffix(".").split()[:5])
    assert units == set(benchmark.vocabulary())
    assert len(benchmark.vocabulary()) == len(units)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"domains": ("digit",)}, "did you mean 'digits'"),
        ({"domains": ()}, "positive weight"),
        ({"domain_weights": (1, 1)}, "positive weight"),
        ({"hop_weights": (0,)}, "positive weight"),
        ({"hops": (9,)}, "1 to 8"),
        ({"split": "tset"}, "did you mean 'test'"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"size": 0}, "size at least 1"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        BenchmarkConfig(**settings)


def test_importing_is_light():
    code = (
        "import sys, latentlab.data; print({'torch', 'sklearn', 'matplotlib'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"

"""Grouping by length: another order of the same examples, with less padding."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from latentlab.data import Benchmark, BenchmarkConfig, Example
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.visibility import Kind
from latentlab.training.config import StageConfig
from latentlab.training.grouping import WINDOW, Ruler, grouped
from latentlab.training.opened import stage_examples
from latentlab.training.stage_data import Collator, StageData, StageItem
from latentlab.training.tiny import tiny_reasoner

BATCH = 4
MIXED = "benchmark:hops=1+2+3+4"


def tables(count, seed=0):
    """Lengths of prompts, of which some have a picture, and of what is written."""
    rng = np.random.default_rng(seed)
    prompts = rng.integers(20, 60, count) + 100 * (rng.random(count) < 0.7)
    return list(zip(prompts.tolist(), rng.integers(5, 200, count).tolist(), strict=True))


def padding(lengths, order, batch=BATCH):
    """Share of positions that are padded, when each part is padded to its batch's longest."""
    table = np.array(lengths)[order]
    cut = [table[start : start + batch] for start in range(0, len(table), batch)]
    return 1 - table.sum() / sum(len(part) * part.max(0).sum() for part in cut)


def examples(count):
    texts = ["word " * (1 + i * 7 % 23) for i in range(count)]
    return [
        Example(f"e{i}", text, ("a", "b"), "a", None, rationale=("r",))
        for i, text in enumerate(texts)
    ]


def of_words(example):
    return (len(example.question.split()), 1)


def test_a_window_holds_each_example_once_and_less_padding():
    lengths = tables(WINDOW * BATCH)
    order = grouped(lengths, BATCH, np.random.default_rng(0))
    assert sorted(order) == list(range(len(lengths)))
    assert padding(lengths, range(len(lengths))) > 0.3
    assert padding(lengths, order) < 0.1


@pytest.mark.parametrize(("count", "head"), [(1, 0), (3, 2), (4, 3), (17, 3), (41, 1)])
def test_what_batches_of_two_windows_share_is_the_longest(count, head):
    lengths = tables(count)
    order = grouped(lengths, BATCH, np.random.default_rng(0), head)
    assert sorted(order) == list(range(count))
    sums = [sum(lengths[place]) for place in order]
    tail = (count - min(head, count)) % BATCH
    ends = sums[:head] + sums[count - tail :]
    assert sorted(ends) == sorted(sums)[count - len(ends) :] or not ends


def test_batches_come_in_an_order_that_is_drawn():
    lengths = tables(WINDOW * BATCH)
    one, same, other = (grouped(lengths, BATCH, np.random.default_rng(s)) for s in (0, 0, 1))
    assert one == same != other
    first = [sum(sum(lengths[i]) for i in one[at : at + BATCH]) for at in range(0, 200, BATCH)]
    assert first != sorted(first) and first != sorted(first, reverse=True)


@pytest.mark.parametrize("batch_size", [3, 4, 7])
def test_each_pass_takes_every_example_once_in_an_order_that_the_seed_fixes(batch_size):
    some = examples(30)
    stage = StageConfig("own", updates=40, batch_size=batch_size, data="some/folder")
    data, other = (StageData(some, stage, seed, of_words) for seed in (0, 1))
    ids = [data[i].example.id for i in range(len(data))]
    for start in range(0, len(ids) - 29, 30):
        assert sorted(ids[start : start + 30]) == sorted(example.id for example in some)
    assert ids[:30] != ids[30:60]
    assert ids != [other[i].example.id for i in range(len(other))]
    resumed = StageData(some, stage, 0, of_words)
    assert [resumed[i].example.id for i in (71, 3, 50)] == [ids[i] for i in (71, 3, 50)]


def test_passes_are_those_without_grouping():
    """What a pass, and a stage that ends within one, takes is as ever: order alone differs."""
    some = examples(30)
    stage = StageConfig("own", updates=10, batch_size=4, data="some/folder")
    plain, moved = (StageData(some, stage, 0, lengths) for lengths in (None, of_words))
    taken = [Counter(one[i].example.id for i in range(30, 40)) for one in (plain, moved)]
    assert taken[0] == taken[1]


def test_a_benchmark_without_an_end_is_grouped_within_its_windows():
    stage = StageConfig("s", updates=WINDOW + 10, batch_size=2, data="benchmark:hops=1+4")
    fresh = stage_examples(stage, 0, 0)
    data = StageData(fresh, stage, 0, lambda example: (example.hops or 0,))
    places = [data.position(i) for i in range(len(data))]
    assert sorted(places[: 2 * WINDOW]) == list(range(2 * WINDOW))
    assert sorted(places[2 * WINDOW :]) == list(range(2 * WINDOW, 2 * WINDOW + 20))
    hops = [data[i].example.hops for i in range(20)]
    assert sum(one != other for one, other in zip(hops[::2], hops[1::2], strict=True)) <= 1


def test_lengths_are_those_of_batches(sizes):
    reasoner = tiny_reasoner(LatentPlan(steps=2, k=1), sizes)
    stage = StageConfig("s", updates=1, latent_steps=2, replay=0.5, batch_size=1)
    some = list(Benchmark(BenchmarkConfig(hops=(1, 2, 4), size=6)))
    some.append(replace(some[0], image=None))
    ruler = Ruler.of(reasoner, stage)
    for example in some:
        prompt, *texts = ruler(example)
        for latent, text in zip((2, 0), texts, strict=True):
            batch = Collator(reasoner, True)([StageItem(example, latent)])["batch"]
            assert batch.prompts.input_ids.shape[1] == prompt
            assert batch.text.ids.shape[1] == text
    assert len({ruler(example) for example in some}) > 3


def test_grouping_leaves_little_padding_on_mixed_hops(sizes):
    reasoner = tiny_reasoner(LatentPlan(steps=0, k=0), sizes)
    stage = StageConfig("s", updates=WINDOW, batch_size=BATCH, data=MIXED)
    ruler, collate = Ruler.of(reasoner, stage), Collator(reasoner, True)
    shares = []
    for lengths in (None, ruler):
        data = StageData(stage_examples(stage, 0, 0), stage, 0, lengths)
        rows = range(0, 20 * BATCH, BATCH)
        batches = [collate([data[i + j] for j in range(BATCH)])["batch"] for i in rows]
        kinds = [batch.text.kinds.flatten() for batch in batches]
        shares.append(float((torch.cat(kinds) == Kind.PAD).float().mean()))
    assert shares[0] > 0.15 and shares[1] < 0.1

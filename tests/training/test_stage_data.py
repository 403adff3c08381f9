"""The order of examples and of replayed stages: fixed by the seed, whoever asks for what first."""

from collections import Counter
from dataclasses import replace

import pytest

from latentlab.data import Benchmark, BenchmarkConfig, Example, export
from latentlab.errors import UserError
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.config import StageConfig, TrainConfig
from latentlab.training.held_out import held_out_examples
from latentlab.training.opened import check_data, stage_examples
from latentlab.training.stage_data import (
    Collator,
    StageData,
    StageItem,
)
from latentlab.training.tiny import tiny_reasoner

EXAMPLES = [Example(f"e{i}", "?", ("a", "b"), "a", None, rationale=("r",)) for i in range(10)]
OWN = StageConfig("own", updates=10, batch_size=3, data="some/folder")


def order(data: StageData) -> list[str]:
    return [data[i].example.id for i in range(len(data))]


def test_each_pass_over_a_finite_set_takes_every_example_once_in_a_new_order():
    ids = order(StageData(EXAMPLES, OWN, seed=0))
    passes = [ids[start : start + 10] for start in range(0, 30, 10)]
    for taken in passes:
        assert sorted(taken) == sorted(example.id for example in EXAMPLES)
    assert len({tuple(taken) for taken in passes}) == 3


def test_order_depends_on_seed_and_stage_and_on_nothing_else():
    ids = order(StageData(EXAMPLES, OWN, seed=0))
    resumed = StageData(EXAMPLES, OWN, seed=0)
    assert [resumed[i].example.id for i in (29, 3, 17)] == [ids[i] for i in (29, 3, 17)]
    assert order(StageData(EXAMPLES, OWN, seed=1)) != ids
    other = StageConfig("other", updates=10, batch_size=3, data="some/folder")
    assert order(StageData(EXAMPLES, other, seed=0)) != ids


def test_a_set_larger_than_the_stage_is_shuffled_too():
    brief = StageConfig("own", updates=2, batch_size=3, data="some/folder")
    ids = order(StageData(EXAMPLES, brief, seed=0))
    assert len(set(ids)) == 6
    assert ids != [example.id for example in EXAMPLES[:6]]


def test_the_benchmark_makes_a_fresh_example_for_every_place():
    stage = StageConfig("fresh", updates=5, batch_size=4, data="benchmark:hops=2")
    examples = stage_examples(stage, seed=0, number=0)
    ids = order(StageData(examples, stage, seed=0))
    assert ids == [example.id for example in examples] and len(set(ids)) == 20
    assert examples[0] != stage_examples(stage, seed=0, number=1)[0]
    assert examples[0] != stage_examples(stage, seed=1, number=0)[0]


def test_a_benchmark_of_a_given_size_is_a_finite_set():
    stage = StageConfig("few", updates=5, batch_size=4, data="benchmark:hops=2,size=8")
    examples = stage_examples(stage, seed=0, number=0)
    assert len(examples) == 8
    assert set(Counter(order(StageData(examples, stage, seed=0))[:16]).values()) == {2}


def replayed(replay: float, seed: int = 0) -> list[int]:
    stage = StageConfig("s", updates=2000, latent_steps=3, batch_size=2, replay=replay)
    data = StageData(EXAMPLES, stage, seed)
    return [data.latent_steps(batch) for batch in range(2000)]


def test_replay_is_drawn_for_a_batch_as_often_as_asked_and_evenly():
    steps = Counter(replayed(0.3))
    assert steps[3] / 2000 == pytest.approx(0.7, abs=0.03)
    for earlier in range(3):
        assert steps[earlier] / 2000 == pytest.approx(0.1, abs=0.02)
    assert set(replayed(0.0)) == {3}
    assert set(replayed(1.0)) == {0, 1, 2}


def test_replay_is_the_same_whenever_it_is_asked_for():
    assert replayed(0.3) == replayed(0.3) != replayed(0.3, seed=1)


def test_all_items_of_a_batch_have_its_number_of_latent_steps():
    stage = StageConfig("s", updates=20, latent_steps=2, batch_size=5, replay=0.5, data="own")
    data = StageData(EXAMPLES, stage, seed=0)
    steps = [data[i].latent_steps for i in range(len(data))]
    batches = [set(steps[start : start + 5]) for start in range(0, 100, 5)]
    assert all(len(batch) == 1 for batch in batches) and len(set.union(*batches)) == 3


def test_a_batch_of_two_stages_is_a_bug(qwen):
    with pytest.raises(ValueError, match=r"one batch holds .* \[\(1, 'own'\), \(2, 'own'\)\]"):
        Collator(qwen, True)([StageItem(EXAMPLES[0], 1), StageItem(EXAMPLES[1], 2)])
    with pytest.raises(ValueError, match="one batch holds stages or conditions"):
        Collator(qwen, True)([StageItem(EXAMPLES[0], 1), StageItem(EXAMPLES[1], 1, "emptied")])


def test_a_plan_that_writes_its_steps_needs_rationales_to_write(sizes):
    plan = LatentPlan(steps=2, k=0, content="words", part_order="text_vision")
    reasoner = tiny_reasoner(plan, sizes)
    with pytest.raises(UserError, match="train it with rationale=true"):
        Collator(reasoner, rationale=False)
    collate = Collator(reasoner, rationale=True)
    with pytest.raises(UserError, match="e0 has a rationale of 1 steps, but the plan writes 2"):
        collate([StageItem(EXAMPLES[0], 2)])
    assert len(collate([StageItem(EXAMPLES[0], 1)])["batch"].words) == 1
    assert collate([StageItem(EXAMPLES[0], 0)])["batch"].words == ()


def test_a_sequence_that_is_too_long_loses_whole_steps_from_its_end(sizes):
    reasoner = tiny_reasoner(LatentPlan(steps=2, k=0), sizes)
    example = Benchmark(BenchmarkConfig(size=1))[0]
    steps = example.rationale

    def written(latent_steps, most):
        item = StageItem(example, latent_steps)
        return Collator(reasoner, True, most)([item])["batch"]

    def expected(kept, latent_steps):
        return reasoner.prompter.continuation([replace(example, rationale=kept)], latent_steps).ids

    for latent_steps in (0, 2):
        free = written(latent_steps, None)
        length = free.prompts.input_ids.shape[1] + latent_steps + free.text.ids.shape[1]
        assert written(latent_steps, length).text.ids.equal(free.text.ids)
        cut = written(latent_steps, length - 1).text.ids
        assert cut.equal(expected(steps[:-1], latent_steps))
        # Steps that are latent are taken whatever becomes of the words.
        assert written(latent_steps, 1).text.ids.equal(expected(steps[:latent_steps], latent_steps))


def test_an_example_without_an_answer_cannot_be_trained_on(qwen):
    unknown = Example("u", "?", ("a", "b"), "", None)
    with pytest.raises(UserError, match="u has no answer"):
        Collator(qwen, True)([StageItem(unknown, 0)])


def test_own_data_takes_its_split(tmp_path):
    made = {}
    for split in ("train", "validation"):
        made[split] = list(Benchmark(BenchmarkConfig(split=split, size=3)))
        export(made[split], tmp_path / "data" / split)
    stage = StageConfig("own", updates=1, data=str(tmp_path / "data"))
    assert list(stage_examples(stage, 0, 0)) == made["train"]


def spoilt(folder):
    """Four questions of which the second row is none and the third has lost its picture."""
    export(Benchmark(BenchmarkConfig(size=4)), folder)
    lines = (folder / "data.jsonl").read_text().splitlines()
    (folder / "data.jsonl").write_text("\n".join([lines[0], "{", *lines[2:]]))
    (folder / "images" / "000002.png").write_bytes(b"no picture")
    return str(folder)


def test_training_goes_on_where_rows_or_pictures_are_bad(tmp_path, capsys):
    stage = StageConfig("own", updates=4, batch_size=3, data=spoilt(tmp_path / "mine"))
    ids = order(StageData(stage_examples(stage, seed=0, number=0), stage, seed=0))
    assert Counter(ids) == {"test-0-0": 4, "test-0-3": 8}  # which stands in for its neighbour
    told = capsys.readouterr().err
    assert told.count("000002.png is no readable image") == 1
    assert "the next example stands in for it" in told


def test_a_look_at_the_data_tells_what_is_left_out_and_that_nothing_is_held_out(tmp_path, capsys):
    data = spoilt(tmp_path / "mine")
    stages = tuple(StageConfig(name, updates=1, data=data, rationale=True) for name in "ab")
    config = TrainConfig(name="t", plan=LatentPlan(steps=0), stages=stages, eval_data=data)
    check_data(config)
    told = capsys.readouterr().err
    assert told.count("1 example cannot be used and is left out") == 1
    assert told.count("has no splits train and validation") == 1
    assert [one.id for one in held_out_examples(config, 3)] == ["test-0-0", "test-0-3"]


def test_epochs_are_as_many_updates_as_take_every_example_so_often():
    stage = StageConfig("own", epochs=2, batch_size=3, data="some/folder")
    data = StageData(EXAMPLES, stage, seed=0)
    assert (data.stage.updates, data.stage.epochs, len(data)) == (7, 0, 21)
    assert min(Counter(order(data)).values()) == 2
    with pytest.raises(UserError, match="'benchmark' has no end, so there are no epochs"):
        StageData(EXAMPLES, StageConfig("endless", epochs=2), seed=0)

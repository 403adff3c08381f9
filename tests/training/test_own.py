"""A small model for one's own words: its tokenizer, its patches, and what is held out."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from latentlab.checkpoint import load
from latentlab.data import Benchmark, BenchmarkConfig, export, load_data
from latentlab.errors import UserError
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.config import StageConfig, TrainConfig, read_config
from latentlab.training.curriculum import train
from latentlab.training.held_out import divided, held_out_examples, held_out_name, is_held_apart
from latentlab.training.own import FORMAT, ModelConfig, learned_tokenizer, own_reasoner, texts_of

COLOURS = {"crimson": (200, 20, 60), "teal": (0, 128, 128), "amber": (255, 190, 0)}


def painted(folder: Path, n: int, seed: int = 0) -> Path:
    """Pictures of 64 x 64 pixels, one colour on the left and one on the right."""
    folder.mkdir(parents=True)
    stream, lines = random.Random(seed), []
    for number in range(n):
        left, right = stream.sample(list(COLOURS), 2)
        image = Image.new("RGB", (64, 64), COLOURS[left])
        ImageDraw.Draw(image).rectangle((32, 0, 64, 64), fill=COLOURS[right])
        image.save(folder / f"{number}.png")
        side = stream.choice(("left", "right"))
        line = {
            "id": f"{folder.name}-{number}",
            "question": f"Which dye is on the {side}?",
            "choices": list(COLOURS),
            "answer": left if side == "left" else right,
            "image": f"{number}.png",
            "rationale": [f"looking to the {side}"],
        }
        lines.append(json.dumps(line))
    (folder / "data.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def dyes(tmp_path_factory) -> str:
    return str(painted(tmp_path_factory.mktemp("own") / "dyes", 60))


def config_of(data: str, **changes) -> TrainConfig:
    stages = (
        StageConfig("written", updates=3, batch_size=8, warmup=1, data=data),
        StageConfig("latent", updates=16, batch_size=8, warmup=2, data=data, latent_steps=1),
    )
    settings = {"model": ModelConfig(picture=64, patch=32), "eval_examples": 64, "log_every": 3}
    plan = LatentPlan(steps=1, k=2, gradient="through")
    return TrainConfig(**{"name": "dyes", "stages": stages, "plan": plan, **settings, **changes})


def test_the_tokenizer_knows_every_text_and_is_the_same_again(dyes):
    texts = list(texts_of(load_data(dyes), FORMAT))
    tokenizer, again = (learned_tokenizer(texts, 400) for _ in range(2))
    assert tokenizer.get_vocab() == again.get_vocab()
    for text in (*texts[:9], "Çà — 漢字 🙂\n\tx"):
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.unk_token_id not in ids and tokenizer.decode(ids) == text
    assert len(tokenizer(" crimson")["input_ids"]) == 1


def test_pictures_have_the_patches_that_the_section_says(dyes):
    config = ModelConfig(picture=64, patch=16)
    tokenizer = learned_tokenizer(["Which dye?"] * 2, 300)
    reasoner = own_reasoner(LatentPlan(steps=1, k=1), config, tokenizer)
    images = [Image.new("RGB", size) for size in ((64, 64), (300, 300), (9, 9))]
    assert reasoner.backbone.prepare_images(images).counts == (config.patches,) * 3 == (16,) * 3


def test_a_model_learns_its_own_words_and_is_measured_on_what_it_has_not_seen(dyes, tmp_path):
    config = config_of(dyes)
    final = train(config, tmp_path / "run", "cpu")
    metrics = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").open()]
    ends = [line["held_out"]["all"] for line in metrics if "held_out" in line]
    assert [end["n"] for end in ends] == [6, 6]
    losses = [line["loss"] for line in metrics if "loss" in line]
    assert losses[-1] < 0.8 * losses[0]
    reasoner = load(str(final), "cpu")
    assert reasoner.plan == config.plan and reasoner.brings_plan
    assert reasoner.prompter.decode(reasoner.prompter.encode("amber")) == "amber"


def test_a_tenth_is_held_out_where_the_data_has_no_part_for_it(dyes):
    config = config_of(dyes)
    assert held_out_name(config) == dyes and is_held_apart(config, dyes)
    held = {example.id for example in held_out_examples(config, 100)}
    rest = {example.id for example in divided(load_data(dyes), held_out=False)}
    assert held == {f"dyes-{i}" for i in range(9, 60, 10)}
    assert not held & rest and len(held | rest) == 60
    assert not is_held_apart(replace(config, eval_data=dyes), dyes)


def test_a_validation_split_is_taken_where_there_is_one(tmp_path):
    folder = tmp_path / "parts"
    painted(folder / "train", 8)
    config = config_of(str(folder))
    assert is_held_apart(config, str(folder))
    painted(folder / "val", 3, seed=1)
    assert not is_held_apart(config, str(folder))
    assert {example.id for example in held_out_examples(config, 9)} == {"val-0", "val-1", "val-2"}


def test_words_that_are_not_the_models_are_refused(dyes, tmp_path):
    config = config_of(dyes, model=None, plan=LatentPlan(steps=1, k=1))
    with pytest.raises(UserError, match=r"knows the benchmark's words, and \d\d % .* 'model'"):
        train(config, tmp_path / "run", "cpu")
    assert not (tmp_path / "run").exists()


def test_too_few_patches_say_what_to_enlarge(dyes, tmp_path):
    plan = LatentPlan(steps=1, k=5)
    with pytest.raises(UserError, match=r"k=5 x 1 steps needs 5 patches, .* has 4; .* enlarge the"):
        train(config_of(dyes, plan=plan), tmp_path / "run", "cpu")


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"picture": 60, "patch": 28}, "no multiple of patch=28"),
        ({"picture": 27, "patch": 9}, "which is even"),
        ({"picture": 8192, "patch": 2}, "more than 4096"),
        ({"vocabulary": 10}, "at least 300"),
        ({"size": "huge"}, "size is 'huge'; known: medium, small, tiny"),
        ({"patch": True}, "patch is true"),
    ],
)
def test_models_that_cannot_be_made_are_refused(values, complaint):
    with pytest.raises(UserError, match=complaint):
        ModelConfig(**values)


def test_the_recipe_runs_on_the_data_that_it_names(tmp_path):
    recipe = read_config(Path(__file__).parents[2] / "experiments" / "recipes" / "small.yaml")
    spec = BenchmarkConfig(hops=(1,), domains=("relation",), size=12)
    data = str(export(Benchmark(spec), tmp_path / "mine"))
    stages = tuple(replace(stage, data=data, updates=1, batch_size=4) for stage in recipe.stages)
    final = train(replace(recipe, stages=stages), tmp_path / "run", "cpu")
    assert load(str(final), "cpu").plan == recipe.plan


def test_two_models_to_begin_with_are_refused(dyes):
    with pytest.raises(UserError, match="give init or model, not both"):
        config_of(dyes, init="ivtlr")

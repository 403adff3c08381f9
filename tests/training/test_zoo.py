"""Embedding an organism: everything beside its weights is made from the training's own files."""

import json

import pytest
from PIL import Image

from latentlab.checkpoint import load
from latentlab.study.provenance import checkpoint_hash
from latentlab.training.curriculum import train
from latentlab.training.recipes import PLANS
from latentlab.training.zoo import embed


@pytest.fixture(scope="module")
def trained(short, tmp_path_factory):
    folder = tmp_path_factory.mktemp("zoo") / "relay-s0"
    settings = {"plan": PLANS["relay"], "name": "relay", "save_dtype": "float16"}
    train(short({"data": "benchmark:hops=1"}, eval_data="benchmark:hops=1", **settings), folder)
    return folder


def test_card_states_the_numbers_of_the_log(trained, tmp_path):
    target = embed("relay", trained, tmp_path)
    card = (target / "README.md").read_text()
    metrics = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    ends = [line for line in metrics if "held_out" in line]
    for group, value in ends[-1]["held_out"].items():
        low, mean, high = (100 * value[name] for name in ("low", "accuracy", "high"))
        assert f"| {group} | {value['n']} | {mean:.1f} [{low:.1f}, {high:.1f}] |" in card
    minutes = sum(line["cpu_seconds"] for line in ends) / 60
    assert f"in 10 updates and {minutes:.1f} CPU minutes" in card
    assert "stored in float16" in card
    assert "blocked: [['answer', 'image'], ['answer', 'prompt']]" in card


def test_what_is_embedded_is_the_model_and_replaces_an_older_one(trained, tmp_path):
    (tmp_path / "relay").mkdir()
    (tmp_path / "relay" / "stale.json").write_text("{}")
    target = embed("relay", trained, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["relay"]
    assert checkpoint_hash(target) == checkpoint_hash(trained / "final")
    assert load(str(target)).plan == PLANS["relay"]
    kept = {"README.md", "config.yaml", "curves.png", "metrics.jsonl", "run.json"}
    assert kept <= {path.name for path in target.iterdir()}
    with Image.open(target / "curves.png") as curves:
        assert curves.width > curves.height > 100

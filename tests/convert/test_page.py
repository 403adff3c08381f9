"""Commands of docs/published.md and the README, as they stand there, on stand-ins of the layout."""

import re
import shlex
from pathlib import Path

import datasets
import pandas as pd
import pytest
import torch
from PIL import Image, ImageDraw
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from latentlab.commands import start
from latentlab.data.m3cot import HUB
from tests.convert.conftest import TEMPLATE, Released, hub_folder

ROOT = Path(__file__).parents[2]
PAGE, README = ROOT / "docs" / "published.md", ROOT / "README.md"
LINE = re.compile(r"^python -m latentlab\.(\w+) (.*)$", re.MULTILINE)
CHECKPOINT, BASE = "epoch_16_full_model_fp32.pth", "Qwen/Qwen2-VL-7B-Instruct"
SPECIALS = ["<|endoftext|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"]


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer that knows every text, byte by byte, as Qwen's does before any merge."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=SPECIALS[0], eos_token=SPECIALS[1]
    )
    fast.add_tokens(SPECIALS, special_tokens=True)
    fast.chat_template = TEMPLATE
    return fast


def stand_ins() -> None:
    """The base as a hub folder and a checkpoint of it, under the names that the pages use."""
    tokenizer = byte_tokenizer()
    model = hub_folder(Path(BASE), tokenizer, rows=280)
    torch.save(Released(model, len(tokenizer) + 3, rank=64, alpha=16).state_dict(), CHECKPOINT)


def questions(split: str, number: int) -> datasets.Dataset:
    """Questions with the columns of M3CoT."""
    rows = []
    for i in range(number):
        picture = Image.new("RGB", (60, 60), "white")
        ImageDraw.Draw(picture).rectangle((5, 5, 10 + 4 * i, 30), "navy")
        rows.append(
            {
                "id": f"geometry-{split}-{i}",
                "question": f"How long is rod {i}?",
                "choices": ["short", "long"],
                "context": "",
                "answer": "AB"[i % 2],
                "rationale": "It begins on the left. It ends on the right. So it has a length.",
                "category": "Lengths",
                "domain": ("science", "mathematics")[i % 2],
                "topic": "geometry",
                "image": picture,
            }
        )
    kinds = {name: datasets.Value("string") for name in rows[0]}
    kinds |= {"choices": datasets.List(datasets.Value("string")), "image": datasets.Image()}
    return datasets.Dataset.from_list(rows, features=datasets.Features(kinds))


@pytest.fixture
def asked(tmp_path, monkeypatch) -> list[str]:
    """A folder with all stand-ins, and what the hub is asked for there."""
    monkeypatch.chdir(tmp_path)
    stand_ins()
    sizes = {"train": 8, "validation": 4, "test": 6}
    hub = datasets.DatasetDict({split: questions(split, n) for split, n in sizes.items()})
    names: list[str] = []
    monkeypatch.setattr(datasets, "load_dataset", lambda name: names.append(name) or hub)
    return names


@pytest.mark.slow
def test_the_four_commands_of_the_readme_lead_to_the_table(asked, capsys):
    Path(CHECKPOINT).rename("CHECKPOINT.pth")
    text = README.read_text(encoding="utf-8")
    section = text[text.index("## Published models") :]
    lines = LINE.findall(section[: section.index("\n## ", 1)])
    assert [name for name, _ in lines] == ["convert", "check", "evaluate", "ablate"]
    for name, flags in lines:
        assert start(name, shlex.split(flags, comments=True)) == 0, capsys.readouterr().err
    assert set(asked) == {HUB}
    assert (pd.read_csv("results/check/summary.csv")["verdict"] == "holds").all()
    assert "drop latent_vision" in set(pd.read_csv("results/ablate/summary.csv")["intervention"])
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.slow
def test_the_commands_of_the_page_lead_to_its_table(asked, capsys):
    lines = LINE.findall(PAGE.read_text(encoding="utf-8"))
    assert [name for name, _ in lines] == ["convert", "evaluate", "ablate", "report", "convert"]
    for name, flags in lines:
        assert start(name, shlex.split(flags)) == 0, capsys.readouterr().err
    streams = capsys.readouterr()
    assert "Traceback" not in streams.err
    assert set(asked) == {HUB}
    summary = pd.read_csv("results/m3cot/knockouts/summary.csv")
    dropped = set(summary.loc[summary["action"] == "drop", "part"])
    assert {"latent_text", "latent_vision", "latent"} <= dropped
    rows = pd.read_parquet("results/m3cot/answers/rows.parquet")
    assert len(rows) == 6
    page = Path("m3cot.html").read_text(encoding="utf-8")
    assert "ivtlr-qwen2-vl" in page and "drop latent" in page
    again, trained = (torch.load(name, weights_only=True) for name in ("again.pth", CHECKPOINT))
    assert list(again) == list(trained)
    assert "adapters were merged" in streams.err

"""The commands of docs/published.md, as they stand there, on stand-ins of the same layout."""

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

PAGE = Path(__file__).parents[2] / "docs" / "published.md"
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
    """The base as a hub folder and a checkpoint of it, under the names that the page uses."""
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


@pytest.mark.slow
def test_the_commands_of_the_page_lead_to_its_table(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    stand_ins()
    sizes = {"train": 8, "validation": 4, "test": 6}
    hub = datasets.DatasetDict({split: questions(split, n) for split, n in sizes.items()})
    asked = []
    monkeypatch.setattr(datasets, "load_dataset", lambda name: asked.append(name) or hub)
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

"""Checkpoints with one thing wrong: a setting of the wrong kind, a template that never ends."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from latentlab import checkpoint
from latentlab.prompts import template


@pytest.fixture(scope="session")
def saved(qwen, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "saved"
    checkpoint.save(qwen, folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path) -> Path:
    return shutil.copytree(saved, tmp_path / "model")


def change(file, *path, to):
    """Makes a function that changes one value of a JSON file, which it names by its path."""

    def spoil(folder):
        values = json.loads((folder / file).read_text())
        inner = values
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = to
        (folder / file).write_text(json.dumps(values))

    return spoil


def write(file, text):
    """Makes a function that writes a file anew."""

    def spoil(folder):
        (folder / file).write_bytes(text if isinstance(text, bytes) else text.encode())

    return spoil


def remove(*files):
    def spoil(folder):
        for file in files:
            (folder / file).unlink()

    return spoil


def pipe(file):
    def spoil(folder):
        (folder / file).unlink(missing_ok=True)
        os.mkfifo(folder / file)

    return spoil


def loop(file):
    def spoil(folder):
        (folder / file).unlink(missing_ok=True)
        (folder / file).symlink_to(file)

    return spoil


def twice(file, line):
    """Makes a function that gives a name of a JSON object a second time."""

    def spoil(folder):
        text = (folder / file).read_text().lstrip()
        (folder / file).write_text("{" + line + "," + text[1:])

    return spoil


PLAN, CONFIG = "latentlab.json", "config.json"
IMAGES, TOKENS = "preprocessor_config.json", "tokenizer_config.json"
TEMPLATE = "chat_template.jinja"
DEEP = "[" * 100_000
DIGITS = "9" * 5000

REFUSED = {
    "plan, reuse a text": (change(PLAN, "plan", "reuse", to="no"), "plan.reuse is 'no'"),
    "plan, text a number": (change(PLAN, "plan", "text", to=3), "plan.text is 3"),
    "plan, text a text": (change(PLAN, "plan", "text", to="no"), "plan.text is 'no'"),
    "plan, text null": (change(PLAN, "plan", "text", to=None), "plan.text is null"),
    "plan, steps a truth": (change(PLAN, "plan", "steps", to=True), "plan.steps is true"),
    "plan, k a truth": (change(PLAN, "plan", "k", to=True), "plan.k is true"),
    "plan, steps a float": (change(PLAN, "plan", "steps", to=1.0), "plan.steps is 1.0"),
    "plan, steps too many": (change(PLAN, "plan", "steps", to=10**6), "plan.steps is 1000000"),
    "plan, stride a fraction": (change(PLAN, "plan", "stride", to=1.5), "plan.stride is 1.5"),
    "plan, layers a text": (change(PLAN, "plan", "select_layers", to="0"), "select_layers is '0'"),
    "plan, layers floats": (change(PLAN, "plan", "select_layers", to=[0.0]), "layers 1 is 0.0"),
    "plan, layers twice": (change(PLAN, "plan", "select_layers", to=[0, 0]), "twice"),
    "plan, a layer too far": (change(PLAN, "plan", "select_layers", to=[7]), "no layer 7"),
    "plan, marker a float": (change(PLAN, "plan", "start_token", to=1.5), "start_token is 1.5"),
    "plan, marker a truth": (change(PLAN, "plan", "end_token", to=True), "end_token is true"),
    "plan, marker a list": (change(PLAN, "plan", "start_token", to=[1]), "start_token is"),
    "plan, blocked a text": (change(PLAN, "plan", "blocked", to="answer"), "blocked is 'answer'"),
    "plan, blocked triple": (change(PLAN, "plan", "blocked", to=[["answer"] * 3]), "list of 2"),
    "plan a list": (change(PLAN, "plan", to=[]), "plan is"),
    "plan misspelt": (change(PLAN, "plam", to={}), "unknown field 'plam'; did you mean 'plan'"),
    "format, flag a text": (change(PLAN, "format", "choices_in_prompt", to="no"), "is 'no'"),
    "format, marker null": (change(PLAN, "format", "answer_marker", to=None), "marker is null"),
    "format, joint a number": (change(PLAN, "format", "joint", to=1), "joint is 1"),
    "format, form nonsense": (change(PLAN, "format", "option_form", to="$$"), "option_form"),
    "format a list": (change(PLAN, "format", to=[]), "format is"),
    "placeholder a text": (change(PLAN, "placeholder_id", to="7"), "placeholder_id is '7'"),
    "placeholder a truth": (change(PLAN, "placeholder_id", to=True), "placeholder_id is true"),
    "placeholder negative": (change(PLAN, "placeholder_id", to=-1), "placeholder_id is -1"),
    "placeholder too large": (change(PLAN, "placeholder_id", to=10**9), "placeholder_id"),
    "plan file given twice": (twice(PLAN, '"plan": null'), "'plan' is given twice"),
    "plan file deep": (write(PLAN, DEEP), "nested too deeply"),
    "plan file of digits": (write(PLAN, f'{{"placeholder_id": {DIGITS}}}'), "thousands of digits"),
    "plan file NaN": (write(PLAN, '{"placeholder_id": NaN}'), "NaN"),
    "plan file of half a character": (write(PLAN, '{"\\ud800": 1}'), "surrogate"),
    "plan file no UTF-8": (write(PLAN, b"\xff\xfe"), "cannot be read"),
    "plan file empty": (write(PLAN, ""), "not valid JSON"),
    "plan file a pipe": (pipe(PLAN), "no regular file"),
    "plan file a loop": (loop(PLAN), "cannot be read"),
    "config deep": (write(CONFIG, DEEP), "nested too deeply"),
    "config a list": (write(CONFIG, "[]"), "no JSON object"),
    "config a pipe": (pipe(CONFIG), "no config.json|no regular file"),
    "config given twice": (twice(CONFIG, '"model_type": "qwen2_vl"'), "given twice"),
    "config, layers negative": (
        change(CONFIG, "text_config", "num_hidden_layers", to=-1),
        "cannot",
    ),
    "config, heads zero": (change(CONFIG, "text_config", "num_attention_heads", to=0), "cannot"),
    "config, width a text": (change(CONFIG, "text_config", "hidden_size", to="wide"), "cannot"),
    "config, type a list": (change(CONFIG, "model_type", to=[]), "model_type|family|drive"),
    "config, merge of another size": (
        change(CONFIG, "vision_config", "spatial_merge_size", to=1),
        "cannot|shape|merge",
    ),
    "images deep": (write(IMAGES, DEEP), "cannot|nested"),
    "images a pipe": (pipe(IMAGES), "no regular file|no preprocessor"),
    "images, least pixels huge": (change(IMAGES, "min_pixels", to=10**12), "pixels"),
    "images, size huge": (
        change(IMAGES, "size", to={"shortest_edge": 10**12, "longest_edge": 10**12}),
        "pixels",
    ),
    "images, patch zero": (change(IMAGES, "patch_size", to=0), "patch_size"),
    "images, patch negative": (change(IMAGES, "patch_size", to=-14), "patch_size"),
    "images, patch a text": (change(IMAGES, "patch_size", to="14"), "patch_size"),
    "images, patch of another model": (change(IMAGES, "patch_size", to=16), "patch_size"),
    "images, patch a truth": (change(IMAGES, "patch_size", to=True), "patch_size"),
    "images, merge of another model": (change(IMAGES, "merge_size", to=1), "merge_size"),
    "images, merge zero": (change(IMAGES, "merge_size", to=0), "merge_size"),
    "images, frames of another model": (change(IMAGES, "temporal_patch_size", to=2), "temporal"),
    "images, mean of one number": (change(IMAGES, "image_mean", to=[0.5]), "image_mean"),
    "images, mean a text": (change(IMAGES, "image_mean", to="grey"), "image_mean"),
    "images, deviation zero": (change(IMAGES, "image_std", to=[0, 0, 0]), "image_std"),
    "images, deviation NaN": (change(IMAGES, "image_std", to=[float("nan")] * 3), "NaN|image_std"),
    "images, factor NaN": (change(IMAGES, "rescale_factor", to=float("inf")), "Infinity|factor"),
    "images, resample nonsense": (change(IMAGES, "resample", to=99), "resample|cannot"),
    "images, resize off": (change(IMAGES, "do_resize", to="no"), "do_resize"),
    "tokenizer without its configuration": (remove(TOKENS), "tokenizer"),
    "tokenizer deep": (write("tokenizer.json", DEEP), "tokenizer|nested"),
    "tokenizer a pipe": (pipe("tokenizer.json"), "tokenizer|no regular file"),
    "tokenizer empty": (write("tokenizer.json", "{}"), "tokenizer"),
    "tokenizer a list": (write("tokenizer.json", "[]"), "tokenizer"),
    "tokenizer configuration deep": (write(TOKENS, DEEP), "tokenizer|nested"),
    "tokenizer configuration a list": (write(TOKENS, "[]"), "tokenizer"),
    "tokenizer, end not its token": (change(TOKENS, "eos_token", to="<none>"), "eos|token"),
    "template, syntax": (write(TEMPLATE, "{% for %}"), "chat template"),
    "template, forbidden attribute": (
        write(TEMPLATE, "{{ messages.__class__.__mro__ }}"),
        "chat template|image tokens",
    ),
    "template, unknown name": (write(TEMPLATE, "{{ nothing.at.all }}"), "chat template"),
    "template, division": (write(TEMPLATE, "{{ 1 / 0 }}"), "chat template"),
    "template, raises": (write(TEMPLATE, "{{ raise_exception('no') }}"), "chat template"),
    "template, endless": (
        write(
            TEMPLATE,
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        ),
        "chat template",
    ),
    "template, endless by itself": (
        write(TEMPLATE, "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}"),
        "chat template",
    ),
    "template, one long sum": (
        write(
            TEMPLATE, "{% for a in range(90000) %}{{ range(90000) | list | length }}{% endfor %}"
        ),
        "chat template",
    ),
    "template, as large as memory": (write(TEMPLATE, "{{ 'x' * 10**11 }}"), "chat template"),
    "template, a power without end": (write(TEMPLATE, "{{ 9**9**9**9 }}"), "chat template"),
    "template, wider than memory": (write(TEMPLATE, "{{ '%099999999999d' % 1 }}"), "template"),
    "template, empty": (write(TEMPLATE, "\n"), "chat template|image tokens"),
    "template, deep": (write(TEMPLATE, "{{ " + "(" * 5000 + ")" * 5000 + " }}"), "chat template"),
}


ENDLESS = ("template, endless", "template, one long sum")
"""Those that are waited for as long as a template may take."""


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_in_one_line(outcome, folder, name, monkeypatch):
    spoil, complaint = REFUSED[name]
    if name in ENDLESS:
        monkeypatch.setattr(template, "SECONDS", 1)
    spoil(folder)
    line, _ = outcome("evaluate", "--model", str(folder), "--limit", "2", "--device", "cpu")
    assert re.search(complaint, line), line


def test_another_prompt_is_remarked_upon(outcome, folder):
    (folder / TEMPLATE).unlink()
    line, remarks = outcome("evaluate", "--model", str(folder), "--limit", "2", "--device", "cpu")
    assert not line and "chat template" in remarks

"""Attention by hand: the ratio R and the focus F of IVT-LR, equations 1 and 2, over stated keys."""

import math
from functools import lru_cache

import numpy as np
import pytest

SHARE = 1e-4
"""Tolerance of attention weights, which are float32 softmaxes of logits below 20."""

RELATIVE = 1e-3
"""Of ratios: R divides by sums that may be as small as a hundredth."""


@pytest.fixture(scope="session")
def looked(rows_of):
    """Rows of one model, by what attention is averaged over."""
    return lru_cache(lambda name, by: rows_of("attention", name, "--by", by))


def sets_of_keys(run, n):
    """Indices of the keys that a query at n - 1 can mean; the first token is in none of them."""
    kinds = run.kinds[:n]
    at = {
        name: [i for i, kind in enumerate(kinds) if kind == name and i > 0] for name in set(kinds)
    }
    image, reinserted = at["image"], at.get("latent_vision", [])
    prompt, text = at["prompt"], at.get("latent_text", [])
    return (
        {"image": image, "reinserted": reinserted},
        {
            "prompt": prompt,
            "latent_text": text,
            "text": prompt + text,
            "text+sink": [0, *prompt, *text],
        },
    )


def ratio(row, image, text):
    """Equation 1."""
    return row[image].sum() / row[text].sum() if len(image) and len(text) else math.nan


def focus(row, keys):
    """Equation 2: F = 1 / (H + eps); and H over its largest value, log n."""
    if len(keys) < 2:
        return math.nan, math.nan
    p = row[keys] / row[keys].sum()
    entropy = -(p * np.log(p)).sum()
    return 1 / (entropy + 1e-6), entropy / math.log(len(keys))


def test_ratio_focus_and_entropy_of_every_step_are_the_published_formulas(looked, asked, untouched):
    rows = looked("ivtlr", "mean").set_index(["example", "step"])
    for example, run in zip(asked(), untouched("ivtlr"), strict=True):
        for step, weights in enumerate(run.rows, start=1):
            told = rows.loc[example.id, step]
            row = weights.mean((0, 1)).numpy()
            images, texts = sets_of_keys(run, len(row))
            assert told["mass:sink"] == pytest.approx(row[0], abs=SHARE)
            assert told["keys"] == len(row)
            for name, image in images.items():
                for other, text in texts.items():
                    expected = ratio(row, image, text)
                    pair = f"{name}/{other}"
                    assert told[f"ratio:{pair}"] == pytest.approx(
                        expected, rel=RELATIVE, nan_ok=True
                    )
                    if image and text:
                        null = len(image) / len(text)
                        assert told[f"uniform_ratio:{pair}"] == pytest.approx(null)
                found, flat = focus(row, image)
                assert told[f"focus:{name}"] == pytest.approx(found, rel=RELATIVE, nan_ok=True)
                assert told[f"entropy:{name}"] == pytest.approx(flat, rel=RELATIVE, nan_ok=True)


def test_attention_of_every_head_on_every_patch_and_what_is_picked(looked, asked, untouched):
    rows = looked("ivtlr", "head").set_index(["example", "step", "layers", "heads"])
    for example, run in zip(asked(), untouched("ivtlr"), strict=True):
        patches = [i for i, kind in enumerate(run.kinds) if kind == "image"]
        for step, (weights, picks) in enumerate(zip(run.rows, run.picks, strict=True), start=1):
            for (layer, head), row in np.ndenumerate(np.empty(weights.shape[:2])):
                told = rows.loc[example.id, step, str(layer), str(head)]
                row = weights[layer, head].numpy()
                assert told["patch_attention"] == pytest.approx(row[patches], abs=SHARE)
                assert list(told["picks"]) == picks
                assert row.sum() == pytest.approx(1)


def test_pointing_asks_for_the_cell_whose_mark_names_the_next_object(looked, asked, untouched):
    rows = looked("ivtlr", "mean").set_index(["example", "step"])
    for example, run in zip(asked(), untouched("ivtlr"), strict=True):
        first = run.kinds.index("image")
        for step, (weights, picks) in enumerate(zip(run.rows, run.picks, strict=True), start=1):
            told, cell = rows.loc[example.id, step], example.trace.cells[step - 1]
            on_patches = weights.mean((0, 1))[first : first + 16].numpy()
            top = np.argsort(-on_patches)[:2]
            others = np.delete(on_patches, cell)
            assert told["cell_read"] == cell
            assert told["mass_read"] == pytest.approx(on_patches[cell], abs=SHARE)
            assert told["background_read"] == pytest.approx(others.mean(), abs=SHARE)
            assert told["points_at_read"] == (cell in top)
            assert told["picked_read"] == (cell in picks)


def test_a_query_that_cannot_see_the_picture_has_no_ratio(looked, asked, untouched):
    rows = looked("gaze", "mean").set_index(["example", "step"])
    for example, run in zip(asked(), untouched("gaze"), strict=True):
        assert rows.loc[example.id, 1]["ratio:image/text"] > 0
        for step in (2, 3):
            told, row = rows.loc[example.id, step], run.rows[step - 1].mean((0, 1)).numpy()
            assert math.isnan(told["ratio:image/text"]) and math.isnan(told["focus:image"])
            assert row[[i for i, k in enumerate(run.kinds[: len(row)]) if k == "image"]].sum() == 0
            images, texts = sets_of_keys(run, len(row))
            expected = ratio(row, images["reinserted"], texts["text"])
            assert told["ratio:reinserted/text"] == pytest.approx(expected, rel=RELATIVE)

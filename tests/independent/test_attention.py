"""Attention by hand: the ratio R and the focus F of IVT-LR, equations 1 and 2, over stated keys."""

import math
from functools import lru_cache

import numpy as np
import pytest
import torch

from tests.independent.rollout import Latent

SHARE = 1e-4
"""Tolerance of attention weights, which are float32 softmaxes of logits below 20."""

STEPS = 3
"""Latent steps of these models; what comes after them is the readout of the answer."""

RELATIVE = 1e-3
"""Of ratios: R divides by sums that may be as small as a hundredth."""


@pytest.fixture(scope="session")
def looked(rows_of):
    """Rows of one model's steps, by what attention is averaged over."""

    @lru_cache
    def rows(name, by):
        found = rows_of("attention", name, "--by", by, "--vision", "own")
        return found[found["step"] <= STEPS]

    return rows


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
        for step in (1, 2, 3):
            told, row = rows.loc[(example.id, step)], run.rows[step - 1].mean((0, 1)).numpy()
            assert math.isnan(told["ratio:image/text"]) and math.isnan(told["focus:image"])
            assert row[[i for i, k in enumerate(run.kinds[: len(row)]) if k == "image"]].sum() == 0
            if step == 1:
                assert math.isnan(told["ratio:reinserted/text"])
                continue
            images, texts = sets_of_keys(run, len(row))
            expected = ratio(row, images["reinserted"], texts["text"])
            assert told["ratio:reinserted/text"] == pytest.approx(expected, rel=RELATIVE)


@pytest.mark.parametrize("vision", ["kept", "closed", "held"])
def test_ratio_and_focus_without_patches_are_those_of_runs_without_them(
    vision, plain, asked, rows_of
):
    """Slots are empty, or there are none and later positions hold or move up."""
    model = plain("ivtlr")
    rows = rows_of("attention", "ivtlr", "--vision", "own", vision)
    rows = rows[(rows["mode"] != "latent") & (rows["step"] <= STEPS)]
    rows = rows.set_index(["example", "step"])
    empty = model.embed([model.placeholder_id]).expand(model.plan.k, -1)

    def edit(step, latent):
        left = empty if vision == "kept" else None
        return Latent(left, latent.text, closed=vision == "closed")

    for example in asked():
        run = model.rollout(example, edit)
        for step, weights in enumerate(run.rows, start=1):
            told, row = rows.loc[(example.id, step)], weights.mean((0, 1)).numpy()
            images, texts = sets_of_keys(run, len(row))
            expected = ratio(row, images["image"], texts["text"])
            assert told["ratio:image/text"] == pytest.approx(expected, rel=RELATIVE)
            found, _ = focus(row, images["image"])
            assert told["focus:image"] == pytest.approx(found, rel=RELATIVE)


@pytest.fixture(scope="session")
def answering(rows_of):
    """Rows of the answer's readout of one model."""

    @lru_cache
    def rows(name):
        found = rows_of("attention", name, "--vision", "own")
        return found[found["step"] > STEPS]

    return rows


@pytest.mark.parametrize("name", ["ivtlr", "relay"])
def test_the_answer_looks_at_latents_and_what_of_it_reaches_its_log_odds(
    name, plain, asked, untouched, answering, nats
):
    """Mass is a mean over heads and queries; times gradient of the log-odds it is a sum."""
    model, rows = plain(name), answering(name).set_index(["example", "layers"])
    parts = ["latent_text", "latent"] + (["latent_vision"] if model.plan.k else [])
    for example, run in zip(asked(), untouched(name), strict=True):
        gold, scores, passes = example.choices.index(example.answer), [], []
        for choice in example.choices:
            ids = model.option_ids(choice)
            whole = model.say(run, [*model.prompter.marker_ids, *ids])
            states = model.forward(whole, watch=True)
            logp = states.logits.log_softmax(-1)
            last = len(whole.kinds) - 1
            scores.append(sum(logp[last - len(ids) + i, t] for i, t in enumerate(ids)))
            passes.append((whole, states.weights))
        rest = [score for i, score in enumerate(scores) if i != gold]
        odds = scores[gold] - torch.stack(rest).logsumexp(0)
        flat = [weights for _, layers in passes for weights in layers]
        gradients = iter(torch.autograd.grad(odds, flat))
        whole, layers = passes[gold]
        # The end token asks for nothing.
        asks = whole.where("answer") & (torch.arange(len(whole.kinds)) < len(whole.kinds) - 1)
        weights = torch.stack(layers).detach()
        products = dict.fromkeys(parts, 0.0)
        sizes = dict.fromkeys([*parts, "all"], 0.0)
        for other, of_layers in passes:
            n = len(other.kinds)
            queries = other.where("answer") & (torch.arange(n) < n - 1)
            for matrix in of_layers:
                cells = (matrix.detach() * next(gradients))[:, queries]
                sizes["all"] += float(cells.abs().sum())
                for part in parts:
                    products[part] += float(cells[..., other.where(part)].sum())
                    sizes[part] += float(cells[..., other.where(part)].abs().sum())
        told = rows.loc[(example.id, "all")]
        sees = model.visible(whole)[asks].double()
        for part in parts:
            keys = whole.where(part)
            mass = weights[:, :, asks][..., keys].sum(-1)
            assert told[f"answer_mass:{part}"] == pytest.approx(float(mass.mean()), abs=SHARE)
            uniform = (sees[:, keys].sum(-1) / sees.sum(-1)).mean()
            assert told[f"answer_uniform:{part}"] == pytest.approx(float(uniform))
            assert told[f"answer_gradient:{part}"] == pytest.approx(products[part], abs=10 * nats)
            share = sizes[part] / sizes["all"]
            assert told[f"answer_share:{part}"] == pytest.approx(share, abs=nats)
            if part == "latent":
                reward = float(mass[0].mean())
                assert rows.loc[(example.id, "0")]["reward"] == pytest.approx(reward, abs=SHARE)

"""Latents where the picture lacks what a hop needs, by hand."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from tests.independent.rollout import Latent

pytestmark = pytest.mark.slow

NAME = "needed cell blank, {}"

FILLINGS = {
    "own patches, remade text": lambda own, new, empty: Latent(own.vision, new.text),
    "remade patches, remade text": lambda own, new, empty: new,
    "empty patches, remade text (kept)": lambda own, new, empty: Latent(empty, new.text),
    "empty patches, own text (closed)": lambda own, new, empty: Latent(None, own.text, True),
}
"""What slots hold, from what they held on the whole picture, hold now, and hold when empty."""


@pytest.fixture(scope="session")
def masked(results_of):
    return results_of("ablate", "ivtlr", "--mask-evidence")[0]


def blanked(example):
    """The cell that the last hop reads in the picture's mean colour, of a grid of four by four."""
    pixels = np.array(example.image)
    row, column = divmod(example.trace.cells[example.hops - 1], 4)
    height, width = pixels.shape[0] // 4, pixels.shape[1] // 4
    rows = slice(row * height, (row + 1) * height)
    columns = slice(column * width, (column + 1) * width)
    pixels[rows, columns] = pixels.reshape(-1, 3).mean(0).round()
    return dataclasses.replace(example, image=Image.fromarray(pixels))


@pytest.mark.parametrize("filling", FILLINGS)
def test_what_is_blank_in_the_picture_is_put_into_the_slots_or_not(
    filling, plain, asked, untouched, masked, nats
):
    model = plain("ivtlr")
    rows = masked[masked["intervention"] == NAME.format(filling)]
    empty = model.embed([model.placeholder_id]).expand(model.plan.k, -1)
    for row, example, own in zip(rows.itertuples(), asked(), untouched("ivtlr"), strict=True):
        assert row.example == example.id

        def edit(step, latent, own=own):
            return FILLINGS[filling](own.latents[step], latent, empty)

        run = model.rollout(blanked(example), edit)
        scores = model.option_logprobs(run, example.choices)
        assert row.option_logprobs == pytest.approx(scores, abs=nats)
        gold = example.choices.index(example.answer)
        assert row.correct_likelihood == (int(np.argmax(scores)) == gold)
        needed = example.trace.cells[example.hops - 1]
        assert row.needed_cell_picked == any(needed in picks for picks in own.picks)

"""Patches and knock-outs as rows of one batch are those of runs of their own."""

import pandas as pd
import pytest
import torch

from latentlab.patch.knockouts import knockout_rows
from latentlab.reasoning.knockout import Knockout, knocked_out
from latentlab.reasoning.together import side_by_side

NAMES = ("answer-latent", "answer-image", "latent-image", "latent-earlier")


@pytest.fixture
def passes(monkeypatch):
    """Counts passes of a grid's model, and tells the most rows that one had."""

    def counted(there):
        sizes = []
        kind = type(there.reasoner.backbone)
        forward = kind.forward

        def counting(self, embeds, *more, **named):
            sizes.append(len(embeds))
            return forward(self, embeds, *more, **named)

        monkeypatch.setattr(kind, "forward", counting)
        return sizes

    return counted


def alike(ours, theirs):
    """The same rows, up to rounding in what is measured."""
    pd.testing.assert_frame_equal(ours, theirs, atol=1e-4, rtol=1e-4)
    assert (ours["patched"] - theirs["patched"]).abs().max() < 1e-4


@pytest.mark.parametrize("plan", ["ivtlr", "bypass", "gaze"])
def test_patches_share_passes(grid, passes, plan):
    there = grid(plan, ("resid_post", "z"), heads=True)
    sizes = passes(there)
    alone = there.rows("restore", "corrupt")
    many = len(sizes)
    sizes.clear()
    together = there.rows("restore", "corrupt", sequences=23)  # four runs of five pairs
    alike(together, alone)
    assert max(sizes) == 20 and len(sizes) < 0.6 * many
    sham = together["control"] == "sham"
    assert together["patched"][sham].equals(alone["patched"][sham])
    sizes.clear()
    there.rows("restore", sequences=9)  # no room for two
    assert max(sizes) == 5


@pytest.mark.parametrize("plan", ["ivtlr", "relay", "gaze"])
def test_knock_outs_share_passes(grid, passes, plan):
    there = grid(plan)
    of = there.reasoner, there.clean, there.readout, NAMES, 1, 0, 3
    sizes = passes(there)
    alone = list(knockout_rows(*of))
    many = len(sizes)
    sizes.clear()
    together = list(knockout_rows(*of, 40))
    assert [where for where, _ in together] == [where for where, _ in alone]
    alike(*(pd.DataFrame([row for _, row in rows]) for rows in (together, alone)))
    assert max(sizes) == 40 and len(sizes) < 0.5 * many


def test_each_knock_out_cuts_its_own_rows(grid):
    """A row that loses nothing keeps what it had, whatever its neighbours lose."""
    there = grid("ivtlr")
    rollout = there.reasoner.rollout()
    prefix = there.clean.prefix
    with knocked_out(rollout, Knockout("latent", "image", layers=()), Knockout("latent", "image")):
        both = rollout.reason(side_by_side(prefix, 2)).hidden.chunk(2)
    with knocked_out(rollout, Knockout("latent", "image")):
        cut = rollout.reason(prefix).hidden
    torch.testing.assert_close(both[0], rollout.reason(prefix).hidden, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(both[1], cut, atol=1e-5, rtol=1e-4)
    assert (both[0] - both[1]).abs().max() > 1e-3

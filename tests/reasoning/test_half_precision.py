"""Half precision rounds, and nothing else: states, picks and answers stay near those of float32.

bfloat16 keeps 8 bits of a number, so that one rounding moves it by up to 0.4 %. The bounds are for
what is left of that after a prompt and three latent steps (`docs/engine.md` has what was measured).
"""

import pytest
import torch

from latentlab import load, load_data

NEAR = 0.02
"""Distance of nine latents in ten, by the norm of that in float32."""

FAR = 0.25
"""Distance of any latent; a near tie of picks that falls otherwise moves all that follows."""

NATS = 0.05
"""Median change of an answer's log-odds."""


@pytest.fixture(scope="module")
def examples():
    return list(load_data("benchmark", limit=48))


@pytest.fixture(scope="module", params=["ivtlr", "relay"])
def runs(request, examples):
    """The same questions, asked in float32 and in bfloat16."""
    return [
        load(request.param, device="cpu", dtype=dtype).run(examples, max_new_tokens=8)
        for dtype in ("float32", "bfloat16")
    ]


def test_latents_stay_within_the_stated_distance(runs):
    full, half = (
        torch.stack([latent.text.float() for latent in run.trajectory.latents]) for run in runs
    )
    assert runs[1].trajectory.latents[0].text.dtype == torch.bfloat16
    distance = (full - half).norm(dim=-1) / full.norm(dim=-1)
    assert 0 < distance.quantile(0.9) < NEAR
    assert distance.max() < FAR


def test_log_odds_move_little_and_answers_stay(runs):
    full, half = runs
    moved = torch.tensor([abs(full.log_odds[name] - half.log_odds[name]) for name in full.log_odds])
    assert 0 < moved.median() < NATS
    assert moved.quantile(0.9) < 5 * NATS
    pairs = list(zip(full.answers, half.answers, strict=True))
    assert sum(one.text == other.text for one, other in pairs) >= 0.95 * len(pairs)


def test_most_picks_are_the_same(runs):
    full, half = (run.trajectory.picks for run in runs)
    if full is None:
        assert half is None
        return
    assert (full == half).float().mean() >= 0.9

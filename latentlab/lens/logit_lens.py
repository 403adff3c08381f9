"""The logit lens: what a residual stream would say, were it to speak now.

nostalgebraist ("interpreting GPT: the logit lens", 2020) reads the stream after any layer through
the final norm and the unembedding, as if no layer followed. Latents have two more readings: latent
text went through the final norm already, so its unembedding is the token the model would have
written in its place; and both parts stand where token embeddings stand, so that one can ask which
of these is nearest.

A lens shows what can be read off a state in the model's own output language. It does not show that
anything reads it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from latentlab.backbones import Backbone

NO_TOKEN = -1
"""Fills rows of token ids."""


@dataclass(frozen=True)
class LensReading:
    """What one reading of one state says, about some target tokens and altogether."""

    rank: Float[Tensor, "batch targets"]
    """Rank of each target among all tokens, from 1; NaN for a target that is not there."""

    logprob: Float[Tensor, "batch targets"]
    """Log-probability of each target in nats; NaN where there is none, or no probabilities."""

    top: Int[Tensor, " batch"]
    """The token ranked first."""

    entropy: Float[Tensor, " batch"]
    """Entropy of the distribution over all tokens in nats; NaN without probabilities."""


def lens_logits(
    backbone: Backbone, resid: Float[Tensor, "*batch hidden"]
) -> Float[Tensor, "*batch vocab"]:
    """Logits of a residual stream by the logit lens: final norm, then unembedding."""
    return backbone.logits(final_norm(backbone)(resid))


def final_norm(backbone: Backbone) -> torch.nn.Module:
    """The norm between the last layer and the unembedding."""
    norm: torch.nn.Module = backbone.decoder.get_submodule("norm")
    return norm


def nearest_tokens(
    backbone: Backbone, embeds: Float[Tensor, "batch hidden"]
) -> Float[Tensor, "batch vocab"]:
    """Cosine of vectors with every token embedding."""
    table: Tensor = backbone.embed_tokens(
        torch.arange(backbone.text_config.vocab_size, device=embeds.device)
    )
    return normalize(embeds.float(), dim=-1) @ normalize(table.float(), dim=-1).T


def read(
    scores: Float[Tensor, "batch vocab"],
    targets: Int[Tensor, "batch targets spellings"],
    probabilities: bool = True,
) -> LensReading:
    """Read scores over the vocabulary.

    Args:
        scores: logits, or other numbers that order the tokens.
        targets: token ids; a target with several spellings counts as said by any of them: its
            rank is the best one's, its probability their sum. Rows are filled with NO_TOKEN, and a
            target without any spelling is missing.
        probabilities: whether the scores are logits.
    """
    scores = scores.float()
    given = targets != NO_TOKEN
    index = targets.clamp(min=0).flatten(1)
    own = scores.gather(1, index).view(targets.shape).masked_fill(~given, -torch.inf)
    best = own.amax(-1)
    # One target at a time: all at once would be targets x vocabulary.
    ranks = [(scores > one[:, None]).sum(-1) + 1 for one in best.unbind(1)]
    there = given.any(-1)
    rank = torch.stack(ranks, dim=1).float().masked_fill(~there, torch.nan)
    if probabilities:
        normaliser = scores.logsumexp(-1)
        logprob = own.logsumexp(-1) - normaliser[:, None]
        log_p = scores - normaliser[:, None]
        entropy = torch.special.entr(log_p.exp()).sum(-1)
    else:
        logprob, entropy = torch.full_like(best, torch.nan), torch.full_like(best[:, 0], torch.nan)
    return LensReading(rank, logprob.masked_fill(~there, torch.nan), scores.argmax(-1), entropy)


def padded_targets(
    rows: Sequence[Sequence[Sequence[int]]], device: torch.device
) -> Int[Tensor, "batch targets spellings"]:
    """Token ids of every example's targets and their spellings as one tensor.

    Args:
        rows: for each example, for each target, its first tokens; none for a missing target.
        device: where to put it.
    """
    width = max((len(ids) for row in rows for ids in row), default=1) or 1
    filled = [[[*ids, *[NO_TOKEN] * (width - len(ids))] for ids in row] for row in rows]
    return torch.tensor(filled, dtype=torch.long, device=device)

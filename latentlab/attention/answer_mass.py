"""How much the answer attends to the latents, and how much of it reaches the answer's log-odds.

Queries are the positions after the last latent. The attention mass is the reward of "Leveraging LVR
in Silence" (arXiv 2605.18641), which takes it in layer 0 only. A mass says where a query looks, not
whether what it finds there matters; so next to it stands attention times gradient. Multiply all
attention from queries to latents by one gate g. By the chain rule

    dL/dg at g = 1  =  sum over queries, keys and heads of  A dL/dA,

the importance of Michel et al. (2019, arXiv 1905.10650, equation 2) for a gate on these cells
instead of a head, with its sign kept: the first-order estimate of what L loses where they are shut.
Chefer et al. (2021, arXiv 2103.15679, equation 5) keep the positive part of the same product. Sizes
without sign say which share of all such products falls on the latents.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def mean_mass(
    weights: Float[Tensor, "batch heads queries keys"],
    queries: Bool[Tensor, "batch queries"],
    keys: Bool[Tensor, "batch keys"],
) -> Float[Tensor, " batch"]:
    """Attention on some keys, averaged over heads and over the queries that count.

    r = (1/|Q|) sum over q in Q and k in K of A_qk (arXiv 2605.18641, which takes layer 0).
    """
    on_keys = (weights.mean(1) * keys[:, None]).sum(-1)
    return (on_keys * queries).sum(-1) / queries.sum(-1)


def uniform_mass(
    visible: Bool[Tensor, "batch queries keys"],
    queries: Bool[Tensor, "batch queries"],
    keys: Bool[Tensor, "batch keys"],
) -> Float[Tensor, " batch"]:
    """The `mean_mass` of queries that attend to every key they see alike."""
    shares = visible / visible.sum(-1, keepdim=True)
    return mean_mass(shares[:, None], queries, keys)


def log_odds(
    scores: Float[Tensor, "batch options"],
    exists: Bool[Tensor, "batch options"],
    option: Int[Tensor, " batch"],
) -> Float[Tensor, " batch"]:
    """Log-odds of one option against the others (`measures.outcomes.log_odds`), with a gradient.

    Args:
        scores: log-likelihood of each option in nats.
        exists: which options there are, two at least.
        option: the one asked for.
    """
    scores = scores.masked_fill(~exists, -torch.inf)
    rest = scores.scatter(1, option[:, None], -torch.inf)
    return scores.gather(1, option[:, None])[:, 0] - rest.logsumexp(-1)


def on_keys(
    cells: Float[Tensor, "batch heads queries keys"],
    queries: Bool[Tensor, "batch queries"],
    keys: Bool[Tensor, "batch keys"],
) -> Float[Tensor, " batch"]:
    """Sum of the cells of some queries and keys, over all heads."""
    return (cells.sum(1) * queries[..., None] * keys[:, None]).sum((1, 2))

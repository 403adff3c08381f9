"""Which positions may attend to which: a causal mask plus a small table of blocked kinds.

Every position of a sequence has a `Kind`. A visibility rule is a set of (query kind, key kind)
pairs that are blocked on top of causality, so the model organisms (answer positions that cannot
see the image, say) and the attention knock-outs of a study are the same mechanism.
"""

from collections.abc import Iterable
from enum import IntEnum
from itertools import product

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from latentlab.errors import UserError, did_you_mean


class Kind(IntEnum):
    """What a position of the sequence holds."""

    PAD = 0
    IMAGE = 1
    PROMPT = 2
    LATENT_VISION = 3
    LATENT_TEXT = 4
    RATIONALE = 5
    ANSWER = 6


BlockedPairs = tuple[tuple[str, str], ...]

GROUPS: dict[str, tuple[Kind, ...]] = {
    "image": (Kind.IMAGE,),
    "prompt": (Kind.PROMPT,),
    "latent_vision": (Kind.LATENT_VISION,),
    "latent_text": (Kind.LATENT_TEXT,),
    "latent": (Kind.LATENT_VISION, Kind.LATENT_TEXT),
    "rationale": (Kind.RATIONALE,),
    "answer": (Kind.ANSWER,),
}
"""The names by which a blocked pair may call one kind of position or several."""


def visibility_table(blocked: Iterable[tuple[str, str]]) -> Bool[Tensor, "query key"]:
    """Turn blocked (query, key) pairs into a table over kinds; padding is never visible.

    Raises:
        UserError: a pair names no known group of positions.
    """
    table = [[key != Kind.PAD for key in Kind] for _ in Kind]
    for pair in blocked:
        if len(pair) != 2:
            raise UserError(f"a blocked pair is (query, key), two names of positions, not {pair}")
        for name in pair:
            if name not in GROUPS:
                raise UserError(
                    f"no positions are called {name!r} in the blocked pair {pair}; "
                    f"{did_you_mean(name, GROUPS)}"
                )
        query, key = pair
        for q, k in product(GROUPS[query], GROUPS[key]):
            table[q][k] = False
    return torch.tensor(table)


def prompts_alike(one: BlockedPairs, other: BlockedPairs) -> bool:
    """Whether the positions of a prompt see each other alike under both lists of pairs."""
    if one == other:
        return True
    prompt = slice(Kind.IMAGE, Kind.PROMPT + 1)
    first, second = (visibility_table(blocked)[prompt, prompt] for blocked in (one, other))
    return torch.equal(first, second)


def attention_mask(
    kinds: Int[Tensor, "batch keys"],
    n_queries: int,
    table: Bool[Tensor, "query key"],
    both_ways: bool = False,
) -> Bool[Tensor, "batch 1 queries keys"] | None:
    """Mask of the last `n_queries` positions over all positions so far (true = may attend).

    Every position sees itself, so that no row of the softmax is empty. Returns None when the mask
    says no more than causality does, which lets the attention kernel take its fast path.

    Args:
        kinds: the `Kind` of every position so far.
        n_queries: how many of them, the newest, attend.
        table: which kinds may see which.
        both_ways: whether positions of one image see those behind them too.
    """
    n_keys = kinds.shape[1]
    past = n_keys - n_queries
    allowed = table.to(kinds.device)[kinds[:, past:, None].long(), kinds[:, None, :].long()]
    both_ways = both_ways and bool((kinds[:, past:] == Kind.IMAGE).any())
    plain = not both_ways and (n_queries == 1 or past == 0)
    if plain and bool(allowed.all()):
        return None
    mask = allowed.tril(past)
    if both_ways:
        # Images are told apart by how many have begun.
        image = kinds == Kind.IMAGE
        begins = image & ~torch.nn.functional.pad(image, (1, -1))
        which = begins.cumsum(-1).masked_fill(~image, 0)
        asking = which[:, past:, None]
        mask = mask | (allowed & (asking == which[:, None]) & (asking > 0))
    mask.diagonal(past, dim1=-2, dim2=-1).fill_(True)
    return mask[:, None]

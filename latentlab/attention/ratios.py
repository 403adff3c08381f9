"""Attention of one query, measured: ratio, focus and mass by kind of key.

The formulas are those of IVT-LR (arXiv 2510.12603, section 4.4, equations 1 and 2). The paper does
not say which keys its sums run over, so every function takes the keys as a mask, and the named sets
of them stand here. A number that rests on no keys is missing (NaN), never 0.

Attention comes as rows of one query, (batch, keys), each of sum 1; the full matrix is never needed.
"""

from collections.abc import Iterator
from enum import IntEnum

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latentlab.reasoning.visibility import Kind
from latentlab.vocabulary import Reduction

EPSILON = 1e-6
"""The eps of F = 1 / (H + eps), H in nats. The paper says only that it is small."""


class Bucket(IntEnum):
    """What a key holds; every key that the query may attend to is in exactly one bucket."""

    SINK = 0
    """The first token, which attention falls back on where it has nothing to look at."""

    IMAGE = 1
    """Patches of the image, where they first stand."""

    PROMPT = 2
    """Text of the prompt."""

    LATENT_TEXT = 3
    """Latent text so far."""

    REINSERTED = 4
    """Patches that latent or written steps appended: the paper's selected image embeddings."""

    WORDS = 5
    """Text that the model wrote."""


BUCKETS = tuple(bucket.name.lower() for bucket in Bucket)
"""Names of the buckets, as columns have them."""

IMAGE_KEYS: dict[str, tuple[Bucket, ...]] = {
    "image": (Bucket.IMAGE,),
    "reinserted": (Bucket.REINSERTED,),
    "patches": (Bucket.IMAGE, Bucket.REINSERTED),
}
"""What I of equation 1 can be: patches where they first stand, those re-inserted, or all."""

TEXT_KEYS: dict[str, tuple[Bucket, ...]] = {
    "prompt": (Bucket.PROMPT,),
    "latent_text": (Bucket.LATENT_TEXT,),
    "words": (Bucket.WORDS,),
    "text": (Bucket.PROMPT, Bucket.LATENT_TEXT, Bucket.WORDS),
    "text+sink": (Bucket.PROMPT, Bucket.LATENT_TEXT, Bucket.WORDS, Bucket.SINK),
}
"""What T of equation 1 can be. Only the last counts the first token in."""

_OF_KIND = {
    Kind.PAD: Bucket.SINK,  # of no account: padding is never visible
    Kind.IMAGE: Bucket.IMAGE,
    Kind.PROMPT: Bucket.PROMPT,
    Kind.LATENT_VISION: Bucket.REINSERTED,
    Kind.LATENT_TEXT: Bucket.LATENT_TEXT,
    Kind.RATIONALE: Bucket.WORDS,
    Kind.ANSWER: Bucket.WORDS,
}


def key_buckets(
    kinds: Int[Tensor, "batch keys"], table: Bool[Tensor, "query key"]
) -> Bool[Tensor, "batch keys buckets"]:
    """Sort the keys of the newest position into buckets; those it cannot attend to are in none.

    Args:
        kinds: the `Kind` of every position up to and with the query.
        table: which kinds see which (`visibility_table`).
    """
    real = kinds != Kind.PAD
    places = torch.arange(kinds.shape[1], device=kinds.device)
    query = (real * places).amax(-1, keepdim=True)
    first = real.int().argmax(-1, keepdim=True)
    visible = table[kinds.gather(1, query), kinds] | (places == query)
    codes = torch.tensor([_OF_KIND[kind] for kind in Kind], device=kinds.device)[kinds]
    codes = codes.scatter(1, first, int(Bucket.SINK))
    return torch.nn.functional.one_hot(codes, len(Bucket)).bool() & visible[..., None]


def keys_of(
    members: Bool[Tensor, "batch keys buckets"], buckets: tuple[Bucket, ...]
) -> Bool[Tensor, "batch keys"]:
    """The keys of some buckets together."""
    return members[..., list(buckets)].any(-1)


def reduce_rows(
    rows: Float[Tensor, "layers batch heads keys"], layers: tuple[int, ...], by: Reduction
) -> Iterator[tuple[str, str, Float[Tensor, "batch keys"]]]:
    """Average rows over layers and heads, over the heads of each layer, or not at all.

    What is measured is measured on the averaged row, as the selection of patches does.

    Args:
        rows: captured rows.
        layers: the index of each captured layer.
        by: `mean`, `layer` or `head`.

    Yields:
        Which layers and which heads went in ("all", or an index), and the row.
    """
    if by == "mean":
        yield "all", "all", rows.mean(dim=(0, 2))
        return
    for layer, of_layer in zip(layers, rows, strict=True):
        if by == "layer":
            yield str(layer), "all", of_layer.mean(dim=1)
            continue
        for head in range(of_layer.shape[1]):
            yield str(layer), str(head), of_layer[:, head]


def mass(
    row: Float[Tensor, "batch keys"], keys: Bool[Tensor, "batch keys"]
) -> Float[Tensor, " batch"]:
    """Attention on all keys of a set together; 0 where there are none."""
    return (row * keys).sum(-1)


def attention_ratio(
    row: Float[Tensor, "batch keys"],
    image: Bool[Tensor, "batch keys"],
    text: Bool[Tensor, "batch keys"],
) -> Float[Tensor, " batch"]:
    """Attention ratio R (arXiv 2510.12603, equation 1): attention on `image` by that on `text`."""
    ratio = mass(row, image) / mass(row, text)
    return ratio.masked_fill(~(image.any(-1) & text.any(-1)), torch.nan)


def uniform_ratio(
    image: Bool[Tensor, "batch keys"], text: Bool[Tensor, "batch keys"]
) -> Float[Tensor, " batch"]:
    """The R of a query that attends to every key alike, |I| / |T|."""
    return attention_ratio(torch.ones_like(image, dtype=torch.float32), image, text)


def entropy(
    row: Float[Tensor, "batch keys"], keys: Bool[Tensor, "batch keys"]
) -> Float[Tensor, " batch"]:
    """Entropy H of the attention within a set of keys, in nats (equation 2)."""
    within = row * keys
    p = within / within.sum(-1, keepdim=True)
    return -torch.xlogy(p, p).sum(-1)


def attention_focus(
    row: Float[Tensor, "batch keys"], keys: Bool[Tensor, "batch keys"], epsilon: float = EPSILON
) -> Float[Tensor, " batch"]:
    """Attention focus F = 1 / (H + eps) (equation 2); higher is more concentrated.

    Missing for fewer than two keys: a single one gives 1 / eps, whatever the model does.
    """
    return _of_several(1 / (entropy(row, keys) + epsilon), keys)


def uniform_focus(
    keys: Bool[Tensor, "batch keys"], epsilon: float = EPSILON
) -> Float[Tensor, " batch"]:
    """The F of a query that attends to every key alike, 1 / (log n + eps)."""
    return attention_focus(torch.ones_like(keys, dtype=torch.float32), keys, epsilon)


def normalised_entropy(
    row: Float[Tensor, "batch keys"], keys: Bool[Tensor, "batch keys"]
) -> Float[Tensor, " batch"]:
    """H / log n, from 0 (all on one key) to 1 (uniform) whatever the number of keys n."""
    return _of_several(entropy(row, keys) / keys.sum(-1).log(), keys)


def _of_several(values: Tensor, keys: Tensor) -> Tensor:
    return values.masked_fill(keys.sum(-1) < 2, torch.nan)

"""Whether a prompt fits the model that is to read it."""

from collections.abc import Sequence
from typing import Any

from latentlab.errors import UserError

LEAST_CONTEXT = 4096
"""Tokens of a prompt that every model is let read: small ones say less and can more."""


def check_fit(config: Any, name: str, ids: Sequence[int]) -> None:
    """Refuse a prompt with tokens that the model lacks, or with too many of them.

    Args:
        config: the decoder's configuration.
        name: what to call the example.
        ids: the prompt's tokens.

    Raises:
        UserError: it does not fit.
    """
    if ids and max(ids) >= config.vocab_size:
        raise UserError(f"{name}: the prompt has token {max(ids)}; the model has fewer")
    known = getattr(config, "max_position_embeddings", None) or 0
    if len(ids) > (most := max(known, LEAST_CONTEXT)):
        raise UserError(
            f"{name}: the prompt takes {len(ids):,} tokens, more than the {most:,} that the model "
            "is made for; shorten the question or the picture"
        )

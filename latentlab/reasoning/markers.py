"""Tokens that open and close a block of latent steps: what a plan may say of them, and their ids.

A plan names a marker by its token id or by its text. Ids belong to one tokenizer, so texts are what
a plan is written with, and ids what the engine runs.
"""

from typing import Literal

from transformers import PreTrainedTokenizerBase

from latentlab.errors import UserError

Marker = int | str | None
"""A token, by id or text; None where there is none."""

Length = Literal["fixed", "free"]
"""Whether a block has as many steps as its plan, or the model ends it."""


def check_markers(start: Marker, end: Marker, lead: int, length: Length, in_words: bool) -> None:
    """Refuse markers that contradict each other or the rest of a plan.

    Args:
        start: token that opens a block.
        end: token that closes it.
        lead: tokens that a model may write before it opens the block.
        length: whether the model ends it.
        in_words: whether the plan writes its steps.

    Raises:
        UserError: one of the two is missing where the other or another field needs it, both are the
            same, one is no token, or steps in words are to stand in a block.
    """
    for name, token in (("start_token", start), ("end_token", end)):
        if token == "" or (isinstance(token, int) and token < 0):
            raise UserError(f"the plan has {name}={token!r}; give a token's text, or its id")
    if (start is None) != (end is None):
        raise UserError("a block of latent steps needs start_token and end_token; give both")
    if start is None and (lead or length == "free"):
        raise UserError("lead and length='free' are about blocks; give start_token and end_token")
    if start is not None and start == end:
        raise UserError(f"start_token and end_token are both {start!r}; a block needs two tokens")
    if start is not None and in_words:
        raise UserError("a plan with content='words' has no block of latents to put markers around")


def token_id(marker: Marker, tokenizer: PreTrainedTokenizerBase, size: int) -> int | None:
    """The id of a marker.

    Args:
        marker: the token, by id or text.
        tokenizer: what knows its text.
        size: number of tokens that the model embeds.

    Raises:
        UserError: the text is not one token of the tokenizer, or the model embeds no such id.
    """
    if marker is None:
        return None
    found = marker
    if isinstance(found, str):
        ids: list[int] = tokenizer(found, add_special_tokens=False)["input_ids"]
        unknown = ids == [tokenizer.unk_token_id] and found != tokenizer.unk_token
        if len(ids) != 1 or unknown:
            raise UserError(f"the plan's {marker!r} is not one token of the model's tokenizer")
        found = ids[0]
    if found >= size:
        raise UserError(f"the plan's token {marker!r} has id {found}; the model knows {size}")
    return found

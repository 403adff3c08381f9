"""A blocked pair blocks: the mask as one would define it, and logits that cannot tell."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import DynamicCache

from latentlab.backbones import Capture
from latentlab.errors import UserError
from latentlab.reasoning.visibility import GROUPS, Kind, attention_mask, visibility_table

names = st.sampled_from(list(GROUPS))
rows_of_kinds = st.integers(1, 12).flatmap(
    lambda n: st.lists(st.tuples(*[st.sampled_from(list(Kind))] * n), min_size=1)
)
tables = st.lists(st.tuples(names, names), max_size=4)


@given(rows_of_kinds, tables, st.booleans(), st.data())
def test_mask_is_causality_minus_padding_minus_blocked_pairs(rows, blocked, both_ways, data):
    kinds = torch.tensor([[int(kind) for kind in row] for row in rows])
    n = kinds.shape[1]
    n_queries = data.draw(st.integers(1, n))
    pairs = {pair for q, k in blocked for pair in product(GROUPS[q], GROUPS[k])}

    def sees(row, query, key):
        if query == key:
            return True
        between = row[min(query, key) : max(query, key) + 1]
        same_image = both_ways and set(between) == {Kind.IMAGE}
        before = key < query or same_image
        return before and row[key] != Kind.PAD and (row[query], row[key]) not in pairs

    expected = torch.tensor([[[sees(r, q, k) for k in range(n)] for q in range(n)] for r in rows])
    mask = attention_mask(kinds, n_queries, visibility_table(blocked), both_ways)
    if mask is None:  # plain causality, which kernels know by themselves
        assert n_queries in (1, n)
        mask = torch.ones(n, n).tril().bool()[n - n_queries :].expand(len(rows), 1, -1, -1)
    assert torch.equal(mask[:, 0], expected[:, n - n_queries :])


@pytest.mark.parametrize("query", GROUPS)
@pytest.mark.parametrize("key", GROUPS)
def test_table_blocks_one_pair_of_groups_and_padding(query, key):
    table = visibility_table([(query, key)])
    for q, k in product(Kind, Kind):
        blocked = k == Kind.PAD or (q in GROUPS[query] and k in GROUPS[key])
        assert bool(table[q, k]) == (not blocked)


@torch.no_grad()
@pytest.mark.parametrize("query", GROUPS)
@pytest.mark.parametrize("key", GROUPS)
def test_a_blocked_position_is_not_looked_at(reasoner, query, key):
    """No weight of any layer or head falls on a blocked key, and the others still sum to one."""
    kinds = torch.tensor([[int(kind) for kind in Kind if kind != Kind.PAD] * 2])
    newest = 6 + int((kinds[0, 6:] == GROUPS[query][-1]).nonzero())
    kinds = kinds[:, : newest + 1]
    embeds = reasoner.backbone.embed_tokens(torch.arange(8, 8 + newest + 1)[None])
    mask = attention_mask(kinds, newest + 1, visibility_table([(query, key)]))
    capture = Capture()
    positions = torch.arange(newest + 1)[None]
    reasoner.backbone.forward(embeds, positions, mask, DynamicCache(), capture)
    rows = capture.stacked()[:, 0]
    blocked = torch.isin(kinds[0], torch.tensor([int(kind) for kind in GROUPS[key]]))
    blocked[newest] = False
    assert blocked.any()
    assert not rows[..., blocked].any()
    assert (rows[..., ~blocked] > 0).all()
    torch.testing.assert_close(rows.sum(-1), torch.ones_like(rows[..., 0]))


def test_refuses_names_that_are_none():
    with pytest.raises(UserError, match=r"'anwser' in the blocked pair .* did you mean 'answer'"):
        visibility_table([("anwser", "image")])
    with pytest.raises(UserError, match=r"two names of positions, not \('image',\)"):
        visibility_table([("image",)])

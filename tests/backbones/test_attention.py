"""The kernel attends as eager attention does, and the captured row is the newest query's."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from latentlab.backbones import Capture
from latentlab.backbones.attention import attention, last_row


def eager(query, key, value, mask):
    groups = query.shape[1] // key.shape[1]
    key, value = (x.repeat_interleave(groups, 1) for x in (key, value))
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    weights = scores.masked_fill(~mask, -torch.inf).softmax(-1)
    return (weights @ value).transpose(1, 2), weights


@given(
    kv_heads=st.integers(1, 3),
    groups=st.integers(1, 3),
    queries=st.integers(1, 4),
    past=st.integers(0, 4),
    masked=st.booleans(),
    seed=st.integers(0, 99),
)
def test_equals_eager_attention(kv_heads, groups, queries, past, masked, seed):
    generator = torch.Generator().manual_seed(seed)
    keys = queries + past
    query = torch.randn(2, kv_heads * groups, queries, 8, generator=generator)
    key, value = torch.randn(2, 2, kv_heads, keys, 8, generator=generator)
    causal = torch.ones(queries, keys).tril(past).bool().expand(2, 1, -1, -1)
    mask = causal
    if masked:
        mask = causal & (torch.rand(causal.shape, generator=generator) > 0.4)
        mask = mask | torch.eye(queries, keys).bool().roll(past, -1)
    layer = torch.nn.Module()
    layer.layer_idx = 4
    capture = Capture()
    # Without a mask, the newest positions are one query, or all there is.
    plain = not masked and (queries == 1 or past == 0)
    output, _ = attention(
        layer, query, key, value, None if plain else mask, scaling=8**-0.5, capture=capture
    )
    expected, weights = eager(query, key, value, mask)
    torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(capture.rows[4], weights[:, :, -1], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(capture.rows[4].sum(-1), torch.ones(2, kv_heads * groups))
    other = Capture(layers=(3,))
    attention(layer, query, key, value, mask, scaling=8**-0.5, capture=other)
    assert not other.rows


def test_rows_stack_in_order_of_layers():
    capture = Capture(rows={2: torch.ones(1, 1, 3), 0: torch.zeros(1, 1, 3)})
    assert capture.stacked()[:, 0, 0, 0].tolist() == [0, 1]


def test_the_row_is_full_precision_and_without_gradient():
    query = torch.randn(1, 2, 1, 8, dtype=torch.bfloat16, requires_grad=True)
    key = torch.randn(1, 2, 5, 8, dtype=torch.bfloat16)
    row = last_row(query, key, None, 1.0)
    assert row.dtype == torch.float32
    assert not row.requires_grad

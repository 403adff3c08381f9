"""Orders are orders: nothing is lost, nothing keeps its place, and examples differ."""

from collections import Counter

import pytest
import torch

from latentlab.errors import UserError
from latentlab.reasoning.orders import Reordered, order_of
from latentlab.reasoning.sources import Context


@pytest.mark.parametrize("length", range(2, 6))
def test_a_random_order_moves_everything(length):
    orders = [order_of("permute", length, f"e{i}", 0) for i in range(40)]
    for order in orders:
        assert sorted(order) == list(range(length))
        assert all(place != i for i, place in enumerate(order))
    assert orders == [order_of("permute", length, f"e{i}", 0) for i in range(40)]
    if length > 2:
        assert orders != [order_of("permute", length, f"e{i}", 1) for i in range(40)]


def test_all_orders_in_which_nothing_stays_are_as_likely():
    drawn = Counter(tuple(order_of("permute", 4, f"e{i}", 0)) for i in range(1800))
    assert len(drawn) == 9  # derangements of four
    assert max(drawn.values()) < 1.4 * 1800 / 9
    assert min(drawn.values()) > 0.6 * 1800 / 9


def test_two_are_swapped_one_stays_and_the_others_are_what_they_say():
    assert order_of("permute", 2, "e", 0) == order_of("reverse", 2, "e", 0) == [1, 0]
    assert order_of("permute", 1, "e", 0) == order_of("reverse", 1, "e", 0) == [0]
    assert order_of("reverse", 4, "e", 0) == [3, 2, 1, 0]
    assert order_of("first", 3, "e", 0) == [0, 0, 0]


def test_positions_of_the_prompt_are_brought_into_the_same_kinds_of_order():
    original = torch.arange(24.0).view(2, 4, 3)
    context = Context(("a", "b"), None, 0)

    def values(how):
        return Reordered(how, (1, 2)).values(original, "prompt", 0, context)

    assert torch.equal(values("reverse"), original.flip(1))
    assert torch.equal(values("first"), original[:, :1].expand(-1, 4, -1))
    for example, row, moved in zip(("a", "b"), original, values("permute"), strict=True):
        assert torch.equal(moved, row[order_of("permute", 4, example, 0)])


def test_without_recorded_latents_there_is_nothing_to_order():
    with pytest.raises(UserError, match="no recorded latents"):
        Reordered("reverse", (1, 2)).values(
            torch.zeros(1, 1, 3), "latent_text", 0, Context(("a",), None, 0)
        )

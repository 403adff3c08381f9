import pytest
import torch

from latentlab.mediation.distance import Spread, aligned, cosine_distance, overlap, scaled_distance


def test_equal_vectors_are_exactly_no_distance_apart():
    torch.manual_seed(0)
    z = torch.randn(50, 7) * 1e3
    spread = Spread.of(z)
    assert (cosine_distance(z, z.clone()) == 0).all()
    assert (cosine_distance(z, z.clone(), spread.mean) == 0).all()
    assert (scaled_distance(z, z.clone(), spread.std) == 0).all()
    constant = z[:1].expand(50, -1)  # no spread at all, and zero once centred
    nothing = Spread.of(constant)
    assert (cosine_distance(constant, constant.clone(), nothing.mean) == 0).all()
    assert (scaled_distance(constant, constant.clone(), nothing.std) == 0).all()
    assert scaled_distance(constant, constant + 1, torch.zeros(7)).isinf().all()


def test_distances_follow_their_formulas():
    before, after = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    assert cosine_distance(before, after).item() == pytest.approx(1)
    assert cosine_distance(before, -before).item() == pytest.approx(2)
    centre = torch.tensor([3.0, 2.0])
    assert cosine_distance(before, after, centre).item() == pytest.approx(1)
    std = torch.tensor([1.0, 4.0])
    assert scaled_distance(before, after, std).item() == pytest.approx(((9 + 0.25) / 2) ** 0.5)


def test_unrelated_examples_are_root_two_apart():
    torch.manual_seed(1)
    z = 5 + torch.randn(4000, 3, 16) * torch.rand(3, 16)
    moved = scaled_distance(z[:2000], z[2000:], Spread.of(z).std)
    assert moved.square().mean().sqrt().item() == pytest.approx(2**0.5, abs=0.02)


def test_a_spread_needs_two_examples():
    with pytest.raises(ValueError, match="two"):
        Spread.of(torch.ones(1, 3))


def test_picks_are_compared_as_sets_without_padding():
    before = torch.tensor([[1, 2], [3, 4], [-1, 5], [6, 6]])
    after = torch.tensor([[2, 1], [4, 9], [-1, 5], [6, 6]])
    kept, jaccard = overlap(before, after)
    assert kept.tolist() == pytest.approx([1, 0.5, 1, 1])
    assert jaccard.tolist() == pytest.approx([1, 1 / 3, 1, 1])


def test_vectors_are_aligned_by_patch():
    before, after = torch.tensor([[7, 8, -1]]), torch.tensor([[9, 7, -1]])
    vectors = torch.tensor([[[90.0], [70.0], [0.0]]])
    moved, stays = aligned(before, after, vectors)
    assert stays.tolist() == [[True, False, False]]
    assert moved[0, 0].item() == 70

"""Products by oneDNN are those of PyTorch's own layers, and leave models what they are."""

import copy

import pytest
import torch
from torch import nn

from latentlab.backbones import products
from latentlab.backbones.products import quickened, slowed


@pytest.fixture
def calls(monkeypatch):
    """What was multiplied fast, by shape; two thousand multiplications are few."""
    monkeypatch.setattr(products, "FEW", 2000)
    seen = []
    product = products._product

    def noting(input, weight, bias):
        seen.append(tuple(input.shape))
        return product(input, weight, bias)

    monkeypatch.setattr(products, "_product", noting)
    return seen


@torch.no_grad()
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(17, 24), (3, 40, 24), (2, 3, 5, 24), (64, 24)])
def test_products_are_those_of_the_plain_layer(calls, bias, shape):
    plain = nn.Linear(24, 50, bias=bias)
    fast = quickened(copy.deepcopy(plain))
    input = torch.randn(*shape)
    exact = copy.deepcopy(plain).double()(input.double())
    torch.testing.assert_close(fast(input), exact.float(), atol=1e-5, rtol=1e-5)
    turned = torch.randn(24, 40).T  # not in one piece
    torch.testing.assert_close(fast(turned), plain(turned), atol=1e-5, rtol=1e-5)
    assert calls == [shape, (40, 24)]


@torch.no_grad()
def test_patches_are_embedded_as_by_the_convolution(calls):
    plain = nn.Conv3d(3, 20, kernel_size=(2, 4, 4), stride=(2, 4, 4), bias=False)
    fast = quickened(copy.deepcopy(plain))
    patches = torch.randn(30, 3, 2, 4, 4)
    torch.testing.assert_close(fast(patches), plain(patches), atol=1e-5, rtol=1e-5)
    assert calls == [(30, 96)]
    larger = torch.randn(5, 3, 4, 8, 8)
    assert torch.equal(fast(larger), plain(larger)) and len(calls) == 1


def test_what_is_differentiated_or_of_another_precision_is_left_alone(calls):
    plain = nn.Linear(24, 50)
    fast = quickened(copy.deepcopy(plain))
    input = torch.randn(40, 24)
    fast(input).sum().backward()
    plain(input).sum().backward()
    assert torch.equal(fast.weight.grad, plain.weight.grad)
    with torch.no_grad():
        half, few = input.bfloat16(), input[:1]
        assert torch.equal(fast.bfloat16()(half), plain.bfloat16()(half))
        assert torch.equal(fast.float()(few), plain.float()(few))
    assert calls == []


def test_a_model_stays_what_it_is():
    class Own(nn.Linear):
        pass

    model = nn.Sequential(nn.Linear(4, 4), Own(4, 4), nn.Sequential(nn.Conv3d(3, 4, 2)))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fast = quickened(model)
    assert fast is model and type(model[1]) is Own
    assert all(isinstance(model[i], nn.Linear) for i in (0, 1))
    assert [type(m) for m in slowed(copy.deepcopy(fast)).modules()][1:] == [
        nn.Linear,
        Own,
        nn.Sequential,
        nn.Conv3d,
    ]
    for name, value in fast.state_dict().items():
        assert torch.equal(value, before[name])


def test_every_layer_of_a_backbone_is_multiplied_fast(reasoner, examples, calls):
    kinds = {type(module) for module in reasoner.backbone.model.modules()}
    assert nn.Linear not in kinds and products.Linear in kinds
    with torch.no_grad():
        reasoner.rollout().prefill(reasoner.batch(examples))
    assert len(calls) > 7 * reasoner.backbone.n_layers - 1

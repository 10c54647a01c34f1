"""A convolution of few places as one dense product, against the library's convolution."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from samoyed.layers.convolution import Convolution
from samoyed.layers.small_maps import convolve_densely, convolve_gathered


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator).requires_grad_()


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 2), (2, 1), (2, 4), (3, 3), (4, 4), (7, 2)])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("convolve", [convolve_densely, convolve_gathered])
def test_values_and_gradients_are_the_librarys(size, kernel, convolve):
    maps, bias = drawn(3, 4, *size), drawn(5, seed=2)
    weight = drawn(5, 4, kernel, kernel, seed=1)
    direction = drawn(3, 5, *size, seed=3).detach()
    found = convolve(maps, weight, bias)
    expected = F.conv2d(maps, weight, bias, padding=kernel // 2)
    torch.testing.assert_close(found, expected)
    ours = torch.autograd.grad(found, (maps, weight, bias), direction)
    theirs = torch.autograd.grad(expected, (maps, weight, bias), direction)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_the_layer_is_a_convolution_with_its_weights():
    torch.manual_seed(0)
    ours, theirs = Convolution(4, 5, 3), nn.Conv2d(4, 5, 3, padding=1)
    theirs.load_state_dict(ours.state_dict())
    for side in (1, 2, 3, 4, 5):
        maps = torch.randn(2, 4, side, side)
        torch.testing.assert_close(ours(maps), theirs(maps))
        torch.testing.assert_close(ours.eval()(maps), theirs(maps))
        ours.train()


@pytest.mark.parametrize("side", [2, 4])
def test_in_bfloat16_it_is_close(side):
    torch.manual_seed(0)
    layer = Convolution(64, 32, 3)
    maps = torch.randn(8, 64, side, side)
    exact = F.conv2d(maps.double(), layer.weight.double(), layer.bias.double(), padding=1)
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(maps)
    assert found.dtype == torch.bfloat16
    assert (found.double() - exact).abs().max() < 0.02 * exact.abs().max()

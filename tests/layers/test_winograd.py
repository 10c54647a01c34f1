"""Convolutions by tiles, against the library's convolution and the matrices that are printed."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from samoyed.layers import convolution, winograd
from samoyed.layers.convolution import Convolution
from samoyed.layers.winograd import convolve_in_tiles, pays, transforms


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator).requires_grad_()


def test_the_matrices_are_those_of_the_paper():
    """Lavin & Gray 2016, section 4.3."""
    a, g, b = transforms()
    assert a.tolist() == [
        [1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1],
    ]  # fmt: skip
    assert b.tolist() == [
        [4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1],
    ]  # fmt: skip
    np.testing.assert_allclose(
        g * 24,
        [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]],
    )


def test_four_places_take_six_products():
    weights, places = np.array([2.0, -3.0, 5.0]), np.arange(6.0) ** 2
    a, g, b = transforms()
    found = a @ ((g @ weights) * (b @ places))
    np.testing.assert_allclose(found, np.correlate(places, weights, "valid"))


@pytest.mark.parametrize("size", [(4, 4), (8, 4), (3, 3), (1, 1), (5, 7), (9, 6)])
@pytest.mark.parametrize("is_channels_last", [False, True])
def test_values_and_gradients_are_the_librarys(size, is_channels_last):
    maps, weight, bias = drawn(3, 4, *size), drawn(5, 4, 3, 3, seed=1), drawn(5, seed=2)
    order = torch.channels_last if is_channels_last else torch.contiguous_format
    laid, kernels = maps.contiguous(memory_format=order), weight.contiguous(memory_format=order)
    direction = drawn(3, 5, *size, seed=3).detach().contiguous(memory_format=order)
    found = convolve_in_tiles(laid, kernels, bias)
    expected = F.conv2d(maps, weight, bias, padding=1)
    torch.testing.assert_close(found, expected)
    ours = torch.autograd.grad(found, (maps, weight, bias), direction)
    theirs = torch.autograd.grad(expected, (maps, weight, bias), direction)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_without_bias_and_without_a_gradient_for_the_maps():
    maps, weight = drawn(2, 3, 6, 6).detach(), drawn(4, 3, 3, 3, seed=1)
    found = convolve_in_tiles(maps, weight, None)
    [ours] = torch.autograd.grad(found.square().sum(), weight)
    expected = F.conv2d(maps, weight, padding=1)
    [theirs] = torch.autograd.grad(expected.square().sum(), weight)
    torch.testing.assert_close(ours, theirs)


def test_a_second_derivative_is_refused():
    maps, weight = drawn(2, 3, 4, 4), drawn(4, 3, 3, 3, seed=1)
    out = convolve_in_tiles(maps, weight, None).square().sum()
    [first] = torch.autograd.grad(out, maps, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.square().sum().backward()


def test_in_float32_errors_are_small():
    maps, weight = drawn(8, 96, 8, 8).detach(), drawn(64, 96, 3, 3, seed=1).detach()
    found = convolve_in_tiles(maps.float(), weight.float(), None)
    exact = F.conv2d(maps, weight, padding=1)
    assert (found - exact).abs().max() < 1e-4 * exact.abs().max()


@pytest.fixture
def calls(monkeypatch):
    """Count how often maps are convolved by tiles."""
    found = []

    def counted(*given):
        found.append(given)
        return convolve_in_tiles(*given)

    monkeypatch.setattr(convolution, "convolve_in_tiles", counted)
    return found


def test_the_layer_takes_tiles_where_they_pay_and_only_in_training(calls):
    torch.manual_seed(0)
    ours, theirs = (
        Convolution(128, 128, 3, bias=False),
        nn.Conv2d(128, 128, 3, padding=1, bias=False),
    )
    theirs.load_state_dict(ours.state_dict())
    maps = torch.randn(32, 128, 8, 8)
    torch.testing.assert_close(ours(maps), theirs(maps), atol=1e-4, rtol=1e-4)
    assert len(calls) == 1
    torch.testing.assert_close(ours.eval()(maps), theirs(maps))
    assert len(calls) == 1


def test_in_bfloat16_sums_stay_plain(calls):
    with torch.autocast("cpu", torch.bfloat16):
        Convolution(128, 128, 3)(torch.randn(32, 128, 8, 8))
    assert not calls


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((32, 8, 8, 128, 128), True),
        ((32, 8, 8, 64, 128), False),  # few maps
        ((8, 4, 4, 512, 512), False),  # few tiles
        ((64, 5, 5, 256, 256), False),  # 25 of 64 places
        ((64, 7, 7, 256, 256), True),
    ],
)
def test_where_it_pays(asked, expected):
    assert pays(*asked) is expected


def test_one_that_steps_is_left_to_the_library(calls):
    layer, maps = Convolution(128, 128, 3, stride=2), torch.randn(32, 128, 8, 8)
    expected = F.conv2d(maps, layer.weight, layer.bias, stride=2, padding=1)
    torch.testing.assert_close(layer(maps), expected)
    assert not calls


def test_a_kernel_of_another_size_is_left_to_the_library(calls):
    Convolution(128, 128, 5)(torch.randn(32, 128, 8, 8))
    assert not calls
    assert winograd.TAPS == 3

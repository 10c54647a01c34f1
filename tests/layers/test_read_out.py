"""A read-out with its bias among the weights gives what nn.Linear does."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from samoyed.layers.read_out import MANY_SYMBOLS, ReadOut


def _found(layer: nn.Linear, x: torch.Tensor, pull: torch.Tensor) -> list[torch.Tensor]:
    """Return the logits and the gradients of input, weights and bias, in bfloat16 products."""
    x = x.clone().requires_grad_(True)
    with torch.autocast("cpu", torch.bfloat16):
        logits = layer(x)
    logits.backward(pull)
    assert x.grad is not None
    before_the_view = type(logits.grad_fn.next_functions[0][0]).__name__
    assert (before_the_view == "_ProductBackward") == isinstance(layer, ReadOut)
    return [logits, x.grad, layer.weight.grad, layer.bias.grad]  # type: ignore[list-item]


@pytest.mark.parametrize("shape", [(3, 4), (7,)])
@pytest.mark.parametrize("inputs", [33, 64])
def test_it_is_a_linear_layer(shape, inputs):
    torch.manual_seed(inputs)
    layer = ReadOut(inputs, MANY_SYMBOLS + 1)
    usual = nn.Linear(inputs, MANY_SYMBOLS + 1)
    usual.load_state_dict(copy.deepcopy(layer.state_dict()))
    x = torch.randn(*shape, inputs)
    pull = torch.randn(*shape, MANY_SYMBOLS + 1).bfloat16()
    for found, expected in zip(_found(layer, x, pull), _found(usual, x, pull), strict=True):
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        error = (found.double() - expected.double()).norm() / expected.double().norm()
        assert error < 4e-3  # a step of bfloat16


def test_its_products_are_its_own_only_in_a_narrower_format(monkeypatch):
    """Else nothing would be won: in float32 the usual layer is used."""
    monkeypatch.setattr("samoyed.layers.read_out._Product.apply", lambda *_: pytest.fail("used"))
    layer = ReadOut(5, MANY_SYMBOLS)
    x = torch.randn(2, 5)
    torch.testing.assert_close(layer(x), x @ layer.weight.t() + layer.bias)
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        assert layer(x).dtype == torch.bfloat16
    with torch.autocast("cpu", torch.bfloat16):
        assert ReadOut(5, MANY_SYMBOLS - 1)(x).dtype == torch.bfloat16
        assert ReadOut(5, MANY_SYMBOLS, bias=False)(x).dtype == torch.bfloat16

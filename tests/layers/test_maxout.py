"""Pairs, their larger one, and who learns."""

from __future__ import annotations

import pytest
import torch

from samoyed.layers.maxout import maxout


def test_the_larger_of_neighbours():
    values = torch.tensor([[1.0, 2.0, -3.0, -4.0], [0.5, 0.5, 9.0, 8.0]], requires_grad=True)
    found = maxout(values)
    assert found.tolist() == [[2.0, -3.0], [0.5, 9.0]]
    found.backward(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert values.grad is not None
    assert values.grad.tolist() == [[0.0, 1.0, 2.0, 0.0], [3.0, 0.0, 4.0, 0.0]]


def test_gradient_is_the_finite_difference():
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(3, 2, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(maxout, values)


def test_an_odd_number_has_no_pairs():
    with pytest.raises(RuntimeError):
        maxout(torch.zeros(2, 5))

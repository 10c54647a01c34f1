"""The simple recurrent net: eq. 2 step by step, the Jacobians of eq. 5, the bound, Omega."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from samoyed.layers.recurrence import (
    Recurrence,
    bound_of,
    decay_rate,
    gradients_at,
    jacobian,
    omega,
    set_spectral_radius,
)

H, D, T = 5, 3, 7


def net(squash: str = "tanh") -> Recurrence:
    torch.manual_seed(0)
    return Recurrence(D, H, squash).double()  # type: ignore[arg-type]


@pytest.mark.parametrize("squash", ["tanh", "sigmoid"])
def test_each_unit_is_the_squashed_sum_of_eq_2(squash: str):
    layer, inputs = net(squash).requires_grad_(False), torch.randn(2, T, D, dtype=torch.float64)
    outputs = layer(inputs).outputs
    for row in range(2):
        h = [0.0] * H
        for t in range(T):
            x = [
                sum(float(layer.weight[i, j]) * h[j] for j in range(H))
                + sum(float(layer.weight_in[i, d] * inputs[row, t, d]) for d in range(D))
                + float(layer.bias[i])
                for i in range(H)
            ]
            h = [math.tanh(v) if squash == "tanh" else 1 / (1 + math.exp(-v)) for v in x]
            assert outputs[t][row].tolist() == pytest.approx(h)


def test_a_cut_gradient_ends_at_the_context_and_the_outputs_stay():
    layer, inputs = net(), torch.randn(1, T, D, dtype=torch.float64, requires_grad=True)
    whole, cut = layer(inputs).outputs[-1], layer(inputs, is_cut=True).outputs[-1]
    assert torch.equal(whole, cut)
    [through] = torch.autograd.grad(whole.sum(), inputs)
    [ended] = torch.autograd.grad(cut.sum(), inputs)
    assert (through[0].norm(dim=1) > 0).all()
    assert (ended[0, :-1] == 0).all()
    assert torch.equal(ended[0, -1], through[0, -1])


@pytest.mark.parametrize("squash", ["tanh", "sigmoid"])
def test_the_product_of_jacobians_is_the_derivative_within_its_bound(squash: str):
    layer, inputs = net(squash), torch.randn(1, T, D, dtype=torch.float64)
    course = layer(inputs)
    for first in range(T):
        rows = [
            torch.autograd.grad(course.sums[-1][0, i], course.sums[first], retain_graph=True)[0][0]
            for i in range(H)
        ]
        held = [h[0].detach() for h in course.outputs]
        found = jacobian(layer.weight.detach(), held, squash, first)  # type: ignore[arg-type]
        assert torch.allclose(found, torch.stack(rows), atol=1e-12)
        largest = float(torch.linalg.matrix_norm(found, 2))
        assert largest <= bound_of(layer.weight, squash, T - 1 - first) * (1 + 1e-9)  # type: ignore[arg-type]


def test_a_spectral_radius_is_set():
    weight = torch.randn(20, 20)
    set_spectral_radius(weight, 0.95)
    assert float(torch.linalg.eigvals(weight).abs().max()) == pytest.approx(0.95, rel=1e-4)


def error_and_course(
    layer: Recurrence, inputs: Tensor
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    course = layer(inputs)
    return course.outputs[-1].square().sum(), course.sums, course.outputs


def omega_by_definition(weight: Tensor, outputs: list[Tensor], gradients: list[Tensor]) -> float:
    """Eq. 9 number by number: W diag(1 - h_k^2) is dx_{k+1} / dx_k."""
    total, num = 0.0, len(outputs[0])
    for row in range(num):
        for k in range(len(outputs) - 1):
            after, h = gradients[k + 1][row], outputs[k][row].detach()
            passed = [
                sum(float(after[i] * weight[i, j]) for i in range(H)) * float(1 - h[j] ** 2)
                for j in range(H)
            ]
            ratio = math.sqrt(sum(p * p for p in passed)) / math.sqrt(
                sum(float(a) ** 2 for a in after)
            )
            total += (ratio - 1) ** 2
    return total / num


def test_omega_is_its_definition_and_its_gradient_that_of_w_alone():
    """By finite differences of the definition, states and dE/dx held fast."""
    layer, inputs = net(), torch.randn(2, T, D, dtype=torch.float64)
    error, sums, outputs = error_and_course(layer, inputs)
    gradients = gradients_at(error, sums)
    for k in range(T - 1):  # what eq. 9 passes back is what autograd finds one step earlier
        slope = 1 - outputs[k].detach() ** 2
        assert torch.allclose(gradients[k], gradients[k + 1] @ layer.weight.detach() * slope)
    found = omega(layer.weight, outputs, gradients, "tanh")
    weight = layer.weight.detach().clone()
    assert float(found.detach()) == pytest.approx(omega_by_definition(weight, outputs, gradients))
    found.backward()
    assert layer.weight_in.grad is None
    assert layer.bias.grad is None
    assert layer.weight.grad is not None
    step = 1e-6
    for i, j in ((0, 0), (1, 3), (4, 2)):
        both = []
        for sign in (1, -1):
            moved = weight.clone()
            moved[i, j] += sign * step
            both.append(omega_by_definition(moved, outputs, gradients))
        slope = (both[0] - both[1]) / (2 * step)
        assert float(layer.weight.grad[i, j]) == pytest.approx(slope, rel=1e-5, abs=1e-8)


def test_omega_is_nothing_where_the_norm_is_kept_and_leaves_out_what_never_arrives():
    rotation = torch.linalg.qr(torch.randn(H, H, dtype=torch.float64)).Q
    still = [torch.zeros(1, H, dtype=torch.float64) for _ in range(T)]  # tanh'(0) = 1
    gradients = [torch.randn(1, H, dtype=torch.float64) for _ in range(T)]
    assert float(omega(rotation, still, gradients, "tanh")) == pytest.approx(0, abs=1e-20)
    assert float(omega(rotation / 2, still, gradients, "tanh")) == pytest.approx((T - 1) / 4)
    nothing = [torch.zeros(1, H, dtype=torch.float64) for _ in range(T)]
    assert float(omega(rotation, still, nothing, "tanh")) == 0


def test_a_decay_rate_is_the_slope_of_the_logarithms():
    assert decay_rate([3 * 0.9**k for k in range(20)]) == pytest.approx(0.9)

"""The cost of stretches beside the paper's, pair by pair, and finite differences."""

from __future__ import annotations

import math

import pytest
import torch

from samoyed.losses.negative_sampling import negative_sampling


def drawn() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = (2, 3, 4), (2, 5, 4), (2, 6, 4)
    made = [torch.randn(*s, generator=generator, dtype=torch.float64) for s in shapes]
    return *made, torch.rand(2, 3, 5, generator=generator) < 0.6


def by_hand(inputs, outputs, noise, is_pair, num_noise) -> float:
    def log_sigmoid(x: float) -> float:
        return -math.log1p(math.exp(-x))

    cost = 0.0
    for g in range(2):
        for i in range(3):
            for o in range(5):
                if is_pair[g, i, o]:
                    cost -= log_sigmoid(float(outputs[g, o] @ inputs[g, i]))
                    mean = sum(log_sigmoid(-float(n @ inputs[g, i])) for n in noise[g]) / 6
                    cost -= num_noise * mean  # what k draws from these words cost on average
    return cost


@pytest.mark.parametrize("num_noise", [1, 5])
def test_is_the_paper_cost_pair_by_pair(num_noise: int):
    made = drawn()
    assert float(negative_sampling(*made, num_noise)) == pytest.approx(by_hand(*made, num_noise))


def test_gradient_is_the_finite_difference():
    *vectors, is_pair = drawn()
    vectors = [v.requires_grad_() for v in vectors]
    assert torch.autograd.gradcheck(lambda *v: 0.3 * negative_sampling(*v, is_pair, 5), vectors)


def test_a_word_without_pairs_costs_and_learns_nothing():
    inputs, outputs, noise, is_pair = drawn()
    is_pair[:] = False
    inputs.requires_grad_()
    cost = negative_sampling(inputs, outputs, noise, is_pair, 5)
    cost.backward()
    assert float(cost.detach()) == 0
    assert float(inputs.grad.abs().max()) == 0

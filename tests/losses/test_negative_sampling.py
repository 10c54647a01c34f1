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
    return *made, (torch.rand(2, 3, 5, generator=generator) < 0.6).double()


def by_hand(inputs, outputs, noise, pairs, num_noise) -> float:
    def log_sigmoid(x: float) -> float:
        return -math.log1p(math.exp(-x))

    cost = 0.0
    for g in range(2):
        for i in range(3):
            for o in range(5):
                if pairs[g, i, o]:
                    cost -= log_sigmoid(float(outputs[g, o] @ inputs[g, i]))
                    mean = sum(log_sigmoid(-float(n @ inputs[g, i])) for n in noise[g]) / 6
                    cost -= num_noise * mean  # what k draws from these words cost on average
    return cost


@pytest.mark.parametrize("num_noise", [1, 5])
def test_is_the_paper_cost_pair_by_pair(num_noise: int):
    inputs, outputs, noise, pairs = drawn()
    cost = negative_sampling(inputs, torch.cat([outputs, noise], dim=1), pairs, num_noise)
    assert float(cost) == pytest.approx(by_hand(inputs, outputs, noise, pairs, num_noise))


def test_gradient_is_the_finite_difference():
    *vectors, pairs = drawn()
    vectors = [v.requires_grad_() for v in vectors]

    def cost(inputs: torch.Tensor, *outputs: torch.Tensor) -> torch.Tensor:
        return 0.3 * negative_sampling(inputs, torch.cat(outputs, dim=1), pairs, 5)

    assert torch.autograd.gradcheck(cost, vectors)


def test_in_bfloat16_cost_and_gradients_are_nearly_the_same_and_float32():
    inputs, outputs, noise, pairs = drawn()
    rows = torch.cat([outputs, noise], dim=1).float()

    def made(is_cast: bool) -> list[torch.Tensor]:
        leaves = [inputs.float().requires_grad_(), rows.clone().requires_grad_()]
        with torch.autocast("cpu", torch.bfloat16, enabled=is_cast):
            cost = negative_sampling(leaves[0], leaves[1], pairs.float(), 5)
        return [cost.detach(), *torch.autograd.grad(cost, leaves)]

    for narrow, wide in zip(made(True), made(False), strict=True):
        assert narrow.dtype == torch.float32
        assert 0 < (narrow - wide).norm() < 0.01 * wide.norm()


def test_a_word_without_pairs_costs_and_learns_nothing():
    inputs, outputs, noise, pairs = drawn()
    pairs[:] = False
    inputs.requires_grad_()
    cost = negative_sampling(inputs, torch.cat([outputs, noise], dim=1), pairs, 5)
    cost.backward()
    assert float(cost.detach()) == 0
    assert float(inputs.grad.abs().max()) == 0


def test_scores_that_are_far_away_cost_what_they_should():
    inputs = torch.tensor([[[100.0, 0.0], [0.0, 30.0]]])
    outputs = torch.tensor([[[1.0, 1.0], [-1.0, 1.0], [1.0, -2.0]]])  # near; noise, noise
    pairs = torch.tensor([[[1.0], [1.0]]])
    cost = negative_sampling(inputs, outputs, pairs, 2.0)
    # scores (100, -100, 100) and (30, 30, -60): noise at 100 costs 100, at 30 costs 30
    assert float(cost) == pytest.approx(130.0, rel=1e-6)

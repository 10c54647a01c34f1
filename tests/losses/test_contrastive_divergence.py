"""Contrastive divergence against the classical update and against the exact gradient."""

import pytest
import torch
from torch.nn import functional as F

from samoyed.layers.boltzmann import RestrictedBoltzmannMachine
from samoyed.losses.contrastive_divergence import contrastive_divergence


def machine_of(num_visible: int, num_hidden: int, weight_std: float) -> RestrictedBoltzmannMachine:
    torch.manual_seed(1)
    machine = RestrictedBoltzmannMachine(num_visible, num_hidden, weight_std).double()
    with torch.no_grad():
        machine.visible_bias.normal_(std=0.5)
        machine.hidden_bias.normal_(std=0.5)
    return machine


def gradient_of(machine: RestrictedBoltzmannMachine, loss: torch.Tensor) -> torch.Tensor:
    gradients = torch.autograd.grad(loss, list(machine.parameters()))
    return torch.cat([g.flatten() for g in gradients])


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    return 1 / (1 + torch.exp(-x))


@torch.no_grad()
def test_gradient_is_the_classical_update_with_the_same_samples():
    machine = machine_of(6, 4, weight_std=1.0)
    W, b, c = machine.parameters()
    v0 = torch.rand(9, 6).double()

    torch.manual_seed(5)
    p0 = sigmoid(v0 @ W.t() + c)
    h0 = (torch.rand(9, 4, dtype=torch.float64) < p0).double()
    p1 = sigmoid(h0 @ W + b)  # the reconstruction: probabilities
    q1 = sigmoid(p1 @ W.t() + c)
    update = (p0.t() @ v0 - q1.t() @ p1) / 9, (v0 - p1).mean(0), (p0 - q1).mean(0)

    torch.manual_seed(5)
    with torch.enable_grad():
        found = gradient_of(machine, contrastive_divergence(machine, v0))
    torch.testing.assert_close(-found, torch.cat([u.flatten() for u in update]))


@torch.no_grad()
def test_two_steps_sample_everything_but_the_last_visible_units():
    machine = machine_of(5, 3, weight_std=1.0)
    W, b, c = machine.parameters()
    v0 = torch.rand(4, 5).double()

    def draw(p):
        return (torch.rand(p.shape, dtype=torch.float64) < p).double()

    torch.manual_seed(6)
    v1 = draw(sigmoid(draw(sigmoid(v0 @ W.t() + c)) @ W + b))
    v2 = sigmoid(draw(sigmoid(v1 @ W.t() + c)) @ W + b)
    expected = (machine.free_energy(v0) - machine.free_energy(v2)).mean()
    torch.manual_seed(6)
    torch.testing.assert_close(contrastive_divergence(machine, v0, num_steps=2), expected)


def test_longer_chains_give_the_gradient_of_the_likelihood():
    machine = machine_of(5, 4, weight_std=1.0)
    data = (torch.rand(6, 5, dtype=torch.float64) < 0.5).double()

    def exact() -> torch.Tensor:
        return machine.free_energy(data).mean() + machine.log_partition()

    learner = torch.optim.SGD(machine.parameters(), lr=0.5)
    for _ in range(60):  # a machine that has learned mixes slowly, and CD-1 is then far off
        learner.zero_grad()
        exact().backward()
        learner.step()
    gradient = gradient_of(machine, exact())
    cosines = []
    for k in (1, 2, 40):
        many = data.repeat(6_000, 1)
        loss = contrastive_divergence(machine, many, num_steps=k, ends_in="samples")
        cosines.append(F.cosine_similarity(gradient_of(machine, loss), gradient, dim=0).item())
    assert cosines[0] < cosines[1] < cosines[2]
    assert cosines[0] < 0.9
    assert cosines[2] > 0.99


def test_at_its_own_distribution_the_machine_does_not_learn():
    machine = machine_of(3, 2, weight_std=0.5)
    start = torch.zeros(20_000, 3).double()
    own = machine.gibbs_chain(machine.hidden_input(start), num_steps=20)
    loss = contrastive_divergence(machine, own, ends_in="samples")
    assert gradient_of(machine, loss).abs().max() < 0.015
    elsewhere = contrastive_divergence(machine, 1 - own, ends_in="samples")
    assert gradient_of(machine, elsewhere).abs().max() > 0.05


def test_nothing_flows_into_the_data_or_through_the_chain():
    machine = machine_of(4, 3, weight_std=1.0)
    data = torch.rand(2, 4, dtype=torch.float64, requires_grad=True)
    contrastive_divergence(machine, data, num_steps=3).backward()
    assert data.grad is None
    assert all(p.grad is not None for p in machine.parameters())


def test_a_chain_needs_a_step():
    machine = machine_of(4, 3, weight_std=1.0)
    with pytest.raises(ValueError, match="at least one"):
        contrastive_divergence(machine, torch.rand(2, 4).double(), num_steps=0)

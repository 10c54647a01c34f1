"""The restricted Boltzmann machine against enumeration of all its states."""

from itertools import product

import numpy as np
import pytest
import torch

from samoyed.layers.boltzmann import RestrictedBoltzmannMachine, all_bits, draw_bits, log_odds


def machine_of(num_visible: int, num_hidden: int, seed: int = 0) -> RestrictedBoltzmannMachine:
    torch.manual_seed(seed)
    machine = RestrictedBoltzmannMachine(num_visible, num_hidden, weight_std=1.0).double()
    with torch.no_grad():
        machine.visible_bias.normal_()
        machine.hidden_bias.normal_()
    return machine


def boltzmann_factor(machine, v, h) -> float:
    """exp(-E) with plain sums over units."""
    W, b, c = (p.detach().numpy() for p in machine.parameters())
    negative_energy = 0.0
    for i, v_i in enumerate(v):
        negative_energy += b[i] * v_i
    for j, h_j in enumerate(h):
        negative_energy += c[j] * h_j
        for i, v_i in enumerate(v):
            negative_energy += h_j * W[j, i] * v_i
    return float(np.exp(negative_energy))


def bits(num_units: int) -> list[tuple[int, ...]]:
    return list(product((0, 1), repeat=num_units))


def test_energy_is_the_sum_over_units_and_pairs():
    machine = machine_of(3, 2)
    for v, h in product(bits(3), bits(2)):
        energy = machine.energy(torch.tensor(v).double(), torch.tensor(h).double())
        assert np.exp(-energy.item()) == pytest.approx(boltzmann_factor(machine, v, h))


@pytest.mark.parametrize("visible", [(0, 1, 1, 0), (1, 1, 1, 1), (0.2, 0.9, 0.5, 0.0)])
def test_free_energy_sums_over_all_hidden_states(visible):
    machine = machine_of(4, 5)
    expected = -np.log(sum(boltzmann_factor(machine, visible, h) for h in bits(5)))
    row = torch.tensor(visible, dtype=torch.float64)
    assert machine(row).item() == pytest.approx(expected, rel=1e-12)
    known = machine.free_energy(row, machine.hidden_input(row))
    assert known.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("num_visible", "num_hidden"), [(5, 3), (3, 5), (4, 4), (1, 1)])
def test_log_partition_sums_over_all_states(num_visible, num_hidden):
    machine = machine_of(num_visible, num_hidden)
    total = sum(
        boltzmann_factor(machine, v, h) for v, h in product(bits(num_visible), bits(num_hidden))
    )
    assert machine.log_partition().item() == pytest.approx(np.log(total), rel=1e-12)


def test_log_partition_is_the_same_in_many_pieces_and_seen_from_either_side():
    machine = machine_of(14, 15)
    mirror = machine_of(15, 14)
    with torch.no_grad():
        mirror.weight.copy_(machine.weight.t())
        mirror.visible_bias.copy_(machine.hidden_bias)
        mirror.hidden_bias.copy_(machine.visible_bias)
    assert machine.log_partition().item() == pytest.approx(mirror.log_partition().item())
    by_visible = torch.logsumexp(-machine(all_bits(14, like=machine.weight)), 0)
    assert machine.log_partition().item() == pytest.approx(by_visible.item())


def test_log_partition_refuses_what_cannot_be_enumerated():
    with pytest.raises(ValueError, match="at most 20 units"):
        RestrictedBoltzmannMachine(30, 21).log_partition()


def test_conditionals_are_ratios_of_sums():
    machine = machine_of(3, 4)
    for v in bits(3):
        weights = {h: boltzmann_factor(machine, v, h) for h in bits(4)}
        on = [sum(w for h, w in weights.items() if h[j]) for j in range(4)]
        expected = np.array(on) / sum(weights.values())
        found = machine.hidden_given(torch.tensor(v).double()).detach().numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    for h in bits(4):
        weights = {v: boltzmann_factor(machine, v, h) for v in bits(3)}
        on = [sum(w for v, w in weights.items() if v[i]) for i in range(3)]
        expected = np.array(on) / sum(weights.values())
        found = machine.visible_given(torch.tensor(h).double()).detach().numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_long_gibbs_chain_forgets_its_start_and_visits_states_as_often_as_they_are_likely():
    machine = machine_of(3, 3)
    with torch.no_grad():
        machine.weight.mul_(0.7)
    states = all_bits(3, like=machine.weight)
    likely = torch.exp(-machine(states) - machine.log_partition())
    assert likely.sum().item() == pytest.approx(1.0)
    start = torch.ones(20_000, 3).double()
    end = machine.gibbs_chain(machine.hidden_input(start), num_steps=25)
    visited = torch.bincount((end @ torch.tensor([4.0, 2.0, 1.0]).double()).long(), minlength=8)
    distance = (visited / len(end) - likely).abs().sum() / 2
    assert distance < 0.02
    assert (torch.eye(8)[7] - likely).abs().sum() / 2 > 0.3  # the start was far away


def test_a_chain_can_end_in_probabilities():
    machine = machine_of(4, 3)
    hidden_input = machine.hidden_input(torch.ones(5, 4).double())
    torch.manual_seed(3)
    hidden = draw_bits(torch.sigmoid(hidden_input))
    torch.manual_seed(3)
    end = machine.gibbs_chain(hidden_input, 1, "probabilities")
    torch.testing.assert_close(end, machine.visible_given(hidden))
    assert not end.requires_grad
    samples = machine.gibbs_chain(hidden_input, 3, "samples")
    assert set(samples.unique().tolist()) <= {0.0, 1.0}
    with pytest.raises(ValueError, match="at least one"):
        machine.gibbs_chain(hidden_input, 0)


def test_gradients_in_double_precision():
    machine = machine_of(4, 3)
    visible = torch.rand(2, 4, dtype=torch.float64, requires_grad=True)

    def free_energy(visible, W, b, c):
        parameters = {"weight": W, "visible_bias": b, "hidden_bias": c}
        return torch.func.functional_call(machine, parameters, (visible,))

    parameters = [p.detach().clone().requires_grad_() for p in machine.parameters()]
    assert torch.autograd.gradcheck(free_energy, (visible, *parameters))


def test_rows_do_not_see_each_other():
    machine = machine_of(6, 5)
    rows = torch.rand(7, 6).double()
    together = machine(rows)
    torch.testing.assert_close(together, torch.stack([machine(row) for row in rows]))
    torch.testing.assert_close(machine(rows.flip(0)), together.flip(0))


def test_bits_are_drawn_as_often_as_asked():
    torch.manual_seed(0)
    wanted = torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0])
    found = draw_bits(wanted.expand(20_000, 5)).mean(0)
    assert found[0] == 0
    assert found[4] == 1
    torch.testing.assert_close(found, wanted, atol=0.012, rtol=0)


def test_log_odds_undo_the_sigmoid_and_stay_finite():
    p = torch.tensor([0.1, 0.5, 0.8])
    torch.testing.assert_close(torch.sigmoid(log_odds(p)), p)
    assert log_odds(torch.tensor([0.0, 1.0])).tolist() == pytest.approx(
        [np.log(0.01 / 0.99), np.log(0.99 / 0.01)], rel=1e-5
    )

"""Separate perceptrons: hand counts, slow references, and members that know nothing of others."""

import numpy as np
import pytest
import torch

from samoyed.core.spec import Column, TableSpec
from samoyed.layers.separate_perceptrons import (
    SeparatePerceptrons,
    columns_of,
    fewer,
    relevance,
)

SPEC = TableSpec(
    (
        Column("x", "number", edges=(-1.0, 0.0, 0.5, 2.0)),
        Column("y", "number", has_missing=True, edges=(0.0, 1.0)),
        Column("k", "category", categories=("a", "b", "c")),
        Column("m", "molecule", num_bits=4),
    )
)
COLUMNS = [0, 1, 1, 2, 3, 4, 5, *[0] * 3, *[1] * 3, *[6] * 4]


def rows(num=16, seed=1):
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randn(num, 2, generator=generator)
    bits = torch.randint(2, (num, 5), generator=generator).float()
    letters = torch.randint(4, (num, 1), generator=generator).float()
    return torch.cat([numbers, bits, letters], dim=1)


def net_for(width=6, num_pieces=3, depth=1, num_factors=0):
    torch.manual_seed(0)
    net = SeparatePerceptrons(SPEC, 4, width, 2, num_pieces, depth=depth, num_factors=num_factors)
    net.fit(rows(50))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_()
    return net


def test_number_of_parameters_by_hand():
    features, columns, width, answers = len(COLUMNS), 7, 6, 2
    each = columns + features * answers + answers + (features + 1) * width + width * answers
    assert sum(p.numel() for p in net_for().parameters()) == 4 * each
    deep = net_for(depth=3, num_factors=5)
    each += 2 * (width + 1) * width + (features + answers) * 5
    assert sum(p.numel() for p in deep.parameters()) == 4 * each
    assert columns_of(SPEC, 3).tolist() == COLUMNS


def test_features_are_numbers_bits_pieces_and_categories_standardised():
    net = net_for()
    learned, row = rows(50), rows()[3]
    x, k = row[0].item(), row[-1].item()
    reached = [x + 1 if x < 0 else 1.0, min(max(x / 0.5, 0), 1), max((x - 0.5) / 1.5, 0)]
    found = net.features(row[None])[0]
    raw = net._raw(learned)
    wanted = torch.tensor([*row[:-1], *reached, row[1], 0, 0, *[float(k == v) for v in range(4)]])
    spread = raw.std(0)
    wanted = torch.where(spread > 0, (wanted - raw.mean(0)) / spread.clamp(min=0.02), 0.0)
    torch.testing.assert_close(found, wanted.clamp(-5, 5))
    torch.testing.assert_close(
        net.features(learned)[:, 0].mean(), torch.tensor(0.0), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("num_factors", [0, 3])
@pytest.mark.parametrize(("width", "depth"), [(0, 1), (6, 1), (6, 3)])
def test_every_member_follows_the_equations(width, depth, num_factors):
    net = net_for(width, 3, depth, num_factors).eval()
    x = net.features(rows())
    found = net.members(rows())
    for m in range(4):
        seen = x * net.gate[m][torch.tensor(COLUMNS)]
        wanted = seen @ net.straight[m] + net.bias[m]
        if width:
            state = torch.relu(seen @ net.first[m] + net.first_bias[m])
            for weight, bias in zip(net.inner, net.inner_bias, strict=True):
                state = torch.relu(state @ weight[m] + bias[m])
            wanted = wanted + state @ net.last[m]
        if num_factors:
            wanted = wanted + products_of_pairs(seen, net.factors[m]) @ net.of_products[m]
        torch.testing.assert_close(found[:, m], wanted, rtol=1e-4, atol=1e-4)


def products_of_pairs(seen, factors):
    """Return every two features' products, one after the other."""
    found = torch.zeros(len(seen), factors.shape[1])
    for i in range(len(factors)):
        for j in range(i):
            found += 2 * (seen[:, i] * seen[:, j])[:, None] * factors[i] * factors[j]
    return found


def test_rows_of_their_own_are_answered_as_by_each_member_alone():
    net = net_for().eval()
    x = torch.stack([net.features(rows(5, seed=m)) for m in range(4)], dim=1)
    found = net(x).values.view(5, 4, 2)
    for m in range(4):
        torch.testing.assert_close(found[:, m], net.members(rows(5, seed=m))[:, m])


def test_a_member_is_not_moved_by_the_loss_of_another():
    net = net_for().train()
    net.members(rows())[:, 1].square().sum().backward()
    for parameter in net.parameters():
        assert parameter.grad[1].abs().sum() > 0
        assert parameter.grad[[0, 2, 3]].abs().sum() == 0


def test_gates_open_for_columns_that_tell_of_the_answers():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(400, 3, generator=generator)
    answers = torch.stack([x[:, 0] + 0.1 * x[:, 2], -x[:, 0]], dim=1)
    gates = relevance(x, answers, torch.tensor([0, 1, 0]), 2)
    correlations = np.corrcoef(torch.cat([x, answers], 1).numpy().T)[:3, 3:]
    explained = np.square(correlations).sum(1)
    best = np.array([max(explained[0], explained[2]), explained[1]])
    wanted = np.maximum(np.sqrt(best / best.max()), 0.1)
    wanted /= np.sqrt(np.mean(wanted**2))
    np.testing.assert_allclose(gates.numpy(), wanted, rtol=1e-4)
    assert gates[0] > 5 * gates[1]


def test_members_open_their_gates_by_their_own_rows_alone():
    net = net_for()
    features, answers = net.features(rows(50)), torch.randn(50, 1)
    is_learned = torch.ones(50, 4, dtype=torch.bool)
    is_learned[:20, 1] = False
    net.open_gates(features, answers, is_learned)
    before = net.gate.detach().clone()
    features[:20] = torch.randn(20, features.shape[1])
    net.open_gates(features, answers, is_learned)
    assert torch.equal(net.gate[1], before[1])
    assert not torch.equal(net.gate[0], before[0])


def test_few_bounds_stay_and_many_become_quantiles():
    assert fewer((0.0, 1.0, 5.0), 8) == (0.0, 1.0, 5.0)
    assert fewer(tuple(float(i) for i in range(17)), 4) == (0.0, 4.0, 8.0, 12.0, 16.0)


@pytest.mark.parametrize("num_pieces", [0, 3])
def test_no_buffer_is_a_view_of_another(num_pieces):
    """Of no pieces the bounds are empty: as views of one tensor, torch.export cannot save them."""
    for buffer in net_for(num_pieces=num_pieces).buffers():
        assert buffer.untyped_storage().nbytes() == buffer.numel() * buffer.element_size()

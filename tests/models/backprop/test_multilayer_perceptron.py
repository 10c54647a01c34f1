"""The multilayer perceptron: sizes, slow references, its penalty, both kinds of data."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.spec import Column, ImageSpec, LabelSpec, TableSpec, TargetSpec
from samoyed.layers.flat_inputs import FlatInputs
from samoyed.models.backprop.multilayer_perceptron import (
    UNITS,
    Config,
    accepts,
    build,
    penalised,
    spread_of,
)

PICTURES = ImageSpec(1, 28, 28)
DIGITS = LabelSpec(tuple("0123456789"))
TABLE = TableSpec(
    (
        Column("x", "number", has_missing=True),
        Column("k", "category", categories=("a", "b")),
        Column("m", "molecule", num_bits=3),
        Column("j", "category", categories=("c",)),
    )
)
SMALL = Config(hidden_sizes=(20, 12), sparsity=0.0)


def rows(num=16):
    generator = torch.Generator().manual_seed(1)
    numbers = torch.randn(num, 5, generator=generator)
    k = torch.randint(3, (num, 1), generator=generator).float()
    j = torch.randint(2, (num, 1), generator=generator).float()
    return torch.cat([numbers, k, j], dim=1)


def net_for(config=SMALL, spec=TABLE, target=None):
    torch.manual_seed(0)
    return build(config, spec, target or TargetSpec("classes", ("t",), ("p", "q", "r")))


def test_the_papers_network_has_as_many_parameters_as_counted_by_hand():
    net = build(Config(), PICTURES, DIGITS)
    assert sum(p.numel() for p in net.parameters()) == 785_000 + 2 * 1_001_000 + 10_010


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("num", [1, 5])
def test_shapes_for_pictures_and_tables(unit, num):
    config = Config(hidden_sizes=(20, 12), unit=unit)
    pictures = net_for(config, ImageSpec(3, 8, 6), DIGITS)(torch.rand(num, 3, 8, 6))
    assert pictures.values.shape == (num, 10)
    assert net_for(config)(rows(num)).values.shape == (num, 3)
    assert accepts(config, ImageSpec(4, 100, 200)) == ImageSpec(1, 16, 32)


@pytest.mark.parametrize("unit", UNITS)
def test_the_forward_pass_by_hand(unit):
    net = net_for(Config(hidden_sizes=(4, 3), unit=unit, sparsity=0.0))
    reference = {
        "rectifier": lambda a: max(0.0, a), "softplus": lambda a: math.log1p(math.exp(a)),
        "tanh": math.tanh, "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
    }[unit]  # fmt: skip
    inputs = rows(2)
    found = net(inputs).values
    for b in range(2):
        k, j = int(inputs[b, 5]), int(inputs[b, 6])
        h = [*inputs[b, :5].tolist(), *(float(i == k) for i in range(3)),
             *(float(i == j) for i in range(2))]  # fmt: skip
        for layer in net.hidden:
            weight, bias = layer.weight.tolist(), layer.bias.tolist()
            h = [reference(sum(w * x for w, x in zip(row, h, strict=True)) + c)
                 for row, c in zip(weight, bias, strict=True)]  # fmt: skip
        weight, bias = net.answers.weight.tolist(), net.answers.bias.tolist()
        wanted = [sum(w * x for w, x in zip(row, h, strict=True)) + c
                  for row, c in zip(weight, bias, strict=True)]  # fmt: skip
        np.testing.assert_allclose(found[b].tolist(), wanted, rtol=1e-4, atol=1e-5)


def test_the_penalty_is_the_gradient_of_the_mean_sum_of_absolute_activations():
    h = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(4, dtype=torch.float64)
    (penalised(h, 0.3) @ weights).sum().backward()
    found, h.grad = h.grad, None
    ((h @ weights).sum() + 0.3 * h.abs().sum() / 6).backward()
    torch.testing.assert_close(found, h.grad)
    assert torch.equal(penalised(h, 0.3), h)


def test_a_penalty_makes_more_units_zero():
    def share_of_zeros(sparsity):
        net = net_for(Config(hidden_sizes=(64, 64), sparsity=sparsity))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        targets = torch.arange(16) % 3
        for _ in range(150):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(rows()).values, targets).backward()
            optimizer.step()
        return float(torch.cat(net.activations(rows())).eq(0).float().mean())

    assert share_of_zeros(0.02) > share_of_zeros(0.0) + 0.1


def test_initial_weights_keep_the_spread_of_the_unit():
    for unit in UNITS:
        net = net_for(Config(hidden_sizes=(300,), unit=unit), ImageSpec(1, 10, 10), DIGITS)
        bound = spread_of(unit, 100, 300)
        weight = net.hidden[0].weight
        assert weight.abs().max() <= bound
        assert float(weight.detach().std()) == pytest.approx(bound / 3**0.5, rel=0.02)
        assert not net.hidden[0].bias.any()


def test_flat_inputs_of_a_picture_keep_their_order():
    pictures = torch.rand(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    flat = FlatInputs(ImageSpec(3, 4, 5))
    assert flat.width == 60
    assert torch.equal(flat(pictures)[1], torch.stack(
        [pictures[1, c, y, x] for c in range(3) for y in range(4) for x in range(5)]
    ))  # fmt: skip


def test_learns_sixteen_rows_by_heart():
    net = net_for(Config(hidden_sizes=(64, 64), sparsity=0.0))
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for _ in range(120):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(rows()).values, torch.arange(16) % 3)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.02


def test_saved_and_loaded_it_answers_bit_for_bit_the_same(tmp_path):
    net, other = net_for(), build(SMALL, TABLE, TargetSpec("classes", ("t",), ("p", "q", "r")))
    torch.save(net.state_dict(), tmp_path / "net.pt")
    other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    assert torch.equal(net(rows()).values, other(rows()).values)
    torch.testing.assert_close(net(rows()).values[2:3], net(rows()[2:3]).values)

"""The activity network: hand counts, the forward pass by hand, assays with gaps."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.errors import OptionError
from samoyed.core.spec import Column, TableSpec, TargetSpec
from samoyed.losses import tabular
from samoyed.models.science.activity_network import (
    SIZES,
    Config,
    build,
    recommend,
    squeezed,
)
from samoyed.training.checkpoint import own_tensors

MOLECULES = TableSpec((Column("smiles", "molecule", num_bits=1024),))
TABLE = TableSpec((Column("x", "number"), Column("m", "molecule", num_bits=4)))
ASSAYS = TargetSpec("binaries", ("a", "b", "c"), ("0", "1"))
SMALL = Config(hidden_sizes=(8, 6), dropouts=(0.25, 0.1))


def rows(num=16):
    generator = torch.Generator().manual_seed(1)
    bits = torch.randint(2, (num, 4), generator=generator).float()
    return torch.cat([torch.randn(num, 1, generator=generator) * 3, bits], dim=1)


def net_for(config=SMALL, target=ASSAYS):
    torch.manual_seed(0)
    return build(config, TABLE, target)


def test_as_many_parameters_as_counted_by_hand():
    assays = TargetSpec("binaries", tuple("abcdefghijkl"), ("0", "1"))
    net = build(Config(), MOLECULES, assays)
    by_hand = 1025 * 4000 + 4001 * 2000 + 2001 * 1000 + 1001 * 1000 + 1001 * 12
    assert sum(p.numel() for p in net.parameters()) == by_hand == 15_116_012


@pytest.mark.parametrize("num", [1, 5])
def test_shapes_for_every_question(num):
    config = Config(**SIZES["small"])
    for target, width in (
        (ASSAYS, 3), (TargetSpec("number", ("t",)), 1),
        (TargetSpec("classes", ("t",), ("p", "q")), 2),
    ):  # fmt: skip
        assert build(config, TABLE, target)(rows(num)).values.shape == (num, width)


def test_the_forward_pass_by_hand():
    net = net_for().eval()
    found = net(rows(3)).values
    for given, values in zip(rows(3).tolist(), found.tolist(), strict=True):
        h = [math.copysign(math.log(abs(v) + 1), v) for v in given]
        for layer in [*net.hidden, net.answers]:
            weight, bias = layer.weight.tolist(), layer.bias.tolist()
            pairs = zip(weight, bias, strict=True)
            sums = [sum(w * v for w, v in zip(row, h, strict=True)) + b for row, b in pairs]
            h = sums if layer is net.answers else [max(0.0, v) for v in sums]
        np.testing.assert_allclose(values, h, rtol=1e-4, atol=1e-5)


def test_counts_are_squeezed_as_the_paper_does():
    counts = torch.tensor([[0.0, 1.0, 9.0, -9.0]])
    wanted = [0.0, math.log(2), math.log(10), -math.log(10)]
    np.testing.assert_allclose(squeezed(counts)[0], wanted, rtol=1e-6)


def test_units_are_left_out_in_training_in_the_shares_of_each_layer():
    config = Config(hidden_sizes=(2000, 1000), dropouts=(0.25, 0.1))
    net = net_for(config).train()
    shares = []
    for layer in net.hidden:
        nn.init.zeros_(layer.weight)
        nn.init.ones_(layer.bias)
        follower = net.hidden[1] if layer is net.hidden[0] else net.answers
        follower.register_forward_pre_hook(
            lambda module, inputs: shares.append(float((inputs[0] == 0).float().mean()))
        )
    torch.manual_seed(0)
    net(rows())
    assert shares == pytest.approx([0.25, 0.1], abs=0.01)


def test_the_loss_of_all_assays_is_that_of_each_over_the_rows_that_know_it():
    """Exact: the joint, masked loss is the mean of the single assays' losses, by known answers."""
    net = net_for().eval()
    targets = (torch.arange(48).view(16, 3) % 5 < 2).float()
    targets[torch.arange(48).view(16, 3) % 4 == 1] = float("nan")
    values = net(rows()).values
    joint = tabular.masked_binary(values, targets)
    total, count = 0.0, 0
    for t in range(3):
        known = ~targets[:, t].isnan()
        total += nn.functional.binary_cross_entropy_with_logits(
            values[known, t], targets[known, t], reduction="sum"
        ).item()
        count += int(known.sum())
    assert joint.item() == pytest.approx(total / count, rel=1e-5)
    unknown = targets.clone()
    unknown[:, 1] = float("nan")
    (gradient,) = torch.autograd.grad(tabular.masked_binary(values, unknown), [net.answers.weight])
    assert not gradient[1].any()
    assert gradient[0].any()


def test_shares_for_each_layer_are_asked_for_and_time_decides_the_size():
    with pytest.raises(OptionError, match="2 shares"):
        build(Config(hidden_sizes=(8, 6)), TABLE, ASSAYS)
    assert recommend(MOLECULES, 1_000, 3600.0) == "paper"
    assert recommend(MOLECULES, 100_000, 60.0) == "small"


def test_learns_sixteen_rows_by_heart():
    net = net_for(Config(hidden_sizes=(64, 64), dropouts=(0.0, 0.0))).train()
    torch.manual_seed(0)
    inputs = torch.randn(16, 5)
    targets = (torch.arange(48).view(16, 3) % 5 < 2).float()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        loss = tabular.masked_binary(net(inputs).values, targets)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.02


def test_saved_and_loaded_it_answers_bit_for_bit_the_same_and_rows_are_independent():
    net, other = net_for(), build(SMALL, TABLE, ASSAYS)
    other.load_state_dict(own_tensors(net.state_dict()))
    one, two = net.eval()(rows()).values, other.eval()(rows()).values
    assert torch.equal(one, two)
    torch.testing.assert_close(one[2:3], net(rows()[2:3]).values)

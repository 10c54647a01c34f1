"""The dropout network: hand counts, what thinning means exactly, and bounded norms."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.batch import Batch
from samoyed.core.spec import Column, ImageSpec, LabelSpec, TableSpec, TargetSpec
from samoyed.core.stage import Stage
from samoyed.models.backprop.dropout_network import (
    Config,
    bound_norms,
    build,
    stages,
    thinned,
)
from samoyed.training.loop import train

DIGITS = LabelSpec(tuple("0123456789"))
SMALL = Config(hidden_sizes=(32, 32))


def net_for(config=SMALL):
    torch.manual_seed(0)
    return build(config, ImageSpec(1, 4, 4), DIGITS)


def pictures(num=16):
    return torch.rand(num, 1, 4, 4, generator=torch.Generator().manual_seed(1))


def test_the_papers_network_has_as_many_parameters_as_counted_by_hand():
    net = build(Config(), ImageSpec(1, 28, 28), DIGITS)
    by_hand = 785 * 1024 + 2 * 1025 * 1024 + 1025 * 10
    assert sum(p.numel() for p in net.parameters()) == by_hand == 2_913_290


@pytest.mark.parametrize("num", [1, 5])
def test_shapes_for_pictures_and_tables(num):
    assert net_for()(pictures(num)).values.shape == (num, 10)
    table = TableSpec((Column("x", "number"), Column("k", "category", categories=("a", "b"))))
    net = build(SMALL, table, TargetSpec("number", ("t",)))
    assert net(torch.tensor([[0.5, 2.0]] * num)).values.shape == (num, 1)


def test_thinning_keeps_the_mean_and_the_share():
    torch.manual_seed(0)
    x = torch.full((200, 500), 3.0)
    kept = thinned(x, 0.8, True)
    assert float((kept > 0).float().mean()) == pytest.approx(0.8, abs=0.005)
    assert float(kept.mean()) == pytest.approx(3.0, abs=0.02)
    assert torch.equal(thinned(x, 0.8, False), x)
    torch.testing.assert_close(kept[kept > 0], torch.full_like(kept[kept > 0], 3.0 / 0.8))


def test_one_softmax_layer_without_gaps_is_the_geometric_mean_of_all_thinned_ones():
    """Section 4 and Baldi & Sadowski 2013: exact for one layer, p = 1/2, over all 2^n masks."""
    rng = np.random.default_rng(0)
    weight, x = rng.normal(size=(3, 8)), rng.normal(size=8)
    logs = []
    for mask in itertools.product([0, 1], repeat=8):
        z = weight @ (np.array(mask) * x)
        logs.append(z - np.log(np.exp(z).sum()))
    mean = np.exp(np.mean(logs, axis=0))
    whole = np.exp(weight @ x / 2)
    np.testing.assert_allclose(mean / mean.sum(), whole / whole.sum(), rtol=1e-12)


def test_norms_of_the_weights_into_each_unit_are_bounded_after_every_step():
    weight = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    bound_norms(weight, 2.0)
    torch.testing.assert_close(weight, torch.tensor([[1.2, 1.6], [0.3, 0.4]]))

    class Feed:
        def batch(self, step):
            return Batch(pictures(), torch.arange(16) % 10)

    def objective(model, batch):
        return nn.functional.cross_entropy(model(batch.inputs).values, batch.targets)

    net = net_for()
    done = []
    stage = Stage(
        "train", Feed(), objective, lambda m: torch.optim.SGD(m.parameters(), lr=5.0), 5,
        after_step=lambda model, step: done.append(step),
    )  # fmt: skip
    config = Config(hidden_sizes=(32, 32), max_norm=0.5)
    for _ in train(net, stages(net, config, None, stage, 0)):
        for layer in net.hidden:
            assert layer.weight.norm(dim=1).max() <= 0.5 + 1e-5
    assert done == [0, 1, 2, 3, 4]
    assert list(stages(net, Config(max_norm=None), None, stage, 0)) == [stage]


def test_in_evaluation_nothing_is_left_out_and_rows_are_independent():
    net = net_for().eval()
    h = net.flat(pictures())
    for layer in net.hidden:
        h = (h @ layer.weight.T + layer.bias).clamp(min=0)
    wanted = h @ net.answers.weight.T + net.answers.bias
    torch.testing.assert_close(net(pictures()).values, wanted)
    torch.testing.assert_close(net(pictures()).values[2:3], net(pictures()[2:3]).values)


def test_learns_sixteen_pictures_by_heart():
    net = net_for(Config(hidden_sizes=(256, 256), keep_input=1.0, keep_hidden=0.8)).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3)
    targets = torch.arange(16) % 10
    for _ in range(200):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(pictures()).values, targets).backward()
        optimizer.step()
    assert (net.eval()(pictures()).values.argmax(1) == targets).all()


def test_saved_and_loaded_it_answers_bit_for_bit_the_same(tmp_path):
    net, other = net_for(), build(SMALL, ImageSpec(1, 4, 4), DIGITS)
    torch.save(net.state_dict(), tmp_path / "net.pt")
    other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    assert torch.equal(net.eval()(pictures()).values, other.eval()(pictures()).values)

"""The best weights on rows that training does not see are kept, and survive a checkpoint."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from samoyed.core.batch import Batch
from samoyed.training.best_weights import ROWS, BestWeights, on_rows


def squared_error(model: nn.Module, batch: Batch) -> torch.Tensor:
    assert not model.training
    return (model(batch.inputs)[:, 0] - batch.targets).square().mean()


def line_and_rows(num: int = 30) -> tuple[nn.Linear, Batch]:
    net = nn.Linear(2, 1)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([[1.0, 0.0]]))
        net.bias.zero_()
    inputs = torch.randn(num, 2, generator=torch.Generator().manual_seed(0))
    return net, Batch(inputs, inputs[:, 0].clone())


def test_the_best_weights_come_back_also_after_a_restart():
    net, aside = line_and_rows()
    best = BestWeights(net, on_rows(aside, squared_error), every=2)
    best.after_step(net, 0)
    assert not best.best
    best.after_step(net, 1)
    with torch.no_grad():
        net.weight.add_(1.0)
    other = BestWeights(net, on_rows(aside, squared_error), every=2)
    other.load_state_dict(best.state_dict())
    other.after(net)
    assert net.weight.tolist() == [[1.0, 0.0]]
    assert other.best_loss == pytest.approx(0, abs=1e-12)


def test_the_loss_of_many_rows_is_their_mean_and_training_goes_on_as_before():
    net, aside = line_and_rows(2 * ROWS + 7)
    net.train()
    with torch.no_grad():
        net.weight.fill_(0.3)
    found = on_rows(aside, squared_error)(net)
    wanted = (aside.inputs @ torch.tensor([0.3, 0.3]) - aside.targets).square().mean()
    assert found == pytest.approx(float(wanted), rel=1e-5)
    assert net.training


def test_enough_looks_without_a_better_one_bring_the_best_back_and_ask_for_an_end():
    net, aside = line_and_rows()
    best = BestWeights(net, on_rows(aside, squared_error), every=1, patience=2)
    for step in range(3):
        assert not best.is_enough()
        best.after_step(net, step)
        with torch.no_grad():
            net.weight.add_(1.0)
    assert best.is_enough()
    net.load_state_dict(best.best)
    kept = BestWeights(net, on_rows(aside, squared_error), every=1, patience=2)
    kept.load_state_dict(best.state_dict())
    assert kept.is_enough()
    with torch.no_grad():
        net.weight.add_(1.0)
    kept.after_step(net, 3)  # only once are the best weights put in place before the end
    assert net.weight.tolist() == [[2.0, 1.0]]


def test_a_better_look_begins_the_count_anew():
    net, _ = line_and_rows()
    losses = iter([3.0, 4.0, 2.0, 5.0, 2.1, 6.0, 6.0])
    best = BestWeights(net, lambda network: next(losses), every=2, patience=2, margin=0.1)
    found = []
    for step in range(14):
        best.after_step(net, step)
        found.append(best.is_enough())
    assert found == [False] * 13 + [True], "2.1 is about as good as 2.0"
    assert best.best_loss == 2.0

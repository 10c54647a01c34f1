"""The best weights on rows that training does not see are kept, and survive a checkpoint."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from samoyed.core.batch import Batch
from samoyed.training.best_weights import ROWS, BestWeights


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
    best = BestWeights(net, aside, squared_error, every=2)
    best.after_step(net, 0)
    assert not best.best
    best.after_step(net, 1)
    with torch.no_grad():
        net.weight.add_(1.0)
    other = BestWeights(net, aside, squared_error, every=2)
    other.load_state_dict(best.state_dict())
    other.after(net)
    assert net.weight.tolist() == [[1.0, 0.0]]
    assert other.best_loss == pytest.approx(0, abs=1e-12)


def test_the_loss_of_many_rows_is_their_mean_and_training_goes_on_as_before():
    net, aside = line_and_rows(2 * ROWS + 7)
    net.train()
    with torch.no_grad():
        net.weight.fill_(0.3)
    found = BestWeights(net, aside, squared_error, every=1).loss()
    wanted = (aside.inputs @ torch.tensor([0.3, 0.3]) - aside.targets).square().mean()
    assert found == pytest.approx(float(wanted), rel=1e-5)
    assert net.training

"""Descent on rows is torch's plain descent."""

from __future__ import annotations

import torch
from torch import nn

from samoyed.training.optimizers import RowDescent


def test_steps_on_rows_are_those_of_plain_descent():
    tables = [nn.Embedding(7, 3, sparse=True) for _ in range(2)]
    lines = [nn.Linear(3, 1) for _ in range(2)]
    for pair in (tables, lines):
        pair[1].load_state_dict(pair[0].state_dict())
    parameters = [
        [*t.parameters(), *line.parameters()] for t, line in zip(tables, lines, strict=True)
    ]
    ours, usual = RowDescent(parameters[0], 0.3), torch.optim.SGD(parameters[1], lr=0.3)
    rows = torch.tensor([1, 4, 1, 6, 1])  # the same row more than once
    for optimizer, table, line in zip((ours, usual), tables, lines, strict=True):
        for group in optimizer.param_groups:
            group["lr"] = 0.2  # as a schedule does

        def cost(table: nn.Module = table, line: nn.Module = line) -> torch.Tensor:
            loss = line(table(rows)).square().sum()
            loss.backward()
            return loss

        for _ in range(3):
            optimizer.zero_grad()
            assert float(optimizer.step(cost).detach()) > 0
    for one, two in zip(*parameters, strict=True):
        torch.testing.assert_close(one, two)
    assert not torch.equal(tables[0].weight[1], tables[0].weight[4])

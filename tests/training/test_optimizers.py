"""Descent on rows is torch's plain descent, alone and beside the rule of the other parameters."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from samoyed.core.stage import Recipe
from samoyed.training import optimizers
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


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop"])
def test_tables_descend_beside_what_the_recipe_says(name: str):
    torch.manual_seed(0)
    ours = nn.ModuleDict({"table": nn.Embedding(7, 3, sparse=True), "line": nn.Linear(3, 1)})
    usual = deepcopy(ours)
    recipe = Recipe(optimizer=name, learning_rate=0.01, weight_decay=0.1)
    one = optimizers.beside_tables(recipe, ("table.weight",), 0.3)(ours)
    others = [
        optimizers.of(recipe, lambda net: net["line"].parameters())(usual),
        torch.optim.SGD(usual["table"].parameters(), lr=0.3),
    ]

    def cost(net: nn.Module) -> torch.Tensor:
        loss = net["line"](net["table"](torch.tensor([1, 4, 1, 6]))).square().sum()
        loss.backward()
        return loss.detach()

    for step in range(4):
        one.zero_grad()
        found = one.step(lambda: cost(ours))
        usual.zero_grad()
        assert float(cost(usual)) == pytest.approx(float(found), rel=1e-5)
        for optimizer in others:
            optimizer.step()
        if step == 1:  # resumed from what was saved
            saved = one.state_dict()
            one = optimizers.beside_tables(recipe, ("table.weight",), 0.3)(ours)
            one.load_state_dict(saved)
    for mine, theirs in zip(ours.parameters(), usual.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)
    assert not torch.equal(ours["table"].weight[1], ours["table"].weight[4])

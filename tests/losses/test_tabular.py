"""Losses of tables against slow references."""

import math

import numpy as np
import pytest
import torch

from samoyed.losses import tabular


def test_cross_entropy_with_smoothing_and_members():
    torch.manual_seed(0)
    values, targets = torch.randn(5, 3, 4), torch.tensor([0, 3, 1, 1, 2])
    total = 0.0
    for b in range(5):
        for m in range(3):
            logs = values[b, m].log_softmax(0)
            goal = torch.full((4,), 0.2 / 4)
            goal[targets[b]] += 0.8
            total -= float((goal * logs).sum())
    found = tabular.cross_entropy(values, targets, label_smoothing=0.2)
    assert float(found) == pytest.approx(total / 15, rel=1e-5)
    alone = tabular.cross_entropy(values[:, 0], targets)
    assert float(alone) == pytest.approx(
        float(torch.nn.functional.cross_entropy(values[:, 0], targets))
    )


def test_squared_error_with_and_without_members():
    values, targets = torch.tensor([[[1.0], [3.0]], [[0.0], [2.0]]]), torch.tensor([1.0, 1.0])
    assert float(tabular.squared_error(values, targets)) == pytest.approx((0 + 4 + 1 + 1) / 4)
    assert float(tabular.squared_error(values[:, 1], targets)) == pytest.approx((4 + 1) / 2)


def test_masked_binary_counts_only_what_is_known():
    values = torch.tensor([[0.5, -1.0], [2.0, 0.3]])
    targets = torch.tensor([[1.0, math.nan], [0.0, math.nan]])
    p = 1 / (1 + np.exp(-np.array([0.5, 2.0])))
    wanted = -(np.log(p[0]) + np.log(1 - p[1])) / 2
    assert float(tabular.masked_binary(values, targets)) == pytest.approx(wanted, rel=1e-5)
    members = values[:, None].repeat(1, 3, 1)
    assert float(tabular.masked_binary(members, targets)) == pytest.approx(wanted, rel=1e-5)
    assert float(tabular.masked_binary(values, torch.full((2, 2), math.nan))) == 0.0

"""Rates over progress, and optimizers from recipes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from samoyed.core.stage import Recipe
from samoyed.training import optimizers, schedules


def test_cosine_is_torchs_cosine():
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
    for step in range(20):
        assert schedules.cosine(step / 20) == pytest.approx(
            optimizer.param_groups[0]["lr"], abs=1e-9
        )
        optimizer.step()
        theirs.step()


def test_warm_up_rises_to_the_full_rate_and_then_follows_the_shape():
    rate = schedules.of(Recipe(schedule="linear", warmup=0.2))
    assert rate(0.0) < 0.01
    assert rate(0.1) == pytest.approx(0.5)
    assert rate(0.2) == pytest.approx(1.0)
    assert rate(0.6) == pytest.approx(0.5)
    assert schedules.of(Recipe(schedule="constant"))(0.7) == 1.0


@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw", "rmsprop"])
def test_weight_decay_spares_biases(kind: str):
    model = nn.Linear(3, 2)
    built = optimizers.of(Recipe(optimizer=kind, weight_decay=0.1, learning_rate=0.3))(model)
    decay = {id(p): g["weight_decay"] for g in built.param_groups for p in g["params"]}
    assert decay[id(model.bias)] == 0.0
    assert all(g["lr"] == 0.3 for g in built.param_groups)
    assert decay[id(model.weight)] == 0.1


def test_chosen_parameters_only():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    built = optimizers.of(Recipe(), parameters=lambda m: m[1].parameters())(model)
    held = {id(p) for g in built.param_groups for p in g["params"]}
    assert held == {id(p) for p in model[1].parameters()}


def test_cosine_at_a_quarter():
    assert schedules.cosine(0.25) == pytest.approx(0.5 * (1 + math.sqrt(0.5)))

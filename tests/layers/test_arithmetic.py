"""Counting multiplications against hand counts, and choosing by them."""

import torch
from torch import nn

from samoyed.core.spec import ImageSpec
from samoyed.layers.arithmetic import (
    MULTIPLICATIONS_PER_S,
    UNHURRIED_S,
    is_worth_full_size,
    multiplications,
)

SPEC = ImageSpec(3, 12, 10)
# 6 x 5 places, 4 maps, 3 x 3 kernels over 3 maps; the same places, two halves; then all of it.
COUNT = 30 * 4 * 27 + 30 * 8 * 2 * 25 + 30 * 8 * 7


def net():
    with torch.device("meta"):
        return nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(4, 8, 5, padding=2, groups=2),
            nn.Flatten(),
            nn.Linear(240, 7),
        )


def test_convolutions_halves_and_linear_layers_are_counted():
    model = net().train()
    assert multiplications(model, SPEC) == COUNT
    assert multiplications(model, SPEC) == COUNT, "no hook is left behind"
    assert model.training


def test_full_size_is_for_large_pictures_and_enough_time():
    num_train, epochs = 1000, 10
    needed_s = COUNT * num_train * epochs / MULTIPLICATIONS_PER_S
    large, small = ImageSpec(3, 5, 400), ImageSpec(3, 4, 400)

    def is_worth(natural, seconds):
        return is_worth_full_size(net(), SPEC, natural, num_train, seconds, epochs)

    assert is_worth(large, needed_s * 1.01)
    assert not is_worth(large, needed_s * 0.99)
    assert not is_worth(small, needed_s * 100)
    assert is_worth(large, None) == (needed_s <= UNHURRIED_S)

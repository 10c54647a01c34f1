"""The average of weights: real numbers are averaged, whole numbers are those of the last step."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from samoyed.training.averaging import WeightAverage


class Counted(nn.Module):
    """One weight, and the class that each of three words is in."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.register_buffer("classes", torch.tensor([7, 100, 3]))
        self.register_buffer("is_known", torch.tensor([True, False, True]))
        self.register_buffer("mean", torch.zeros(1))


def test_floats_are_averaged_and_whole_numbers_copied():
    model = Counted()
    average = WeightAverage(model, 0.9)
    wanted, wanted_mean = 0.0, 0.0
    for step in range(60):
        model.weight.data.fill_(step)
        model.mean.fill_(-step)
        model.classes.copy_(torch.tensor([7, 100, 3 + step]))
        average.after_step(model, step)
        wanted = step if step == 0 else 0.9 * wanted + 0.1 * step
        wanted_mean = -wanted
    average.after(model)
    assert model.weight.item() == pytest.approx(wanted, rel=1e-5)
    assert model.mean.item() == pytest.approx(wanted_mean, rel=1e-5)
    assert model.classes.tolist() == [7, 100, 62]
    assert model.is_known.tolist() == [True, False, True]


def test_an_average_survives_a_checkpoint():
    one, other = Counted(), Counted()
    average = WeightAverage(one, 0.5)
    for step in range(3):
        one.weight.data.fill_(step)
        average.after_step(one, step)
    again = WeightAverage(other, 0.5)
    again.load_state_dict(average.state_dict())
    one.weight.data.fill_(9)
    average.after_step(one, 3)
    again.after_step(one, 3)
    average.after(one)
    again.after(other)
    assert one.weight.item() == other.weight.item() == 0.5 * 1.25 + 0.5 * 9

"""What torch refuses because of a dial is said as a mistake in the dials."""

from __future__ import annotations

import pytest
import torch

from samoyed.core.errors import OptionError
from samoyed.core.reach import within_reach


def test_more_memory_than_there_is():
    with pytest.raises(OptionError, match="fit into the memory"), within_reach():
        torch.empty(1 << 60)
    with pytest.raises(OptionError, match="fit into the memory"), within_reach():
        torch.empty((1 << 40, 1 << 40))


def test_a_kernel_larger_than_the_picture():
    with pytest.raises(OptionError, match="something of every picture"), within_reach():
        torch.nn.Conv2d(1, 1, 9)(torch.zeros(1, 1, 5, 5))
    with pytest.raises(OptionError, match="something of every picture"), within_reach():
        torch.nn.MaxPool2d(3)(torch.zeros(1, 1, 2, 2))


def test_another_error_is_raised_as_it_is():
    with pytest.raises(RuntimeError, match="shapes"), within_reach():
        torch.zeros(2, 3) @ torch.zeros(2, 3)

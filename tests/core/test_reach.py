"""What torch refuses because of a dial is said as a mistake in the dials."""

from __future__ import annotations

import pytest
import torch

from samoyed.core.errors import OptionError
from samoyed.core.reach import refuse_too_large, within_reach


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


def test_a_model_that_would_not_fit_with_its_moments():
    refuse_too_large(10**9, 16.0)  # 14.9 GiB
    refuse_too_large(10**12, 0.0)  # of a machine that does not tell
    with pytest.raises(OptionError, match=r"1,100,000,000 parameters, which take 16 GiB"):
        refuse_too_large(1_100_000_000, 16.0)

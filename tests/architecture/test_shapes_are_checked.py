"""A wrong shape in a signature fails a test: the import hook of `conftest.py` is at work."""

from __future__ import annotations

import pytest
import torch
from jaxtyping import TypeCheckError

from samoyed.losses.temporal_difference import clipped_error


def test_unequal_shapes_are_refused():
    assert clipped_error(torch.zeros(3), torch.zeros(3)).shape == ()
    with pytest.raises(TypeCheckError):
        clipped_error(torch.zeros(3), torch.zeros(1))

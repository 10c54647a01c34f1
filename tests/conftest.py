"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _plain_arithmetic() -> Iterator[None]:
    """Undo what training in this process asks of the processor, so that order does not matter."""
    yield
    torch.set_flush_denormal(False)

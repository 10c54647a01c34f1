"""What holds for every test: shapes in signatures are checked, and order does not matter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from jaxtyping import install_import_hook

ROOMS = ("data", "decoding", "layers", "losses", "metrics", "models")

install_import_hook([f"samoyed.{room}" for room in ROOMS], "strict_shapes.checked")


@pytest.fixture(autouse=True)
def _plain_arithmetic() -> Iterator[None]:
    """Undo what training in this process asks of the processor."""
    yield
    import torch

    torch.set_flush_denormal(False)

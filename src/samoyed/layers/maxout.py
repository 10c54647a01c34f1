"""The larger of two neighbouring numbers.

Reference: Goodfellow, Warde-Farley, Mirza, Courville & Bengio 2013, Maxout networks (ICML), eq. 1
with two pieces.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable


class _Maxout(torch.autograd.Function):
    """Of the pairs of the last axis; of two alike the first learns."""

    @staticmethod
    def forward(ctx: Any, pairs: Tensor) -> Tensor:
        first, second = pairs.unbind(-1)
        is_first = first >= second
        ctx.save_for_backward(is_first)
        return torch.maximum(first, second)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> Tensor:
        (is_first,) = ctx.saved_tensors
        slopes = upstream.new_empty(*upstream.shape, 2)
        first, second = slopes.unbind(-1)
        torch.mul(upstream, is_first, out=first)
        torch.sub(upstream, first, out=second)
        return slopes


def maxout(values: Float[Tensor, "*N D"]) -> Float[Tensor, "*N M"]:
    """Return max(values[2 j], values[2 j + 1]) for each j.

    Args:
        values: D = 2 M numbers in the last axis.

    Raises:
        RuntimeError: where D is odd.
    """
    found = _Maxout.apply(values.unflatten(-1, (-1, 2)))
    assert isinstance(found, Tensor)
    return found

"""The last linear layer of a net that tells one of very many symbols.

Its product with the bias costs more than it looks: the library first writes the bias into every row
of the result, and on the way back one more pass over all the logits' gradients sums them. Here the
bias is a column of the weights and meets a column of ones, so that the three large products do all.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from samoyed.layers.packed import narrow_type

# N rows, K inputs, V symbols
MANY_SYMBOLS = 3_000
"""Below so many symbols the copies cost more than they save: with one thread and 700 rows of 256
and 650 inputs it took 1.05 and 1.00 times as long with 2,000, 0.98 and 0.95 with 5,000, 0.92 and
0.95 with 10,000 (AMD EPYC, bfloat16)."""

_FILLED = 2
"""Columns more than the inputs: the bias and, so that pairs of numbers stay pairs, zeros."""


class ReadOut(nn.Linear):
    """A linear layer that gives the same as `nn.Linear`, sooner where the symbols are many."""

    def forward(self, input: Float[Tensor, "*N K"]) -> Float[Tensor, "*N V"]:
        """Return x W^T + b."""
        dtype = narrow_type(self.weight)
        if (
            self.weight.device.type != "cpu"
            or self.out_features < MANY_SYMBOLS
            or self.bias is None
            or dtype == self.weight.dtype  # nothing is copied for the product
            or not torch.is_grad_enabled()
        ):
            return super().forward(input)
        flat = input.reshape(-1, self.in_features)
        logits = _Product.apply(flat, self.weight, self.bias, dtype)
        return logits.view(*input.shape[:-1], self.out_features)


class _Product(torch.autograd.Function):
    """x W^T + b in a narrower number format, as autocast does it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, dtype: torch.dtype) -> Tensor:
        columns, filled = (_beside(a, b, dtype) for a, b in ((x, None), (weight, bias)))
        ctx.save_for_backward(columns, filled)
        ctx.wide = x.dtype, weight.dtype
        return torch.mm(columns, filled.t())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_logits: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        columns, filled = ctx.saved_tensors
        of_x, of_weight = ctx.wide
        K = columns.shape[1] - _FILLED
        with torch.autocast("cpu", enabled=False):
            d_x = torch.mm(d_logits, filled)[:, :K].to(of_x)
            d_filled = torch.mm(d_logits.t(), columns)
        return d_x, d_filled[:, :K].to(of_weight), d_filled[:, K].to(of_weight), None


def _beside(matrix: Tensor, column: Tensor | None, dtype: torch.dtype) -> Tensor:
    """Return a matrix with one more column, of ones if none is given, and one of zeros."""
    rows, K = matrix.shape
    wide = matrix.new_empty(rows, K + _FILLED, dtype=dtype)
    wide[:, :K] = matrix
    wide[:, K] = 1.0 if column is None else column
    wide[:, K + 1] = 0.0
    return wide

"""Products with one matrix, many times over: laid out once, the way the library multiplies it.

A plain product of few rows with a large matrix spends much of its time on bringing the matrix into
the order in which the processor reads it. oneDNN keeps a matrix in that order between products;
torch offers it for the linear layers of its compiled graphs (`torch.ops.mkldnn`).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Product = Callable[[Tensor], Tensor]
"""(B, K) -> (B, N)."""


def narrow_type(like: Tensor) -> torch.dtype:
    """Return the number format that autocast asks of products with a tensor."""
    device = like.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else like.dtype


def is_packable(weight: Float[Tensor, "K N"]) -> bool:
    """Tell whether oneDNN can hold this matrix: on a processor, in float32 or bfloat16."""
    return (
        weight.device.type == "cpu"
        and weight.dtype in (torch.float32, torch.bfloat16)
        and torch.backends.mkldnn.is_available()
        and (weight.dtype == torch.float32 or torch.ops.mkldnn._is_mkldnn_bf16_supported())
    )


def product_with(weight: Float[Tensor, "K N"], num_rows: int) -> Product:
    """Return x -> x @ weight for matrices x of `num_rows` rows.

    No gradient goes through it. The weight must not change while the product is used.

    Args:
        weight: the matrix on the right.
        num_rows: B, for which the layout is chosen; other numbers give the same result.
    """
    if not is_packable(weight):
        return lambda x: torch.mm(x, weight)
    held = torch.ops.mkldnn._reorder_linear_weight(weight.t().contiguous(), num_rows)
    multiply = torch.ops.mkldnn._linear_pointwise
    return lambda x: multiply(x, held, None, "none", [], "")

"""Holding the norm of the whole gradient below a bound.

Reference: Pascanu, Mikolov & Bengio 2013, On the difficulty of training recurrent neural networks
(ICML), algorithm 1: where |g| > bound, g <- g bound / |g|.

On a processor reading and writing all gradients once more costs as much as half a step of Adam.
The norm is therefore found with products that use all cores, and where the optimizer's own pass
can divide the gradients (torch's fused ones, by what mixed precision calls `grad_scale`), it does.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

SMALL = 1e-6
"""Added to the norm before dividing by it, as `nn.utils.clip_grad_norm_` does."""


def clip_gradient(
    optimizer: Optimizer, parameters: Sequence[nn.Parameter], bound: float
) -> Float[Tensor, ""]:
    """Let the next step of an optimizer use a gradient whose norm is at most `bound`.

    To be called before every step: what it sets at the optimizer holds until the next call.

    Args:
        optimizer: whose step comes next; it trains `parameters` and nothing else.
        parameters: those whose gradients make up the norm, but for sparse ones: of tables, which
            are neither counted nor divided.
        bound: the largest norm, above 0.

    Returns:
        The norm as it was.
    """
    parameters = [p for p in parameters if p.grad is not None and not p.grad.is_sparse]
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients or not _divides_by_itself(optimizer, gradients):
        optimizer.grad_scale = None  # type: ignore[attr-defined]
        return nn.utils.clip_grad_norm_(parameters, bound)
    norm = torch.stack([_squared(gradient) for gradient in gradients]).sum().sqrt()
    optimizer.grad_scale = ((norm + SMALL) / bound).clamp(min=1.0)  # type: ignore[attr-defined]
    return norm


def _divides_by_itself(optimizer: Optimizer, gradients: list[Tensor]) -> bool:
    """Tell whether a step of this optimizer divides gradients on a processor by `grad_scale`."""
    return (
        isinstance(optimizer, torch.optim.Adam | torch.optim.SGD)  # AdamW is an Adam
        and all(group.get("fused") for group in optimizer.param_groups)
        and all(g.device.type == "cpu" and g.dtype == torch.float32 for g in gradients)
    )


def _squared(gradient: Tensor) -> Float[Tensor, ""]:
    """Return the sum of the squares."""
    if not gradient.is_contiguous():
        return torch.linalg.vector_norm(gradient).square()
    flat = gradient.view(-1)
    return torch.dot(flat, flat)

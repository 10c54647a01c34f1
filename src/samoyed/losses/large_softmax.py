"""The surprise over very many symbols, without their logits in float32.

The mean of -log softmax(z)_t over N rows of V logits has the gradient (softmax(z) - e_t) / N. Both
are found in one pass over a few rows at a time, which stay in the processor's cache in float32;
what is kept for the way back is the gradient itself, in the logits' own number format. The usual
way keeps the logits and their log-probabilities, and passes over all of them four times.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

# N rows, V symbols
FEW_SYMBOLS = 1_000
"""Of so many symbols or fewer, torch's own loss is as quick."""

_IN_CACHE = 1 << 19
"""So many numbers at once."""


def large_cross_entropy(
    logits: Float[Tensor, "N V"], targets: Int[Tensor, " N"]
) -> Float[Tensor, ""]:
    """Return the mean surprise in nats, as `F.cross_entropy` does.

    Args:
        logits: unnormalised log-probabilities, in any number format.
        targets: (N,) which symbol came.
    """
    if logits.shape[1] <= FEW_SYMBOLS or not logits.is_floating_point() or not len(logits):
        return F.cross_entropy(logits, targets)
    if logits.device.type != "cpu" or logits.dtype == torch.float64:
        return F.cross_entropy(logits, targets)
    return _Entropy.apply(logits, targets, torch.is_grad_enabled())


class _Entropy(torch.autograd.Function):
    """The mean surprise and its gradient, a few rows at a time."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor, will_learn: bool) -> Tensor:
        num, size = logits.shape
        gradient = torch.empty_like(logits) if will_learn else None
        total = torch.zeros((), dtype=torch.float64)
        step = max(1, _IN_CACHE // size)
        for start in range(0, num, step):
            rows, right = logits[start : start + step], targets[start : start + step, None]
            z = rows.to(torch.float32, copy=True)
            z.sub_(z.amax(1, keepdim=True))
            at_target = z.gather(1, right)
            sums = z.exp_().sum(1, keepdim=True)
            total += (sums.log() - at_target).sum(dtype=torch.float64)
            if gradient is not None:
                z.mul_(1.0 / (num * sums))
                z.scatter_add_(1, right, torch.full_like(at_target, -1.0 / num))
                gradient[start : start + step] = z
        if gradient is not None:
            ctx.save_for_backward(gradient)
        return (total / num).to(torch.float32)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return (gradient if float(scale) == 1.0 else gradient * scale), None, None

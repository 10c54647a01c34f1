"""The surprise over very many symbols, without their logits in float32.

The mean of -log softmax(z)_t over N rows of V logits has the gradient (softmax(z) - e_t) / N; with
targets smoothed by a share s (Szegedy et al. 2016, Rethinking the Inception architecture, CVPR,
sec. 7) it is (softmax(z) - (1 - s) e_t - s / V) / N. Value and gradient are found in one pass over
a few rows at a time, which stay in the processor's cache in float32; what is kept for the way back
is the gradient itself, in the logits' own number format. The usual way keeps the logits and their
log-probabilities, and passes over all of them several times.
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

_IN_CACHE = 1 << 20
"""So many numbers at once."""


def large_cross_entropy(
    logits: Float[Tensor, "N V"],
    targets: Int[Tensor, " N"],
    *,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Float[Tensor, ""]:
    """Return the mean surprise in nats, as `F.cross_entropy` does.

    Args:
        logits: unnormalised log-probabilities, in any number format.
        targets: (N,) which symbol came.
        ignore_index: the target of rows that do not count.
        label_smoothing: s, the share of a target that is spread over all symbols.
    """
    counts = targets != ignore_index
    if (
        logits.shape[1] <= FEW_SYMBOLS
        or not logits.is_floating_point()
        or logits.device.type != "cpu"
        or logits.dtype == torch.float64
        or not counts.any()
    ):
        return F.cross_entropy(
            logits, targets, ignore_index=ignore_index, label_smoothing=label_smoothing
        )
    return _Entropy.apply(logits, targets, counts, label_smoothing, torch.is_grad_enabled())


class _Entropy(torch.autograd.Function):
    """The mean surprise and its gradient, a few rows at a time."""

    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, targets: Tensor, counts: Tensor, smoothing: float,
        will_learn: bool,
    ) -> Tensor:  # fmt: skip
        size, num = logits.shape[1], int(counts.sum())
        gradient = torch.empty_like(logits) if will_learn else None
        total = torch.zeros((), dtype=torch.float64)
        right = targets.masked_fill(~counts, 0)[:, None]
        weight = counts.to(torch.float32)[:, None] / num
        step = max(1, _IN_CACHE // size)
        room = torch.empty(min(step, len(logits)), size, dtype=torch.float32)
        for start in range(0, len(logits), step):
            here = slice(start, start + step)
            row, rate = right[here], weight[here]
            z = room[: len(row)].copy_(logits[here])
            told = z.gather(1, row)
            middle = z.mean(1, keepdim=True) if smoothing else told
            likely = torch.softmax(z, dim=1, out=z)
            nats = likely.gather(1, row).log().neg_()
            if nats.isinf().any():  # too unlikely for float32
                nats = logits[here].to(torch.float32).logsumexp(1, keepdim=True) - told
            if smoothing:
                nats = nats + smoothing * (told - middle)
                likely.sub_(smoothing / size)
            total += (rate * nats).sum(dtype=torch.float64)
            if gradient is not None:
                likely.scatter_add_(1, row, likely.new_full(nats.shape, smoothing - 1))
                gradient[here].copy_(likely.mul_(rate))
        if gradient is not None:
            ctx.save_for_backward(gradient)
        return total.to(torch.float32)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        of_logits = gradient if float(scale) == 1.0 else gradient * scale
        return of_logits, None, None, None, None

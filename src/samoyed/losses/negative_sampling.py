"""Negative sampling over stretches of text, as a few matrix products.

Mikolov, T. et al. (2013), Distributed representations of words and phrases and their
compositionality, eq. 4: a pair of an input word and an output word near it costs
-log s(v'_o . v_i) - sum over k noise words of log s(-v'_n . v_i).

The text is cut into stretches of S words. A stretch shares K noise words, and each of its input
words meets all of them, weighted as if k had been drawn for each of its pairs: as many different
noise words for a word, in expectation the same cost, and products of matrices instead of vectors.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

# G stretches, S words in each, M = S + 2c words in and around it, K noise words, D dimensions


class _Costs(torch.autograd.Function):
    """Sum of weighted logistic costs; the gradient is worked out on the way forward."""

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, outputs: Tensor, noise: Tensor, is_pair: Tensor, weight: Tensor
    ) -> Tensor:
        near, far = inputs @ outputs.mT, inputs @ noise.mT
        cost = (torch.nn.functional.softplus(-near) * is_pair).sum()
        cost = cost + (torch.nn.functional.softplus(far).sum(-1) * weight).sum()
        near_slope = (torch.sigmoid(near) - 1) * is_pair
        far_slope = torch.sigmoid(far) * weight[..., None]
        ctx.save_for_backward(inputs, outputs, noise, near_slope, far_slope)
        return cost

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        (scale,) = upstream
        inputs, outputs, noise, near_slope, far_slope = ctx.saved_tensors
        near_slope, far_slope = near_slope * scale, far_slope * scale
        to_inputs = torch.baddbmm(near_slope @ outputs, far_slope, noise)
        return to_inputs, near_slope.mT @ inputs, far_slope.mT @ inputs, None, None


def negative_sampling(
    inputs: Float[Tensor, "G S D"],
    outputs: Float[Tensor, "G M D"],
    noise: Float[Tensor, "G K D"],
    is_pair: Bool[Tensor, "G S M"],
    num_noise: float,
) -> Float[Tensor, ""]:
    """Return the summed cost of all pairs, in nats.

    Args:
        inputs: input vectors of the words of each stretch.
        outputs: output vectors of those words and of those around.
        noise: output vectors of the stretch's noise words.
        is_pair: which output word is near which input word.
        num_noise: k, noise words for each pair.
    """
    weight = is_pair.sum(dim=2) * (num_noise / noise.shape[1])
    cost = _Costs.apply(inputs, outputs, noise, is_pair.to(inputs.dtype), weight.to(inputs.dtype))
    assert isinstance(cost, Tensor)
    return cost

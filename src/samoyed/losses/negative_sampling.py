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
from jaxtyping import Float
from torch import Tensor

from samoyed.layers.packed import narrow_type

# G stretches, S words in each, M = S + 2c words in and around it, K noise words, N = M + K, D
# dimensions


LEAST = -80.0
"""A score below it counts as this: e^-80 is nearly the least number of float32."""


class _Costs(torch.autograd.Function):
    """Sum of weighted logistic costs; their slopes are worked out on the way forward."""

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, outputs: Tensor, pairs: Tensor, weight: Tensor
    ) -> Tensor:  # fmt: skip
        num_near, narrow = pairs.shape[2], narrow_type(inputs)
        ctx.types = inputs.dtype, outputs.dtype
        with torch.autocast(inputs.device.type, enabled=False):
            inputs, outputs = inputs.to(narrow), outputs.to(narrow)
            scores = (inputs @ outputs.mT).to(pairs.dtype)
        share = torch.empty_like(scores)  # of each score in the cost
        share[..., :num_near] = pairs
        share[..., num_near:] = weight[..., None]
        # -log s(x) for words that are near, -log s(-x) = x - log s(x) for noise
        likely = torch.sigmoid(scores.clamp_(min=LEAST))
        cost = (scores[..., num_near:] * weight[..., None]).sum()
        told = torch.log(likely, out=scores)
        cost = cost - torch.dot(told.view(-1), share.view(-1))
        slopes = likely.mul_(share)
        slopes[..., :num_near] -= pairs
        ctx.save_for_backward(inputs, outputs, slopes)
        return cost

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        inputs, outputs, slopes = ctx.saved_tensors
        of_inputs, of_outputs = ctx.types
        slopes = (slopes * upstream[0]).to(inputs.dtype)
        to_inputs, to_outputs = slopes @ outputs, slopes.mT @ inputs
        return to_inputs.to(of_inputs), to_outputs.to(of_outputs), None, None


def negative_sampling(
    inputs: Float[Tensor, "G S D"],
    outputs: Float[Tensor, "G N D"],
    pairs: Float[Tensor, "G S M"],
    num_noise: float,
) -> Float[Tensor, ""]:
    """Return the summed cost of all pairs, in nats.

    Args:
        inputs: input vectors of the words of each stretch.
        outputs: output vectors of the M words in and around a stretch, and behind them of its K
            noise words: one matrix, so that each of the three products is one.
        pairs: 1 where an output word is near an input word, else 0.
        num_noise: k, noise words for each pair.
    """
    weight = pairs.sum(dim=2) * (num_noise / (outputs.shape[1] - pairs.shape[2]))
    cost = _Costs.apply(inputs, outputs, pairs, weight)
    assert isinstance(cost, Tensor)
    return cost

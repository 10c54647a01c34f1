"""From logits to symbols: by chance, more or less daring."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def probabilities(
    logits: Float[Tensor, "B V"], temperature: float = 1.0, top_k: int | None = None
) -> Float[Tensor, "B V"]:
    """Return the distribution to draw from: softmax(logits / temperature) over the k likeliest.

    Args:
        logits: (B, V); -inf excludes a symbol.
        temperature: below 1 sharpens, above 1 flattens; 0 puts everything on the likeliest symbol
            (the first of equals).
        top_k: keep only so many symbols, or all (None). Equals of the last one kept are kept too.

    Raises:
        ValueError: for a negative temperature or a top_k below 1.

    >>> probabilities(torch.tensor([[0.0, 1.0, 2.0]]), temperature=0).tolist()
    [[0.0, 0.0, 1.0]]
    """
    if temperature < 0:
        raise ValueError(f"temperature must not be negative, but is {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must be at least 1, but is {top_k}")
    if temperature == 0:
        likeliest = logits.argmax(dim=1, keepdim=True)
        return torch.zeros_like(logits).scatter_(1, likeliest, 1.0)
    if top_k is not None and top_k < logits.shape[1]:
        least = logits.topk(top_k, dim=1).values[:, -1:]
        logits = logits.masked_fill(logits < least, float("-inf"))
    scaled = (logits - logits.amax(dim=1, keepdim=True)).double() / temperature
    return torch.softmax(scaled, dim=1).to(logits.dtype)


def sample(
    logits: Float[Tensor, "B V"],
    chance: Float[Tensor, " B"],
    temperature: float = 1.0,
    top_k: int | None = None,
) -> Int[Tensor, " B"]:
    """Draw one symbol for each row by inverting its cumulative distribution.

    What a row gives depends on its own logits and its own random number alone, so a text comes out
    the same whatever other texts are written beside it.

    Args:
        logits: (B, V).
        chance: (B,) uniform random numbers in [0, 1).
        temperature: see `probabilities`.
        top_k: see `probabilities`.

    Returns:
        (B,) symbols.
    """
    cumulative = probabilities(logits, temperature, top_k).double().cumsum(dim=1)
    mark = chance.double()[:, None] * cumulative[:, -1:]
    return (cumulative <= mark).sum(dim=1).clamp_(max=logits.shape[1] - 1)

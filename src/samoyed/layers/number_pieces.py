"""Numbers of a table by pieces: how far each reaches into the intervals of its column.

Gorishniy, Y., Rubachev, I. & Babenko, A. (2022). On embeddings for numerical features in tabular
deep learning. NeurIPS, section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

# Legend for shapes: B batch, D columns of numbers, T intervals, E embedding.


def bounds_of(edges: Sequence[Sequence[float]], most: int) -> Float[Tensor, "D {most}"]:
    """Return the bounds of each column's intervals; the last one repeated where there are fewer."""
    padded = [[*(bounds or (0.0,)), *[(bounds or (0.0,))[-1]] * most] for bounds in edges]
    return torch.tensor([row[:most] for row in padded]).view(len(edges), most)


def pieces(
    numbers: Float[Tensor, "B D"], low: Float[Tensor, "D T"], high: Float[Tensor, "D T"]
) -> Float[Tensor, "B D T"]:
    """Return how far each number reaches into each interval (Gorishniy et al. 2022, eq. 1).

    0 before the interval, 1 behind it, and linear inside; the first one goes on below 0 and the
    last one above 1. Intervals of no width give 0.
    """
    width = high - low
    reach = (numbers[:, :, None] - low) / width.clamp(min=1e-12)
    index = torch.arange(low.shape[1], device=low.device)
    is_last = index == (width > 0).sum(1, keepdim=True) - 1  # (D, T)
    floor = torch.where(index == 0, -math.inf, 0.0)
    ceiling = torch.where(is_last, math.inf, 1.0)
    reach = torch.minimum(torch.maximum(reach, floor), ceiling)
    return torch.where(width > 0, reach, 0.0)


class NumberEmbeddings(nn.Module):
    """Each number to E numbers: a line, and what the pieces add to it.

    The pieces' weights start at zero, so that every column begins as a straight line.

    Args:
        edges: for each column the bounds of its intervals, ascending.
        embedding: E.
    """

    low: Tensor
    high: Tensor

    def __init__(self, edges: list[tuple[float, ...]], embedding: int) -> None:
        super().__init__()
        most = max(2, *(len(bounds) for bounds in edges)) if edges else 2
        bounds = bounds_of(edges, most)
        self.register_buffer("low", bounds[:, :-1].clone(), persistent=False)
        self.register_buffer("high", bounds[:, 1:].clone(), persistent=False)
        self.line = nn.Parameter(torch.empty(len(edges), embedding).uniform_(-1, 1))
        self.bias = nn.Parameter(torch.empty(len(edges), embedding).uniform_(-1, 1))
        self.weight = nn.Parameter(torch.zeros(len(edges), most - 1, embedding))

    def forward(self, numbers: Float[Tensor, "B D"]) -> Float[Tensor, "B D E"]:
        """Embed."""
        reached = pieces(numbers, self.low, self.high).transpose(0, 1)  # (D, B, T)
        bent = torch.bmm(reached, self.weight).transpose(0, 1)
        return numbers[:, :, None] * self.line + self.bias + bent

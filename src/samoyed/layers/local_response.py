"""Local response normalisation: each map is divided by how active its neighbours are.

Krizhevsky, A., Sutskever, I. & Hinton, G. E. (2012). ImageNet classification with deep
convolutional neural networks. NIPS 25, section 3.3. With a the activity of map i at one place, and
N maps in an order that is fixed before training:

    b_i = a_i / (k + alpha sum_{j = max(0, i - n/2)}^{min(N - 1, i + n/2)} a_j^2)^beta

Whoever compares with other programs: here, as in the paper, alpha multiplies the sum itself.
`torch.nn.functional.local_response_norm` takes alpha times n for the same result.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

NUM_NEIGHBOURS = 5  # n, the map itself among them
K, ALPHA, BETA = 2.0, 1e-4, 0.75

# Legend for shapes: B batch, C maps, H rows, W columns.


def normalise_responses(
    maps: Float[Tensor, "B C H W"],
    *,
    num_neighbours: int = NUM_NEIGHBOURS,
    k: float = K,
    alpha: float = ALPHA,
    beta: float = BETA,
) -> Float[Tensor, "B C H W"]:
    """Return b for every map and place; section 3.3's constants by default.

    The sum over neighbours is a 1 x 1 convolution whose weights are a band around the diagonal:
    twice as fast on a processor as adding shifted maps, and it keeps the order in memory.

    Args:
        maps: a, non-negative after rectification, though any sign will do.
        num_neighbours: n, odd: the map itself and as many on either side.
        k: keeps silent places from being blown up.
        alpha: how much the neighbours count.
        beta: the power.
    """
    order = torch.arange(maps.shape[1], device=maps.device)
    is_near = (order[:, None] - order).abs() <= num_neighbours // 2
    band = alpha * is_near.to(maps.dtype)[:, :, None, None]
    return maps * (k + F.conv2d(maps.square(), band)).pow(-beta)


class LocalResponse(nn.Module):
    """`normalise_responses` with section 3.3's constants, as a layer."""

    def forward(self, maps: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Return the normalised maps."""
        return normalise_responses(maps)

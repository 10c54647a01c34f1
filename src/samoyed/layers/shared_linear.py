"""One weight matrix for all members of an ensemble, with scales and a bias for each.

Wen, Y., Tran, D. & Ba, J. (2020). BatchEnsemble: an alternative approach to efficient ensemble and
lifelong learning. ICLR, section 3.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

# Legend for shapes: M members, B batch, I inputs and O outputs.


class SharedLinear(nn.Module):
    """One weight matrix for all members, with scales and a bias for each (Wen et al. 2020).

    Args:
        num_members: M.
        num_inputs: I.
        num_outputs: O.
    """

    def __init__(self, num_members: int, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        bound = num_inputs**-0.5
        self.weight = nn.Parameter(torch.empty(num_inputs, num_outputs).uniform_(-bound, bound))
        self.r = nn.Parameter(torch.ones(num_members, num_inputs))
        self.s = nn.Parameter(torch.ones(num_members, num_outputs))
        bias = torch.empty(num_outputs).uniform_(-bound, bound)
        self.bias = nn.Parameter(bias.repeat(num_members, 1))

    def forward(self, x: Float[Tensor, "M B I"]) -> Float[Tensor, "M B O"]:
        """Return ((x o r_i) W) o s_i + b_i for each member i, with one product for all of them."""
        product = (x * self.r[:, None, :]).flatten(0, 1) @ self.weight  # (M B, O)
        scaled = product.view(len(x), -1, product.shape[1])
        return torch.addcmul(self.bias[:, None, :], scaled, self.s[:, None, :])


def scatter(r: Tensor, num_numbers: int, num_inputs: int, num_categories: int, width: int) -> None:
    """Draw the members' first scales from N(0, 1), one for each column, so that members differ."""
    num_plain = num_inputs - (num_numbers + num_categories) * width
    with torch.no_grad():
        columns = [torch.randn(len(r), n) for n in (num_numbers, num_plain, num_categories)]
        numbers, plain, categories = columns
        r.copy_(
            torch.cat(
                [
                    numbers.repeat_interleave(width, 1), plain,
                    categories.repeat_interleave(width, 1),
                ],
                dim=1,
            )
        )  # fmt: skip

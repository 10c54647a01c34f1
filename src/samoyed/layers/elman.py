"""Elman's units: a layer that sees its own state of the step before.

Reference: Elman (1990), Finding structure in time, Cognitive Science 14(2):179, fig. 2: copies of
the hidden units are further inputs of the next step,

    h_t = tanh(W x_t + U h_{t-1} + b)                                                          (1)

(the logistic function in 1990). No gate holds the error up or lets it through, so that it vanishes
or explodes on its way back (Bengio, Simard & Frasconi 1994): clip the gradient.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

# B batch, T time, D input size, H units


class Elman(nn.Module):
    """One layer of Elman's units.

    Input weights start uniform in +-1/sqrt(H), recurrent ones orthogonal, biases at zero.

    Args:
        input_size: D.
        num_units: H.
    """

    def __init__(self, input_size: int, num_units: int) -> None:
        super().__init__()
        self.num_units = num_units
        self.weight_ih = nn.Parameter(torch.empty(num_units, input_size))
        self.weight_hh = nn.Parameter(torch.empty(num_units, num_units))
        self.bias = nn.Parameter(torch.zeros(num_units))
        bound = 1 / math.sqrt(num_units)
        nn.init.uniform_(self.weight_ih, -bound, bound)
        nn.init.orthogonal_(self.weight_hh)

    def forward(
        self, inputs: Float[Tensor, "T B D"], h: Float[Tensor, "B H"]
    ) -> Float[Tensor, "T B H"]:
        """Advance T steps from h; return all h_t."""
        states = []
        for drive in F.linear(inputs, self.weight_ih, self.bias).to(h.dtype).unbind(0):
            h = torch.tanh(drive + F.linear(h, self.weight_hh))
            states.append(h)
        return torch.stack(states)

    def step(
        self, inputs: Float[Tensor, "B D"], h: Float[Tensor, "B H"]
    ) -> Float[Tensor, "B H"]:  # fmt: skip
        """Advance one step."""
        drive = F.linear(inputs, self.weight_ih, self.bias)
        return torch.tanh(drive + F.linear(h, self.weight_hh))

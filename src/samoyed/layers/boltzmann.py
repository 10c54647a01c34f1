"""The restricted Boltzmann machine: two layers of binary units, no connection within a layer.

Smolensky 1986; Freund & Haussler 1992; Hinton 2002. With visible units v, hidden units h, weights
W, visible biases b and hidden biases c:

    E(v, h) = -b.v - c.h - h.W v                            energy (eq. 1)
    P(v, h) = exp(-E(v, h)) / Z                             (eq. 2)
    P(h_j = 1 | v) = sigmoid(c_j + (W v)_j)                 (eq. 3)
    P(v_i = 1 | h) = sigmoid(b_i + (W' h)_i)                (eq. 4)
    F(v) = -log sum_h exp(-E(v, h))
         = -b.v - sum_j softplus(c_j + (W v)_j)             free energy (eq. 5)

Visible values may be anything in [0, 1]: they are then read as probabilities, as is usual for the
intensities of a picture and for the hidden probabilities of a machine below.
"""

# B batch, V visible units, H hidden units

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

LARGEST_ENUMERATION = 20  # units of the smaller layer: about a million states
_STATES_AT_ONCE = 1 << 12


class RestrictedBoltzmannMachine(nn.Module):
    """A restricted Boltzmann machine with binary units.

    Args:
        num_visible: how many visible units.
        num_hidden: how many hidden units.
        weight_std: standard deviation of the first weights (Hinton 2010, section 8).
    """

    def __init__(self, num_visible: int, num_hidden: int, weight_std: float = 0.01) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(num_hidden, num_visible) * weight_std)
        self.visible_bias = nn.Parameter(torch.zeros(num_visible))
        self.hidden_bias = nn.Parameter(torch.zeros(num_hidden))

    @property
    def num_visible(self) -> int:
        """Return how many visible units there are."""
        return self.weight.shape[1]

    @property
    def num_hidden(self) -> int:
        """Return how many hidden units there are."""
        return self.weight.shape[0]

    def forward(self, visible: Float[Tensor, "*B V"]) -> Float[Tensor, "*B"]:
        """Return the free energy of each row."""
        return self.free_energy(visible)

    def hidden_input(self, visible: Float[Tensor, "*B V"]) -> Float[Tensor, "*B H"]:
        """Return c + W v: the log-odds of each hidden unit."""
        return F.linear(visible, self.weight, self.hidden_bias)

    def visible_input(self, hidden: Float[Tensor, "*B H"]) -> Float[Tensor, "*B V"]:
        """Return b + W' h: the log-odds of each visible unit."""
        return F.linear(hidden, self.weight.t(), self.visible_bias)

    def hidden_given(self, visible: Float[Tensor, "*B V"]) -> Float[Tensor, "*B H"]:
        """Return P(h = 1 | v) (eq. 3)."""
        return torch.sigmoid(self.hidden_input(visible))

    def visible_given(self, hidden: Float[Tensor, "*B H"]) -> Float[Tensor, "*B V"]:
        """Return P(v = 1 | h) (eq. 4)."""
        return torch.sigmoid(self.visible_input(hidden))

    def energy(
        self, visible: Float[Tensor, "*B V"], hidden: Float[Tensor, "*B H"]
    ) -> Float[Tensor, "*B"]:
        """Return E(v, h) (eq. 1)."""
        return -(visible @ self.visible_bias) - (hidden * self.hidden_input(visible)).sum(-1)

    def free_energy(
        self,
        visible: Float[Tensor, "*B V"],
        hidden_input: Float[Tensor, "*B H"] | None = None,
    ) -> Float[Tensor, "*B"]:
        """Return F(v) (eq. 5).

        Args:
            visible: the rows.
            hidden_input: c + W v where it is known already, to save the product.
        """
        if hidden_input is None:
            hidden_input = self.hidden_input(visible)
        return -(visible @ self.visible_bias) - F.softplus(hidden_input).sum(-1)

    @torch.no_grad()
    def gibbs_chain(
        self,
        hidden_input: Float[Tensor, "*B H"],
        num_steps: int = 1,
        ends_in: Literal["probabilities", "samples"] = "samples",
    ) -> Float[Tensor, "*B V"]:
        """Sample the hidden and then the visible units, `num_steps` times.

        Hidden units that drive a reconstruction are always samples: were they probabilities, each
        could pass on more than one bit.

        Args:
            hidden_input: log-odds of the hidden units at the start, c + W v.
            num_steps: at least one.
            ends_in: what the visible units of the last step are.
        """
        if num_steps < 1:
            raise ValueError(f"at least one Gibbs step, not {num_steps}")
        hidden = draw_bits(torch.sigmoid(hidden_input))
        for _ in range(num_steps - 1):
            hidden = draw_bits(self.hidden_given(draw_bits(self.visible_given(hidden))))
        visible = self.visible_given(hidden)
        return visible if ends_in == "probabilities" else draw_bits(visible)

    def log_partition(self) -> Float[Tensor, ""]:
        """Return log Z by enumeration of the smaller layer.

        The other layer is summed out in closed form: eq. 5, or its mirror image for the hidden
        units.

        Raises:
            ValueError: when both layers have more than `LARGEST_ENUMERATION` units.
        """
        size = min(self.num_visible, self.num_hidden)
        if size > LARGEST_ENUMERATION:
            raise ValueError(
                f"a layer of at most {LARGEST_ENUMERATION} units can be enumerated, not {size}"
            )
        parts = []
        for states in all_bits(size, like=self.weight).split(_STATES_AT_ONCE):
            if self.num_visible == size:
                parts.append(-self.free_energy(states))
            else:
                softplus = F.softplus(self.visible_input(states)).sum(-1)
                parts.append(states @ self.hidden_bias + softplus)
        return torch.logsumexp(torch.cat(parts), 0)


def draw_bits(probability: Float[Tensor, "*S"]) -> Float[Tensor, "*S"]:
    """Draw zeros and ones of these probabilities from torch's global generator."""
    return torch.rand_like(probability).lt_(probability)


def all_bits(num_units: int, like: Tensor) -> Float[Tensor, "S N"]:
    """Return all 2^N binary states of N units, in counting order.

    >>> all_bits(2, like=torch.zeros(())).tolist()
    [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    """
    numbers = torch.arange(1 << num_units, device=like.device)[:, None]
    places = torch.arange(num_units - 1, -1, -1, device=like.device)
    return ((numbers >> places) & 1).to(like.dtype)


def log_odds(probability: Float[Tensor, "*S"], margin: float = 0.01) -> Float[Tensor, "*S"]:
    """Return log(p / (1 - p)) with p kept `margin` away from 0 and 1.

    The visible biases to begin with, when p is how often each visible unit is on (Hinton 2010,
    section 8).
    """
    return torch.logit(probability.clamp(margin, 1 - margin))

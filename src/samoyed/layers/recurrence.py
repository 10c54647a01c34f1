"""The simple recurrent net, and how a gradient fares on its way back through it.

Reference: Elman 1990 (Cognitive Science 14:179); Pascanu, Mikolov & Bengio 2013 (ICML), eqs. 2
and 5-10, written with the sum x_t before the squashing function s as the state:

    x_t = W s(x_{t-1}) + U u_t + b                                                             (2)
    dx_t / dx_k = prod_{t >= i > k} W diag(s'(x_{i-1}))                                        (5)
    norm(dx_t / dx_k) <= (gamma lambda)^(t - k), lambda the largest singular value of W
      and gamma the largest slope of s: 1 for tanh, 1/4 for the logistic function            (6, 7)
    Omega = sum_k (norm(dE/dx_{k+1} dx_{k+1}/dx_k) / norm(dE/dx_{k+1}) - 1)^2                 (9)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

# B batch, T time, D input size, H units
Squash = Literal["tanh", "sigmoid"]
SQUASH = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}
SLOPE = {"tanh": lambda h: 1 - h * h, "sigmoid": lambda h: h * (1 - h)}
"""s'(x) in terms of h = s(x)."""
STEEPEST = {"tanh": 1.0, "sigmoid": 0.25}
"""gamma, the largest slope there is."""
FAINT = 1e-20  # a gradient of this norm is nothing: it has no direction that could be kept


class Course(NamedTuple):
    """What a recurrent net went through: T tensors (B, H) each.

    Args:
        sums: x_t, each made from the one before, so that a gradient can be asked of any of them.
        outputs: h_t = s(x_t).
    """

    sums: list[Tensor]
    outputs: list[Tensor]


class Recurrence(nn.Module):
    """h_t = s(W h_{t-1} + U u_t + b).

    Args:
        input_size: D.
        num_units: H.
        squash: s.
        spread: W is drawn from N(0, spread^2); U and b from U(-1, 1) / sqrt(D) and 0. By default
            H ** -0.5, of which the spectral radius is about 1.
        start: h_0, of every unit.
    """

    def __init__(
        self, input_size: int, num_units: int, squash: Squash = "tanh", *,
        spread: float | None = None, start: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_units, self.squash, self.start = num_units, squash, start
        self.weight = nn.Parameter(torch.empty(num_units, num_units))
        self.weight_in = nn.Parameter(torch.empty(num_units, input_size))
        self.bias = nn.Parameter(torch.zeros(num_units))
        nn.init.normal_(self.weight, std=num_units**-0.5 if spread is None else spread)
        nn.init.uniform_(self.weight_in, -(input_size**-0.5), input_size**-0.5)

    def forward(self, inputs: Float[Tensor, "B T D"], is_cut: bool = False) -> Course:
        """Advance T steps.

        Args:
            inputs: u_t.
            is_cut: take what the net remembers as given in every step, as Elman 1990 does: the
                gradient ends there.
        """
        squash = SQUASH[self.squash]
        drive = F.linear(inputs.transpose(0, 1), self.weight_in, self.bias)
        h = inputs.new_full((len(inputs), self.num_units), self.start)
        sums, outputs = [], []
        weight = self.weight.t()
        for u in drive.unbind():
            x = torch.addmm(u, h.detach() if is_cut else h, weight)
            h = squash(x)
            sums.append(x)
            outputs.append(h)
        return Course(sums, outputs)


@torch.no_grad()
def set_spectral_radius(weight: Tensor, radius: float) -> None:
    """Scale a square matrix so that the largest of its eigenvalues has this absolute value."""
    weight *= radius / torch.linalg.eigvals(weight).abs().max()


def bound_of(weight: Float[Tensor, "H H"], squash: Squash, distance: int) -> float:
    """Return the most that norm(dx_t / dx_{t - distance}) can be, eq. 7."""
    largest = float(torch.linalg.matrix_norm(weight.detach(), 2))
    return float((STEEPEST[squash] * largest) ** distance)


def jacobian(
    weight: Float[Tensor, "H H"], outputs: Sequence[Float[Tensor, " H"]], squash: Squash, first: int
) -> Float[Tensor, "H H"]:
    """Return dx_T / dx_first as the product of eq. 5.

    Args:
        weight: W.
        outputs: h_1 .. h_T of one sequence.
        squash: s.
        first: which x, from 0.
    """
    product = torch.eye(len(weight), dtype=weight.dtype)
    for h in outputs[first:-1]:
        product = weight * SLOPE[squash](h) @ product
    return product


def gradients_at(error: Tensor, sums: Sequence[Tensor]) -> list[Float[Tensor, "B H"]]:
    """Return dE/dx_t for every t; the graph can be walked again."""
    return list(torch.autograd.grad(error, sums, retain_graph=True))


def omega(
    weight: Float[Tensor, "H H"],
    outputs: Sequence[Float[Tensor, "B H"]],
    gradients: Sequence[Float[Tensor, "B H"]],
    squash: Squash,
) -> Float[Tensor, ""]:
    """Return Omega, eq. 9, the mean over the batch.

    As in the paper (section 3.3), only the W that stands in eq. 9 itself gets a gradient: states
    and dE/dx are taken as constants. Steps at which no gradient arrives are left out.

    Args:
        weight: W.
        outputs: h_1 .. h_T.
        gradients: dE/dx_1 .. dE/dx_T.
        squash: s.
    """
    after = torch.stack(list(gradients)[1:]).detach()
    slopes = SLOPE[squash](torch.stack(list(outputs)[:-1]).detach())
    size = after.norm(dim=-1)
    is_there = size > FAINT
    passed = (after @ weight * slopes)[is_there]
    ratio = passed.square().sum(-1).clamp_min(FAINT**2).sqrt() / size[is_there]
    return (ratio - 1).square().sum() / after.shape[1]


def decay_rate(norms: Sequence[float]) -> float:
    """Return the factor by which norms shrink or grow from one to the next, on average.

    >>> round(decay_rate([8.0, 4.0, 2.0, 1.0]), 6)
    0.5
    """
    logs = [math.log(norm) for norm in norms]
    num = len(logs)
    middle = (num - 1) / 2
    slope = sum((k - middle) * value for k, value in enumerate(logs))
    return math.exp(slope / sum((k - middle) ** 2 for k in range(num)))

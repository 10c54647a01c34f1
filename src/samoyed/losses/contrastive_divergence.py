"""Contrastive divergence as a scalar to descend.

Hinton 2002, "Training products of experts by minimizing contrastive divergence". The gradient of
the log-likelihood of an energy model is a difference of two expectations,

    d log P(v) / d theta = -dF(v)/d theta + E_model[dF(v')/d theta],

and CD-k replaces the model's expectation by a chain that starts at the data and runs k Gibbs steps.
So the scalar is the mean free energy of the data minus that of the chain's end, which is held
fixed; for a restricted Boltzmann machine its gradient in W is the classical update,
<h v'>_reconstruction - <h v'>_data.
"""

# B batch, V visible units, H hidden units

from __future__ import annotations

from typing import Literal, Protocol

import torch
from jaxtyping import Float
from torch import Tensor


class Machine(Protocol):
    """Two layers of binary units, each independent given the other, and a free energy."""

    def hidden_input(self, visible: Tensor, /) -> Tensor:
        """Return the log-odds of the hidden units, (B, H)."""
        ...

    def visible_input(self, hidden: Tensor, /) -> Tensor:
        """Return the log-odds of the visible units, (B, V)."""
        ...

    def free_energy(self, visible: Tensor, hidden_input: Tensor | None = None, /) -> Tensor:
        """Return the free energy of each row, (B,)."""
        ...


def contrastive_divergence(
    machine: Machine,
    visible: Float[Tensor, "B V"],
    *,
    num_steps: int = 1,
    ends_in: Literal["probabilities", "samples"] = "probabilities",
) -> Float[Tensor, ""]:
    """Return mean F(data) - mean F(end of the chain); its gradient is the CD-k update.

    Args:
        machine: the machine that learns.
        visible: data, values in [0, 1].
        num_steps: k, how many Gibbs steps.
        ends_in: what the visible units are at the end of the chain. Probabilities have less
            noise (Hinton 2010, section 3); samples make the update exact as k grows.
    """
    visible = visible.detach()
    hidden_input = machine.hidden_input(visible)
    end = gibbs_chain(machine, hidden_input, num_steps=num_steps, ends_in=ends_in)
    return (machine.free_energy(visible, hidden_input) - machine.free_energy(end)).mean()


@torch.no_grad()
def gibbs_chain(
    machine: Machine,
    hidden_input: Float[Tensor, "B H"],
    *,
    num_steps: int = 1,
    ends_in: Literal["probabilities", "samples"] = "probabilities",
) -> Float[Tensor, "B V"]:
    """Run `num_steps` Gibbs steps and return the visible units.

    Hidden units that drive a reconstruction are always samples: were they probabilities, they
    could pass on more than one bit each.

    Args:
        machine: whose conditionals to sample.
        hidden_input: log-odds of the hidden units at the start.
        num_steps: how many times to sample the hidden, then the visible units; at least one.
        ends_in: whether the last visible units are probabilities or samples.
    """
    if num_steps < 1:
        raise ValueError(f"at least one Gibbs step, not {num_steps}")
    hidden_input = hidden_input.detach()
    for step in range(num_steps):
        hidden = _draw(torch.sigmoid(hidden_input))
        visible = torch.sigmoid(machine.visible_input(hidden))
        if step < num_steps - 1:
            hidden_input = machine.hidden_input(_draw(visible))
    return visible if ends_in == "probabilities" else _draw(visible)


def _draw(probability: Tensor) -> Tensor:
    """Draw zeros and ones of these probabilities from torch's global generator."""
    return torch.rand_like(probability).lt_(probability)

"""Contrastive divergence as a scalar to descend.

Hinton 2002, "Training products of experts by minimizing contrastive divergence". The gradient of
the log-likelihood of an energy model is a difference of two expectations,

    d log P(v) / d theta = -dF(v)/d theta + E_model[dF(v')/d theta],

and CD-k replaces the model's expectation by a chain that starts at the data and runs k Gibbs steps.
So the scalar is the mean free energy of the data minus that of the chain's end, which is held
fixed; for a restricted Boltzmann machine its gradient in W is the classical update,
<h v'>_reconstruction - <h v'>_data.
"""

# B batch, V visible units

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor


@runtime_checkable
class Machine(Protocol):
    """Two layers of binary units, each independent given the other, and a free energy."""

    def hidden_input(self, visible: Tensor, /) -> Tensor:
        """Return the log-odds of the hidden units, (B, H)."""
        ...

    def free_energy(self, visible: Tensor, hidden_input: Tensor | None = None, /) -> Tensor:
        """Return the free energy of each row, (B,)."""
        ...

    def gibbs_chain(
        self, hidden_input: Tensor, num_steps: int, ends_in: Literal["probabilities", "samples"], /
    ) -> Tensor:
        """Return the visible units (B, V) after some Gibbs steps, without a gradient."""
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
    end = machine.gibbs_chain(hidden_input.detach(), num_steps, ends_in).detach()
    return (machine.free_energy(visible, hidden_input) - machine.free_energy(end)).mean()

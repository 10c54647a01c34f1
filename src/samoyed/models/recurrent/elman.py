"""A simple recurrent net: what the hidden units were is an input of what they become.

Reference: Elman, J. L. (1990). Finding structure in time. Cognitive Science 14, 179-211.

What was new. Time need not be spread out in space. Context units hold what the hidden units were
one step before, and the net is trained as any other; it learns by itself what of the past to keep.

Equation -> function

    h_t = f(W h_{t-1} + U u_t + b), the context units being h_{t-1} (figure 2) -> layers.recurrence
    the output of the last step                                               -> Elman.forward

Table -> Config. Temporal exclusive-or (section "Exclusive-OR"): 1 input, 2 hidden and 2 context
units, 1 output, context at 0.5 in the beginning: 11 weights, biases included. Its net is
`Config(num_units=2, squash="sigmoid", is_cut=True)`.

For the adding problem: 2 inputs, 100 hidden units: 100 x (100 + 2 + 1) + 101 = 10,401 weights.

**Departures**

1. The gradient goes all the way back through time, as in Werbos 1990; `is_cut=true` takes the
   context as given, which is what the paper does.
2. The hyperbolic tangent, as in the review's figure 5; `squash=sigmoid` is the paper's.
3. One answer at the end of a sequence, not a prediction in every step.
4. Adam instead of plain descent, and no clipping of the gradient: what becomes of it is the point
   (`regularised_rnn` is the cure of 2013).
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.reference import Reference
from samoyed.core.spec import SequenceSpec
from samoyed.core.stage import Recipe
from samoyed.layers.recurrence import Recurrence, Squash

REFERENCE = Reference(
    title="Finding structure in time",
    authors="Elman, J. L.",
    year=1990,
    venue="Cognitive Science 14, 179-211",
    url="https://doi.org/10.1207/s15516709cog1402_1",
)

RECIPE = Recipe(
    optimizer="adam", learning_rate=1e-3, batch_size=50, epochs=20, schedule="constant",
    precision="float32",
)  # fmt: skip


@dataclass(frozen=True)
class Config:
    """The dials of the net.

    Args:
        num_units: hidden units, and as many context units.
        squash: what a unit makes of its sum.
        is_cut: take the context units as given: no gradient goes back through time.
    """

    num_units: int = 100
    squash: Squash = "tanh"
    is_cut: bool = False


def build(config: Config, spec: SequenceSpec) -> Elman:
    """Build the net for sequences of this kind."""
    return Elman(config, spec)


# B batch, T time, D input size, H units, K answers


class Elman(nn.Module):
    """A recurrence and a read-out of its last state.

    Args:
        config: the dials.
        spec: the sequences.
    """

    def __init__(self, config: Config, spec: SequenceSpec) -> None:
        super().__init__()
        self.is_cut = config.is_cut
        start = 0.5 if config.squash == "sigmoid" else 0.0
        self.hidden = Recurrence(spec.width, config.num_units, config.squash, start=start)
        self.output = nn.Linear(config.num_units, spec.num_outputs)

    def forward(self, inputs: Float[Tensor, "B T D"]) -> Logits:
        """Return the answers' values at the end, (B, K)."""
        return Logits(self.output(self.hidden(inputs, self.is_cut).outputs[-1]))

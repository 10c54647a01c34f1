"""Long short-term memory with a gate that learns when to forget: the default for sequences.

Reference: Gers, F. A., Schmidhuber, J. & Cummins, F. (2000). Learning to forget: continual
prediction with LSTM. Neural Computation 12, 2451-2471. The review's words for it: a unit "with a
connection to itself at the next time step that has a weight of one", "multiplicatively gated by
another unit that learns to decide when to clear the content of the memory"; its reference 79
(`lstm1997`) has no such gate yet.

What was new. The weight of one of a cell's self-connection becomes the output of a gate: near one
it remembers, at zero it starts afresh, so that a net can run for ever without being reset.

Equation -> function

    y_f, y_in, y_out, s_c = y_f s_c + y_in g, y_c = y_out h(s_c) (section 3) -> layers.lstm.LSTM
    the answer at the end                                                    -> LSTMNet.forward

For the adding problem: 64 units, 4 x 64 x (2 + 64 + 1) + 64 + 1 = 17,217 weights.

**Departures**

1. One cell in a block (Gers et al. use two): every cell has gates of its own.
2. Gates see what cells gave, not what other gates gave; no peepholes (those came later).
3. g and h are the hyperbolic tangent; there g is in [-2, 2].
4. The full gradient through all steps instead of the truncated one, and Adam.
5. Forget biases start at 5 (there positive too, section 3): a cell then keeps sigmoid(5)^100 = 51 %
   over a hundred steps; with 1 it would keep 2e-14, and the adding problem was not learned.
6. The answer is read at the end; the paper's task, continual embedded Reber grammar, asks in every
   step.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.numbers import Count
from samoyed.core.reference import Reference
from samoyed.core.spec import SequenceSpec
from samoyed.core.stage import Recipe
from samoyed.layers.lstm import LSTM

REFERENCE = Reference(
    title="Learning to forget: continual prediction with LSTM",
    authors="Gers, F. A., Schmidhuber, J. & Cummins, F.",
    year=2000,
    venue="Neural Computation 12, 2451-2471",
    url="https://doi.org/10.1162/089976600300015015",
)

RECIPE = Recipe(
    optimizer="adam", learning_rate=4e-3, batch_size=50, epochs=40, schedule="cosine",
    clip_norm=1.0, precision="float32",
)  # fmt: skip


@dataclass(frozen=True)
class Config:
    """The dials of the net.

    Args:
        num_units: cells.
        forget_bias: of the forget gates in the beginning.
    """

    num_units: Count = 64
    forget_bias: float = 5.0


def build(config: Config, spec: SequenceSpec) -> LSTMNet:
    """Build the net for sequences of this kind."""
    return LSTMNet(config, spec)


# B batch, T time, D input size, K answers


class LSTMNet(nn.Module):
    """One layer of cells, and a read-out of what they give at the end.

    Args:
        config: the dials.
        spec: the sequences.
    """

    def __init__(self, config: Config, spec: SequenceSpec) -> None:
        super().__init__()
        self.cells = LSTM(spec.width, config.num_units, forget_bias=config.forget_bias)
        self.output = nn.Linear(config.num_units, spec.num_outputs)

    def forward(self, inputs: Float[Tensor, "B T D"]) -> Logits:
        """Return the answers' values at the end, (B, K)."""
        outputs, _ = self.cells(inputs.transpose(0, 1), self.cells.start(len(inputs)))
        return Logits(self.output(outputs[-1]))

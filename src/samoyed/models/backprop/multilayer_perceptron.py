"""The multilayer perceptron with rectifiers, and with the units that came before them.

Glorot, X., Bordes, A. & Bengio, Y. (2011). Deep sparse rectifier neural networks. AISTATS, JMLR
W&CP 15, 315-323.

What was new: networks of three hidden layers train well from random weights, without unsupervised
pre-training, when their units are max(0, x); most of these units are then exactly zero, and a
penalty on their sum makes them sparser still at no cost in accuracy.

Part of the paper -> here:

* section 3.1, rectifier, softplus, logistic and hyperbolic tangent units    -> `UNITS`
* section 3.1, an L1 penalty on the activations                              -> `penalised`
* section 4.1, three hidden layers of 1,000 units, batches of 10             -> `Config`, `RECIPE`
* Glorot & Bengio 2010, eq. 16, weights from U(+-sqrt(6 / (inputs + outputs))) -> `spread_of`

Parameters for pictures of 28 x 28 pixels and 10 classes: 785,000 + 2 x 1,001,000 + 10,010, together
2,797,010.

**Departures**

1. Section 3.2: denoising pre-training is left out; the paper's own finding is that it hardly
   changes what rectifiers reach.
2. Section 4.1 chooses the learning rate, from 0.1 to 0.0001, on validation data for each data set,
   and has a penalty of 0.001; `RECIPE` and `Config` have 0.02 and a tenth of the penalty.
3. The paper draws all weights alike. Here the spread follows the unit: that of Glorot & Bengio for
   the hyperbolic tangent, four times as much for the logistic unit (as is usual), and that of He et
   al. (2015) for rectifier and softplus.
4. The penalty acts on the gradient; the loss that is reported does not contain it.
5. Section 4.1: half of the units' outputs there are multiplied by -1, so that the layer's mean is
   near zero; here no sign is flipped.
6. Besides pictures (at most `LARGEST_SIDE` pixels a side), rows of tables are taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec, TableSpec, TargetSpec
from samoyed.core.stage import Recipe
from samoyed.layers.flat_inputs import FlatInputs, num_outputs, small_picture

REFERENCE = Reference(
    title="Deep sparse rectifier neural networks",
    authors="Glorot, X., Bordes, A. & Bengio, Y.",
    year=2011,
    venue="Proceedings of AISTATS, JMLR W&CP 15, 315-323",
    review=28,
    url="https://proceedings.mlr.press/v15/glorot11a.html",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.02, batch_size=10, epochs=20, momentum=0.0,
    schedule="constant",
)  # fmt: skip

LARGEST_SIDE = 32  # pixels


@dataclass(frozen=True)
class Config:
    """The sizes of section 4.1.

    Args:
        hidden_sizes: units of each hidden layer.
        unit: what a unit makes of its weighted sum.
        sparsity: weight of the sum of the absolute activations of an example.
    """

    hidden_sizes: tuple[int, ...] = (1000, 1000, 1000)
    unit: Literal["rectifier", "softplus", "tanh", "sigmoid"] = "rectifier"
    sparsity: float = 1e-4


UNITS: dict[str, Callable[[Tensor], Tensor]] = {
    "rectifier": F.relu, "softplus": F.softplus, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
}  # fmt: skip

# Legend for shapes: B batch, D inputs, H units of a layer, K answers.


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return what the network takes for pictures of this natural size."""
    return small_picture(spec, LARGEST_SIDE)


def build(
    config: Config, spec: ImageSpec | TableSpec, target: LabelSpec | TargetSpec
) -> MultilayerPerceptron:
    """Build the network for these inputs and this question."""
    return MultilayerPerceptron(config, spec, num_outputs(target))


class ActivationPenalty(torch.autograd.Function):
    """Hand activations on; add the gradient of weight x sum |h|, the mean over the batch."""

    @staticmethod
    def forward(ctx: Any, activations: Tensor, weight: float) -> Tensor:
        """Return the activations as they are."""
        ctx.save_for_backward(activations)
        ctx.weight = weight
        return activations.view_as(activations)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Return the gradient with weight x sign(h) / B added."""
        (activations,) = ctx.saved_tensors
        return grads[0] + ctx.weight / len(activations) * activations.sign(), None


def penalised(activations: Float[Tensor, "B H"], weight: float) -> Float[Tensor, "B H"]:
    """Return the activations, with an L1 penalty on them in the gradient (section 3.2)."""
    if weight == 0 or not activations.requires_grad:
        return activations
    penalty: Tensor = ActivationPenalty.apply(activations, weight)
    return penalty


def spread_of(unit: str, num_inputs: int, num_units: int) -> float:
    """Return a, so that weights from U(-a, a) keep the variance of signals from layer to layer.

    >>> round(spread_of("tanh", 1, 5), 3), round(spread_of("rectifier", 6, 1), 3)
    (1.0, 1.0)
    """
    if unit in ("rectifier", "softplus"):
        return math.sqrt(6 / num_inputs)
    return math.sqrt(6 / (num_inputs + num_units)) * (4 if unit == "sigmoid" else 1)


class MultilayerPerceptron(nn.Module):
    """Hidden layers of one kind of unit, and a linear layer of answers.

    Args:
        config: the dials.
        spec: what the inputs are.
        num_answers: K.
    """

    def __init__(self, config: Config, spec: ImageSpec | TableSpec, num_answers: int) -> None:
        super().__init__()
        self.config = config
        self.flat = FlatInputs(spec)
        sizes = [self.flat.width, *config.hidden_sizes]
        pairs = list(pairwise(sizes))
        self.hidden = nn.ModuleList(nn.Linear(i, o) for i, o in pairs)
        self.answers = nn.Linear(sizes[-1], num_answers)
        with torch.no_grad():
            for layer, (num_inputs, num_units) in zip(self.hidden, pairs, strict=True):
                bound = spread_of(config.unit, num_inputs, num_units)
                layer.weight.uniform_(-bound, bound)  # type: ignore[operator]
                layer.bias.zero_()  # type: ignore[operator]
            bound = spread_of("tanh", sizes[-1], num_answers)
            self.answers.weight.uniform_(-bound, bound)
            self.answers.bias.zero_()

    def activations(self, inputs: Float[Tensor, "B ..."]) -> list[Float[Tensor, "B H"]]:
        """Return the states of each hidden layer."""
        h = self.flat(inputs)
        found = []
        for layer in self.hidden:
            h = penalised(UNITS[self.config.unit](layer(h)), self.config.sparsity)
            found.append(h)
        return found

    def forward(self, inputs: Float[Tensor, "B ..."]) -> Logits:
        """Return (B, K)."""
        states = self.activations(inputs)
        return Logits(self.answers(states[-1] if states else self.flat(inputs)))

"""The dropout network: units left out at random in training, and weights of bounded length.

Srivastava, N., Hinton, G., Krizhevsky, A., Sutskever, I. & Salakhutdinov, R. (2014). Dropout: a
simple way to prevent neural networks from overfitting. Journal of Machine Learning Research 15,
1929-1958.

What was new: every training case trains another thinned network, all of which share their weights;
at test time one network without gaps stands for the mean of all of them.

Part of the paper -> here:

* section 4, r ~ Bernoulli(p), then the layer sees r * y                  -> `thinned`
* section 5.1, the norm of the weights into a unit is at most c          -> `bound_norms`
* table 2, three layers of 1,024 rectified linear units, with max-norm    -> `Config`
* section A.2, momentum 0.95 to 0.99, rates 10 to 100 times larger        -> `RECIPE`
* section 4, at test time weights are multiplied by p                    -> `thinned`

Parameters for pictures of 28 x 28 pixels and 10 classes: 803,840 + 2 x 1,049,600 + 10,250, together
2,913,290.

**Departures**

1. Section 4 multiplies weights by p at test time; here what is kept is divided by p in training,
   which gives the same network (section 10 of the paper says so).
2. Appendix B.1 fine-tunes c, the rate and the number of updates on a validation set; here they are
   fixed, and the rate falls to zero along a straight line. Momentum rises there, and is constant
   here.
3. The norm of the whole gradient is clipped at 5: at these rates a squared error, which the paper
   has none of, diverges without.
4. Besides pictures (at most `LARGEST_SIDE` pixels a side), rows of tables are taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from annotated_types import Gt, Le
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.numbers import Positive, Sizes
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec, TableSpec, TargetSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.layers.flat_inputs import FlatInputs, num_outputs, small_picture

REFERENCE = Reference(
    title="Dropout: a simple way to prevent neural networks from overfitting",
    authors="Srivastava, N., Hinton, G., Krizhevsky, A., Sutskever, I. & Salakhutdinov, R.",
    year=2014,
    venue="Journal of Machine Learning Research 15, 1929-1958",
    review=62,
    url="https://jmlr.org/papers/v15/srivastava14a.html",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.1, batch_size=100, epochs=60, momentum=0.95,
    schedule="linear", clip_norm=5.0,
)  # fmt: skip

LARGEST_SIDE = 32  # pixels


@dataclass(frozen=True)
class Config:
    """The best network of table 2 without pre-training and of this width.

    Args:
        hidden_sizes: units of each hidden layer.
        keep_input: p of the inputs: the chance that one is kept.
        keep_hidden: p of the hidden units.
        max_norm: c, the largest norm of the weights into a unit, or None.
    """

    hidden_sizes: Sizes = (1024, 1024, 1024)
    keep_input: Annotated[float, Gt(0), Le(1)] = 0.8
    keep_hidden: Annotated[float, Gt(0), Le(1)] = 0.5
    max_norm: Positive | None = 2.0


# Legend for shapes: B batch, D inputs, H units of a layer, I inputs of a layer, K answers.


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return what the network takes for pictures of this natural size."""
    return small_picture(spec, LARGEST_SIDE)


def build(
    config: Config, spec: ImageSpec | TableSpec, target: LabelSpec | TargetSpec
) -> DropoutNetwork:
    """Build the network for these inputs and this question."""
    return DropoutNetwork(config, spec, num_outputs(target))


def stages(model: nn.Module, config: Config, feed: Any, stage: Stage, seed: int) -> Iterator[Stage]:
    """Yield the stage that descends the loss, with norms bounded after every step.

    Args:
        model: the network.
        config: its dials.
        feed: not used.
        stage: the stage without the bound.
        seed: not used.
    """
    if config.max_norm is None:
        yield stage
        return
    largest, before = config.max_norm, stage.after_step

    def after_step(model: nn.Module, step: int) -> None:
        assert isinstance(model, DropoutNetwork)
        for layer in model.hidden:
            assert isinstance(layer, nn.Linear)
            bound_norms(layer.weight, largest)
        before(model, step)

    yield replace(stage, after_step=after_step)


def bound_norms(weight: Float[Tensor, "H I"], largest: float) -> None:
    """Scale down, in place, each row (the weights into a unit) that is longer than `largest`."""
    with torch.no_grad():
        weight.copy_(torch.renorm(weight, p=2, dim=0, maxnorm=largest))


def thinned(x: Float[Tensor, "B H"], keep: float, is_training: bool) -> Float[Tensor, "B H"]:
    """Keep each unit with the chance `keep`, divided by it; all of them when not training."""
    return F.dropout(x, 1 - keep, is_training)


class DropoutNetwork(nn.Module):
    """Thinned inputs, thinned layers of rectified linear units, and a linear layer of answers.

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
        pairs = pairwise(sizes)
        self.hidden = nn.ModuleList(nn.Linear(i, o) for i, o in pairs)
        self.answers = nn.Linear(sizes[-1], num_answers)
        for layer in [*self.hidden, self.answers]:
            assert isinstance(layer, nn.Linear)
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
            nn.init.zeros_(layer.bias)

    def activations(self, inputs: Float[Tensor, "B ..."]) -> list[Float[Tensor, "B H"]]:
        """Return the thinned states of each hidden layer."""
        h, found = self.seen(inputs), []
        for layer in self.hidden:
            h = thinned(F.relu(layer(h)), self.config.keep_hidden, self.training)
            found.append(h)
        return found

    def seen(self, inputs: Float[Tensor, "B ..."]) -> Float[Tensor, "B D"]:
        """Return the thinned inputs."""
        return thinned(self.flat(inputs), self.config.keep_input, self.training)

    def forward(self, inputs: Float[Tensor, "B ..."]) -> Logits:
        """Return (B, K)."""
        states = self.activations(inputs)
        return Logits(self.answers(states[-1] if states else self.seen(inputs)))

"""Back-propagation by hand: the forward and the backward equations of a stack of modules.

Rumelhart, D. E., Hinton, G. E. & Williams, R. J. (1986). Learning representations by back-
propagating errors. Nature 323, 533-536; written as in LeCun, Y., Bengio, Y. & Hinton, G. (2015).
Deep learning. Nature 521, 436-444, figure 1.

What was new: units that are neither input nor output come to stand for something, because the
error of the outputs tells each of them, through the chain rule and one pass backwards, how it
should change.

Equation of the review's figure 1 -> here (c is forward, d is backward):

* c, z_j = sum_i w_ij x_i                                        -> `Linear.forward`
* c, y_j = f(z_j), for sigmoid, hyperbolic tangent and rectifier -> `Unit.forward`
* d, dE/dx_i = sum_j w_ij dE/dz_j and dE/dw_ij = x_i dE/dz_j     -> `Linear.back`
* d, dE/dz_j = f'(z_j) dE/dy_j                                   -> `Unit.back`
* d, dE/dy_l = y_l - t_l for the error (y_l - t_l)^2 / 2         -> `SquaredError.gradient`
* the same for the cross-entropy of a softmax, dE/dz_l = p_l - t_l -> `CrossEntropy.gradient`
* b, modules in a row: Jacobians multiply, from the last to the first -> `Stack.back`
* Rumelhart et al., eq. 9, w <- w - e dE/dw + a (the last change) -> `RECIPE`

Nothing of torch's own differentiation is used between the error and the weights: `ByHand` gives the
loop these gradients as those of one function of all weights.

Parameters for pictures of 28 x 28 pixels and 10 classes: 785 x 100 + 101 x 10, together 79,510.

**Departures**

1. The paper sweeps through all cases before it changes a weight; here a batch does, and gradients
   are means over it.
2. The paper's outputs are sigmoid units with a squared error, here `error="squared"`; the default
   for classes is the softmax with cross-entropy of the review.
3. Where a number is asked for, the output is the sum itself, with the squared error.
4. Momentum is Nesterov's, as for every system here; the experiments of the paper, among the tests,
   use its own.
5. Besides pictures (at most `LARGEST_SIDE` pixels a side), rows of tables are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Batch, Logits
from samoyed.core.numbers import Sizes
from samoyed.core.reference import Reference
from samoyed.core.spec import ImageSpec, LabelSpec, TableSpec, TargetSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.layers.flat_inputs import FlatInputs, num_outputs, small_picture

REFERENCE = Reference(
    title="Learning representations by back-propagating errors",
    authors="Rumelhart, D. E., Hinton, G. E. & Williams, R. J.",
    year=1986,
    venue="Nature 323, 533-536",
    review=27,
    url="https://doi.org/10.1038/323533a0",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.1, batch_size=50, epochs=20, momentum=0.9, schedule="linear",
)  # fmt: skip

LARGEST_SIDE = 32  # pixels


@dataclass(frozen=True)
class Config:
    """The stack.

    Args:
        hidden_sizes: units of each hidden layer.
        unit: what a hidden unit makes of its weighted sum.
        error: of classes: cross-entropy of a softmax, or the squared error of sigmoid outputs.
    """

    hidden_sizes: Sizes = (100,)
    unit: Literal["sigmoid", "tanh", "rectifier"] = "sigmoid"
    error: Literal["cross_entropy", "squared"] = "cross_entropy"


# Legend for shapes: B batch, I inputs and O outputs of a module, K answers. Weights may have
# leading axes, *R: as many stacks at once, none of which sees the others.


def accepts(config: Config, spec: ImageSpec) -> ImageSpec:
    """Return what the network takes for pictures of this natural size."""
    return small_picture(spec, LARGEST_SIDE)


def build(
    config: Config, spec: ImageSpec | TableSpec, target: LabelSpec | TargetSpec
) -> Backpropagation:
    """Build the network for these inputs and this question."""
    is_number = isinstance(target, TargetSpec) and target.kind == "number"
    return Backpropagation(config, spec, num_outputs(target), is_number)


@runtime_checkable
class Module(Protocol):
    """One box of figure 1: what it gives, and how an error goes back through it."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs, (*R, B, O), of inputs (*R, B, I)."""
        ...

    def back(self, x: Tensor, y: Tensor, dy: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return dE/dx, and dE/dw for each parameter in order.

        Args:
            x: the inputs of the forward pass.
            y: its outputs.
            dy: dE/dy.
        """
        ...


class Linear(nn.Module):
    """z = w x + b.

    Args:
        num_inputs: I.
        num_units: O.
        spread: weights are drawn from U(-spread, spread), I ** -0.5 by default.
        links: (O, I) 0 where there is no connection; None for all of them.
        copies: *R, how many at once.
    """

    links: Tensor | None

    def __init__(
        self, num_inputs: int, num_units: int, *, spread: float | None = None,
        links: Tensor | None = None, copies: tuple[int, ...] = (),
    ) -> None:  # fmt: skip
        super().__init__()
        bound = num_inputs**-0.5 if spread is None else spread
        weight = torch.empty(*copies, num_units, num_inputs).uniform_(-bound, bound)
        self.weight = nn.Parameter(weight if links is None else weight * links)
        self.bias = nn.Parameter(torch.empty(*copies, num_units).uniform_(-bound, bound))
        self.register_buffer("links", links)

    def forward(self, x: Float[Tensor, "*R B I"]) -> Float[Tensor, "*R B O"]:
        """Return z_j = sum_i w_ij x_i + b_j."""
        return x @ self.weight.mT + self.bias[..., None, :]

    def back(self, x: Tensor, y: Tensor, dy: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return dE/dx_i = sum_j w_ij dE/dz_j, dE/dw_ij = x_i dE/dz_j and dE/db_j = dE/dz_j."""
        dweight = dy.mT @ x
        if self.links is not None:
            dweight = dweight * self.links
        return dy @ self.weight, (dweight, dy.sum(-2))


FORMULAS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "sigmoid": (lambda z: 1 / (1 + (-z).exp()), lambda y: y * (1 - y)),
    "tanh": (lambda z: 2 / (1 + (-2 * z).exp()) - 1, lambda y: 1 - y * y),
    "rectifier": (lambda z: z.clamp(min=0), lambda y: (y > 0).to(y.dtype)),
}
"""f(z), and f'(z) in terms of y = f(z)."""


class Unit(nn.Module):
    """y = f(z).

    Args:
        name: a key of `FORMULAS`.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.function, self.slope = FORMULAS[name]

    def forward(self, x: Float[Tensor, "*R B O"]) -> Float[Tensor, "*R B O"]:
        """Return f(z)."""
        return self.function(x)

    def back(self, x: Tensor, y: Tensor, dy: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return dE/dz = f'(z) dE/dy."""
        return self.slope(y) * dy, ()


class Stack(nn.Module):
    """Modules in a row, differentiated by hand.

    Args:
        modules: from the inputs on.
    """

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__()
        self.row = nn.ModuleList(modules)

    def states(self, x: Float[Tensor, "*R B I"]) -> list[Tensor]:
        """Return the inputs, then the outputs of each module."""
        found = [x]
        for module in self.row:
            found.append(_equations(module).forward(found[-1]))
        return found

    def back(self, states: Sequence[Tensor], dy: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return dE/dx of the stack's inputs, and dE/dw for each parameter in order.

        Args:
            states: what `states` returned.
            dy: dE/dy of the last of them.
        """
        gradients: list[Tensor] = []
        for index in reversed(range(len(self.row))):
            x, y = states[index], states[index + 1]
            dy, mine = _equations(self.row[index]).back(x, y, dy)
            gradients[:0] = mine
        return dy, gradients

    def forward(self, x: Float[Tensor, "*R B I"]) -> Float[Tensor, "*R B O"]:
        """Return the outputs; their gradients are those of `back`."""
        if not torch.is_grad_enabled():
            return self.states(x)[-1]
        outputs: Tensor = ByHand.apply(self, x, *self.parameters())
        return outputs


def _equations(module: nn.Module) -> Module:
    assert isinstance(module, (Linear, Unit))
    return module


class ByHand(torch.autograd.Function):
    """A stack as one function of its inputs and all its weights."""

    @staticmethod
    def forward(ctx: Any, stack: Stack, x: Tensor, *weights: Tensor) -> Tensor:
        """Go forward and keep every state."""
        states = stack.states(x)
        ctx.stack = stack
        ctx.save_for_backward(*states)
        return states[-1]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Go back through the stack."""
        dx, gradients = ctx.stack.back(ctx.saved_tensors, grads[0])
        return None, dx, *gradients


class SquaredError:
    """E = sum (y - t)^2 / 2."""

    def value(self, y: Tensor, t: Tensor) -> Float[Tensor, ""]:
        """Return E, the sum over everything."""
        return (y - t).square().sum() / 2

    def gradient(self, y: Tensor, t: Tensor) -> Tensor:
        """Return dE/dy = y - t."""
        return y - t


class CrossEntropy:
    """E = -sum t log p, p the softmax of z."""

    def value(self, z: Tensor, t: Tensor) -> Float[Tensor, ""]:
        """Return E, the sum over everything; t are probabilities."""
        shifted = z - z.amax(-1, keepdim=True)
        log_p = shifted - shifted.exp().sum(-1, keepdim=True).log()
        return -(t * log_p).sum()

    def gradient(self, z: Tensor, t: Tensor) -> Tensor:
        """Return dE/dz = p - t."""
        e = (z - z.amax(-1, keepdim=True)).exp()
        return e / e.sum(-1, keepdim=True) - t


ERRORS: dict[str, SquaredError | CrossEntropy] = {
    "squared": SquaredError(),
    "cross_entropy": CrossEntropy(),
}


class ErrorByHand(torch.autograd.Function):
    """An error as a function of the outputs, with its gradient written out."""

    @staticmethod
    def forward(ctx: Any, name: str, y: Tensor, t: Tensor) -> Tensor:
        """Return E."""
        ctx.save_for_backward(ERRORS[name].gradient(y, t))
        return ERRORS[name].value(y, t)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor, None]:
        """Return dE/dy."""
        return None, grads[0] * ctx.saved_tensors[0], None


def error_of(name: str, y: Tensor, t: Tensor) -> Float[Tensor, ""]:
    """Return an error of outputs y for targets t, a key of `ERRORS`, its gradient by hand."""
    found: Tensor = ErrorByHand.apply(name, y, t)
    return found


class Backpropagation(nn.Module):
    """A stack of hidden layers and an output layer.

    Args:
        config: the dials.
        spec: what the inputs are.
        num_answers: K.
        is_number: whether a number is asked for rather than a class.
    """

    def __init__(
        self, config: Config, spec: ImageSpec | TableSpec, num_answers: int, is_number: bool
    ) -> None:
        super().__init__()
        self.error = "squared" if is_number else config.error
        self.flat = FlatInputs(spec)
        sizes = [self.flat.width, *config.hidden_sizes]
        modules: list[nn.Module] = []
        for num_inputs, num_units in pairwise(sizes):
            modules += [Linear(num_inputs, num_units), Unit(config.unit)]
        modules.append(Linear(sizes[-1], num_answers))
        self.stack = Stack(*modules)
        self.output = Unit("sigmoid") if config.error == "squared" and not is_number else None

    def forward(self, inputs: Float[Tensor, "B ..."]) -> Logits:
        """Return the sums at the output units, (B, K)."""
        with torch.autocast(inputs.device.type, enabled=False):
            return Logits(self.stack(self.flat(inputs).to(self.stack.row[0].weight.dtype)))


def descend(model: nn.Module, batch: Batch) -> Float[Tensor, ""]:
    """Return the mean error of a batch; every gradient in it is written out by hand."""
    assert isinstance(model, Backpropagation)
    assert batch.targets is not None
    y = model(batch.inputs).values
    if model.output is not None:
        y = Stack(model.output)(y)
    t = batch.targets
    t = t[:, None] if t.is_floating_point() else nn.functional.one_hot(t, y.shape[1])
    return error_of(model.error, y, t.to(y.dtype)) / len(y)


def idle(config: Config) -> Mapping[str, str]:
    """Return the dials that have no effect with this Config, and why."""
    return {"label_smoothing": "its error compares with plain targets"}


def stages(model: nn.Module, config: Config, feed: Any, stage: Stage, seed: int) -> Iterator[Stage]:
    """Yield the task's own stage, with the gradients of this file.

    Args:
        model: the network.
        config: its dials.
        feed: not used.
        stage: its examples, order, rate and number of steps are kept.
        seed: not used.
    """
    yield replace(stage, objective=descend)

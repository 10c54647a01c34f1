"""From a recipe to an optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from samoyed.core.stage import Recipe


def of(
    recipe: Recipe, parameters: Callable[[nn.Module], Iterable[nn.Parameter]] | None = None
) -> Callable[[nn.Module], Optimizer]:
    """Return a function that builds the recipe's optimizer over a model's parameters.

    Weight decay acts on matrices and filters, not on biases and normalisation scales.

    Args:
        recipe: the dials.
        parameters: which of a model's parameters to train; all by default.
    """

    def build(model: nn.Module) -> Optimizer:
        chosen = list(model.parameters() if parameters is None else parameters(model))
        groups = [
            {"params": [p for p in chosen if p.ndim > 1], "weight_decay": recipe.weight_decay},
            {"params": [p for p in chosen if p.ndim <= 1], "weight_decay": 0.0},
        ]
        groups = [group for group in groups if group["params"]]
        rate = recipe.learning_rate
        if recipe.optimizer == "sgd":
            return torch.optim.SGD(
                groups, lr=rate, momentum=recipe.momentum, nesterov=recipe.momentum > 0, fused=True
            )
        if recipe.optimizer == "rmsprop":
            return torch.optim.RMSprop(groups, lr=rate, alpha=0.95, eps=0.01, centered=True)
        kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
        return kind(groups, lr=rate, betas=(recipe.momentum, 0.999), fused=True)

    return build


class RowDescent(torch.optim.SGD):
    """Plain stochastic gradient descent on tables of which a step touches few rows.

    What `torch.optim.SGD` does without momentum and weight decay, for sparse gradients in a third
    of the time. A gradient is used up: afterwards it holds the step that was taken.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> None:
        super().__init__(parameters, lr=learning_rate)

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:  # type: ignore[override]
        """Do one step; return what `closure`, which fills in the gradients, returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for table in group["params"]:
                gradient = table.grad
                if gradient is None:
                    continue
                if gradient.is_sparse:
                    rows = gradient._values().mul_(-group["lr"])
                    table.index_add_(0, gradient._indices()[0], rows)
                else:
                    table.add_(gradient, alpha=-group["lr"])
        return loss

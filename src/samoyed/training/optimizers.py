"""From a recipe to an optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

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
        return _over(model.parameters() if parameters is None else parameters(model), recipe)

    return build


def beside_tables(
    recipe: Recipe, tables: Sequence[str], rate: float
) -> Callable[[nn.Module], Optimizer]:
    """Return a function that builds the recipe's optimizer, with plain descent on some tables.

    Of such a table a step touches few rows. Optimizers that divide by how large an entry's
    gradients have been move a row that is met once equally far whether its gradient was large or
    next to nothing; here it moves by its gradient.

    Args:
        recipe: how the other parameters are trained.
        tables: names of parameters with sparse gradients.
        rate: of the descent on the tables; the schedule acts on it too.
    """

    def build(model: nn.Module) -> Optimizer:
        others = [p for name, p in model.named_parameters() if name not in tables]
        optimizer = _over(others, recipe, beside_tables=True)
        held = [p for name, p in model.named_parameters() if name in tables]
        if held:
            optimizer.add_param_group({"params": held, "lr": rate, _IS_TABLE: True})
        return optimizer

    return build


def _over(
    parameters: Iterable[nn.Parameter], recipe: Recipe, beside_tables: bool = False
) -> Optimizer:
    """Build the recipe's optimizer over these parameters."""
    chosen = list(parameters)
    groups = [
        {"params": [p for p in chosen if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in chosen if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    kind, dials = _kind_of(recipe)
    if beside_tables:
        kind = type(f"{kind.__name__}BesideTables", (_BesideTables, kind), {})
    return kind(groups, lr=recipe.learning_rate, **dials)


def _kind_of(recipe: Recipe) -> tuple[type[Any], dict[str, Any]]:
    """Return the class of optimizer and its dials but the rate."""
    if recipe.optimizer == "sgd":
        dials = {"momentum": recipe.momentum, "nesterov": recipe.momentum > 0, "fused": True}
        return torch.optim.SGD, dials
    if recipe.optimizer == "rmsprop":
        return torch.optim.RMSprop, {"alpha": 0.95, "eps": 0.01, "centered": True}
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return kind, {"betas": (recipe.momentum, 0.999), "fused": True}


_IS_TABLE = "is_table"


class _BesideTables:
    """Before an optimizer: plain descent on its groups that are tables, its own on the rest."""

    param_groups: list[dict[str, Any]]

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor]) -> Tensor:
        """Do one step; return what `closure`, which fills in the gradients, returned."""
        with torch.enable_grad():
            loss = closure()
        for group in self.param_groups:
            if group.get(_IS_TABLE, False):
                _descend_rows(group)
                for table in group["params"]:
                    table.grad = None  # nothing is left for the other rule
        super().step()  # type: ignore[misc]
        return loss


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
            _descend_rows(group)
        return loss


def _descend_rows(group: Mapping[str, Any]) -> None:
    """Move the rows of a group's tables against their gradients, which are used up."""
    for table in group["params"]:
        gradient = table.grad
        if gradient is None:
            continue
        if gradient.is_sparse:
            rows = gradient._values().mul_(-group["lr"])
            table.index_add_(0, gradient._indices()[0], rows)
        else:
            table.add_(gradient, alpha=-group["lr"])

"""From a recipe to an optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn
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

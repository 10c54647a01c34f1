"""How models for tables are trained: one stage over all rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from samoyed.core.batch import Batch
from samoyed.core.stage import Objective, Recipe, Stage
from samoyed.data.feeds import num_steps
from samoyed.data.table_feed import TableFeed
from samoyed.training.stages import stage_of

BATCH_ROWS = 1024  # when nothing is learned
Values = Callable[[Tensor, Tensor], Tensor]
"""(the model's values, targets) -> the scalar to descend."""


def descend(model: nn.Module, batch: Batch, *, loss: Values) -> Tensor:
    """Return the scalar to descend, shape ()."""
    assert batch.targets is not None
    return loss(model(batch.inputs).values, batch.targets)


def stages(
    inputs: np.ndarray, targets: np.ndarray, recipe: Recipe, seed: int, objective: Objective
) -> Iterator[Stage]:
    """Yield the one stage of training on a table.

    Args:
        inputs: (N, W) encoded rows.
        targets: (N, ...) on the scale that is learned.
        recipe: how fast and how long.
        seed: decides the order.
        objective: (model, batch) -> the scalar to descend.
    """
    feed = TableFeed(inputs, targets, recipe.batch_size, seed)
    steps = num_steps(len(inputs), recipe.batch_size * recipe.accumulate, recipe.epochs)
    yield stage_of(recipe, feed, objective, steps)


def predict_values(
    model: nn.Module, inputs: np.ndarray, device: torch.device | str = "cpu"
) -> np.ndarray:
    """Return (N, K) float64 values for (N, W) encoded rows.

    The model is left as it was: where it was training, it goes on in training mode.
    """
    if len(inputs) == 0:
        raise ValueError("no row to look at")
    was_training = model.training
    model.eval()
    pieces = []
    with torch.inference_mode():
        for start in range(0, len(inputs), BATCH_ROWS):
            rows = torch.from_numpy(np.ascontiguousarray(inputs[start : start + BATCH_ROWS]))
            pieces.append(model(rows.to(device)).values.double().cpu().numpy())
    model.train(was_training)
    return np.concatenate(pieces)

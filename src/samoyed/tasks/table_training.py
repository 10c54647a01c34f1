"""How models for tables are trained: one stage, and the weights that did best on rows set aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from samoyed.core.batch import Batch
from samoyed.core.seeding import numpy_generator
from samoyed.core.stage import Objective, Recipe, Stage
from samoyed.data.feeds import num_steps
from samoyed.data.table_feed import TableFeed
from samoyed.training import optimizers, schedules

BATCH_ROWS = 1024  # when nothing is learned
FEWEST_SET_ASIDE = 12  # rows; fewer would choose by luck
MOST_SET_ASIDE = 4000
SMALL_TABLE = 5000  # rows below which more of them are set aside
FEWEST_STEPS_BETWEEN = 10  # looks at the rows set aside

Values = Callable[[Tensor, Tensor], Tensor]
"""(the model's values, targets) -> the scalar to descend."""


def descend(model: nn.Module, batch: Batch, *, loss: Values) -> Tensor:
    """Return the scalar to descend, shape ()."""
    assert batch.targets is not None
    return loss(model(batch.inputs).values, batch.targets)


def set_aside(num: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to descend on and the rows to choose the weights by, ascending."""
    share = 0.15 if num < SMALL_TABLE else 0.1
    count = min(MOST_SET_ASIDE, round(share * num))
    if count < FEWEST_SET_ASIDE:
        return np.arange(num), np.zeros(0, np.int64)
    order = numpy_generator(seed, "set aside").permutation(num)
    return np.sort(order[count:]), np.sort(order[:count])


class BestWeights:
    """Keep the weights with the smallest loss on rows set aside; put them in place at the end.

    Args:
        inputs: (N, W) rows that training does not see.
        targets: (N, ...) theirs.
        loss: of the model's values.
        every: steps between two looks.
    """

    def __init__(self, inputs: np.ndarray, targets: np.ndarray, loss: Values, every: int) -> None:
        self.inputs, self.targets = inputs, torch.from_numpy(targets)
        self.loss, self.every = loss, every
        self.best_loss = float("inf")
        self.best: dict[str, Tensor] = {}

    def after_step(self, model: nn.Module, step: int) -> None:
        """Look, now and then."""
        if (step + 1) % self.every == 0:
            self._look(model)

    def after(self, model: nn.Module) -> None:
        """Look a last time, and put the best weights in place."""
        self._look(model)
        model.load_state_dict(self.best, strict=True)

    def _look(self, model: nn.Module) -> None:
        device = next(model.parameters()).device
        values = torch.from_numpy(predict_values(model, self.inputs, device))
        loss = float(self.loss(values, self.targets))
        if loss < self.best_loss or not self.best:
            self.best_loss = loss
            self.best = {k: v.detach().clone() for k, v in model.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        """Return the best weights and their loss, for a checkpoint."""
        is_known = bool(self.best)
        return {**self.best, "best loss": repr(self.best_loss), "is known": is_known}

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Restore the best weights."""
        held = dict(state_dict)
        self.best_loss = float(held.pop("best loss"))
        held.pop("is known")
        self.best = held


def stages(
    model: nn.Module, inputs: np.ndarray, targets: np.ndarray, recipe: Recipe, seed: int, *,
    loss: Values, objective: Objective, keep_best: bool,
) -> Iterator[Stage]:  # fmt: skip
    """Yield the one stage of training on a table.

    Args:
        model: the model.
        inputs: (N, W) encoded rows.
        targets: (N, ...) on the scale that is learned.
        recipe: how fast and how long.
        seed: decides the order, and which rows are set aside.
        loss: of the model's values, without smoothing: what the best weights are chosen by.
        objective: (model, batch) -> the scalar to descend.
        keep_best: set rows aside and keep the weights that did best on them.
    """
    learned, aside = set_aside(len(inputs), seed)
    if not keep_best or len(aside) == 0:
        learned, keep_best = np.arange(len(inputs)), False
    feed = TableFeed(inputs[learned], targets[learned], recipe.batch_size, seed)
    steps = num_steps(len(learned), recipe.batch_size * recipe.accumulate, recipe.epochs)
    keeps: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    if keep_best:
        every = max(FEWEST_STEPS_BETWEEN, feed.steps_per_epoch)
        best = BestWeights(inputs[aside], targets[aside], loss, every)
        keeps, extra = {"best": best}, {"after_step": best.after_step, "after": best.after}
    yield Stage(
        name="train", feed=feed, objective=objective, optimizer=optimizers.of(recipe), steps=steps,
        rate=schedules.of(recipe), clip_norm=recipe.clip_norm, accumulate=recipe.accumulate,
        keeps=keeps, **extra,
    )  # fmt: skip


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

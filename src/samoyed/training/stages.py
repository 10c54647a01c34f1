"""From a recipe to the stage of training that it describes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, cast, runtime_checkable

from torch import Tensor, nn

from samoyed.core.stage import Recipe, Stage, Stateful
from samoyed.training import optimizers, schedules
from samoyed.training.averaging import WeightAverage


def stage_of(
    recipe: Recipe,
    feed: Any,
    objective: Callable[[nn.Module, Any], Tensor],
    steps: int | None = None,
) -> Stage:
    """Return the stage "train" of a recipe.

    Args:
        recipe: how fast and how long.
        feed: where batches come from.
        objective: (model, batch) -> the scalar to descend.
        steps: how many; by default the recipe's passes through the feed's `steps_per_epoch`.
    """
    if steps is None:
        steps = max(1, round(recipe.epochs * feed.steps_per_epoch / recipe.accumulate))
    return Stage(
        name="train", feed=feed, objective=objective, optimizer=optimizers.of(recipe), steps=steps,
        rate=schedules.of(recipe), clip_norm=recipe.clip_norm, accumulate=recipe.accumulate,
    )  # fmt: skip


@runtime_checkable
class Keeper(Protocol):
    """What looks at the weights after every step, and puts others in place at the end."""

    def after_step(self, model: nn.Module, step: int) -> None:
        """Look at the weights."""

    def after(self, model: nn.Module) -> None:
        """Put the weights that are kept in place."""


def accompanied(stage: Stage, name: str, keeper: Keeper) -> Stage:
    """Return the stage with a keeper beside whatever it does already, saved by this name."""

    def after_step(model: nn.Module, step: int) -> None:
        stage.after_step(model, step)
        keeper.after_step(model, step)

    def after(model: nn.Module) -> None:
        keeper.after(model)
        if stage.after is not None:
            stage.after(model)

    keeps = {**stage.keeps, name: cast(Stateful, keeper)}
    return replace(stage, after_step=after_step, after=after, keeps=keeps)


def averaged(stage: Stage, average: WeightAverage) -> Stage:
    """Return the stage with the average of its weights in place of the last ones."""
    return accompanied(stage, "average", average)

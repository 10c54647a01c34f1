"""From a recipe to the stage of training that it describes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

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


def averaged(stage: Stage, average: WeightAverage) -> Stage:
    """Return the stage with the average of its weights in place of the last ones."""

    def after_step(model: nn.Module, step: int) -> None:
        stage.after_step(model, step)
        average.after_step(model, step)

    def after(model: nn.Module) -> None:
        average.after(model)
        if stage.after is not None:
            stage.after(model)

    keeps = {**stage.keeps, "average": cast(Stateful, average)}
    return replace(stage, after_step=after_step, after=after, keeps=keeps)

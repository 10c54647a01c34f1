"""How models for pictures are trained: one stage, or what a system puts around it.

Where the user brought a validation part, the weights that do best on it are the ones kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from samoyed.core.batch import Batch
from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import ImageSpec
from samoyed.core.stage import Objective, Recipe, Stage
from samoyed.data.augmentation import Augmentation, Choice, check_names, choose
from samoyed.data.cache import rows_of
from samoyed.data.feeds import PictureFeed, as_floats, made_of, num_steps
from samoyed.data.image_split import strata_of
from samoyed.data.images import ImageData, Pictures
from samoyed.tasks.tempering import left_out, tempered
from samoyed.training.averaging import WeightAverage
from samoyed.training.best_weights import BestWeights, on_rows, watched
from samoyed.training.stages import averaged, stage_of

SystemLoss = Callable[[Any, Tensor], Tensor]
"""(the model's output, targets) -> the scalar to descend."""

SystemStages = Callable[[PictureFeed, Stage], Iterator[Stage]]
"""(plain pictures to pre-train on, the stage that descends the loss) -> all stages."""

Aside = tuple[Pictures, np.ndarray]
"""A part of the data and the indices of some pictures of it."""

BATCH_PIXELS = 1 << 21  # numbers per batch when nothing is learned: 8 MiB
MOST_TO_CHOOSE_BY = 2000  # pictures of a validation part that are looked at after every epoch
FEWEST_TO_TEMPER_ON, MOST_TO_TEMPER_ON = 300, 500  # pictures
ENOUGH_TO_KEEP_SOME = 6000  # to learn from: fewer are all learned from
ENOUGH_TO_CHOOSE_BY = 100  # so many always; beyond, no more than a fifth of those to learn from


def variations_of(
    augmentation: str, spec: ImageSpec, train: Pictures, names: tuple[str, ...]
) -> Choice:
    """Return how training pictures are varied, and why.

    Args:
        augmentation: "auto", "none", or names from `data.augmentation.VARIATIONS` with commas.
        spec: size and colours of the pictures.
        train: what is learned from.
        names: what the classes or labels are called.

    Raises:
        OptionError: for a variation that does not exist.
    """
    if augmentation == "auto":
        return choose(spec, train.images, train.labels, names)
    if augmentation == "none":
        return Choice((), "as asked")
    names = tuple(name.strip() for name in augmentation.split(","))
    check_names(names)
    return Choice(names, "as asked")


def picture_stages(
    model: nn.Module,
    data: ImageData,
    recipe: Recipe,
    seed: int,
    objective: Objective,
    variations: tuple[str, ...],
    *,
    system_stages: SystemStages | None = None,
    num_labels: int | None = None,
    is_tempered: bool = False,
) -> Iterator[Stage]:
    """Yield the stages of training: one, unless the system has its own.

    Args:
        model: the model.
        data: pictures of the size the model takes.
        recipe: how fast and how long.
        seed: decides order and variations.
        objective: (model, batch) -> the scalar to descend.
        variations: names from `data.augmentation.VARIATIONS`.
        system_stages: what the system does around the stage that descends the loss; it chooses
            its weights itself.
        num_labels: learn from so many labelled pictures, spread over the classes.
        is_tempered: whether the temperature is set on `to_temper_on`.
    """
    train, aside, only = data.train, None, None
    if num_labels is not None:
        train = some_of(train, spread(strata_of(train.labels), num_labels, seed))
    elif is_tempered:
        aside, only = to_temper_on(data, seed)
    augment = Augmentation(variations) if variations else None
    feed = PictureFeed(train.images, train.labels, recipe.batch_size, seed, augment, only)
    steps = num_steps(len(feed), recipe.batch_size * recipe.accumulate, recipe.epochs)
    average = None if recipe.average is None else WeightAverage(model, recipe.average)
    stage = stage_of(recipe, feed, objective, steps)
    if average is not None:
        stage = averaged(stage, average)
    if system_stages is not None:
        plain = PictureFeed(data.train.images, data.train.labels, recipe.batch_size, seed)
        yield from system_stages(plain, stage)
        return
    if data.validation is not None:
        weights = model if average is None else average.averaged.module
        every = max(1, round(feed.steps_per_epoch / recipe.accumulate))
        stage = chosen_by(to_choose_by(data.validation, len(train)), stage, weights, every)
    yield stage if aside is None else tempered(stage, partial(_scores_and_classes, aside=aside))


def to_temper_on(data: ImageData, seed: int) -> tuple[Aside | None, np.ndarray | None]:
    """Return pictures to set the temperature on, and which ones are left to learn from.

    A validation part serves where there is one of some size. Else a few are kept from a large
    training part; a small one is learned from as it is, as every picture counts.

    Returns:
        Which pictures of which part, or None; and the indices of those left to learn from, or
        None for all.
    """
    if data.validation is not None:
        num = len(data.validation)
        rows = _even(num, MOST_TO_TEMPER_ON)
        return (None if num < FEWEST_TO_TEMPER_ON else (data.validation, rows)), None
    if len(data.train) < ENOUGH_TO_KEEP_SOME:
        return None, None
    is_kept = left_out(len(data.train), MOST_TO_TEMPER_ON, numpy_generator(seed, "temperature"))
    return (data.train, np.flatnonzero(is_kept)), np.flatnonzero(~is_kept)


def _scores_and_classes(model: nn.Module, aside: Aside) -> tuple[Tensor, Tensor]:
    pictures, rows = aside
    scores = predict_logits(model, pictures.images, next(model.parameters()).device, rows)
    return torch.from_numpy(scores), torch.from_numpy(pictures.labels[rows])


def _even(num: int, most: int) -> np.ndarray:
    """Return at most so many indices below `num`, evenly spread."""
    return np.linspace(0, num - 1, min(most, num)).astype(np.int64)


def evenly(pictures: Pictures, most: int) -> Pictures:
    """Return at most so many of the pictures, evenly spread."""
    return pictures if most >= len(pictures) else some_of(pictures, _even(len(pictures), most))


def to_choose_by(validation: Pictures, num_train: int) -> Pictures:
    """Return the part of a validation part that is looked at after every epoch, evenly spread."""
    most = min(MOST_TO_CHOOSE_BY, max(ENOUGH_TO_CHOOSE_BY, num_train // 5), len(validation))
    return evenly(validation, most)


def chosen_by(aside: Pictures, stage: Stage, weights: nn.Module, every: int) -> Stage:
    """Return the stage with the weights kept that have the smallest loss on pictures set aside.

    Args:
        aside: those pictures.
        stage: what is trained.
        weights: the module whose weights are looked at: the model, or the average of its weights,
            which the stage puts in place of the model's at its end.
        every: steps between two looks.
    """

    def loss(module: nn.Module, batch: Batch) -> Tensor:
        pictures = as_floats(batch.inputs.cpu().numpy()).to(batch.inputs.device)
        return stage.objective(module, Batch(pictures, batch.targets))

    batch = Batch(torch.from_numpy(np.array(aside.images)), torch.from_numpy(aside.labels))
    measure = on_rows(batch, loss, batch_size_of(aside.images))
    return watched(stage, BestWeights(weights, measure, every))


def looked_at(data: ImageData, limit: int | None) -> tuple[Pictures, np.ndarray]:
    """Return the held-out part and all its rows, or for a quick look so many rows.

    A quick look is at the validation part where there is one: nobody sees the test part before
    training has ended.
    """
    if limit is None:
        return data.test, np.arange(len(data.test))
    part = data.test if data.validation is None else data.validation
    return part, _even(len(part), limit)


def batch_size_of(images: np.ndarray) -> int:
    """Return how many of these (N, C, H, W) pictures are looked at in one go."""
    return max(8, min(512, BATCH_PIXELS // int(np.prod(images.shape[1:]))))


def predict_logits(
    model: nn.Module, images: np.ndarray, device: torch.device | str = "cpu",
    rows: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Return (N, K) float64 unnormalised log-probabilities for (N, C, H, W) uint8 pictures.

    The model is left as it was: where it was training, it goes on in training mode.

    Args:
        model: the model.
        images: the pictures, of which a batch at a time is held in memory.
        device: where to compute.
        rows: (N,) which of them; all by default.
    """
    if (len(images) if rows is None else len(rows)) == 0:
        raise ValueError("no picture to look at")

    def answered(pictures: Tensor) -> Tensor:
        return model(pictures.to(device)).values.double().cpu()

    was_training = model.training
    model.eval()
    with torch.inference_mode():
        found = made_of(images, answered, rows, at_most=batch_size_of(images))
    model.train(was_training)
    return found.numpy()


def spread(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Choose `count` rows, as evenly over the classes as they allow, in ascending order."""
    shuffled = numpy_generator(seed, "spread").permutation(len(labels))
    rank_in_class = np.empty(len(labels), dtype=np.int64)
    for k in np.unique(labels):
        rows = shuffled[labels[shuffled] == k]
        rank_in_class[rows] = np.arange(len(rows))
    order = shuffled[np.argsort(rank_in_class[shuffled], kind="stable")]
    return np.sort(order[: min(count, len(labels))])


def some_of(pictures: Pictures, rows: np.ndarray) -> Pictures:
    """Return these rows of a split."""
    names = tuple(pictures.names[i] for i in rows)
    return Pictures(rows_of(pictures.images, rows), pictures.labels[rows], names)

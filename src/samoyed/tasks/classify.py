"""Classify pictures: which of the known classes is it?

Training descends the cross-entropy, or the system's own loss, on shuffled batches of varied
pictures. Scoring reads the whole held-out part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from samoyed.core.batch import Batch
from samoyed.core.numbers import Share
from samoyed.core.reference import Answer, Score
from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Objective, Recipe, Stage
from samoyed.data.augmentation import Choice
from samoyed.data.images import ImageData, Pictures, read_pictures
from samoyed.metrics import classification
from samoyed.metrics.intervals import bootstrap, wilson
from samoyed.tasks.picture_training import (
    SystemLoss,
    SystemStages,
    looked_at,
    picture_stages,
    predict_logits,
    variations_of,
)

NUM_NEXT = 4  # how many runners-up an answer names
NUM_RESAMPLES = 200  # of the intervals that have no closed form


@dataclass(frozen=True)
class Classify:
    """The question, and how it is asked in training.

    Args:
        spec: size and colours of the pictures the model takes.
        labels: the classes.
        augmentation: "auto" lets the data choose, "none", or names from
            `data.augmentation.VARIATIONS`, separated by commas.
        label_smoothing: share of the target spread over all classes.
        is_tempered: whether one temperature sets how sure answers are, on pictures that are not
            learned from, where the system has `scale_scores`.
    """

    spec: ImageSpec
    labels: LabelSpec
    augmentation: str = "auto"
    label_smoothing: Share = 0.05
    is_tempered: bool = True
    name: ClassVar[str] = "classify"
    headline: ClassVar[str] = "accuracy"

    @property
    def built_for(self) -> tuple[Any, ...]:
        """Return what a system's `build` is told of the data, after its Config."""
        return self.spec, self.labels

    def variations(self, train: Pictures) -> Choice:
        """Return how training pictures are varied, and why.

        Raises:
            OptionError: for a variation that does not exist.
        """
        return variations_of(self.augmentation, self.spec, train, self.labels.names)

    def stages(
        self,
        model: nn.Module,
        data: ImageData,
        recipe: Recipe,
        seed: int,
        *,
        system_stages: SystemStages | None = None,
        system_loss: SystemLoss | None = None,
        num_labels: int | None = None,
    ) -> Iterator[Stage]:
        """Return the stages of training: one, unless the system has its own.

        Args:
            model: the model.
            data: pictures of the size `spec`.
            recipe: how fast and how long.
            seed: decides order and variations.
            system_stages: what the system does around the stage that descends the loss.
            system_loss: the system's own loss, or None for cross-entropy.
            num_labels: learn from so many labelled pictures, spread over the classes.
        """
        return picture_stages(
            model, data, recipe, seed, self.objective(system_loss),
            self.variations(data.train).names, system_stages=system_stages, num_labels=num_labels,
            is_tempered=self.is_tempered and hasattr(model, "scale_scores"),
        )  # fmt: skip

    def objective(self, system_loss: SystemLoss | None = None) -> Objective:
        """Return (model, batch) -> the scalar to descend."""
        if system_loss is None:
            return partial(cross_entropy, label_smoothing=self.label_smoothing)
        return partial(_system_objective, system_loss=system_loss)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the cross-entropy, shape ()."""
        return cross_entropy(model, batch, label_smoothing=self.label_smoothing)

    def score(
        self, model: nn.Module, data: ImageData, device: torch.device | str = "cpu",
        limit: int | None = None, seed: int = 0,
    ) -> tuple[Score, ...]:  # fmt: skip
        """Measure on the held-out pictures.

        Args:
            model: the model.
            data: pictures of the size `spec`.
            device: where to compute.
            limit: a quick look at so many pictures, evenly spread over the validation part where
                there is one, else over the held-out part.
            seed: of the resampling behind the intervals.

        Returns:
            accuracy (Wilson's interval), macro F1, log loss and calibration error (bootstrap).
        """
        part, rows = looked_at(data, limit)
        probabilities = predict_probabilities(model, part.images, device, rows)
        return scores_of(probabilities, part.labels[rows], seed)

    def answer(
        self, model: nn.Module, inputs: Sequence[str], device: torch.device | str = "cpu"
    ) -> list[Answer]:
        """Say what is on each picture.

        Args:
            model: the model.
            inputs: files, and folders of which every picture is taken.
            device: where to compute.

        Raises:
            DataError: for a path that is missing or is no picture.
        """
        images, names = read_pictures(inputs, self.spec)
        probabilities = predict_probabilities(model, images, device)
        return [
            answer_of(name, row, self.labels)
            for name, row in zip(names, probabilities, strict=True)
        ]


def cross_entropy(model: nn.Module, batch: Batch, *, label_smoothing: float = 0.0) -> Tensor:
    """Return the mean cross-entropy of a batch, shape ().

    Szegedy, C. et al. (2016). Rethinking the Inception architecture. CVPR, section 7: with
    smoothing s the target is (1 - s) for the right class plus s / K for every class.
    """
    assert batch.targets is not None
    logits = model(batch.inputs).values
    return F.cross_entropy(logits.float(), batch.targets, label_smoothing=label_smoothing)


def _system_objective(model: nn.Module, batch: Batch, *, system_loss: SystemLoss) -> Tensor:
    assert batch.targets is not None
    return system_loss(model(batch.inputs), batch.targets)


def predict_probabilities(
    model: nn.Module, images: np.ndarray, device: torch.device | str = "cpu",
    rows: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Return (N, K) float64 probabilities for (N, C, H, W) uint8 pictures, or these rows."""
    logits = predict_logits(model, images, device, rows)
    return torch.from_numpy(logits).softmax(dim=1).numpy()


def scores_of(probabilities: np.ndarray, targets: np.ndarray, seed: int = 0) -> tuple[Score, ...]:
    """Return all scores of (N, K) probabilities for (N,) classes, accuracy first."""
    num, num_classes = probabilities.shape
    answers = probabilities.argmax(axis=1)
    losses = classification.log_losses(probabilities, targets)
    num_right = int((answers == targets).sum())

    def f1(rows: np.ndarray) -> float:
        counts = classification.confusion_matrix(targets[rows], answers[rows], num_classes)
        return classification.macro_f1(counts)

    def miscalibration(rows: np.ndarray) -> float:
        return classification.calibration_error(probabilities[rows], targets[rows])

    every = np.arange(num)
    return (
        Score("accuracy", num_right / num, *wilson(num_right, num), num),
        Score("macro_f1", f1(every), *resampled(f1, num, seed), num),
        Score("log_loss", float(losses.mean()), *bootstrap(losses, seed), num, False),
        Score(
            "calibration_error", miscalibration(every), *resampled(miscalibration, num, seed),
            num, False,
        ),
    )  # fmt: skip


def resampled(
    measure: Callable[[np.ndarray], float], num: int, seed: int, *, is_share: bool = True
) -> tuple[float, float]:
    """Return the bootstrap's 95 % interval of any measure of a set of rows, kept in [0, 1] or not.

    Percentiles, moved by as much as the resamples' mean is off the measure itself: a calibration
    error, for one, is larger in every resample than in the rows they come from (Efron & Tibshirani
    1993, section 10.2, on bias). Draws for which the measure is not a number (no positive among
    them) are left out.
    """
    generator = numpy_generator(seed, "resample")
    values = [measure(generator.integers(0, num, size=num)) for _ in range(NUM_RESAMPLES)]
    values = [value for value in values if not math.isnan(value)] or [math.nan]
    bias = np.mean(values) - measure(np.arange(num))
    low, high = np.quantile(values, (0.025, 0.975)) - bias
    if is_share:
        low, high = np.clip((low, high), 0.0, 1.0)
    return float(low), float(high)


def answer_of(name: str, probabilities: np.ndarray, labels: LabelSpec) -> Answer:
    """Return the likeliest class and the runners-up."""
    order = np.argsort(-probabilities, kind="stable")
    best, *others = order[: NUM_NEXT + 1].tolist()
    details = tuple((labels.names[k], float(probabilities[k])) for k in others)
    return Answer(name, labels.names[best], float(probabilities[best]), details)

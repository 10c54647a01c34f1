"""Name everything that is on a picture: each of the known labels, yes or no.

Training descends the binary cross-entropy of each label, over the answers that are known; a label
is answered where its probability is above one half.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from samoyed.core.batch import Batch
from samoyed.core.numbers import Share
from samoyed.core.reference import Answer, Score
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Objective, Recipe, Stage
from samoyed.data.augmentation import Choice
from samoyed.data.images import ImageData, Pictures, read_pictures
from samoyed.losses import tabular
from samoyed.metrics import labelling
from samoyed.metrics.intervals import bootstrap, wilson
from samoyed.tasks.classify import resampled
from samoyed.tasks.picture_training import (
    SystemLoss,
    SystemStages,
    looked_at,
    picture_stages,
    predict_logits,
    variations_of,
)


@dataclass(frozen=True)
class ClassifyLabels:
    """The question, and how it is asked in training.

    Args:
        spec: size and colours of the pictures the model takes.
        labels: what may be on them.
        augmentation: as in `Classify`.
        label_smoothing: how far targets are moved from 0 and 1 towards one half, times two.
    """

    spec: ImageSpec
    labels: LabelSpec
    augmentation: str = "auto"
    label_smoothing: Share = 0.0
    name: ClassVar[str] = "classify_labels"
    headline: ClassVar[str] = "mean_average_precision"

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
        """Return the stages of training, as `Classify.stages` does, with this question's loss."""
        if system_loss is not None:
            raise ValueError("a system with a loss of its own cannot be asked for labels")
        return picture_stages(
            model, data, recipe, seed, self.objective(), self.variations(data.train).names,
            system_stages=system_stages, num_labels=num_labels,
        )  # fmt: skip

    def objective(self) -> Objective:
        """Return (model, batch) -> the scalar to descend."""
        return partial(_binary_objective, label_smoothing=self.label_smoothing)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean binary cross-entropy over the known answers, shape ()."""
        return self.objective()(model, batch)

    def score(
        self, model: nn.Module, data: ImageData, device: torch.device | str = "cpu",
        limit: int | None = None, seed: int = 0,
    ) -> tuple[Score, ...]:  # fmt: skip
        """Measure on the held-out pictures.

        Args:
            model: the model.
            data: pictures of the size `spec`.
            device: where to compute.
            limit: a quick look at so many pictures, as in `Classify.score`.
            seed: of the resampling behind the intervals.

        Returns:
            mean average precision, macro and micro F1, log loss (bootstrap over pictures), and
            the share of pictures whose labels are all right (Wilson's interval).
        """
        part, rows = looked_at(data, limit)
        chances = predict_chances(model, part.images, device, rows)
        return label_scores(part.labels[rows], chances, seed)

    def answer(
        self, model: nn.Module, inputs: Sequence[str], device: torch.device | str = "cpu"
    ) -> list[Answer]:
        """Say what is on each picture: the labels, and the probability of each.

        Args:
            model: the model.
            inputs: files, and folders of which every picture is taken.
            device: where to compute.

        Raises:
            DataError: for a path that is missing or is no picture.
        """
        images, names = read_pictures(inputs, self.spec)
        chances = predict_chances(model, images, device)
        return [
            labels_answer(name, row, self.labels) for name, row in zip(names, chances, strict=True)
        ]


def _binary_objective(model: nn.Module, batch: Batch, *, label_smoothing: float) -> Tensor:
    assert batch.targets is not None
    return tabular.masked_binary(model(batch.inputs).values, batch.targets, label_smoothing)


def predict_chances(
    model: nn.Module, images: np.ndarray, device: torch.device | str = "cpu",
    rows: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Return (N, K) float64 probabilities, each label for itself, for (N, C, H, W) uint8."""
    return 0.5 * (1 + np.tanh(0.5 * predict_logits(model, images, device, rows)))


def label_scores(targets: np.ndarray, chances: np.ndarray, seed: int = 0) -> tuple[Score, ...]:
    """Return all scores, the mean average precision first.

    Args:
        targets: (N, K) 1, 0, or NaN where nothing is known.
        chances: (N, K) probabilities.
        seed: of the resampling behind the intervals.
    """
    num = len(targets)
    precisions = labelling.average_precisions(targets, chances)
    each = labelling.decisions(targets, chances)

    def mean_precision(rows: np.ndarray) -> float:
        found = precisions(np.bincount(rows, minlength=num).astype(np.float64))
        return float(np.nanmean(found)) if not np.isnan(found).all() else np.nan

    def counts(rows: np.ndarray) -> labelling.LabelCounts:
        weights = np.bincount(rows, minlength=num).astype(np.float64)
        return labelling.LabelCounts(*(weights @ part for part in each))

    def macro(rows: np.ndarray) -> float:
        return counts(rows).macro_f1

    def micro(rows: np.ndarray) -> float:
        return counts(rows).micro_f1

    every = np.arange(num)
    measured = [
        Score(name, measure(every), *resampled(measure, num, seed), num)
        for name, measure in (
            ("mean_average_precision", mean_precision), ("macro_f1", macro), ("micro_f1", micro),
        )
    ]  # fmt: skip
    losses = labelling.binary_losses(targets, chances)
    all_right = int(((each.invented + each.missed).sum(axis=1) == 0).sum())
    return (
        *measured,
        Score("log_loss", float(losses.mean()), *bootstrap(losses, seed), num, False),
        Score("all_right_share", all_right / num, *wilson(all_right, num), num),
    )


def labels_answer(name: str, chances: np.ndarray, labels: LabelSpec) -> Answer:
    """Return the labels that are answered, the likeliest first, and the probability of each."""
    order = np.argsort(-chances, kind="stable").tolist()
    answered = [labels.names[k] for k in order if chances[k] > labelling.THRESHOLD]
    details = tuple((labels.names[k], float(chances[k])) for k in order)
    return Answer(name, ", ".join(answered) or "none", None, details)

"""Figures of a model that names all that is on a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from samoyed.core.seeding import numpy_generator
from samoyed.data.image_source import ImageData
from samoyed.data.images import read_pictures
from samoyed.metrics import labelling
from samoyed.runs.drawing import Figure, bar_chart, image_grid, matrix, table
from samoyed.runs.figures.classify import (
    MOST_BARS,
    NUM_MISTAKES,
    calibration_figure,
    displayed,
    filters_figure,
    maps_figure,
    one_of_maps,
    picture,
    scale_of,
)
from samoyed.runs.figures.heat_maps import heat_figure
from samoyed.tasks.classify import NUM_RESAMPLES
from samoyed.tasks.classify_labels import ClassifyLabels, predict_chances

MOST_EXPLAINED = 3  # labels of a picture whose heat is drawn
MOST_PAIRED = 20  # labels of which pairs are counted


def draw(
    task: ClassifyLabels, model: nn.Module, data: ImageData, history: Sequence[Mapping[str, Any]]
) -> list[Figure]:
    """Draw the report's figures.

    Args:
        task: the question.
        model: the trained model.
        data: the pictures it learned from and was tested on.
        history: not needed: the report draws the curves.
    """
    test, names = data.test, data.labels.names
    chances = predict_chances(model, test.images, next(model.parameters()).device)
    shown = int(chances.max(axis=1).argmax())
    known = ~np.isnan(test.labels)
    pairs = np.stack([1 - chances[known], chances[known]], axis=1)
    figures = [
        labels_figure(test.labels, chances, names),
        mistakes_figure(test.images, test.labels, chances, names),
        together_figure(test.labels, chances, names),
        calibration_figure(pairs, test.labels[known].astype(np.int64)),
        filters_figure(model),
        maps_figure(model, test.images[shown], _listed(chances[shown], names)),
    ]
    return [figure for figure in figures if figure is not None]


def explain(task: ClassifyLabels, model: nn.Module, inputs: Sequence[str]) -> list[Figure]:
    """Draw, for every picture, each label's probability, what mattered for it, and all layers.

    Raises:
        DataError: for a path that is missing or is no picture.
    """
    images, paths = read_pictures(inputs, task.spec)
    chances = predict_chances(model, images, next(model.parameters()).device)
    names = task.labels.names
    figures: list[Figure | None] = []
    for number, (image, path, row) in enumerate(zip(images, paths, chances, strict=True)):
        order = np.argsort(-row, kind="stable")
        rows = [(names[k], f"{100 * row[k]:.1f} %") for k in order[:MOST_BARS]]
        answered = [int(k) for k in order if row[k] > labelling.THRESHOLD] or [int(order[0])]
        figures.append(Figure(
            f"{path}: {_listed(row, names)}",
            "Each label and the probability the model gives it; above one half it is answered.",
            picture(image) + table(("label", "probability"), rows),
        ))  # fmt: skip
        for k in answered[:MOST_EXPLAINED]:
            figures.append(heat_figure(model, image, k, names[k], predict_chances))
        figures.append(one_of_maps(model, image, path, number, len(paths)))
    return [figure for figure in figures if figure is not None]


def labels_figure(targets: np.ndarray, chances: np.ndarray, names: Sequence[str]) -> Figure:
    """Show how well each label is ranked and answered, the hardest first.

    Args:
        targets: (N, K) 1, 0 or NaN.
        chances: (N, K) probabilities.
        names: of the labels.
    """
    measure = labelling.average_precisions(targets, chances)
    values, num = measure(None), len(targets)
    generator = numpy_generator(0, "labels figure")
    drawn = np.stack([
        measure(np.bincount(generator.integers(0, num, num), minlength=num).astype(np.float64))
        for _ in range(NUM_RESAMPLES)
    ])  # fmt: skip
    counts = labelling.label_counts(targets, chances)
    order = [int(k) for k in np.argsort(values) if not np.isnan(values[k])][:MOST_BARS]
    bars = [
        (names[k], 100 * float(values[k]), *(100 * np.nanquantile(drawn[:, k], (0.025, 0.975))))
        for k in order
    ]
    rows = [
        (
            names[k], f"{100 * values[k]:.1f} %", f"{100 * counts.f1[k]:.1f} %",
            f"{100 * counts.recall[k]:.1f} %", f"{100 * counts.precision[k]:.1f} %",
            f"{int(counts.right[k] + counts.missed[k]):,}",
        )
        for k in order
    ]  # fmt: skip
    title = "Label by label" if len(order) == len(names) else f"The {len(order)} hardest labels"
    return Figure(
        title,
        "Average precision on held-out pictures, with 95 % intervals, the hardest label first: "
        "ranked by probability, how pure the list is above each picture that has the label. F1, "
        "recall and precision are those of answers above one half.",
        bar_chart(bars, unit="%")
        + table(
            ("label", "average precision", "F1", "recall", "precision", "pictures with it"), rows
        ),
    )


def mistakes_figure(
    images: np.ndarray, targets: np.ndarray, chances: np.ndarray, names: Sequence[str]
) -> Figure | None:
    """Show the wrong decisions that the model was surest of, at most one for each picture."""
    surprise = np.nan_to_num(np.abs(chances - targets))
    worst = surprise.argmax(axis=1)
    strength = surprise[np.arange(len(targets)), worst]
    rows = np.argsort(-strength, kind="stable")[:NUM_MISTAKES]
    rows = rows[strength[rows] > labelling.THRESHOLD]
    if len(rows) == 0:
        return None
    labels = [
        f"{'' if targets[i, worst[i]] > 0.5 else 'no '}{names[worst[i]]}, "
        f"answered with {100 * chances[i, worst[i]]:.0f} %"
        for i in rows
    ]
    shown = np.stack([displayed(images[i]) for i in rows])
    num = int(np.nansum((chances > labelling.THRESHOLD) != (targets > 0.5)))
    return Figure(
        "Most confident mistakes",
        f"{num:,} of {int((~np.isnan(targets)).sum()):,} answers are wrong; these are the ones the "
        "model was surest of. Under each picture: the truth, and the probability it gave the "
        "label. Some may be wrong labels.",
        image_grid(shown, labels, scale=scale_of(shown.shape[2])),
    )


def together_figure(
    targets: np.ndarray, chances: np.ndarray, names: Sequence[str]
) -> Figure | None:
    """Show which label is invented while which other is there."""
    if len(names) < 2:
        return None
    has = np.nan_to_num(targets) > 0.5
    invented = (chances > labelling.THRESHOLD) & (targets < 0.5)
    counts = has.astype(np.int64).T @ invented.astype(np.int64)
    often = np.sort(np.argsort(-(counts.sum(0) + counts.sum(1)), kind="stable")[:MOST_PAIRED])
    shown = [names[k] for k in often]
    caption = "Rows are labels that pictures have, columns labels that were answered wrongly."
    if counts.any():
        r, c = divmod(int(counts.argmax()), len(names))
        how_often = f"{counts[r, c]} times" if counts[r, c] > 1 else "once"
        caption += f" Most often, {names[c]} was invented beside {names[r]} ({how_often})."
    return Figure(
        "Invented beside", caption,
        matrix(counts[np.ix_(often, often)], shown, shown, row_title="on the picture",
               column_title="invented"),
    )  # fmt: skip


def _listed(chances: np.ndarray, names: Sequence[str]) -> str:
    order = np.argsort(-chances, kind="stable")
    return ", ".join(names[k] for k in order if chances[k] > labelling.THRESHOLD) or "none"

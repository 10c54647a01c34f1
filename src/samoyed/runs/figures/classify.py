"""Figures of a classifier: where it errs, how sure it is, and what its layers see."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from samoyed.data.feeds import as_floats
from samoyed.data.image_source import ImageData
from samoyed.data.images import read_pictures
from samoyed.metrics import classification
from samoyed.metrics.intervals import wilson
from samoyed.runs.drawing import Figure, bar_chart, image_grid, line_chart, matrix, table
from samoyed.runs.drawing_thumbnails import cards, displayed
from samoyed.runs.figures.heat_maps import heat_cards_figure, heat_figure, outermost_layers
from samoyed.runs.figures.near_duplicates import near_duplicates_figure
from samoyed.runs.figures.representation import representation_figure
from samoyed.tasks.classify import Classify, predict_probabilities

NUM_MISTAKES = 21
MOST_MAPS = 16  # of a layer that are shown
MOST_LAYERED = 12  # pictures of `explain` that are shown layer by layer
MOST_FILTERS = 64
ENOUGH_ANSWERS = 5  # for a point of the calibration curve
MOST_BARS, NUM_HARDEST = 12, 10  # classes that all have a bar; bars where they are more
FEW = 10  # examples of a class
PICTURE_WIDTH = 96  # CSS pixels that a small picture is enlarged to


def draw(
    task: Classify, model: nn.Module, data: ImageData, history: Sequence[Mapping[str, Any]]
) -> list[Figure]:
    """Draw the report's figures.

    Args:
        task: the question.
        model: the trained model.
        data: the pictures it learned from and was tested on.
        history: not needed: the report draws the curves.
    """
    test = data.test
    device = next(model.parameters()).device
    probabilities = predict_probabilities(model, test.images, device)
    answers = probabilities.argmax(axis=1)
    names = data.labels.names
    confusion = classification.confusion_matrix(test.labels, answers, len(names))
    right = np.flatnonzero(answers == test.labels)
    shown = int(right[probabilities[right].max(axis=1).argmax()]) if len(right) else 0
    figures = [
        confusion_figure(confusion, names),
        per_class_figure(confusion, names),
        mistakes_figure(test.images, test.labels, probabilities, names),
        heat_cards_figure(model, test.images, test.labels, probabilities, names),
        representation_figure(model, test, probabilities, names),
        maps_figure(model, test.images[shown], f"a picture of class {names[test.labels[shown]]}"),
        filters_figure(model),
        calibration_figure(probabilities, test.labels),
        near_duplicates_figure(data, answers),
    ]
    return [figure for figure in figures if figure is not None]


def explain(task: Classify, model: nn.Module, inputs: Sequence[str]) -> list[Figure]:
    """Draw, for every picture, the likeliest classes, what mattered, and all layers.

    Raises:
        DataError: for a path that is missing or is no picture.
    """
    images, paths = read_pictures(inputs, task.spec)
    device = next(model.parameters()).device
    probabilities = predict_probabilities(model, images, device)
    figures = []
    for number, (image, path, row) in enumerate(zip(images, paths, probabilities, strict=True)):
        best = int(row.argmax())
        name = task.labels.names[best]
        order = np.argsort(-row, kind="stable")[:5]
        heat = heat_figure(model, image, best, name)
        figures += [
            Figure(
                f"{path}: {name}",
                "The likeliest classes and the probability the model gives them.",
                picture(image)
                + table(
                    ("class", "probability"),
                    [(task.labels.names[k], f"{100 * row[k]:.1f} %") for k in order],
                ),
            ),
            replace(heat, said=f"{path}: {name}, {100 * row[best]:.1f} %; {heat.said}"),
            one_of_maps(model, image, path, number, len(paths)),
        ]
    return [figure for figure in figures if figure is not None]


def confusion_figure(confusion: np.ndarray, names: Sequence[str]) -> Figure:
    """Show how often each class was taken for each other."""
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    caption = "Rows are the true classes, columns what the model answered."
    if wrong.any():
        r, c = divmod(int(wrong.argmax()), len(names))
        times = "once" if wrong[r, c] == 1 else f"{wrong[r, c]} times"
        caption += f" Most often, {names[r]} was taken for {names[c]} ({times})."
    return Figure(
        "What is taken for what", caption,
        matrix(confusion, names, names, row_title="true class", column_title="answer"),
    )  # fmt: skip


def per_class_figure(confusion: np.ndarray, names: Sequence[str], what: str = "pictures") -> Figure:
    """Show which share of each class is found, the hardest first, and precision and F1.

    Args:
        confusion: (K, K) counts, rows are true classes.
        names: of the classes.
        what: what an example is called, in the plural.
    """
    scores = classification.per_class(confusion)
    order = [int(k) for k in np.argsort(scores.recall, kind="stable") if scores.support[k] > 0]
    bars = []
    for k in order[: len(order) if len(order) <= MOST_BARS else NUM_HARDEST]:
        low, high = wilson(int(confusion[k, k]), int(scores.support[k]))
        bars.append((names[k], 100 * float(scores.recall[k]), 100 * low, 100 * high))
    rows = [
        (
            names[k], f"{100 * scores.recall[k]:.1f} %", f"{100 * scores.precision[k]:.1f} %",
            f"{100 * scores.f1[k]:.1f} %", str(int(scores.support[k])),
        )
        for k in order
    ]  # fmt: skip
    title, least = "Class by class", int(scores.support[order].min()) if order else 0
    if len(bars) < len(order):
        title = f"The {len(bars)} hardest of {len(order)} classes"
    few = f" Where a class has {least} of them, an interval is wide." if least < FEW else ""
    return Figure(
        title,
        f"The share of each class's held-out {what} that was recognised (recall), with 95 % "
        f"intervals, the hardest class first.{few} Precision is the share of right answers among "
        "all answers of that class.",
        bar_chart(bars, unit="%")
        + "<details><summary>Precision and F1 of every class</summary>"
        + table(("class", "recall", "precision", "F1", what), rows)
        + "</details>",
    )


def mistakes_figure(
    images: np.ndarray, targets: np.ndarray, probabilities: np.ndarray, names: Sequence[str]
) -> Figure | None:
    """Show the wrong answers that the model was surest of."""
    answers = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(answers != targets)
    if len(wrong) == 0:
        return None
    worst = wrong[np.argsort(-probabilities[wrong, answers[wrong]])][:NUM_MISTAKES]
    labels = [
        f"{names[targets[i]]}, not {names[answers[i]]} ({100 * probabilities[i, answers[i]]:.0f} %)"
        for i in worst
    ]
    return Figure(
        "Most confident mistakes",
        f"{len(wrong):,} of {len(targets):,} answers are wrong; these are the ones the model was "
        "surest of. Under each picture: the true class, the answer, and its probability. Some may "
        "be wrong labels.",
        cards([(((images[i], ""),), text) for i, text in zip(worst, labels, strict=True)]),
    )


def calibration_figure(probabilities: np.ndarray, targets: np.ndarray) -> Figure:
    """Set how often the model is right beside how sure it says it is."""
    curve = classification.reliability(probabilities, targets, num_bins=10)
    error = 100 * classification.calibration_error(probabilities, targets)
    points, spans = [], []
    for sure, right, num in zip(curve.confidence, curve.accuracy, curve.num, strict=True):
        if num >= min(ENOUGH_ANSWERS, curve.num.max()):
            low, high = wilson(round(right * num), int(num))
            points.append((100 * float(sure), 100 * float(right)))
            spans.append((100 * float(sure), 100 * low, 100 * high))
    least = min([x for x, _ in points] + [50.0])
    answers = probabilities.argmax(axis=1)
    gap = 100 * float(probabilities.max(axis=1).mean() - (answers == targets).mean())
    leaning = "surer than it is right" if gap > 0 else "more often right than it is sure"
    surest = curve.num[-1] / max(1, curve.num.sum())
    return Figure(
        "How far its certainty can be trusted",
        "Answers grouped by the probability the model gave them, against the share that was "
        "right, with 95 % intervals. On the straight line it is as often right as it says. The "
        f"mean distance is {error:.1f} points; on the whole it is {leaning} by {abs(gap):.1f} "
        f"points. {100 * surest:.0f} % of all answers are in the surest group.",
        line_chart(
            {"this model": points, "as sure as right": [(least, least), (100.0, 100.0)]},
            x_label="probability of the answer, %", y_label="right, %", intervals=spans,
        ),
    )  # fmt: skip


def filters_figure(model: nn.Module) -> Figure | None:
    """Show the kernels of the first convolution."""
    first = next((m for m in model.modules() if isinstance(m, nn.Conv2d)), None)
    if first is None:
        return None
    kernels = first.weight.detach().float().cpu().numpy()[:MOST_FILTERS]
    is_colour = kernels.shape[1] == 3
    shown = kernels.transpose(0, 2, 3, 1) if is_colour else kernels.mean(axis=1)
    if is_colour:
        low, high = (f(shown, axis=(1, 2, 3), keepdims=True) for f in (np.min, np.max))
        shown = np.rint(255 * (shown - low) / np.maximum(high - low, 1e-9)).astype(np.uint8)
    return Figure(
        "First-layer filters",
        "What each map of the first layer looks for"
        + (", in colour." if is_colour else ": red adds to its answer, blue takes from it."),
        image_grid(shown, scale=max(4, 40 // shown.shape[2]), diverging=not is_colour),
    )


def maps_figure(model: nn.Module, image: np.ndarray, what: str) -> Figure | None:
    """Show one picture on its way through the layers, as in the review's figure 2.

    Args:
        model: the model.
        image: (C, H, W) uint8.
        what: names the picture in the title.
    """
    layers = feature_maps(model, image)
    if not layers:
        return None
    rows = [picture(image)]
    for depth, (name, maps) in enumerate(layers, start=1):
        num, height, width = maps.shape
        strongest = np.argsort(-maps.std(axis=(1, 2)), kind="stable")[:MOST_MAPS]
        rows.append(
            f'<p class="row-title"><b>layer {depth}</b> {num} maps of {width} x {height} '
            f"<small>({html.escape(name)})</small></p>"
            + image_grid(maps[np.sort(strongest)], scale=_map_scale(width))
        )
    return Figure(
        f"Layer by layer: {what}",
        "The picture and the maps that each layer makes of it, from edges to parts; of every "
        f"layer, the {MOST_MAPS} maps that vary most. White is strong.",
        "".join(rows),
    )


def one_of_maps(
    model: nn.Module, image: np.ndarray, what: str, number: int, num: int
) -> Figure | None:
    """Show one of many pictures on its way, unless so many were shown that a page would not open.

    Args:
        model: the model.
        image: (C, H, W) uint8.
        what: names the picture.
        number: which one it is, from 0.
        num: how many there are.
    """
    figure = maps_figure(model, image, what) if number < MOST_LAYERED else None
    if figure is not None and number == MOST_LAYERED - 1 and num > MOST_LAYERED:
        left_out = f" Of the other {num - MOST_LAYERED:,}, only what mattered is drawn."
        return replace(figure, caption=figure.caption + left_out)
    return figure


def feature_maps(model: nn.Module, image: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return name and (C, H, W) output of every layer that makes maps, in order of computation.

    A block of several layers (a residual block, a convolution with its normalisation) is seen once,
    from outside.
    """
    found: list[tuple[str, Tensor]] = []

    def listen(name: str) -> Any:
        def keep(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.ndim == 4 and output.shape[2:].numel() > 1:
                found.append((name, output))

        return keep

    handles = [m.register_forward_hook(listen(name)) for name, m in outermost_layers(model)]
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            model(as_floats(image[None]).to(next(model.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
        model.train(was_training)
    return [(name, maps[0].float().cpu().numpy()) for name, maps in found]


def picture(image: np.ndarray) -> str:
    """Show one (C, H, W) picture."""
    shown = displayed(image)[None]
    return image_grid(shown, scale=scale_of(shown.shape[2]))


def _map_scale(width: int) -> int:
    """Enlarge maps as far as a row of the report holds MOST_MAPS of them, small ones at least 2."""
    return max(2 if width <= 28 else 1, 50 // width)


def scale_of(width: int) -> int:
    """Return how many times a picture of this width is enlarged."""
    return max(1, PICTURE_WIDTH // width)

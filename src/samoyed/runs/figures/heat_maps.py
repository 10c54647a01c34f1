"""Which parts of a picture mattered for an answer: two ways to ask, and whether they agree.

* Zeiler, M. D. & Fergus, R. (2014). Visualizing and understanding convolutional networks. ECCV,
  section 4.2: cover a part and see how far the answer falls.
* Jiang, P.-T. et al. (2021). LayerCAM: exploring hierarchical class activation maps for
  localization. IEEE Transactions on Image Processing 30, 5875-5888, eqs. 5 and 6: each place of
  a map counts by its own positive gradient.

The first needs no look inside and asks about the answer itself; the second needs one pass and
asks the network's own gradients. Neither is the truth, so both are shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.data.feeds import as_floats
from samoyed.runs.drawing import Figure
from samoyed.runs.drawing_thumbnails import cards
from samoyed.tasks.classify import predict_probabilities

ENOUGH_PLACES = 7  # a map with this many rows and columns is fine enough to point
AGREE, DISAGREE = 0.5, 0.2  # rank correlation from which, below which, they do
NUM_RIGHT, NUM_WRONG = 4, 4  # pictures of the report
STRENGTH = 0.6  # share of a place's colour that the strongest heat replaces

# Legend for shapes: C channels, H rows, W columns, R and S places of a coarse grid.


ProbabilitiesOf = Callable[[nn.Module, np.ndarray, Any], np.ndarray]
"""(model, (N, C, H, W) uint8 pictures, device) -> (N, K) probabilities."""


@dataclass(frozen=True, eq=False)
class Heat:
    """What mattered for one answer.

    Args:
        covered: (R, S) how far the probability falls when each place is covered.
        gradients: (R, S) LayerCAM, or None where the model makes no maps.
        correlation: of the two, or None.
    """

    covered: np.ndarray
    gradients: np.ndarray | None
    correlation: float | None


def heat_of(
    model: nn.Module, image: np.ndarray, answer: int,
    probabilities_of: ProbabilitiesOf = predict_probabilities,
) -> Heat:  # fmt: skip
    """Ask both ways what mattered.

    Args:
        model: the model.
        image: (C, H, W) uint8.
        answer: the class that is asked about.
        probabilities_of: how the model's answers become probabilities.
    """
    drop = occlusion_map(model, image, answer, probabilities_of=probabilities_of)
    gradient = layer_cam(model, image, answer)
    return Heat(drop, gradient, None if gradient is None else agreement(drop, gradient))


def readable(image: np.ndarray, heat: Heat) -> list[tuple[np.ndarray, str]]:
    """Return the picture and one map of what both ways say, or both maps where they do not agree.

    Returns:
        (C, H, W) uint8 pictures with the words under them.
    """
    shown = [(image, "the picture")]
    if heat.gradients is None or heat.correlation is None:
        return [*shown, (overlaid(image, heat.covered), "covered")]
    if heat.correlation >= DISAGREE:
        both = together(heat.covered, heat.gradients)
        return [*shown, (overlaid(image, both), "what mattered")]
    return [
        *shown, (overlaid(image, heat.covered), "covered"),
        (overlaid(image, heat.gradients), "gradients"),
    ]  # fmt: skip


def together(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the geometric mean of two maps' positive parts: warm only where both are.

    Each is scaled to 1 at its largest; the coarser one is brought to the finer one's grid.
    """
    size = (max(first.shape[0], second.shape[0]), max(first.shape[1], second.shape[1]))
    parts = []
    for each in (first, second):
        fitted = _fitted(np.maximum(each, 0), size)
        parts.append(fitted / max(float(fitted.max()), 1e-12))
    return np.sqrt(parts[0] * parts[1])


def heat_figure(
    model: nn.Module, image: np.ndarray, answer: int, name: str,
    probabilities_of: ProbabilitiesOf = predict_probabilities,
) -> Figure:  # fmt: skip
    """Draw what mattered, both ways, and say whether they agree.

    Args:
        model: the model.
        image: (C, H, W) uint8.
        answer: the class that is asked about.
        name: of that class.
        probabilities_of: how the model's answers become probabilities.
    """
    heat = heat_of(model, image, answer, probabilities_of)
    parts = readable(image, heat)
    if heat.correlation is not None and heat.gradients is not None and len(parts) == 2:
        parts += [
            (overlaid(image, heat.covered), "covered"),
            (overlaid(image, heat.gradients), "gradients"),
        ]  # fmt: skip
    largest = 100 * max(0.0, float(heat.covered.max()))
    caption = (
        "Yellow marks what spoke for the answer. Covered: with a grey patch there, its probability "
        f"falls, by {largest:.0f} points at most (Zeiler & Fergus 2014)."
    )
    said = "one heat map, by covering parts: this model has no layer of maps for a second"
    if heat.correlation is not None:
        judged = verdict(heat.correlation)
        said = f"heat maps by covering parts (occlusion) and by gradients (LayerCAM): {judged}"
        caption += (
            " Gradients: maps of a deep layer, where the answer's gradient is positive (LayerCAM, "
            f"Jiang et al. 2021). {judged}"
        )
    return Figure(f"What mattered for {name}", caption, cards([(parts, "")]), said)


def heat_cards_figure(
    model: nn.Module, images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray,
    names: Sequence[str],
) -> Figure | None:  # fmt: skip
    """Draw what mattered in a few held-out pictures, some answered rightly and some wrongly.

    Args:
        model: the model.
        images: (N, C, H, W) uint8.
        labels: (N,) their classes.
        probabilities: (N, K) as answered.
        names: of the classes.
    """
    answers, rows = probabilities.argmax(axis=1), []
    for i in chosen_rows(labels, probabilities):
        heat = heat_of(model, images[i], int(answers[i]))
        name, truth = names[answers[i]], names[labels[i]]
        said = f"{name}, {100 * probabilities[i].max():.0f} %"
        said += "." if name == truth else f"; in truth {truth}."
        if heat.correlation is not None:
            said += " " + verdict(heat.correlation)
        rows.append((readable(np.asarray(images[i]), heat), said))
    if not rows:
        return None
    has_maps = any(len(pictures) > 2 or "mattered" in pictures[1][1] for pictures, _ in rows)
    caption = "Yellow marks what spoke for the answer: where a grey patch lowers its probability"
    caption += (
        " and where the maps of a deep layer push it up (LayerCAM). One map where the two ways "
        "agree at least in part, both maps where they do not."
        if has_maps
        else "."
    )
    return Figure("What it looked at", caption, cards(rows))


def chosen_rows(labels: np.ndarray, probabilities: np.ndarray) -> list[int]:
    """Return the surest right answers of different classes, then the surest wrong ones."""
    answers, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    order = np.argsort(-sure, kind="stable")
    right = [int(i) for i in order if answers[i] == labels[i]]
    wrong = [int(i) for i in order if answers[i] != labels[i]]
    firsts = {int(labels[i]): i for i in reversed(right)}
    return sorted(firsts.values(), key=right.index)[:NUM_RIGHT] + wrong[:NUM_WRONG]


def verdict(correlation: float) -> str:
    """Say in a sentence whether two maps agree.

    >>> verdict(0.1)
    'The two do not agree (rank correlation 0.10): trust neither map alone.'
    """
    shown = f"(rank correlation {correlation:.2f})"
    if correlation >= AGREE:
        return f"The two agree {shown}."
    if correlation < DISAGREE:
        return f"The two do not agree {shown}: trust neither map alone."
    return f"The two agree in part {shown}."


def occlusion_map(
    model: nn.Module,
    image: np.ndarray,
    answer: int,
    steps: int = 14,
    probabilities_of: ProbabilitiesOf = predict_probabilities,
) -> Float[np.ndarray, "R S"]:
    """Return how far the answer's probability falls when a grey patch covers each place.

    Args:
        model: the model.
        image: (C, H, W) uint8.
        answer: the class whose probability is watched.
        steps: places per side, at most.
        probabilities_of: how the model's answers become probabilities.
    """
    _, height, width = image.shape
    grey = np.rint(image.mean(axis=(1, 2))).astype(np.uint8)
    half_rows, half_columns = math.ceil(height / 10), math.ceil(width / 10)
    rows = np.unique(np.linspace(0, height - 1, min(steps, height)).astype(int))
    columns = np.unique(np.linspace(0, width - 1, min(steps, width)).astype(int))
    covered = np.repeat(image[None], 1 + len(rows) * len(columns), axis=0)
    for index, (r, c) in enumerate(((r, c) for r in rows for c in columns), start=1):
        area = np.s_[
            max(0, r - half_rows) : r + half_rows + 1,
            max(0, c - half_columns) : c + half_columns + 1,
        ]
        covered[index][(slice(None), *area)] = grey[:, None, None]
    device = next(model.parameters()).device
    probabilities = probabilities_of(model, covered, device)[:, answer]
    return (probabilities[0] - probabilities[1:]).reshape(len(rows), len(columns))


def layer_cam(
    model: nn.Module, image: np.ndarray, answer: int
) -> Float[np.ndarray, "R S"] | None:  # fmt: skip
    """Return sum over maps of map times positive gradient (eqs. 5, 6), negative sums cut off.

    It is read at the deepest layer with `ENOUGH_PLACES` rows and columns, or else at the first of
    the layers with the most places.

    Args:
        model: the model.
        image: (C, H, W) uint8.
        answer: the class whose score is followed back.

    Returns:
        One number per place of that layer, or None where the model makes no maps.
    """
    held: list[Tensor] = []

    def keep(module: nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and output.requires_grad:
            held.append(output)

    handles = [module.register_forward_hook(keep) for _, module in outermost_layers(model)]
    was_training = model.training
    model.eval()
    try:
        with torch.enable_grad():
            logits = model(as_floats(image[None]).to(next(model.parameters()).device)).values
            spatial = [maps for maps in held if min(maps.shape[2:]) > 1]
            if not spatial:
                return None
            fine = [maps for maps in spatial if min(maps.shape[2:]) >= ENOUGH_PLACES]
            maps = fine[-1] if fine else max(spatial, key=lambda each: min(each.shape[2:]))
            [gradient] = torch.autograd.grad(logits[0, answer], maps)
    finally:
        for handle in handles:
            handle.remove()
        model.train(was_training)
    weighted = (F.relu(gradient) * maps).sum(1).detach()
    heat = weighted[0]
    if len(weighted) == 2:  # judged together with its mirror image
        heat = heat + weighted[1].flip(1)
    return F.relu(heat).cpu().numpy()


def agreement(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's rank correlation of two maps, negative values of both taken as 0.

    The finer map is averaged down to the coarser one's grid.

    Args:
        first: (R, S).
        second: another grid over the same picture.

    Returns:
        In [-1, 1]; 0 where a map is the same everywhere.
    """
    size = (min(first.shape[0], second.shape[0]), min(first.shape[1], second.shape[1]))
    flat = [_averaged(np.maximum(each, 0), size).ravel() for each in (first, second)]
    ranks = np.stack([_ranks(each) for each in flat])
    if any(np.ptp(each) == 0 for each in ranks):
        return 0.0
    return float(np.corrcoef(ranks)[0, 1])


def overlaid(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Return (3, H, W) uint8: the picture in grey, with heat above 0 in yellow.

    Args:
        image: (C, H, W) uint8.
        heat: (R, S), coarser or finer.
    """
    _, height, width = image.shape
    fitted = _fitted(np.maximum(heat, 0), (height, width))
    share = STRENGTH * fitted / max(float(fitted.max()), 1e-12)
    grey = np.repeat(image.mean(axis=0, keepdims=True), 3, axis=0)
    yellow = np.array([255.0, 210.0, 0.0])[:, None, None]
    return np.rint(grey * (1 - share) + yellow * share).astype(np.uint8)


def outermost_layers(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the outermost modules that hold filters: a block, or a bare convolution."""
    seen: list[str] = []
    for name, module in model.named_modules():
        if not name or isinstance(module, (nn.Sequential, nn.ModuleList)):
            continue
        if any(name.startswith(block + ".") for block in seen):
            continue
        seen.append(name)
        if any(True for _ in module.parameters()):
            yield name, module


def _fitted(heat: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring a map to a grid by bilinear interpolation."""
    tensor = torch.from_numpy(np.asarray(heat, dtype=np.float32))[None, None]
    return F.interpolate(tensor, size, mode="bilinear", align_corners=False)[0, 0].numpy()


def _averaged(heat: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    tensor = torch.from_numpy(np.asarray(heat, dtype=np.float64))[None, None]
    return F.adaptive_avg_pool2d(tensor, size)[0, 0].numpy()


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks from 0, ties sharing their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[inverse]

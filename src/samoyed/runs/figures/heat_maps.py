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
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.data.feeds import as_floats
from samoyed.runs.drawing import Figure, image_grid
from samoyed.tasks.classify import predict_probabilities

ENOUGH_PLACES = 7  # a map with this many rows and columns is fine enough to point
AGREE, DISAGREE = 0.5, 0.2  # rank correlation from which, below which, they do
PICTURE_WIDTH = 96  # CSS pixels that a small picture is enlarged to
STRENGTH = 0.6  # share of a place's colour that the strongest heat replaces

# Legend for shapes: C channels, H rows, W columns, R and S places of a coarse grid.


ProbabilitiesOf = Callable[[nn.Module, np.ndarray, Any], np.ndarray]
"""(model, (N, C, H, W) uint8 pictures, device) -> (N, K) probabilities."""


def heat_figure(
    model: nn.Module, image: np.ndarray, answer: int, name: str,
    probabilities_of: ProbabilitiesOf = predict_probabilities,
) -> Figure:  # fmt: skip
    """Draw both maps over the picture and say whether they agree.

    Args:
        model: the model.
        image: (C, H, W) uint8.
        answer: the class that is asked about.
        name: of that class.
        probabilities_of: how the model's answers become probabilities.
    """
    drop = occlusion_map(model, image, answer, probabilities_of=probabilities_of)
    largest = 100 * max(0.0, float(drop.max()))
    parts = [("the picture", _shown(image)), ("covered", _shown(overlaid(image, drop)))]
    caption = (
        "Yellow marks what spoke for the answer. Covered: with a grey patch there, its probability "
        f"falls, by {largest:.0f} points at most (Zeiler & Fergus 2014)."
    )
    gradient = layer_cam(model, image, answer)
    said = "one heat map, by covering parts: this model has no layer of maps for a second"
    if gradient is not None:
        judged = verdict(agreement(drop, gradient))
        said = f"heat maps by covering parts (occlusion) and by gradients (LayerCAM): {judged}"
        parts.append(("gradients", _shown(overlaid(image, gradient))))
        caption += (
            " Gradients: maps of a deep layer, where the answer's gradient is positive (LayerCAM, "
            f"Jiang et al. 2021). {judged}"
        )
    scale = max(1, PICTURE_WIDTH // image.shape[2])
    pictures = "".join(
        f'<figure style="display:inline-block;margin:0 1em 0 0">'
        f"{image_grid(pixels[None], scale=scale)}<figcaption>{title}</figcaption></figure>"
        for title, pixels in parts
    )
    return Figure(f"What mattered for {name}", caption, pictures, said)


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
    weighted = (F.relu(gradient) * maps).sum(1)
    return F.relu(weighted)[0].detach().cpu().numpy()


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
    fitted = F.interpolate(
        torch.from_numpy(np.maximum(heat, 0)).float()[None, None], (height, width),
        mode="bilinear", align_corners=False,
    )[0, 0].numpy()  # fmt: skip
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


def _averaged(heat: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    tensor = torch.from_numpy(np.asarray(heat, dtype=np.float64))[None, None]
    return F.adaptive_avg_pool2d(tensor, size)[0, 0].numpy()


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks from 0, ties sharing their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[inverse]


def _shown(image: np.ndarray) -> np.ndarray:
    """Turn (C, H, W) into (H, W) or (H, W, 3)."""
    return image.transpose(1, 2, 0) if image.shape[0] == 3 else image[0]

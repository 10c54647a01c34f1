"""What a deep belief net has learned: its filters, its fantasies, what each layer keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from samoyed.data.images import ImageData
from samoyed.models.backprop.deep_belief_net import DeepBeliefNet, classifier_parameters
from samoyed.runs.drawing import Figure, image_grid

NUM_FILTERS = 60
NUM_FANTASIES = 20
NUM_RECONSTRUCTED = 10
NUM_GIBBS_STEPS = 500
COLUMNS = 10
PICTURE_WIDTH_PX = 56


def draw(task: Any, model: nn.Module, data: ImageData, history: Any) -> list[Figure]:
    """Return the figures of a trained net: filters and, if it was pre-trained, its generative side.

    Args:
        task: the question; not needed.
        model: a `DeepBeliefNet`.
        data: pictures with the net's own size; the held-out ones are shown.
        history: the course of training; not needed.
    """
    assert isinstance(model, DeepBeliefNet)
    model.eval()
    figures = [filters(model)]
    if model.config.pretrain_epochs > 0:
        figures += [fantasies(model, data), reconstructions(model, data)]
    return figures


@torch.no_grad()
def filters(model: DeepBeliefNet) -> Figure:
    """Show the first layer's strongest filters as pictures."""
    is_pretrained = model.config.pretrain_epochs > 0
    weight = model.machine(0).weight if is_pretrained else classifier_parameters(model)[0]
    num = min(NUM_FILTERS, len(weight))
    strongest = weight.square().sum(1).topk(num).indices
    learned = (
        "as pre-training found them, before any label was seen"
        if is_pretrained
        else "after training with labels; this net was not pre-trained"
    )
    return Figure(
        "What the first layer looks for",
        f"The weights from the pixels to {num} of the {len(weight)} units of the first layer, "
        f"{learned}. A bright pixel on red makes the unit more likely to be on, on blue less. "
        "Strokes, ends and corners, each in its own place, are what one hopes to see.",
        image_grid(
            _pictures(weight[strongest].unflatten(1, model.spec.shape)),
            columns=COLUMNS, scale=_scale(model), diverging=True,
        ),
    )  # fmt: skip


def fantasies(model: DeepBeliefNet, data: ImageData) -> Figure:
    """Let the net dream, and let it name what it dreamed."""
    start = _held_out(model, data, NUM_FANTASIES)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        dreams = model.dream(start, NUM_GIBBS_STEPS)
        probability, best = torch.softmax(model(dreams).values, 1).max(1)
    names = [
        f"{data.labels.names[k]} {p:.0%}"
        for k, p in zip(best.tolist(), probability.tolist(), strict=True)
    ]
    return Figure(
        "What it dreams",
        f"{len(start)} fantasies: {NUM_GIBBS_STEPS} Gibbs steps in the machine at the top, begun "
        "at held-out pictures, then one pass down to the pixels. None of these pictures is in the "
        "data. Under each, the class that the fine-tuned net takes it for.",
        image_grid(
            _pictures(dreams), names, columns=COLUMNS, scale=_scale(model), value_range=(0.0, 1.0)
        ),
    )


def reconstructions(model: DeepBeliefNet, data: ImageData) -> Figure:
    """Show how much of a picture each layer keeps."""
    pictures = _held_out(model, data, NUM_RECONSTRUCTED)
    depths = range(1, len(model.machines) + 1)
    rebuilt = [model.descend(model.climb(pictures, depth), depth) for depth in depths]
    spread = (pictures - pictures.mean(0)).square().flatten(1).sum(1).mean().clamp_min(1e-9)
    kept = [
        1 - float((again - pictures).square().flatten(1).sum(1).mean() / spread)
        for again in rebuilt
    ]
    shares = _listed([f"{share:.0%}" for share in kept])
    return Figure(
        "What each layer keeps",
        "First row: held-out pictures. Each further row: the same pictures, carried up one layer "
        f"more and straight down again. They keep {shares} of the pictures' variance.",
        image_grid(
            _pictures(torch.cat([pictures, *rebuilt])),
            columns=len(pictures), scale=_scale(model), value_range=(0.0, 1.0),
        ),
    )  # fmt: skip


def _held_out(model: DeepBeliefNet, data: ImageData, num: int) -> Tensor:
    """Return `num` held-out pictures spread over the file, (num, C, H, W) in [0, 1]."""
    pictures = data.test.images
    rows = np.linspace(0, len(pictures) - 1, min(num, len(pictures))).astype(int)
    chosen = torch.from_numpy(np.ascontiguousarray(pictures[rows]))
    return chosen.to(model.machine(0).weight.device).float() / 255


def _pictures(images: Tensor) -> np.ndarray:
    """Turn (N, 1, H, W) into the (N, H, W) that is drawn."""
    grey: np.ndarray = images.mean(1).float().cpu().numpy()
    return grey


def _scale(model: DeepBeliefNet) -> int:
    return max(1, PICTURE_WIDTH_PX // max(model.spec.width, model.spec.height))


def _listed(words: Sequence[str]) -> str:
    """Join words as in a sentence.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]

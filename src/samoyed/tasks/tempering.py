"""How sure a classifier says it is: one temperature, chosen on texts that it did not learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from samoyed.core.stage import Stage

COLDEST, HOTTEST = 0.2, 5.0
_NUM_HALVINGS = 40

Ask = Callable[[nn.Module], tuple[Tensor, Tensor]]
"""The model -> (N, K) float64 scores and (N,) classes of texts that it did not learn from."""


def temperature_of(scores: Tensor, targets: Tensor) -> float:
    """Return the temperature with the least log loss.

    Guo, C., Pleiss, G., Sun, Y. & Weinberger, K. Q. (2017). On calibration of modern neural
    networks. ICML, section 4.2: scores are divided by one number, which no answer depends on. The
    loss is convex in its inverse, whose slope is halved in on.

    Args:
        scores: (N, K) float64.
        targets: (N,) classes.

    >>> scores = torch.tensor([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [4.0, 0.0]]).double()
    >>> round(temperature_of(scores, torch.tensor([0, 0, 0, 1])), 3)  # 4 / log 3: 3 of 4 are right
    3.641
    """
    low, high = 1 / HOTTEST, 1 / COLDEST
    for _ in range(_NUM_HALVINGS):
        middle = torch.tensor((low + high) / 2, dtype=torch.float64, requires_grad=True)
        with torch.enable_grad():
            loss = F.cross_entropy(scores * middle, targets)
            [slope] = torch.autograd.grad(loss, middle)
        if slope.item() > 0:
            high = middle.item()
        else:
            low = middle.item()
    return 2 / (low + high)


def tempered(stage: Stage, ask: Ask) -> Stage:
    """Return the stage that, when its last step is done, sets the temperature of the scores.

    Args:
        stage: what is learned; its model has `scale_scores`.
        ask: scores of the texts that are kept for this.
    """
    return replace(stage, after=partial(_temper, before=stage.after, ask=ask))


def _temper(model: Any, before: Callable[[nn.Module], None] | None, ask: Ask) -> None:
    if before is not None:
        before(model)
    scores, targets = ask(model)
    with torch.no_grad():
        model.scale_scores(1 / temperature_of(scores, targets))


def left_out(num: int, num_kept: int, generator: np.random.Generator) -> np.ndarray:
    """Return (num,) whether an example is kept from learning: `num_kept` of them, at random."""
    is_left_out = np.zeros(num, dtype=bool)
    is_left_out[generator.permutation(num)[:num_kept]] = True
    return is_left_out

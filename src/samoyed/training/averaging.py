"""An exponential average of the weights (Polyak & Juditsky 1992, in its decaying form).

What is no real number cannot be averaged: a count, or the class that a word is in. It is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

MultiAverage = Callable[[Any, Any, Any], None]
"""(the averaged tensors, those of now, how many were averaged): changes the first."""


def only_floats(decay: float) -> MultiAverage:
    """Return an update that averages floating tensors and copies all others.

    Args:
        decay: weight of the past in each step.
    """
    average = get_ema_multi_avg_fn(decay)

    @torch.no_grad()
    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], num_averaged: Any) -> None:
        if averaged[0].is_floating_point():  # torch groups tensors by their kind
            average(averaged, current, num_averaged)
            return
        for old, new in zip(averaged, current, strict=True):
            old.copy_(new)

    return update


class WeightAverage:
    """Follow a model's weights; put the average in their place when the stage is done.

    Args:
        model: the model to follow.
        decay: weight of the past in each step, e.g. 0.999.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.averaged = AveragedModel(model, multi_avg_fn=only_floats(decay), use_buffers=True)

    def after_step(self, model: nn.Module, step: int) -> None:
        """Take the weights of this step into the average."""
        self.averaged.update_parameters(model)

    def after(self, model: nn.Module) -> None:
        """Replace the model's weights by their average."""
        model.load_state_dict(self.averaged.module.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """Return the average, for a checkpoint."""
        return self.averaged.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Restore the average."""
        self.averaged.load_state_dict(dict(state_dict))

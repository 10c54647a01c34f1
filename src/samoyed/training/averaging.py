"""An exponential average of the weights (Polyak & Juditsky 1992, in its decaying form)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class WeightAverage:
    """Follow a model's weights; put the average in their place when the stage is done.

    Args:
        model: the model to follow.
        decay: weight of the past in each step, e.g. 0.999.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.averaged = AveragedModel(
            model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True
        )

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

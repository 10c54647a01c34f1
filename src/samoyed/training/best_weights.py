"""Keep the weights that did best on rows that training does not see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from samoyed.core.batch import Batch
from samoyed.core.stage import Objective, Stage
from samoyed.training.stages import accompanied

ROWS = 1024  # in one go


Measure = Callable[[nn.Module], float]
"""The loss of a network, as it stands, on what it does not learn from; it is left as it was."""


class BestWeights:
    """Keep the weights with the smallest loss on what is set aside; put them in place at the end.

    Args:
        network: the model, or the part of it that is trained.
        measure: its loss on what is set aside.
        every: steps between two looks.
        patience: so many looks in a row that found it worse are enough: the best weights are put in
            place, and `is_enough` asks for an end; None goes on whatever is seen.
        margin: by which share of the best loss it must be worse: at a high rate it wavers.
    """

    def __init__(
        self, network: nn.Module, measure: Measure, every: int, patience: int | None = None,
        margin: float = 0.0,
    ) -> None:  # fmt: skip
        self.network, self.measure, self.every, self.patience = network, measure, every, patience
        self.margin = margin
        self.best_loss = float("inf")
        self.best: dict[str, Tensor] = {}
        self.num_worse, self.has_enough = 0, False

    def is_enough(self) -> bool:
        """Tell whether further training at this rate has been seen to bring nothing."""
        return self.has_enough

    def after_step(self, model: nn.Module, step: int) -> None:
        """Look, now and then."""
        if (step + 1) % self.every != 0:
            return
        self._look()
        if self.patience is not None and not self.has_enough and self.num_worse >= self.patience:
            self.network.load_state_dict(self.best, strict=True)
            self.has_enough = True

    def after(self, model: nn.Module) -> None:
        """Look a last time, and put the best weights in place."""
        self._look()
        self.network.load_state_dict(self.best, strict=True)

    def _look(self) -> None:
        loss = self.measure(self.network)
        self.num_worse = self.num_worse + 1 if loss > self.best_loss * (1 + self.margin) else 0
        if loss < self.best_loss or not self.best:
            self.best_loss = loss
            self.best = {k: v.detach().clone() for k, v in self.network.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        """Return the best weights, their loss, and what was seen since, for a checkpoint."""
        return {
            **self.best, "best loss": repr(self.best_loss), "worse looks":
            self.num_worse, "has enough": self.has_enough,
        }  # fmt: skip

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Restore all of it."""
        held = dict(state_dict)
        self.best_loss = float(held.pop("best loss"))
        self.num_worse = int(held.pop("worse looks"))
        self.has_enough = bool(held.pop("has enough"))
        self.best = held


def on_rows(aside: Batch, objective: Objective, at_once: int = ROWS) -> Measure:
    """Return what measures the mean loss on rows set aside.

    Args:
        aside: the rows, N of them.
        objective: (network, batch) -> the mean loss of a batch.
        at_once: rows looked at in one go.
    """

    def measure(network: nn.Module) -> float:
        device = next(network.parameters()).device
        was_training = network.training
        network.eval()
        num, total = len(aside), 0.0
        assert aside.targets is not None
        with torch.inference_mode():
            for start in range(0, num, at_once):
                rows = slice(start, start + at_once)
                inputs = aside.inputs[rows]
                batch = Batch(inputs, aside.targets[rows]).to(device)
                total += len(inputs) * float(objective(network, batch))
        network.train(was_training)
        return total / num

    return measure


def watched(stage: Stage, best: BestWeights) -> Stage:
    """Return the stage with its best weights kept, and ended where the looks say so."""
    return replace(accompanied(stage, "best", best), is_enough=best.is_enough)

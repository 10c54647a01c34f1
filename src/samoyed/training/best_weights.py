"""Keep the weights that did best on rows that training does not see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from samoyed.core.batch import Batch
from samoyed.core.stage import Objective

ROWS = 1024  # in one go


class BestWeights:
    """Keep the weights with the smallest loss on rows set aside; put them in place at the end.

    Args:
        network: the model, or the part of it that is trained.
        aside: the rows, N of them.
        objective: (network, batch) -> the mean loss of a batch.
        every: steps between two looks.
        at_once: rows looked at in one go.
    """

    def __init__(
        self, network: nn.Module, aside: Batch, objective: Objective, every: int,
        at_once: int = ROWS,
    ) -> None:  # fmt: skip
        self.network, self.aside, self.objective, self.every = network, aside, objective, every
        self.at_once = at_once
        self.best_loss = float("inf")
        self.best: dict[str, Tensor] = {}

    def after_step(self, model: nn.Module, step: int) -> None:
        """Look, now and then."""
        if (step + 1) % self.every == 0:
            self._look()

    def after(self, model: nn.Module) -> None:
        """Look a last time, and put the best weights in place."""
        self._look()
        self.network.load_state_dict(self.best, strict=True)

    def _look(self) -> None:
        loss = self.loss()
        if loss < self.best_loss or not self.best:
            self.best_loss = loss
            self.best = {k: v.detach().clone() for k, v in self.network.state_dict().items()}

    def loss(self) -> float:
        """Return the mean loss on the rows set aside; the network is left as it was."""
        device = next(self.network.parameters()).device
        was_training = self.network.training
        self.network.eval()
        num, total = len(self.aside), 0.0
        assert self.aside.targets is not None
        with torch.inference_mode():
            for start in range(0, num, self.at_once):
                rows = slice(start, start + self.at_once)
                inputs = self.aside.inputs[rows]
                batch = Batch(inputs, self.aside.targets[rows]).to(device)
                total += len(inputs) * float(self.objective(self.network, batch))
        self.network.train(was_training)
        return total / num

    def state_dict(self) -> dict[str, Any]:
        """Return the best weights and their loss, for a checkpoint."""
        return {**self.best, "best loss": repr(self.best_loss)}

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Restore the best weights."""
        held = dict(state_dict)
        self.best_loss = float(held.pop("best loss"))
        self.best = held

"""Several processes, one model: torch's DistributedDataParallel under torchrun.

Every process computes the same global batch (a pure function of seed and step) and keeps its own
rows of it, so that N processes descend the very objective that one process would.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from samoyed.core.stage import Objective


class Descent(nn.Module):
    """The objective as a module, so that data-parallel wrappers see one forward pass.

    Args:
        model: the model.
        objective: (model, batch) -> scalar.
        num_parts: the objective is divided by this, for accumulated gradients.
    """

    def __init__(self, model: nn.Module, objective: Objective, num_parts: int = 1) -> None:
        super().__init__()
        self.model = model
        self.objective = objective
        self.num_parts = num_parts

    def forward(self, batch: Any) -> Tensor:
        """Return the scalar to descend, shape ()."""
        return self.objective(self.model, batch) / self.num_parts


_is_alone: ContextVar[bool] = ContextVar("is_alone", default=False)


@contextmanager
def alone() -> Iterator[None]:
    """Train in here as if there were no other processes: to measure a few steps."""
    token = _is_alone.set(True)
    try:
        yield
    finally:
        _is_alone.reset(token)


def is_joined() -> bool:
    """Tell whether this process trains together with others."""
    return dist.is_available() and dist.is_initialized() and not _is_alone.get()


def rank() -> int:
    """Return this process's number, 0 when alone."""
    return dist.get_rank() if is_joined() else 0


def num_ranks() -> int:
    """Return how many processes train together."""
    return dist.get_world_size() if is_joined() else 1


def join_if_launched() -> None:
    """Join the process group when torchrun started this process."""
    if "TORCHELASTIC_RUN_ID" in os.environ and not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def wait_for_all() -> None:
    """Wait until every process has come this far."""
    if num_ranks() > 1:
        dist.barrier()


def distributed(descent: Descent) -> Callable[[Any], Tensor]:
    """Wrap for gradient averaging where several processes train together."""
    if num_ranks() == 1:
        return descent
    return DistributedDataParallel(descent)

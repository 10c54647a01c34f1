"""The loop's overhead over a bare torch loop, on LeNet-5 training steps.

The two run in turn on the same batches; the ratio of the medians is the result.
"""

from __future__ import annotations

import statistics
import time

import torch
from torch import nn

from samoyed.catalog import find
from samoyed.core.batch import Batch
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Stage
from samoyed.training.loop import train

BATCH, STEPS, ROUNDS = 64, 60, 9


class Fixed:
    """The same batch again and again, so that only the loop is measured."""

    def __init__(self) -> None:
        g = torch.Generator().manual_seed(0)
        self.held = Batch(
            torch.rand(BATCH, 1, 28, 28, generator=g), torch.randint(10, (BATCH,), generator=g)
        )

    def batch(self, step: int) -> Batch:
        return self.held


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, fused=True)


def main() -> None:
    """Measure and print."""
    row = find("lenet5")
    system = row.load()
    model = system.build(
        system.Config(), ImageSpec(1, 28, 28), LabelSpec(tuple("0123456789"))
    ).train()
    feed = Fixed()

    def objective(m: nn.Module, batch: Batch) -> torch.Tensor:
        return system.loss(m(batch.inputs), batch.targets)

    def bare() -> float:
        optimizer = sgd(model)
        start = time.perf_counter()
        for _ in range(STEPS):
            optimizer.zero_grad(set_to_none=True)
            objective(model, feed.held).backward()
            optimizer.step()
        return time.perf_counter() - start

    def ours() -> float:
        stage = Stage("lenet5", feed, objective, sgd, STEPS)
        start = time.perf_counter()
        for _ in train(model, [stage]):
            pass
        return time.perf_counter() - start

    bare(), ours()
    pairs = [(ours(), bare()) for _ in range(ROUNDS)]
    ratio = statistics.median(a / b for a, b in pairs)
    ms = statistics.median(b for _, b in pairs) / STEPS * 1e3
    print(f"bare loop {ms:.2f} ms a LeNet-5 step of {BATCH}; samoyed's loop {ratio:.3f} times that")


if __name__ == "__main__":
    main()

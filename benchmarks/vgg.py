"""Training speed of a VGG-style network on colour pictures of 32 pixels, in batches of 128.

* how much of the matrix-product ceiling a whole training step reaches, forward, backward and SGD
  with momentum and decay by the project's own loop, if convolutions are counted as they are defined
* pictures per second beside the same network in Keras (where it is installed), in float32, which
  is what it does unless told otherwise, and in mixed bfloat16

All run in turn in one process, on random pictures that are at hand.

    python -m benchmarks.vgg [--repeats 3]
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from samoyed.catalog import find
from samoyed.core.batch import Batch
from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.core.stage import Stage
from samoyed.training.loop import train
from samoyed.training.precision import resolve
from samoyed.training.processor import prepare_processor

SIDE, BATCH, CLASSES, FULL, WARM, STEPS = 32, 128, 10, 512, 2, 6
WIDTHS = ((64,), (128,), (256, 256), (512, 512), (512, 512))  # configuration A


def pictures_and_labels() -> tuple[torch.Tensor, torch.Tensor]:
    """Return (BATCH, 3, SIDE, SIDE) float32 and (BATCH,) int64."""
    g = torch.Generator().manual_seed(0)
    pictures = torch.rand(BATCH, 3, SIDE, SIDE, generator=g)
    return pictures, torch.randint(CLASSES, (BATCH,), generator=g)


class Fixed:
    """The same pictures at every step."""

    def __init__(self) -> None:
        self.held = Batch(*pictures_and_labels())

    def batch(self, step: int) -> Batch:
        return self.held


def objective(model: nn.Module, batch: Batch) -> torch.Tensor:
    assert batch.targets is not None
    return F.cross_entropy(model(batch.inputs).values, batch.targets)


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        model.parameters(), lr=0.001, momentum=0.9, weight_decay=5e-4, fused=True
    )


def network() -> nn.Module:
    system = find("vgg").load()
    config = system.Config(configuration="A", width=64, full=FULL, side=SIDE)
    labels = LabelSpec(tuple(str(k) for k in range(CLASSES)))
    return system.build(config, ImageSpec(3, SIDE, SIDE), labels)


def step_flops(model: nn.Module) -> int:
    """Return the operations of a step, forward and backward, by plain convolutions.

    In evaluation mode layers are the library's, whose counter takes every product of a kernel with
    the places under it, padding too, however much fewer our own way to the same maps may need.
    """
    counter = FlopCounterMode(display=False)
    with counter:
        objective(model.eval(), Fixed().held).backward()
    return counter.get_total_flops()


def samoyed_step_s(precision: str) -> float:
    """Return the median seconds of a step of the loop."""
    feed, times, last = Fixed(), [], 0.0
    stage = Stage("vgg", feed, objective, sgd, WARM + STEPS)
    for moment in train(network(), [stage], precision=precision):
        now = time.perf_counter()
        if moment.step >= WARM:
            times.append(now - last)
        last = now
    return statistics.median(times)


def keras_step_s(policy: str) -> float:
    """Return the median seconds of a step of the same network in Keras."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    keras.mixed_precision.set_global_policy(policy)
    model: Any = keras.Sequential([keras.Input((SIDE, SIDE, 3)), layers.Rescaling(4, offset=-2)])
    for level in WIDTHS:
        for width in level:
            model.add(layers.Conv2D(width, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    for _ in range(2):
        model.add(layers.Dense(FULL, activation="relu"))
        model.add(layers.Dropout(0.5))
    model.add(layers.Dense(CLASSES, dtype="float32", activation="softmax"))
    optimizer = keras.optimizers.SGD(0.001, momentum=0.9, weight_decay=5e-4)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    held, answers = pictures_and_labels()
    pictures, labels = held.numpy().transpose(0, 2, 3, 1), answers.numpy()
    times = []
    for step in range(WARM + STEPS):
        start = time.perf_counter()
        model.train_on_batch(pictures, labels)
        if step >= WARM:
            times.append(time.perf_counter() - start)
    keras.mixed_precision.set_global_policy("float32")
    return statistics.median(times)


def ceiling_gflops(dtype: torch.dtype, side: int = 2048, num: int = 7) -> float:
    """Return the speed of a square matrix product."""
    a, b = (torch.randn(side, side).to(dtype) for _ in range(2))
    times = []
    for _ in range(num):
        start = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - start)
    return 2 * side**3 / statistics.median(times) / 1e9


def main() -> None:
    """Measure in turn and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    prepare_processor()
    precision = resolve("auto", "cpu")
    dtype = getattr(torch, precision)
    runs: dict[str, Callable[[], float]] = {
        f"samoyed, {precision}": lambda: samoyed_step_s(precision)
    }
    if importlib.util.find_spec("keras") is None:
        print("keras: not installed, not run")
    else:
        runs["keras, float32"] = lambda: keras_step_s("float32")
        runs["keras, bfloat16"] = lambda: keras_step_s("mixed_bfloat16")
    flops = step_flops(network())
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    ceilings = []
    for _ in range(options.repeats):
        ceilings.append(ceiling_gflops(dtype))
        for name, run in runs.items():
            seconds[name].append(run())
    ceiling = float(np.median(ceilings))
    print(f"a step of {BATCH} pictures: {flops / 1e9:,.0f} GFLOP; "
          f"a {precision} matrix product: {ceiling:,.0f} GFLOP/s")  # fmt: skip
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ours = next(iter(medians.values()))
    for name, took in medians.items():
        print(f"{name:<20}{BATCH / took:>8.0f} pictures/s{flops / took / 1e9:>8.0f} GFLOP/s"
              f"{100 * flops / took / 1e9 / ceiling:>6.0f} % of the ceiling"
              f"{took / ours:>8.2f} times our seconds")  # fmt: skip


if __name__ == "__main__":
    main()

"""How much arithmetic a network of convolutions is, counted without doing any of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from samoyed.core.spec import ImageSpec

MULTIPLICATIONS_PER_S = 1.2e10  # assumed: multiplications of forward passes, while training
UNHURRIED_S = 180.0  # how long training may take where nobody said


def multiplications(net: nn.Module, spec: ImageSpec) -> int:
    """Return how many multiplications one picture takes, in convolutions and linear layers.

    Args:
        net: on the meta device: it has shapes, and no numbers to compute with.
        spec: what it takes.
    """
    counts: list[int] = []

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(module, (nn.Conv2d, nn.Linear))
        counts.append(output[0].numel() * module.weight[0].numel())

    counted = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    handles = [module.register_forward_hook(count) for module in counted]
    was_training = net.training
    with torch.no_grad():
        net.eval()(torch.zeros(1, *spec.shape, device="meta"))
    net.train(was_training)
    for handle in handles:
        handle.remove()
    return sum(counts)


def is_worth_full_size(
    net: nn.Module,
    taken: ImageSpec,
    natural: ImageSpec,
    num_train: int,
    seconds: float | None,
    epochs: float,
) -> bool:
    """Tell whether a paper's full-size network suits these pictures and this time.

    They must have at least half its input's side, and the time must do for its passes through the
    data on a few processor cores.

    Args:
        net: on the meta device.
        taken: what it takes.
        natural: natural size of the pictures.
        num_train: how many there are to learn from.
        seconds: how long training may take, or None for `UNHURRIED_S`.
        epochs: how many passes it needs.
    """
    is_large = 2 * min(natural.height, natural.width) >= min(taken.height, taken.width)
    pass_s = num_train * multiplications(net, taken) / MULTIPLICATIONS_PER_S
    return is_large and epochs * pass_s <= (seconds or UNHURRIED_S)

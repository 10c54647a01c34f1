"""The gradient's norm is held as torch's own function holds it, whoever divides."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from samoyed.training.clipping import clip_gradient

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": lambda p: torch.optim.Adam(p, lr=0.1, fused=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.1, fused=True),
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, fused=True),
    "plain sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-3),
}


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8 * 16, 5)).to(
        memory_format=torch.channels_last
    )


def descend(net: nn.Module, optimizer: torch.optim.Optimizer, clip: Callable[[], object]) -> None:
    for step in range(4):
        generator = torch.Generator().manual_seed(step)
        x = torch.randn(6, 3, 6, 6, generator=generator) * (0.01 if step == 1 else 3.0)
        optimizer.zero_grad()
        net(x.to(memory_format=torch.channels_last)).square().sum().backward()
        clip()
        optimizer.step()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_are_those_of_the_usual_clipping(name: str):
    ours, usual = model(), model()
    optimizer, other = (OPTIMIZERS[name](net.parameters()) for net in (ours, usual))
    norms: list[float] = []
    others: list[float] = []
    descend(
        ours, optimizer,
        lambda: norms.append(float(clip_gradient(optimizer, list(ours.parameters()), 20.0))),
    )  # fmt: skip
    descend(
        usual, other,
        lambda: others.append(float(nn.utils.clip_grad_norm_(usual.parameters(), 20.0))),
    )  # fmt: skip
    assert norms == pytest.approx(others, rel=1e-4)
    assert min(norms) < 20 < max(norms)  # one that is left alone, others that are clipped
    for one, two in zip(ours.parameters(), usual.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)


def test_a_fused_step_divides_what_is_too_long_and_nothing_else():
    weight = nn.Parameter(torch.tensor([3.0, -4.0]))
    optimizer = torch.optim.SGD([weight], lr=1.0, fused=True)
    weight.grad = torch.tensor([30.0, 40.0])
    assert float(clip_gradient(optimizer, [weight], 5.0)) == pytest.approx(50.0)
    optimizer.step()
    torch.testing.assert_close(weight.detach(), torch.tensor([0.0, -8.0]))
    weight.grad = torch.tensor([0.5, 0.0])
    clip_gradient(optimizer, [weight], 5.0)
    optimizer.step()
    torch.testing.assert_close(weight.detach(), torch.tensor([-0.5, -8.0]))


def test_without_gradients_the_norm_is_zero():
    weight = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.Adam([weight], fused=True)
    assert float(clip_gradient(optimizer, [weight], 1.0)) == 0.0


def test_what_was_divided_by_is_forgotten_where_torch_clips():
    weight = nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.SGD([weight], lr=1.0, fused=True)
    weight.grad = torch.tensor([30.0, 40.0])
    clip_gradient(optimizer, [weight], 5.0)
    weight.grad = None
    clip_gradient(optimizer, [weight], 5.0)
    weight.grad = torch.tensor([1.0, 0.0])
    optimizer.step()
    assert weight.tolist() == [-1.0, 0.0]


def test_sparse_gradients_are_neither_counted_nor_divided():
    table, weight = nn.Embedding(5, 2, sparse=True), nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.SGD([weight], lr=1.0, fused=True)
    table(torch.tensor([3])).mul(100.0).sum().backward()
    weight.grad = torch.tensor([30.0, 40.0])
    norm = clip_gradient(optimizer, [table.weight, weight], 5.0)
    assert float(norm) == pytest.approx(50.0)
    optimizer.step()
    torch.testing.assert_close(weight.detach(), torch.tensor([-3.0, -4.0]))
    assert table.weight.grad.to_dense()[3].tolist() == [100.0, 100.0]

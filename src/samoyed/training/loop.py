"""The one training loop of samoyed.

It knows stages, and nothing of tasks, models or files. Progress bars, evaluation, checkpoints and
early stopping are plain consumers of the moments it yields; `break` stops it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from samoyed.core.seeding import seed_everything
from samoyed.core.stage import Stage
from samoyed.training.clipping import clip_gradient
from samoyed.training.distribution import Descent, distributed, num_ranks, rank
from samoyed.training.precision import autocast


@dataclass(frozen=True)
class Moment:
    """What one step of training tells its watchers.

    Args:
        stage_index: which stage, from 0.
        stage: the stage itself.
        step: which step of the stage was just done, from 0.
        loss: () the objective at this step, detached, still on its device.
        optimizer: the stage's optimizer, after the update.
    """

    stage_index: int
    stage: Stage
    step: int
    loss: Tensor
    optimizer: Optimizer


@dataclass(frozen=True)
class Resume:
    """Where to go on: the next step of a stage, and what the stage's optimizer and keeps held."""

    stage_index: int
    step: int
    optimizer: Mapping[str, Any]
    keeps: Mapping[str, Mapping[str, Any]]


def train(
    model: nn.Module,
    stages: Iterable[Stage],
    *,
    device: torch.device | str = "cpu",
    precision: str = "float32",
    seed: int = 0,
    resume: Resume | None = None,
) -> Iterator[Moment]:
    """Descend each stage's objective in turn and yield one Moment per step.

    `stages` may be lazy: a stage is asked for when the one before it is done. All randomness of a
    step (dropout, sampling) is a pure function of (seed, stage, step), so a run that is resumed
    with the model's weights and a `Resume` ends in the very weights of one never interrupted.
    """
    model.to(device)
    for index, stage in enumerate(stages):
        if resume is not None and index < resume.stage_index:
            continue
        first = 0
        is_resumed = resume is not None and index == resume.stage_index
        if stage.before is not None and not (is_resumed and resume.step > 0):  # type: ignore[union-attr]
            seed_everything(seed, index, "before")
            stage.before(model)
        optimizer = stage.optimizer(model)
        if is_resumed and resume is not None:
            first = resume.step
            _restore(stage, optimizer, resume)
        yield from _descend(model, index, stage, optimizer, first, device, precision, seed)
        if stage.after is not None:
            stage.after(model)


def _restore(stage: Stage, optimizer: Optimizer, resume: Resume) -> None:
    """Give the optimizer and everything the stage keeps their saved state."""
    if resume.step > 0:
        optimizer.load_state_dict(dict(resume.optimizer))
        for name, keeper in stage.keeps.items():
            keeper.load_state_dict(resume.keeps[name])


def _descend(
    model: nn.Module,
    index: int,
    stage: Stage,
    optimizer: Optimizer,
    first: int,
    device: torch.device | str,
    precision: str,
    seed: int,
) -> Iterator[Moment]:
    """Do the steps of one stage from `first` on."""
    trained = [p for group in optimizer.param_groups for p in group["params"]]
    base_rates = [group.setdefault("base_lr", group["lr"]) for group in optimizer.param_groups]
    _freeze_all_but(model, trained)
    descent = distributed(Descent(model, stage.objective, num_parts=stage.accumulate))
    for step in range(first, stage.steps):
        factor = stage.rate(step / stage.steps)
        for group, base in zip(optimizer.param_groups, base_rates, strict=True):
            group["lr"] = base * factor
        model.train()
        seed_everything(seed, index, step, rank())
        parts = range(step * stage.accumulate, (step + 1) * stage.accumulate)
        batches = [stage.feed.batch(i).shard(rank(), num_ranks()).to(device) for i in parts]

        def closure(batches: list[Any] = batches) -> Tensor:
            optimizer.zero_grad(set_to_none=True)
            loss = torch.zeros((), device=device)
            for batch in batches:
                with autocast(device, precision):
                    part = descent(batch)
                part.backward()
                loss = loss + part.detach()
            if stage.clip_norm is not None:
                clip_gradient(optimizer, trained, stage.clip_norm)
            return loss

        loss = optimizer.step(closure)  # type: ignore[arg-type]
        stage.after_step(model, step)
        yield Moment(index, stage, step, torch.as_tensor(loss), optimizer)
    model.requires_grad_(True)


def _freeze_all_but(model: nn.Module, trained: list[nn.Parameter]) -> None:
    """Let gradients reach the stage's own parameters only."""
    kept = {id(p) for p in trained}
    for parameter in model.parameters():
        parameter.requires_grad_(id(parameter) in kept)

"""What travels to a model (`Batch`, `Transitions`) and what comes back (the outputs)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, Self

from torch import Tensor

NO_LABEL = -100
"""The target of a node of a tree whose class is not known, or of none."""


class Movable:
    """Move or slice every tensor field at once."""

    def to(self, device: Any) -> Self:
        """Return a copy whose tensors are on `device`."""
        moved = {
            f.name: value.to(device, non_blocking=True)
            for f in fields(self)  # type: ignore[arg-type]
            if isinstance(value := getattr(self, f.name), Tensor)
        }
        return replace(self, **moved)  # type: ignore[type-var]

    def shard(self, rank: int, num_ranks: int) -> Self:
        """Return the rows rank, rank + num_ranks, ... : one process's share of a global batch."""
        if num_ranks == 1:
            return self
        rows = {
            f.name: value[rank::num_ranks]
            for f in fields(self)  # type: ignore[arg-type]
            if isinstance(value := getattr(self, f.name), Tensor)
        }
        return replace(self, **rows)  # type: ignore[type-var]

    def __len__(self) -> int:
        first = getattr(self, fields(self)[0].name)  # type: ignore[arg-type]
        return len(first)


@dataclass(frozen=True)
class Batch(Movable):
    """Inputs and what should come out.

    Args:
        inputs: (B, ...) what the model is given.
        targets: (B, ...) what it should give, or None where nothing is known.
        is_start: (B,) for sequences cut in pieces: True where a row begins a new sequence, so that
            a carried state must be cleared.
    """

    inputs: Tensor
    targets: Tensor | None = None
    is_start: Tensor | None = None


@dataclass(frozen=True)
class Transitions(Movable):
    """Moves drawn from a replay memory.

    Args:
        observations: (B, ...) what was seen.
        actions: (B,) what was done, integers.
        rewards: (B,) what it earned.
        next_observations: (B, ...) what was seen next.
        is_terminal: (B,) whether the episode ended there by its own rules (not by a time limit).
    """

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    next_observations: Tensor
    is_terminal: Tensor


class Logits(NamedTuple):
    """Unnormalised log-probabilities of K classes: (B, K)."""

    values: Tensor


class HeadedLogits(NamedTuple):
    """The answer's logits (B, K), and while training those of heads on hidden layers, (B, K) each.

    What is not training sees `values` only.
    """

    values: Tensor
    auxiliary: tuple[Tensor, ...] = ()


class SequenceLogits(NamedTuple):
    """Unnormalised log-probabilities per position (B, T, K) and the state after the last one."""

    values: Tensor
    state: tuple[Tensor, ...]


class TagLogits(NamedTuple):
    """How well each of K tags fits each word, and each tag after each other.

    Args:
        values: (B, L, K) of the words.
        transitions: (K, K) of the second tag after the first.
        starts: (K,) of the first word's tag.
    """

    values: Tensor
    transitions: Tensor
    starts: Tensor


class TreeLogits(NamedTuple):
    """How well each of K classes fits each node of trees, and how far their making is from right.

    Args:
        values: (B, T, K) of the nodes.
        margins: (B,) by how much another tree over the same words scores better than the right
            one, per node; zeros where that is not asked.
    """

    values: Tensor
    margins: Tensor


class DecoderState(NamedTuple):
    """What a translator knows while it writes.

    Args:
        memory: of B sentences, the same at every step.
        moving: of R = B K hypotheses, K side by side for each sentence; the last tensor may be the
            alignment (R, S) of the unit just written.
    """

    memory: tuple[Tensor, ...]
    moving: tuple[Tensor, ...]


class Values(NamedTuple):
    """Expected return of each of A actions: (B, A)."""

    values: Tensor

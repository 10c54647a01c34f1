"""One stretch of training, and how fast to descend in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, Protocol

from annotated_types import Gt, Le, Lt
from torch import Tensor, nn
from torch.optim import Optimizer

from samoyed.core.numbers import LargeCount, Positive, Share, Weight

Objective = Callable[[nn.Module, Any], Tensor]
"""The scalar to descend: (model, batch) -> loss, shape ()."""


class Feed(Protocol):
    """Where batches come from."""

    def batch(self, step: int) -> Any:
        """Return the batch of this step: a pure function of the feed's seed and the step.

        A world being played is the one exception: it is asked for steps in order, and its own
        state is listed in the stage's `keeps`.
        """
        ...


class Stateful(Protocol):
    """Something that must survive a restart: a replay memory, a carried state, a target network."""

    def state_dict(self) -> Mapping[str, Any]:
        """Return tensors and plain JSON values by name, nothing nested."""
        ...

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> Any:
        """Restore what `state_dict` returned, bit for bit."""
        ...


def nothing(model: nn.Module, step: int) -> None:
    """Do nothing after a step."""


def nothing_to_tell() -> dict[str, float]:
    """Tell nothing besides the loss."""
    return {}


def no_time() -> float:
    """Take no seconds to speak of."""
    return 0.0


def never() -> bool:
    """Say that no step so far was one too many."""
    return False


def constant(progress: float) -> float:
    """Keep the rate as it is."""
    return 1.0


@dataclass(frozen=True)
class Stage:
    """One stretch of training: descend `objective` on batches of `feed` for `steps` steps.

    Args:
        name: what it is called in the report, "rbm 1", "fine-tune".
        feed: where batches come from.
        objective: (model, batch) -> the scalar to descend.
        optimizer: model -> optimizer over the parameters this stage trains; the loop freezes the
            others while the stage lasts.
        steps: how many steps.
        after_step: called after each update with (model, step).
        before: called once, before step 0 of the stage (not when resuming inside it).
        after: called once the last step is done.
        after_s: estimates how many seconds `after` takes, where it takes many.
        rate: progress in [0, 1) -> factor on the optimizer's own rate.
        clip_norm: largest norm of the whole gradient, or None.
        accumulate: how many consecutive batches make one update.
        keeps: what else a checkpoint must save, by name.
        tells: numbers worth logging besides the loss, by name: a game's returns, an exploration
            rate.
        is_enough: whether more steps at this rate would bring nothing, so that the rate should
            fall and the stage end.
    """

    name: str
    feed: Feed
    objective: Objective
    optimizer: Callable[[nn.Module], Optimizer]
    steps: int
    after_step: Callable[[nn.Module, int], None] = nothing
    before: Callable[[nn.Module], None] | None = None
    after: Callable[[nn.Module], None] | None = None
    after_s: Callable[[], float] = no_time
    rate: Callable[[float], float] = constant
    clip_norm: float | None = None
    accumulate: int = 1
    keeps: Mapping[str, Stateful] = field(default_factory=dict)
    tells: Callable[[], Mapping[str, float]] = nothing_to_tell
    is_enough: Callable[[], bool] = never

    def lasting(self, steps: int) -> Stage:
        """Return the same stage with another number of steps, at least one."""
        return replace(self, steps=max(1, steps))


@dataclass(frozen=True)
class Recipe:
    """How fast and how long to descend; the dials of every system's training.

    Args:
        optimizer: which update rule.
        learning_rate: the largest rate.
        batch_size: examples per step.
        epochs: passes through the training data.
        momentum: of SGD (Nesterov's), or the first moment's decay of Adam.
        weight_decay: decoupled for AdamW, L2 otherwise; on matrices and filters only.
        schedule: how the rate moves over the stage.
        warmup: fraction of the steps in which the rate rises from zero.
        clip_norm: largest norm of the whole gradient, or None.
        average: decay of the exponential average of the weights, or None.
        accumulate: how many batches make one update.
        precision: number format of the products; auto is bfloat16 where the processor is fast in
            it. Small networks and values that need more than eight bits ask for float32.
    """

    optimizer: Literal["sgd", "adam", "adamw", "rmsprop"] = "adamw"
    learning_rate: Positive = 1e-3
    batch_size: LargeCount = 64
    epochs: Annotated[float, Gt(0), Le(1e6)] = 10.0
    momentum: Share = 0.9
    weight_decay: Weight = 0.0
    schedule: Literal["constant", "cosine", "linear"] = "cosine"
    warmup: Share = 0.0
    clip_norm: Positive | None = None
    average: Annotated[float, Gt(0), Lt(1)] | None = None
    accumulate: Annotated[int, Gt(0), Le(1000)] = 1
    precision: Literal["auto", "float32", "bfloat16"] = "auto"


DESCENT = (
    "optimizer", "learning_rate", "momentum", "weight_decay", "schedule", "warmup", "clip_norm",
    "average",
)  # fmt: skip
"""Dials of a recipe that mean nothing to a system which does not descend."""

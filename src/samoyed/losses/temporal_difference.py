"""The error of a one-step prediction of the return, and its clipped form."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional


def one_step_target(
    rewards: Float[Tensor, " B"],
    next_values: Float[Tensor, "B A"],
    is_terminal: Bool[Tensor, " B"],
    discount: float,
) -> Float[Tensor, " B"]:
    """Return y = r + discount * max_a' Q(s', a'), and y = r where the episode ended.

    Mnih et al. (2015), Algorithm 1. An episode that was only cut short by a time limit is not
    terminal: what would have followed still counts.

    Args:
        rewards: (B,) rewards.
        next_values: (B, A) values of the actions in the next state.
        is_terminal: (B,) whether the episode ended by its own rules.
        discount: worth of a reward one move later.
    """
    return rewards + discount * (1 - is_terminal.to(rewards.dtype)) * next_values.amax(dim=1)


def clipped_error(
    predictions: Float[Tensor, " B"], targets: Float[Tensor, " B"], limit: float = 1.0
) -> Float[Tensor, ""]:
    """Return the mean loss whose derivative is the error clipped to [-limit, limit].

    Mnih et al. (2015), Methods, "Training details": clipping the error term is using the absolute
    value as loss outside of (-1, 1), the square inside: Huber's function (1964).

    Args:
        predictions: (B,) Q(s, a).
        targets: (B,) y; no gradient flows to it.
        limit: largest size of the error.
    """
    return functional.huber_loss(predictions, targets.detach(), delta=limit)


def q_learning_loss(
    values: Float[Tensor, "B A"],
    next_values: Float[Tensor, "B A"],
    actions: Int[Tensor, " B"],
    rewards: Float[Tensor, " B"],
    is_terminal: Bool[Tensor, " B"],
    discount: float,
    limit: float = 1.0,
) -> Float[Tensor, ""]:
    """Return the clipped error of Q(s, a) against the one-step target (Algorithm 1).

    Args:
        values: (B, A) values of the network being trained.
        next_values: (B, A) values of the target network in the next states.
        actions: (B,) what was done.
        rewards: (B,) what it earned.
        is_terminal: (B,) whether the episode ended by its own rules.
        discount: worth of a reward one move later.
        limit: largest size of an error; beyond it only the sign counts.
    """
    chosen = values.gather(1, actions[:, None])[:, 0]
    targets = one_step_target(rewards, next_values, is_terminal, discount)
    return clipped_error(chosen, targets, limit)


def clipped_rewards(rewards: Float[Tensor, " B"]) -> Float[Tensor, " B"]:
    """Clip rewards to [-1, 1], so that one rate suits every game (Methods, "Training details")."""
    return torch.clamp(rewards, -1.0, 1.0)

"""What is descended on tables: for classes, for a number, for several questions with gaps.

Legend for shapes: B batch, M members of an ensemble (each descends its own loss, so that members
stay different), K outputs. A model without members gives (B, K).
"""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def cross_entropy(
    values: Float[Tensor, "B *M K"], targets: Int[Tensor, " B"], label_smoothing: float = 0.0
) -> Float[Tensor, ""]:
    """Return the mean cross-entropy over rows and members.

    Args:
        values: unnormalised log-probabilities.
        targets: the right classes.
        label_smoothing: share of the target spread over all classes.
    """
    flat = values.float().flatten(0, -2)
    repeated = targets.repeat_interleave(len(flat) // len(targets))
    return F.cross_entropy(flat, repeated, label_smoothing=label_smoothing)


def squared_error(
    values: Float[Tensor, "B *M 1"], targets: Float[Tensor, " B"]
) -> Float[Tensor, ""]:
    """Return the mean squared error over rows and members.

    Args:
        values: the numbers that were answered.
        targets: the numbers that are right, on the same scale.
    """
    flat = values.float().flatten(0, -2).squeeze(-1)
    return F.mse_loss(flat, targets.float().repeat_interleave(len(flat) // len(targets)))


def masked_binary(
    values: Float[Tensor, "B *M K"], targets: Float[Tensor, "B K"], label_smoothing: float = 0.0
) -> Float[Tensor, ""]:
    """Return the mean binary cross-entropy over the answers that are known, and over members.

    Ma, J. et al. (2015). Deep neural nets as a method for quantitative structure-activity
    relationships. J. Chem. Inf. Model. 55(2), 263-274: one net learns all questions, each row
    only those whose answers it has.

    Args:
        values: log odds.
        targets: 0, 1, or NaN where nothing is known.
        label_smoothing: how far targets are moved from 0 and 1 towards one half, times two.
    """
    if values.ndim == 3:
        targets = targets[:, None, :].expand_as(values)
    is_known = ~targets.isnan()
    goals = targets.nan_to_num() * (1 - label_smoothing) + label_smoothing / 2
    losses = F.binary_cross_entropy_with_logits(values.float(), goals.float(), reduction="none")
    return (losses * is_known).sum() / is_known.sum().clamp(min=1)

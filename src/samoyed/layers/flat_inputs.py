"""Pictures and encoded rows of tables as plain vectors, for systems that see nothing else."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.spec import ImageSpec, LabelSpec, TableSpec, TargetSpec


class FlatInputs(nn.Module):
    """Turn inputs into vectors: pixels in a row, or numbers and one-hot categories.

    Args:
        spec: what the inputs are.
    """

    def __init__(self, spec: ImageSpec | TableSpec) -> None:
        super().__init__()
        self.sizes: tuple[int, ...] = ()
        if isinstance(spec, TableSpec):
            self.sizes = tuple(len(column.categories) + 1 for column in spec.categories)
            self.width = spec.width - len(self.sizes) + sum(self.sizes)
        else:
            self.width = spec.channels * spec.height * spec.width

    def forward(self, inputs: Float[Tensor, "B ..."]) -> Float[Tensor, "B D"]:
        """Return one vector per example; a picture of shape (C, H, W) is read in that order."""
        if not self.sizes:
            return inputs.flatten(1)
        end = inputs.shape[1] - len(self.sizes)
        indices = inputs[:, end:].long()
        hot = [F.one_hot(indices[:, i], size) for i, size in enumerate(self.sizes)]
        return torch.cat([inputs[:, :end], *(h.to(inputs.dtype) for h in hot)], dim=1)


def num_outputs(target: LabelSpec | TargetSpec) -> int:
    """Return how many numbers answer the question.

    >>> num_outputs(LabelSpec(("a", "b"))), num_outputs(TargetSpec("number", ("price",)))
    (2, 1)
    """
    return len(target) if isinstance(target, LabelSpec) else target.num_outputs


def small_picture(spec: ImageSpec, largest_side: int) -> ImageSpec:
    """Return the pictures' own size and colours, scaled down where they are larger.

    >>> small_picture(ImageSpec(3, 100, 50), 32)
    ImageSpec(channels=3, height=32, width=16)
    """
    scale = min(1.0, largest_side / max(spec.height, spec.width))
    height, width = (max(1, round(side * scale)) for side in (spec.height, spec.width))
    return ImageSpec(3 if spec.channels == 3 else 1, height, width)

"""A model with everything between decoded pixels and the answer, as one graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxtyping import Float, UInt8
from torch import Tensor, nn

from samoyed.core.spec import ImageSpec, LabelSpec

# Legend for shapes: B batch, C channels, H rows, W columns, K classes.


class PictureAnswers(nn.Module):
    """From 8-bit pictures to the probability of each class.

    Pixels are brought to [0, 1] and the model's scores through a softmax inside, so that whoever
    serves the graph has nothing to know but the size of the pictures and the order of the classes.

    Args:
        model: takes pictures in [0, 1] and returns `Logits`.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pictures: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        """Return probabilities that add up to 1 in every row."""
        return self.model(pictures.float() * (1 / 255)).values.float().softmax(dim=1)


def description(
    spec: ImageSpec, labels: LabelSpec, system: str, scores: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what a served file says of itself; JSON values only.

    Args:
        spec: size and colours of the pictures it takes.
        labels: the classes, in the order of its answers.
        system: the model's name in the catalog.
        scores: what the run measured on the held-out part.
    """
    return {
        "input": "pictures: 8-bit, (number, channels, rows, columns), red before green before blue",
        "output": "probabilities: (number, classes)",
        "fitting": "scaled until the picture covers rows x columns, cut around its centre",
        "channels": spec.channels, "rows": spec.height, "columns": spec.width,
        "labels": list(labels.names), "system": system, "scores": scores,
    }  # fmt: skip


def largest_difference(
    ours: Callable[[Tensor], Tensor], theirs: Callable[[Tensor], Tensor], inputs: list[Tensor]
) -> float:
    """Return the largest difference between two ways to answer the same inputs."""
    return max((ours(each) - theirs(each)).abs().max().item() for each in inputs)

"""A model with everything between its data as numbers and the answer, as one graph."""

from __future__ import annotations

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from samoyed.core.spec import TableSpec, TargetSpec
from samoyed.data.table_encoding import CLIP

FURTHEST = 1e100  # standard deviations, beyond which squares are no numbers

# Legend for shapes: B batch, C channels, H rows, W columns, K classes; of a table D columns of
# numbers, M bits of fingerprints, G columns of categories.


class PictureAnswers(nn.Module):
    """From 8-bit pictures to the probability of each class or label.

    Pixels are brought to [0, 1] and the model's scores through a softmax inside (a sigmoid where a
    picture has any number of labels), so that whoever serves the graph has nothing to know but the
    size of the pictures and the order of the classes.

    Args:
        model: takes pictures in [0, 1] and returns `Logits`.
        is_several: whether a picture has any number of labels, not one class.
    """

    def __init__(self, model: nn.Module, *, is_several: bool = False) -> None:
        super().__init__()
        self.model = model
        self.is_several = is_several

    def forward(self, pictures: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        """Return probabilities: they add up to 1 in every row, or each is of a label's yes."""
        values = self.model(pictures.float() * (1 / 255)).values.float()
        return values.sigmoid() if self.is_several else values.softmax(dim=1)


class RowAnswers(nn.Module):
    """From the numbers of a table's rows, as they are written, to the answer.

    Medians, scales and indicators of missing values are inside, as is the target's own unit.

    Args:
        model: takes encoded rows and returns `Logits`.
        spec: the columns.
        target: the question.
    """

    centre: Tensor
    scale: Tensor
    flagged: Tensor

    def __init__(self, model: nn.Module, spec: TableSpec, target: TargetSpec) -> None:
        super().__init__()
        self.model = model
        self.has_numbers, self.has_bits = bool(spec.numbers), spec.num_bits > 0
        self.kind, self.unit, self.mean = target.kind, target.scale, target.centre
        numbers = spec.numbers
        places = [i for i, column in enumerate(numbers) if column.has_missing]
        exact = torch.float64  # days and large numbers differ by little beside their size
        self.register_buffer("centre", torch.tensor([c.centre for c in numbers], dtype=exact))
        self.register_buffer("scale", torch.tensor([c.scale for c in numbers], dtype=exact))
        self.register_buffer("flagged", torch.tensor(places, dtype=torch.long))

    def forward(self, *parts: Tensor) -> Float[Tensor, "B K"]:
        """Answer.

        Args:
            parts: those that the columns need of: (B, D) float64 numbers, NaN where one is
                missing; (B, M) uint8 bits; (B, G) int64 indices of categories.

        Returns:
            Probabilities of the classes, of each question, or the number in its own unit.
        """
        left = list(parts)
        pieces = []
        if self.has_numbers:
            pieces += self._encoded(left.pop(0))
        pieces += [part.float() for part in left]
        values = self.model(torch.cat(pieces, dim=1)).values.float()
        if self.kind == "classes":
            return values.softmax(dim=1)
        if self.kind == "binaries":
            return values.sigmoid()
        return values * self.unit + self.mean

    def _encoded(self, numbers: Float[Tensor, "B D"]) -> list[Tensor]:
        """Return the numbers on the model's scale, and the indicators of missing ones.

        The formula of `samoyed.data.table_encoding`.
        """
        is_missing = numbers.isnan()
        z = (numbers - self.centre) / self.scale
        z = torch.where(is_missing, torch.zeros_like(z), z).clamp(-FURTHEST, FURTHEST)
        encoded = [(z / torch.sqrt(1 + (z / CLIP) * (z / CLIP))).float()]
        if len(self.flagged):
            encoded.append(is_missing.float()[:, self.flagged])
        return encoded

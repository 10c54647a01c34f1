"""Perceptrons for tables of many rows: members that share their weights up to scales.

Gorishniy, Y., Kotelnikov, A. & Babenko, A. (2025). TabM: advancing tabular deep learning with
parameter-efficient ensembling. ICLR.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.spec import TableSpec
from samoyed.layers.dropout import dropout
from samoyed.layers.number_pieces import NumberEmbeddings
from samoyed.layers.separate_perceptrons import fewer
from samoyed.layers.shared_linear import SharedLinear, scatter

MOST_PIECES = 8192  # intervals of all columns of numbers together, but
LEAST_PIECES = 48  # so many for each where it has them

# Legend for shapes: B batch, M members, W an encoded row, I inputs and O outputs of a layer,
# K answers.


def flat_width(spec: TableSpec, embedding: int) -> int:
    """Return how many numbers the first layer sees."""
    num_embedded = len(spec.numbers) + len(spec.categories)
    return num_embedded * embedding + len(spec.flagged) + spec.num_bits


class SharedPerceptrons(nn.Module):
    """Embeddings, layers that the members share, and a last layer for each.

    Args:
        spec: the columns.
        num_members: M.
        width: units of each hidden layer.
        depth: hidden layers.
        embedding: numbers that stand for one column.
        dropout: share of the hidden units that are left out in training.
        num_outputs: K.
    """

    offsets: Tensor

    def __init__(
        self, spec: TableSpec, num_members: int, width: int, depth: int, embedding: int,
        dropout: float, num_outputs: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_numbers, self.num_categories = len(spec.numbers), len(spec.categories)
        sizes = [len(column.categories) + 1 for column in spec.categories]
        starts = torch.tensor([sum(sizes[:i]) for i in range(len(sizes))], dtype=torch.long)
        self.register_buffer("offsets", starts, persistent=False)
        if spec.numbers:
            most = max(LEAST_PIECES, MOST_PIECES // len(spec.numbers))
            self.numbers = NumberEmbeddings([fewer(c.edges, most) for c in spec.numbers], embedding)
        if spec.categories:
            self.categories = nn.Embedding(sum(sizes), embedding)
            nn.init.uniform_(self.categories.weight, -1.0, 1.0)
        inputs = [flat_width(spec, embedding)] + [width] * (depth - 1)
        self.layers = nn.ModuleList(SharedLinear(num_members, num, width) for num in inputs)
        first = self.layers[0]
        assert isinstance(first, SharedLinear)
        scatter(first.r, self.num_numbers, inputs[0], self.num_categories, embedding)
        self.dropout = dropout
        bound = width**-0.5
        shape = (num_members, width, num_outputs)
        self.last = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.last_bias = nn.Parameter(torch.zeros(num_members, num_outputs))

    def features(self, rows: Float[Tensor, "B W"]) -> Float[Tensor, "B I"]:
        """Return what the first layer sees: embedded numbers, plain ones, embedded categories."""
        end = rows.shape[1] - self.num_categories
        found = [rows[:, self.num_numbers : end]]
        if self.num_numbers:
            found.insert(0, self.numbers(rows[:, : self.num_numbers]).flatten(1))
        if self.num_categories:
            found.append(self.categories(rows[:, end:].long() + self.offsets).flatten(1))
        return torch.cat(found, dim=1)

    def activations(self, rows: Float[Tensor, "B W"]) -> list[Float[Tensor, "M B O"]]:
        """Return the states of each hidden layer."""
        x = self.features(rows).expand(len(self.last), -1, -1)  # (M, B, I)
        found = []
        for layer in self.layers:
            x = self._leave_out(F.relu(layer(x), inplace=True))
            found.append(x)
        return found

    def members(self, rows: Float[Tensor, "B W"]) -> Float[Tensor, "B M K"]:
        """Return each member's answer."""
        x = self.activations(rows)[-1]
        return torch.baddbmm(self.last_bias[:, None, :], x, self.last).transpose(0, 1)

    def forward(self, rows: Float[Tensor, "B W"]) -> Logits:
        """Return each member's answer (B, M, K)."""
        return Logits(self.members(rows))

    def _leave_out(self, x: Float[Tensor, "M B O"]) -> Float[Tensor, "M B O"]:
        """Drop units in training: the same ones for all members, but others for every row."""
        is_on = self.training and self.dropout > 0
        return x * dropout(torch.ones_like(x[0]), self.dropout, True) if is_on else x

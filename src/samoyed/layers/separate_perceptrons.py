"""Perceptrons for tables of few rows: many at once, each with weights of its own.

Members that share no weight can be trained each without another part of the rows; what they say of
those rows then tells honestly how good they are (Krogh, A. & Vedelsby, J. (1995). Neural network
ensembles, cross validation, and active learning. NIPS 7).

Each sees numbers as they are and by pieces (Gorishniy et al. 2022, eq. 1, without an embedding),
categories as one-hot vectors, all standardised, every column times a gate of its own; a straight
path stands beside the hidden layers (Cheng, H.-T. et al. (2016). Wide & deep learning for
recommender systems. DLRS), and where asked for products of every two features, whose weights are of
low rank (Rendle, S. (2010). Factorization machines. ICDM; beside hidden layers: Guo, H. et al.
(2017). DeepFM: a factorization-machine based neural network for CTR prediction. IJCAI). Gates are
learned (Holzmueller, D., Grinsztajn, L. & Steinwart, I. (2024). Better by default. NeurIPS, section
3, their scaling layer), but begin as large as a column's squared correlation with the answers
allows, so that few rows suffice to look past columns that say nothing (Fan, J. & Lv, J. (2008).
Sure independence screening. J. R. Statist. Soc. B 70).
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.spec import TableSpec
from samoyed.layers.dropout import dropout
from samoyed.layers.number_pieces import bounds_of, pieces

FURTHEST = 5.0  # standard deviations that a feature may be away
SMALLEST_SPREAD = 0.02  # rarer features are not blown up further
LEAST_GATE = 0.1  # of a column that says nothing by itself, as a share of the largest
FIRST_SHARE = 0.01  # of the usual size, of the last layer's first weights

# Legend for shapes: B batch, M members, W an encoded row, I features, C columns, O hidden units,
# R factors, K answers, Q what features are correlated with.


class SeparatePerceptrons(nn.Module):
    """Members of some hidden layers, or of none, with products of two features, or without.

    Args:
        spec: the columns.
        num_members: M.
        width: hidden units of each layer of a member; 0 for no hidden layer.
        num_outputs: K.
        num_pieces: intervals of each column of numbers.
        dropout: share of the hidden units and of the factors that are left out in training.
        depth: hidden layers, where `width` is not 0.
        num_factors: R, the rank of the weights of products; 0 for no products.
    """

    low: Tensor
    high: Tensor
    places: Tensor
    values: Tensor
    columns: Tensor
    centre: Tensor
    factor: Tensor

    def __init__(
        self, spec: TableSpec, num_members: int, width: int, num_outputs: int,
        num_pieces: int = 8, dropout: float = 0.0, depth: int = 1, num_factors: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_members, self.width, self.dropout = num_members, width, dropout
        self.num_factors = num_factors
        self.num_numbers, self.num_plain = len(spec.numbers), spec.width - len(spec.categories)
        edges = [fewer(c.edges, num_pieces) for c in spec.numbers]
        bounds = bounds_of(edges, num_pieces + 1)
        places, values = one_hot_places(spec)
        columns = columns_of(spec, num_pieces)
        fixed = {
            "low": bounds[:, :-1].clone(), "high": bounds[:, 1:].clone(),
            "places": places, "values": values,
            "columns": torch.from_numpy(columns),
        }  # fmt: skip
        for name, tensor in fixed.items():
            self.register_buffer(name, tensor, persistent=False)
        num = len(columns)
        self.register_buffer("centre", torch.zeros(num))
        self.register_buffer("factor", torch.ones(num))
        self.gate = nn.Parameter(torch.ones(num_members, int(columns.max()) + 1))
        self.straight = nn.Parameter(torch.zeros(num_members, num, num_outputs))
        self.bias = nn.Parameter(torch.zeros(num_members, num_outputs))
        if width:
            self._add_hidden(num, depth, num_outputs)
        if num_factors:
            self.factors = nn.Parameter(torch.randn(num_members, num, num_factors) * num**-0.5)
            self.of_products = nn.Parameter(torch.zeros(num_members, num_factors, num_outputs))

    def _add_hidden(self, num: int, depth: int, num_outputs: int) -> None:
        """Draw the weights of the hidden layers, for so many features."""
        each, width = self.num_members, self.width
        self.first = nn.Parameter(torch.randn(each, num, width) * (2 / num) ** 0.5)
        self.first_bias = nn.Parameter(torch.empty(each, width).uniform_(-1, 1))
        self.inner, self.inner_bias = nn.ParameterList(), nn.ParameterList()
        for _ in range(depth - 1):
            self.inner.append(torch.randn(each, width, width) * (2 / width) ** 0.5)
            self.inner_bias.append(torch.zeros(each, width))
        last = torch.randn(each, width, num_outputs) * FIRST_SHARE * width**-0.5
        self.last = nn.Parameter(last)

    def fit(self, rows: Float[Tensor, "N W"]) -> None:
        """Standardise features by these rows; those that never change are left out."""
        found = self._raw(rows.to(self.centre.device))
        spread = found.std(0)
        self.centre.copy_(found.mean(0))
        self.factor.copy_(torch.where(spread > 1e-6, 1 / spread.clamp(min=SMALLEST_SPREAD), 0.0))

    def open_gates(
        self, features: Float[Tensor, "N I"], answers: Float[Tensor, "N Q"],
        is_learned: Bool[Tensor, "N M"],
    ) -> None:  # fmt: skip
        """Begin each member's gates with what the rows that it learns from say of the columns."""
        columns = self.columns.to(features.device)
        with torch.no_grad():
            for gate, rows in zip(self.gate, is_learned.T, strict=True):
                gate.copy_(relevance(features[rows], answers[rows], columns, len(gate)))

    def features(self, rows: Float[Tensor, "B W"]) -> Float[Tensor, "B I"]:
        """Return what the members see of a row."""
        return ((self._raw(rows) - self.centre) * self.factor).clamp(-FURTHEST, FURTHEST)

    def _raw(self, rows: Float[Tensor, "B W"]) -> Float[Tensor, "B I"]:
        reached = pieces(rows[:, : self.num_numbers], self.low, self.high).flatten(1)
        is_word = rows[:, self.places] == self.values
        return torch.cat([rows[:, : self.num_plain], reached, is_word.to(rows.dtype)], dim=1)

    def hidden(self, x: Float[Tensor, "M B I"]) -> list[Float[Tensor, "M B O"]]:
        """Return the states of each hidden layer."""
        if not self.width:
            return []
        found = [self._rectified(x, self._gates() * self.first, self.first_bias)]
        for weight, bias in zip(self.inner, self.inner_bias, strict=True):
            found.append(self._rectified(found[-1], weight, bias))
        return found

    def _rectified(self, x: Tensor, weight: Tensor, bias: Tensor) -> Float[Tensor, "M B O"]:
        x = F.relu(torch.baddbmm(bias[:, None], x, weight))
        return dropout(x, self.dropout, self.training)

    def _gates(self) -> Float[Tensor, "M I 1"]:
        return self.gate[:, self.columns, None]

    def products(self, x: Float[Tensor, "M B I"]) -> Float[Tensor, "M B R"]:
        """Return sum_i<j 2 v_ir v_jr x_i x_j, every two features' products (Rendle 2010, eq. 3)."""
        factors = self._gates() * self.factors
        return (x @ factors).square() - x.square() @ factors.square()

    def activations(self, rows: Float[Tensor, "B W"]) -> list[Float[Tensor, "M B O"]]:
        """Return the states of each hidden layer."""
        return self.hidden(self.features(rows).expand(self.num_members, -1, -1))

    def members(self, rows: Float[Tensor, "B W"]) -> Float[Tensor, "B M K"]:
        """Return each member's answer to all rows."""
        return self.of_features(self.features(rows).expand(self.num_members, -1, -1))

    def of_features(self, x: Float[Tensor, "M B I"]) -> Float[Tensor, "B M K"]:
        """Return each member's answers to rows of its own."""
        answers = torch.baddbmm(self.bias[:, None], x, self._gates() * self.straight)
        if self.width:
            answers = answers + self.hidden(x)[-1] @ self.last
        if self.num_factors:
            products = dropout(self.products(x), self.dropout, self.training)
            answers = answers + products @ self.of_products
        return answers.transpose(0, 1)

    def forward(self, features: Float[Tensor, "B M I"]) -> Logits:
        """Return (B M, K), where every member has rows of its own, as in training."""
        return Logits(self.of_features(features.transpose(0, 1)).flatten(0, 1))


def one_hot_places(spec: TableSpec) -> tuple[Int[Tensor, " O"], Float[Tensor, " O"]]:
    """Return where in an encoded row each category stands, and as what number."""
    plain = spec.width - len(spec.categories)
    words = [(plain + i, value) for i, column in enumerate(spec.categories)
             for value in range(len(column.categories) + 1)]  # fmt: skip
    places = torch.tensor([place for place, _ in words], dtype=torch.long)
    return places, torch.tensor([value for _, value in words], dtype=torch.float32)


def fewer(edges: tuple[float, ...], num_pieces: int) -> tuple[float, ...]:
    """Return bounds of at most so many intervals: quantiles of those there are."""
    if len(edges) <= num_pieces + 1:
        return edges
    return tuple(np.unique(np.quantile(edges, np.linspace(0, 1, num_pieces + 1))).tolist())


def columns_of(spec: TableSpec, num_pieces: int) -> np.ndarray:
    """Return (I,) to which column each feature belongs; each bit of a fingerprint is its own."""
    numbers = {column.name: i for i, column in enumerate(spec.numbers)}
    num = len(numbers)
    found = [*range(num), *(numbers[column.name] for column in spec.flagged)]
    found += range(num, num + spec.num_bits)
    found += [i for i in range(num) for _ in range(num_pieces)]
    for i, column in enumerate(spec.categories, num + spec.num_bits):
        found += [i] * (len(column.categories) + 1)
    return np.array(found, np.int64)


def relevance(
    features: Float[Tensor, "N I"], answers: Float[Tensor, "N Q"], columns: Tensor, num: int
) -> Float[Tensor, " C"]:
    """Return how much each column tells of the answers by itself; the mean square is 1.

    The squared correlation of the column's best feature, summed over the answers; its root as a
    share of the largest, `LEAST_GATE` at least.
    """
    x, y = (z - z.mean(0) for z in (features, answers))
    x, y = (z / z.square().mean(0).sqrt().clamp(min=1e-6) for z in (x, y))
    explained = (x.T @ y / len(x)).square().sum(1)
    best = torch.zeros(num, device=x.device).scatter_reduce(0, columns, explained, "amax")
    gates = (best / best.max().clamp(min=1e-12)).sqrt().clamp(min=LEAST_GATE)
    return gates / gates.square().mean().sqrt()

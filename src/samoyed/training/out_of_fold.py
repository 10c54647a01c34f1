"""What members of an ensemble say of the rows that they did not learn from.

Krogh, A. & Vedelsby, J. (1995). Neural network ensembles, cross validation, and active learning.
NIPS 7. The mean of such answers is judged on every row, and no row is missed in learning.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from samoyed.core.seeding import numpy_generator
from samoyed.layers.forest import Forest
from samoyed.layers.separate_perceptrons import SeparatePerceptrons
from samoyed.losses import tabular

NUM_PICKS = 10  # of networks, by which their shares are found
FACTORS = tuple(2 ** (k / 6) for k in range(-12, 13))  # on log odds, that are tried
FEWEST_SET_ASIDE = 12  # rows; fewer would choose by luck
MOST_SET_ASIDE = 4000
SMALLISH_TABLE = 5000  # rows below which more of them are set aside

# Legend for shapes: N rows, M members, K answers, B rows or nothing, E networks, L rows that a
# member does not learn from, I features, Q what is correlated with.


def mean_answer(
    answers: Float[Tensor, "B M K"], weights: Float[Tensor, "*B M"], kind: str
) -> Float[Tensor, "B K"]:
    """Return the weighted mean over members: of probabilities, as logits, or of numbers."""
    weights = weights[..., None]
    if kind == "number":
        return (answers * weights).sum(1)
    if kind == "classes":
        return (answers.float().log_softmax(2) + weights.log()).logsumexp(1)
    return (answers.float().sigmoid() * weights).sum(1).logit(eps=1e-6)


def held_out(
    targets: np.ndarray, num_members: int, num_folds: int, seed: int
) -> Bool[np.ndarray, "N M"]:
    """Return which rows each member does not learn from: one fold of its own round of folds.

    Neighbours in the order of the targets are in different folds, so that folds are alike.
    """
    num = len(targets)
    key = np.nan_to_num(targets if targets.ndim == 1 else targets[:, 0], nan=2.0)
    is_held = np.zeros((num, num_members), bool)
    for m in range(num_members):
        turn, fold = divmod(m, num_folds)
        generator = numpy_generator(seed, "folds", turn)
        order = np.lexsort((generator.random(num), key))
        chunks = -(-num // num_folds)
        folds = generator.permuted(np.tile(np.arange(num_folds), (chunks, 1)), axis=1).ravel()
        is_held[order[folds[:num] == fold], m] = True
    return is_held


def set_aside(num: int, seed: int) -> np.ndarray:
    """Return the rows that a single network does not learn from, ascending: a tenth or so.

    No row where they would be too few to choose by.
    """
    count = round((0.15 if num < SMALLISH_TABLE else 0.1) * num)
    if count < FEWEST_SET_ASIDE:
        return np.zeros(0, np.int64)
    order = numpy_generator(seed, "set aside").permutation(num)
    return np.sort(order[: min(count, MOST_SET_ASIDE)])


def tempered(values: Float[Tensor, "N K"], targets: Tensor, kind: str) -> tuple[float, float]:
    """Return the smallest loss that one factor on all log odds reaches, and that factor.

    Guo, C. et al. (2017). On calibration of modern neural networks. ICML, section 4.2. Numbers
    stay as they are: their factor is 1.

    Args:
        values: what was answered to rows that were not learned from.
        targets: what is right.
        kind: of the target.
    """
    if kind == "number":
        return float(tabular.squared_error(values, targets)), 1.0
    loss = tabular.cross_entropy if kind == "classes" else tabular.masked_binary
    return min((float(loss(values * factor, targets)), factor) for factor in FACTORS)


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Rows, and which members did not learn from them.

    Args:
        is_held: (N, M) rows that a member does not learn from; the others judge nothing.
        targets: (N, ...) what is right.
        kind: "classes", "number" or "binaries".
    """

    is_held: Tensor
    targets: Tensor
    kind: str

    def padded(self) -> Int[Tensor, "M L"]:
        """Return the rows that each member does not learn from, repeated to be as many for all."""
        rows = [held.nonzero()[:, 0] for held in self.is_held.T]
        most = max(map(len, rows))
        return torch.stack([own.repeat(-(-most // len(own)))[:most] for own in rows])

    def answers(
        self, network: SeparatePerceptrons | Forest, features: Float[Tensor, "N I"]
    ) -> Float[Tensor, "N M K"]:
        """Return what members say of rows that they did not learn from, and 0 of the others."""
        rows = self.padded()
        was_training = network.training
        network.eval()
        with torch.inference_mode():
            said = network.of_features(features[rows].to(network.places.device)).cpu()  # (L, M, K)
        network.train(was_training)
        found = said.new_zeros(len(features), *said.shape[1:])
        found[rows.T, torch.arange(len(rows))] = said
        return found

    def loss(self, network: nn.Module, features: Float[Tensor, "N I"]) -> float:
        """Return the loss of what members say of rows that they did not learn from."""
        assert isinstance(network, SeparatePerceptrons)
        return self.tempered(self.mean(self.answers(network, features)))[0]

    def mean(self, answers: Float[Tensor, "N M K"]) -> Float[Tensor, "N K"]:
        """Return the mean answer to each row of the members that did not learn from it."""
        held = self.is_held.to(answers)
        return mean_answer(answers, held / held.sum(1, keepdim=True).clamp(min=1), self.kind)

    def tempered(self, values: Float[Tensor, "N K"]) -> tuple[float, float]:
        """Return the smallest loss that one factor on all log odds reaches, and that factor.

        Judged so, members that are right but too sure of it are not stopped too soon.
        """
        is_judged = self.is_held.any(1).to(values.device)
        values, targets = values[is_judged], self.targets.to(values.device)[is_judged]
        return tempered(values, targets, self.kind)

    def weigh(self, *answers: Float[Tensor, "N M K"]) -> tuple[Float[Tensor, " E"], float]:
        """Return the shares of networks that say it best together, and the factor on that.

        Time and again the network is picked, one more time too, that with those picked before says
        it best; shares are how often each was picked (Caruana, R. et al. (2004). Ensemble selection
        from libraries of models. ICML, section 2.1).

        Args:
            answers: those of each network, E of them.
        """
        said = torch.stack([self.mean(each) for each in answers], dim=1)  # (N, E, K)
        picks = torch.zeros(len(answers), device=said.device)
        best: tuple[float, float, int] = (0.0, 1.0, 0)
        for _ in range(NUM_PICKS):
            tried = picks + torch.eye(len(picks), device=said.device)
            found = [
                self.tempered(mean_answer(said, each / each.sum(), self.kind)) for each in tried
            ]
            best = min((*loss_and_factor, i) for i, loss_and_factor in enumerate(found))
            picks = tried[best[2]]
        return picks / NUM_PICKS, best[1]

    def to_correlate(self) -> Float[Tensor, "N Q"]:
        """Return what columns are held against: each class, a number and its size, each answer."""
        if self.kind == "classes":
            return F.one_hot(self.targets).float()
        if self.kind == "number":
            return torch.stack([self.targets, self.targets.abs()], dim=1).float()
        return self.targets.nan_to_num(nan=0.5).float()

"""Sampled softmax: a word told among some of the words instead of all of them.

Jean, S., Cho, K., Memisevic, R. & Bengio, Y. (2015), On using very large target vocabulary for
neural machine translation, ACL, sec. 3; importance sampling of the normaliser is of Bengio, Y. &
Senecal, J.-S. (2008), Adaptive importance sampling to accelerate training of a neural probabilistic
language model, IEEE Transactions on Neural Networks 19:713.

With z_w the score of word w and V' a subset with the right word t in it, what is descended is

    log sum over w in V' of exp(z_w - log q_w)  -  (z_t - log q_t)

where q_w is the chance with which w is in V'. Of a V' drawn with these chances, the sum is
an unbiased estimate of the sum of exp(z_w) over all words. And where the words in V' besides t are
there independently of each other and of t, the chance that it is t, of all in V', which led to this
V' is proportional to p(t) / q_t: so what is learned are the scores of the whole softmax, up to a
constant. Without the q's, as Jean et al. have it, it is the whole softmax if V' is everything, and
rare words come out too likely otherwise.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from samoyed.losses.large_softmax import large_cross_entropy

DRAWN_POWER = 0.75

# N rows, H inputs of the softmax, V words, S of them in the subset


def chances(
    counts: Int[np.ndarray, " S"],
    num_words: int,
    num_read: int,
    share_drawn: float | Float[np.ndarray, " S"],
) -> Float[np.ndarray, " S"]:
    """Return the chance with which words are in a subset.

    A subset holds the words of a piece of the text, and words drawn from all of them besides. The
    words of the piece count as if they had been taken from anywhere in the text: with c the count,
    M words of the text and N of the piece, none of them is the word asked about with a chance of
    (M - c)! (M - N)! / (M! (M - c - N)!).

    Args:
        counts: how often the text holds each of the words asked about.
        num_words: of the whole text.
        num_read: words of the piece.
        share_drawn: which share of all different words is drawn, or each one's chance to be.

    >>> chances(np.array([0, 1, 400]), 1_000, 100, 0.5).round(3)
    array([0.5 , 0.55, 1.  ])
    """
    others = num_words - counts
    logs = _log_factorial(others) + _log_factorial(num_words - num_read)
    logs -= _log_factorial(num_words) + _log_factorial(np.maximum(others - num_read, 0))
    is_out = np.where(others >= num_read, np.exp(np.minimum(logs, 0.0)), 0.0)
    return 1 - is_out * (1 - share_drawn)


def _log_factorial(numbers: np.ndarray | int) -> np.ndarray:
    return torch.lgamma(torch.as_tensor(numbers, dtype=torch.float64) + 1).numpy()


class DrawnWords:
    """Subsets of the words: the ones asked about, and others drawn by how frequent they are.

    Frequent words, which take most of the sum over all, are in nearly every subset, so that its
    estimate is sure; `DRAWN_POWER` is that of noise words in Mikolov et al. (2013), Distributed
    representations of words and phrases and their compositionality, sec. 2.2.

    Args:
        counts: how often the text holds each word.
        num_drawn: words that are drawn, on average.
    """

    def __init__(self, counts: Int[np.ndarray, " V"], num_drawn: int) -> None:
        self.counts, self.num_words = counts, int(counts.sum())
        self.shares = _capped(np.maximum(counts, 1) ** DRAWN_POWER, num_drawn)

    def around(
        self, targets: Int[Tensor, " N"]
    ) -> tuple[Int[Tensor, " S"], Float[Tensor, " S"]]:  # fmt: skip
        """Return the targets and words drawn beside them, rising, and the log of their chances.

        What is drawn follows from torch's generator.
        """
        is_in = torch.rand(len(self.shares), dtype=torch.float64) < torch.from_numpy(self.shares)
        is_in[targets.cpu()] = True
        subset = is_in.nonzero().flatten()
        rows = subset.numpy()
        found = chances(self.counts[rows], self.num_words, len(targets), self.shares[rows])
        logs = torch.from_numpy(np.log(found)).float()
        return subset.to(targets.device), logs.to(targets.device)


def _capped(weights: Float[np.ndarray, " V"], total: float) -> Float[np.ndarray, " V"]:
    """Return chances in proportion to the weights, but for those that reach 1, of this total.

    >>> _capped(np.array([8.0, 1.0, 1.0]), 2.0)
    array([1. , 0.5, 0.5])
    """
    low, high = 0.0, len(weights) / float(weights.min())
    for _ in range(60):
        middle = (low + high) / 2
        is_less = np.minimum(weights * middle, 1.0).sum() < total
        low, high = (middle, high) if is_less else (low, middle)
    return np.minimum(weights * high, 1.0)


def sampled_softmax(
    hidden: Float[Tensor, "N H"],
    weight: Float[Tensor, "V H"],
    bias: Float[Tensor, " V"],
    targets: Int[Tensor, " N"],
    subset: Int[Tensor, " S"],
    log_chances: Float[Tensor, " S"] | None = None,
) -> Float[Tensor, ""]:
    """Return the mean surprise of the targets among a subset of the words, in nats.

    Only the weights of the subset are read, and get a gradient.

    Args:
        hidden: what the scores are made of, z = hidden weight^T + bias.
        weight: of all words.
        bias: of all words.
        targets: (N,) the right words, all of them in the subset.
        subset: words in rising order, none twice.
        log_chances: log q of each of the subset; zeros where it is left out.
    """
    offsets = bias[subset]
    if log_chances is not None:
        offsets = offsets - log_chances
    logits = F.linear(hidden, weight[subset], offsets)
    return large_cross_entropy(logits, torch.searchsorted(subset, targets.contiguous()))

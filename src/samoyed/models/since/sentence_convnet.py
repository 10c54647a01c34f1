"""A convolutional network for texts beside a bag of n-grams: today's default for labelled text.

Kim, Y. (2014). Convolutional neural networks for sentence classification. EMNLP, 1746-1751.

What was new: one layer of convolutions over word vectors, the maximum over time of each map, and
a linear layer with dropout are enough to tell sentences apart as well as much larger machines.

Equation or section -> here:

* eq. 1, the words of a sentence side by side          -> `WordVectors`
* eqs. 2-3, c_i = f(w . x_{i:i+h-1} + b)               -> `SentenceConvNet.maps`
* section 2, c^ = max{c}, several widths h             -> `SentenceConvNet.features`
* eq. 5, y = w . (z o r) + b, dropout                  -> `SentenceConvNet.forward`
* section 3.1, h = 3, 4, 5 with 100 maps each, p = 0.5 -> `Config`
* Wang & Manning (2012), a linear model on n-grams, and Joulin et al. (2016), their numbers by
  hashing                                              -> `ngram_buckets`, `NgramBag`

On a few thousand sentences a linear model on n-grams is hard to beat, and it errs elsewhere than
the network does. Here the two are one model: their scores are added and learned together.

**Departures**

1. Equation 5: to the network's scores those of a linear model on words and pairs of words are
   added, learned together with it (`ngram = 0` leaves them out: the paper's network).
2. Section 3.3: word vectors begin at random (CNN-rand), and to each the vectors of the word's first
   letters, its last ones and its capitals are added, so that rare words are not without any.
3. Section 2.1: no limit on the norm of the last layer's weights; `RECIPE`'s Adam with decoupled
   decay and a falling rate instead of Adadelta, for minutes.
4. Section 3.1: widths 2, 3, 4 and vectors of 100 numbers instead of 3, 4, 5 and 300, for speed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Le
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.numbers import Count, Share, Sizes
from samoyed.core.reference import Reference
from samoyed.core.spec import LabelSpec, WordSpec
from samoyed.core.stage import Recipe
from samoyed.layers.dropout import Dropout
from samoyed.layers.words import WordVectors

REFERENCE = Reference(
    title="Convolutional neural networks for sentence classification",
    authors="Kim, Y.",
    year=2014,
    venue="Proceedings of EMNLP, 1746-1751",
    url="https://doi.org/10.3115/v1/D14-1181",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=1e-3, batch_size=50, epochs=6, schedule="linear",
    precision="float32",
)  # fmt: skip

GAIN = 10.0
"""Factor on what the n-grams add: Adam then moves their scores ten times as far in a step.

A pair of words is seen in few steps. On parts of the training texts of SST, MR and TREC that were
held out for choosing, 10 did better than 1 and 5.
"""

MANY_TEXTS = 15_000
MANY_RECIPE = replace(RECIPE, epochs=3)

# Legend for shapes: B batch, L words of a text, C numbers of a word, M maps, K classes.


@dataclass(frozen=True)
class Config:
    """What can be dialled.

    Args:
        width: numbers in a word's vector.
        widths: h, words under each convolution.
        num_maps: maps of each width.
        dropout: share of the features that are left out in training.
        ngram: words of the longest n-gram in the linear part; 0 leaves that part out.
        num_buckets: rows of the table that n-grams are hashed into.
    """

    width: Count = 100
    widths: Sizes = (2, 3, 4)
    num_maps: Count = 100
    dropout: Share = 0.5
    ngram: Annotated[int, Ge(0), Le(5)] = 2
    num_buckets: Annotated[int, Gt(1), Le(1 << 28)] = 1 << 18


SIZES: dict[str, dict[str, Any]] = {"small": {}, "large": {"num_buckets": 1 << 20}}
"""Named sizes: how they differ from `Config`'s defaults."""


def recommend(spec: WordSpec, num_train: int, seconds: float | None) -> str:
    """Choose a size: many texts have many pairs of words."""
    return "large" if num_train >= MANY_TEXTS else "small"


def recipe_for(num_train: int) -> Recipe:
    """Return how to train on this many texts."""
    return MANY_RECIPE if num_train >= MANY_TEXTS else RECIPE


def idle(config: Config) -> Mapping[str, str]:
    """Return the dials that have no effect with this Config, and why."""
    return {} if config.ngram else {"num_buckets": "there are no n-grams with ngram=0"}


def build(config: Config, spec: WordSpec, labels: LabelSpec) -> SentenceConvNet:
    """Build the network for these words and classes."""
    return SentenceConvNet(config, spec, len(labels))


def ngram_buckets(
    words: Int[Tensor, "B L"],
    order: int,
    num_buckets: int,
    present: Float[Tensor, "B L"] | None = None,
) -> tuple[Int[Tensor, "B J"], Float[Tensor, "B J"]]:
    """Return the buckets of all n-grams up to an order, and how far each is there: 0 in padding.

    An n-gram's bucket is a polynomial of its words' numbers, modulo the number of buckets; it is
    there as far as all of its words are.
    """
    is_word = (words > 0).float() if present is None else (words > 0) * present
    buckets, is_there = [words * 2_654_435_761 % num_buckets], [is_word]
    for n in range(2, min(order, words.shape[1]) + 1):
        last = words.shape[1] - n + 1
        code, share = torch.full_like(words[:, :last], n), torch.ones_like(is_word[:, :last])
        for j in range(n):
            code = (code * 1_000_003 + words[:, j : j + last]) % 2_147_483_647
            share = share * is_word[:, j : j + last]
        buckets.append(code * 2_654_435_761 % num_buckets)
        is_there.append(share)
    return torch.cat(buckets, dim=1), torch.cat(is_there, dim=1)


class NgramBag(nn.Module):
    """The linear part: one weight per bucket and class, summed over a text's n-grams.

    The sum is divided by the square root of their number, so that a long text's scores are of the
    size of a short one's.

    Args:
        order: words of the longest n-gram.
        num_buckets: rows of the table.
        num_classes: K.
    """

    def __init__(self, order: int, num_buckets: int, num_classes: int) -> None:
        super().__init__()
        self.order = order
        self.weights = nn.Embedding(num_buckets, num_classes)
        nn.init.zeros_(self.weights.weight)

    def forward(
        self, words: Int[Tensor, "B L"], present: Float[Tensor, "B L"] | None = None
    ) -> Float[Tensor, "B K"]:
        """Return the scores that the n-grams add."""
        table = self.weights.weight
        buckets, is_there = ngram_buckets(words, self.order, len(table), present)
        total = F.embedding_bag(
            buckets, table, mode="sum", per_sample_weights=is_there.to(table.dtype)
        )
        num = is_there.detach().sum(dim=1, keepdim=True).clamp(min=1)
        return GAIN * total / num.sqrt()


class SentenceConvNet(nn.Module):
    """Word vectors, convolutions of several widths, their maxima, a linear layer; and n-grams.

    Args:
        config: the dials.
        spec: the words.
        num_classes: K.
    """

    def __init__(self, config: Config, spec: WordSpec, num_classes: int) -> None:
        super().__init__()
        self.vectors = WordVectors(spec, config.width)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(config.width, config.num_maps, h, padding=h) for h in config.widths
        )
        self.dropout = Dropout(config.dropout)
        self.classes = nn.Linear(config.num_maps * len(config.widths), num_classes)
        self.bag = NgramBag(config.ngram, config.num_buckets, num_classes) if config.ngram else None

    def maps(self, vectors: Float[Tensor, "B L C"]) -> list[Float[Tensor, "B M J"]]:
        """Return the rectified maps of each width (eq. 2), over the words and zeros around them.

        The first and the last place lie wholly outside every text, so that more zeros behind its
        end give nothing that was not there.
        """
        return [F.relu(layer(vectors.transpose(1, 2))) for layer in self.convolutions]

    def features(self, vectors: Float[Tensor, "B L C"]) -> Float[Tensor, "B F"]:
        """Return the maximum over time of every map."""
        return torch.cat([maps.amax(dim=2) for maps in self.maps(vectors)], dim=1)

    def forward(
        self, words: Int[Tensor, "B L 4"], present: Float[Tensor, "B L"] | None = None
    ) -> Logits:
        """Return (B, K).

        Args:
            words: the texts.
            present: how far each word is there, 1 by default: what its gradient is asked of.
        """
        vectors = self.vectors(words)
        if present is not None:
            vectors = vectors * present[..., None]
        scores = self.classes(self.dropout(self.features(vectors)))
        return Logits(scores if self.bag is None else scores + self.bag(words[..., 0], present))

    def scale_scores(self, factor: float) -> None:
        """Multiply all scores from now on: they are linear in the last weights of both parts."""
        self.classes.weight.mul_(factor)
        self.classes.bias.mul_(factor)
        if self.bag is not None:
            self.bag.weights.weight.mul_(factor)

"""Skip-gram with negative sampling: vectors of words that foretell the words around them.

Reference: Mikolov, Sutskever, Chen, Corrado & Dean (2013), Distributed representations of words and
phrases and their compositionality, Advances in Neural Information Processing Systems 26, the
review's reference 74.

What was new. A model with no hidden layer and no normalised output, fast enough for a thousand
million words: each pair of near words is told from pairs with random words; frequent words are left
out at random, which is faster and makes the vectors of the rare ones better.

Equation -> function

    pairs within a window of 1..c words (eq. 1)         data.word_stretches
    log s(v'_o . v_i) + k E log s(-v'_n . v_i) (eq. 4)  losses.negative_sampling
    noise: unigram ^ 3/4 (sec. 2.2)                     data.word_stretches.noise_bounds
    leaving out frequent words (eq. 5)                  data.word_stretches.keep_shares

Text -> Config: k of 5 to 20 for small texts (sec. 2.2), c = 5 and 300 dimensions (sec. 3), t around
1e-5 (sec. 2.3); here 100 dimensions and t = 1e-3, the defaults of the programs that people use,
because texts of a million words are meant.

**Departures**

1. Noise words are shared by the 32 words of a stretch, each cost weighted so that its expectation
   is that of k fresh noise words for each pair: matrix products in place of vector products.
2. The gradients of a step's words are summed at one point instead of taken one pair after the
   other; each pair moves its vectors by the full rate, as in the authors' program.
3. A noise word that happens to be the word in the window is not drawn anew: eq. 4 does not either.
4. The keep probability is the authors' program's, not eq. 5 (see `keep_shares`).
5. No hierarchical softmax (sec. 2.1), no phrases (sec. 4) yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from samoyed.core.reference import Reference
from samoyed.core.stage import Recipe, Stage
from samoyed.data.word_stretches import Stretches, StretchesOfWords
from samoyed.losses.negative_sampling import negative_sampling

REFERENCE = Reference(
    title="Distributed representations of words and phrases and their compositionality",
    authors="Mikolov, T., Sutskever, I., Chen, K., Corrado, G. & Dean, J.",
    year=2013,
    venue="Advances in Neural Information Processing Systems 26, 3111-3119",
    review=74,
    url="https://arxiv.org/abs/1310.4546",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.025, batch_size=2048, epochs=5, momentum=0.0,
    schedule="linear", precision="float32",
)  # fmt: skip
"""Words of the text in a step, and the rate by which each pair moves its vectors."""

LAST_SHARE = 0.004  # of the rate, at the end: 1e-4 of 0.025, as in the authors' program
STRETCH = 32  # words that share their noise words

# G stretches, S words in each, D dimensions


@dataclass(frozen=True)
class Config:
    """The dials.

    Args:
        size: D, dimensions of the vectors (sec. 3: 300).
        window: c, the widest window to each side (sec. 3: 5).
        num_noise: k, noise words for each pair (sec. 3: 5 and 15).
        threshold: t of the subsampling (sec. 3: 1e-5); 0 keeps every word.
    """

    size: int = 100
    window: int = 5
    num_noise: int = 5
    threshold: float = 1e-3


class SkipGram(nn.Module):
    """Two vectors for every word: v as what is given, v' as what is foretold.

    Args:
        config: the dials.
        num_words: V.
    """

    def __init__(self, config: Config, num_words: int) -> None:
        super().__init__()
        self.config = config
        self.given = nn.Embedding(num_words, config.size, sparse=True)
        self.foretold = nn.Embedding(num_words, config.size, sparse=True)
        nn.init.uniform_(self.given.weight, -0.5 / config.size, 0.5 / config.size)
        nn.init.zeros_(self.foretold.weight)

    def forward(self, batch: Stretches) -> tuple[Tensor, Tensor, Tensor]:
        """Look up v (G, S, D), v' of the words around (G, S + 2c, D) and of the noise (G, S, D)."""
        around = batch.outputs.shape[1]
        rows = self.foretold(torch.cat([batch.outputs, batch.noise], dim=1))
        return self.given(batch.inputs), rows[:, :around], rows[:, around:]


def nearest(
    vectors: Float[Tensor, "V D"], question: Float[Tensor, " D"], num: int, but: tuple[int, ...]
) -> list[tuple[int, float]]:
    """Return the words whose vectors have the largest cosine with a vector, and the cosines.

    Args:
        vectors: of all words.
        question: a vector, such as v(king) - v(man) + v(woman) of vectors of length one.
        num: how many words.
        but: words that are no answer: those of the question.
    """
    cosines = nn.functional.normalize(vectors, dim=1) @ nn.functional.normalize(question, dim=0)
    cosines[list(but)] = -2.0
    found = cosines.topk(min(num, len(vectors) - len(but)))
    return list(zip(found.indices.tolist(), found.values.tolist(), strict=True))


def fading(progress: float) -> float:
    """Let the rate fall on a line to 1e-4 of 0.025."""
    return max(LAST_SHARE, 1 - progress)


def stage_of(config: Config, recipe: Recipe, feed: StretchesOfWords) -> Iterator[Stage]:
    """Yield the one stage: the cost for each word of the text, descended pair by pair.

    The objective is a mean, so that curves of different batches compare; the rate is multiplied by
    what the mean divides by, so that each pair moves its vectors by the recipe's rate.
    """
    num = float(feed.num_words)

    def objective(model: nn.Module, batch: Stretches) -> Tensor:
        given, foretold, noise = model(batch)
        return negative_sampling(given, foretold, noise, batch.is_pair, config.num_noise) / num

    yield Stage(
        name="train",
        feed=feed,
        objective=objective,
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=recipe.learning_rate * num),
        steps=max(1, round(recipe.epochs * feed.steps_per_epoch)),
        rate=fading,
    )

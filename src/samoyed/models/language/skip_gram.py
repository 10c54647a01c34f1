"""Skip-gram and its sibling CBOW: vectors of words that foretell the words around them.

Reference: Mikolov, Sutskever, Chen, Corrado & Dean (2013), Distributed representations of words and
phrases and their compositionality, Advances in Neural Information Processing Systems 26, the
review's reference 75. CBOW is of Mikolov, Chen, Corrado & Dean (2013), Efficient estimation of
word representations in vector space, sec. 3.1.

What was new. A model with no hidden layer and no normalised output, fast enough for a thousand
million words: each pair of near words is told from pairs with random words; frequent words are left
out at random, which is faster and makes the vectors of the rare ones better.

Equation -> function

    pairs within a window of 1..c words (eq. 1)              data.word_stretches
    p(w_O | w_I) (eq. 2)                                     SkipGram.foretell
    hierarchical softmax over a Huffman tree (eq. 3)         losses.hierarchical_softmax
    log s(v'_o . v_i) + k E log s(-v'_n . v_i) (eq. 4)       losses.negative_sampling
    noise: unigram ^ 3/4 (sec. 2.2)                          data.word_stretches.noise_shares
    leaving out frequent words (eq. 5)                       data.word_stretches.keep_shares
    phrases (eq. 6)                                          data.phrases
    the mean of the words around foretells the one between (Efficient estimation, sec. 3.1)
                                                             SkipGram.middles

Text -> Config: k of 5 to 20 for small texts (sec. 2.2), c = 5 and 300 dimensions (sec. 4.1), t
around 1e-5 (sec. 2.3); here 100 dimensions and t = 1e-3, the defaults of the programs that people
use, because texts of a million words are meant.

**Departures**

1. Noise words are shared by the 32 words of a stretch, each cost weighted so that its expectation
   is that of k fresh noise words for each pair: matrix products in place of vector products.
2. The gradients of a step's words are summed at one point instead of taken one pair after the
   other; each pair moves its vectors by the full rate, as in the authors' program, but no vector by
   more than `MOST_MOVES` pairs of a step would (see `looked_up`).
3. A noise word that happens to be the word in the window is not drawn anew: eq. 4 does not either.
4. The keep probability is the authors' program's, not eq. 5 (see `keep_shares`).
5. Under hierarchical softmax the word in the middle is foretold by each word around it, as the
   authors' program does: the same pairs the other way round.
6. CBOW descends the gradient of the mean, which moves each word around by its share; the authors'
   program moves each by the whole. The rate is three times skip-gram's in return.
7. `foretell` takes eq. 4's optimum for a probability, s = log p(o | i) / (k p_n(o)), and undoes
   the leaving out of frequent words: a measure of held-out text that the paper does not have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
import torch
from annotated_types import Ge, Gt, Le
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.reference import Reference
from samoyed.core.spec import TextSpec
from samoyed.core.stage import Recipe, Stage, constant
from samoyed.data.word_stretches import Stretches, StretchesOfWords, keep_shares, noise_shares
from samoyed.losses.hierarchical_softmax import hierarchical_softmax, huffman, log_probabilities
from samoyed.losses.negative_sampling import negative_sampling
from samoyed.training.optimizers import RowDescent

REFERENCE = Reference(
    title="Distributed representations of words and phrases and their compositionality",
    authors="Mikolov, T., Sutskever, I., Chen, K., Corrado, G. & Dean, J.",
    year=2013,
    venue="Advances in Neural Information Processing Systems 26, 3111-3119",
    review=75,
    url="https://arxiv.org/abs/1310.4546",
)

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.025, batch_size=3072, epochs=5, momentum=0.0,
    schedule="linear", precision="float32",
)  # fmt: skip
"""Words of the text in a step, and the rate by which each pair moves its vectors. Of 2,048 to 4,096
words in a step the vectors know the same to 0.015 (`benchmarks/README.md`), and the more there are,
the less of the time goes by between products. Those are so small that a narrower number format
costs more in conversions than it saves."""

LAST_SHARE = 0.004  # of the rate, at the end: 1e-4 of 0.025, as gensim has it
MOST_READ, MOST_EPOCHS = 20_000_000, 50.0  # words read in a training of a short text
STRETCH = 32  # words that share their noise words
CBOW_RATE = 3.0  # times skip-gram's: a mean of words moves each of them by its share
MOST_MOVES = (
    75.0  # pairs of a step that move a vector by the full rate; 125 go astray, of few words
)

# G stretches, S words in each, M = S + 2c words in and around it, L the longest way, D dimensions


@dataclass(frozen=True)
class Config:
    """The dials.

    Args:
        size: D, dimensions of the vectors (table 1: 300).
        window: c, the widest window to each side (sec. 4.1: 5).
        num_noise: k, noise words for each pair (table 1: 5 and 15).
        num_shared: noise words that the 32 words of a stretch share: more of them come nearer to
            fresh ones for each pair, and take longer.
        threshold: t of the subsampling (table 1: 1e-5); 0 keeps every word.
        architecture: a word foretells those around it, or those around it the word.
        objective: how a word is foretold: eq. 4 or eq. 3.
    """

    size: Annotated[int, Gt(0), Le(4096)] = 100
    window: Annotated[int, Gt(0), Le(100)] = 5
    num_noise: Annotated[int, Gt(0), Le(1000)] = 5
    num_shared: Annotated[int, Gt(0), Le(4096)] = 32
    threshold: Annotated[float, Ge(0), Le(1)] = 1e-3
    architecture: Literal["skip_gram", "cbow"] = "skip_gram"
    objective: Literal["negative_sampling", "hierarchical_softmax"] = "negative_sampling"


class SkipGram(nn.Module):
    """Two vectors for every word: v as what is given, v' as what is foretold.

    Under hierarchical softmax v' belongs to the V - 1 inner nodes of the tree instead.

    Args:
        config: the dials.
        counts: how often training shows each of the V words.
    """

    ways: Tensor
    turns: Tensor
    prior: Tensor

    def __init__(self, config: Config, counts: Sequence[int] | np.ndarray) -> None:
        super().__init__()
        self.config, num_words = config, len(counts)
        self.most = MOST_MOVES / rate_factor(config)
        times = np.asarray(counts, np.int64)
        kept = keep_shares(times, config.threshold)
        prior, num_foretold = -np.log(kept), num_words
        if config.objective == "hierarchical_softmax":
            tree = huffman(times.tolist())
            self.register_buffer("ways", torch.as_tensor(tree.nodes), persistent=False)
            self.register_buffer("turns", torch.as_tensor(tree.turns), persistent=False)
            num_foretold = num_words - 1
        else:
            prior = prior + np.log(noise_shares(times))
        self.register_buffer("prior", torch.as_tensor(prior).float(), persistent=False)
        self.given = nn.Embedding(num_words, config.size, sparse=True)
        self.foretold = nn.Embedding(num_foretold, config.size, sparse=True)
        nn.init.uniform_(self.given.weight, -0.5 / config.size, 0.5 / config.size)
        nn.init.zeros_(self.foretold.weight)

    def forward(self, words: Int[Tensor, " B"]) -> Logits:
        """Return how likely every word is near each of these, (B, V)."""
        return Logits(self.foretell(self.given(words)))

    def foretell(self, hidden: Float[Tensor, "B D"]) -> Float[Tensor, "B V"]:
        """Return log p(word | hidden) but for a constant in each row, frequent words included."""
        if self.config.objective == "hierarchical_softmax":
            nodes = self.foretold.weight
            return log_probabilities(hidden, nodes, self.ways, self.turns) + self.prior
        return hidden @ self.foretold.weight.t() + self.prior

    def middles(self, batch: Stretches) -> Float[Tensor, "*N D"]:
        """Return the mean vector of the words around each word; zero where there are none."""
        is_pair = batch.is_pair.to(self.given.weight.dtype)
        shares = is_pair / is_pair.sum(dim=2, keepdim=True).clamp_min(1.0)
        return shares @ looked_up(self.given, batch.outputs, shares.sum(dim=1), self.most)

    def cost(self, batch: Stretches) -> Float[Tensor, ""]:
        """Return the summed cost of a batch in nats (eq. 3 or eq. 4)."""
        is_tree = self.config.objective == "hierarchical_softmax"
        if self.config.architecture == "cbow":
            hidden, is_met = self.middles(batch), batch.is_pair.any(dim=2)
            if is_tree:
                return self._walk(batch.inputs, hidden[:, :, None], is_met[..., None])
            pairs = torch.diag_embed(is_met.to(hidden.dtype))
            return self._against_noise(hidden, batch.inputs, batch.noise, pairs)
        if not is_tree:
            pairs = batch.is_pair.to(self.given.weight.dtype)
            given = looked_up(self.given, batch.inputs, pairs.sum(dim=2), self.most)
            return self._against_noise(given, batch.outputs, batch.noise, pairs)
        size, width = batch.inputs.shape[1], 2 * self.config.window + 1
        places = torch.arange(size, device=batch.inputs.device)[:, None]
        around = places + torch.arange(width, device=places.device)
        around = around.expand(len(batch.inputs), size, width)
        inputs = looked_up(self.given, batch.outputs, batch.is_pair.sum(dim=1), self.most)
        is_pair = batch.is_pair.gather(2, around)
        return self._walk(batch.inputs, inputs.unfold(1, width, 1).mT, is_pair)

    def _against_noise(
        self, hidden: Tensor, words: Tensor, noise: Tensor, pairs: Tensor
    ) -> Tensor:  # fmt: skip
        """Return eq. 4's cost of foretelling words (G, M) by (G, S, D) where `pairs` is 1."""
        of_words = pairs.sum(dim=1)
        each = of_words.sum(dim=1) * (self.config.num_noise / noise.shape[1])
        moves = torch.cat([of_words, each[:, None].expand_as(noise)], dim=1)
        rows = looked_up(self.foretold, torch.cat([words, noise], dim=1), moves, self.most)
        return negative_sampling(hidden, rows, pairs, self.config.num_noise)

    def _walk(self, words: Tensor, inputs: Tensor, is_pair: Tensor) -> Tensor:
        """Return eq. 3's cost of foretelling words (G, S) by (G, S, C, D) where `is_pair`."""
        ways, turns = self.ways[words].flatten(0, 1), self.turns[words].flatten(0, 1)
        is_pair = is_pair.flatten(0, 1)
        moves = (turns != 0) * is_pair.sum(dim=1, keepdim=True)
        nodes = looked_up(self.foretold, ways, moves, self.most)
        return hierarchical_softmax(inputs.flatten(0, 1), nodes, turns, is_pair)


def looked_up(
    table: nn.Embedding, numbers: Int[Tensor, "*N"], moves: Tensor, most: float
) -> Float[Tensor, "*N D"]:
    """Return rows of a table; none learns more from a step than so many pairs would teach it.

    The gradients of all pairs are summed at one point. Where hundreds of them agree, as at a very
    frequent word or at the root of the tree, the sum would shoot far beyond what one pair after the
    other does, which stop as the row gives way.

    Args:
        table: of the rows.
        numbers: which rows.
        moves: pairs that each of these moves its row for.
        most: pairs of a step that move a row by the full rate.
    """
    met = torch.zeros(len(table.weight), dtype=table.weight.dtype, device=numbers.device)
    met.index_add_(0, numbers.flatten(), moves.to(met.dtype).flatten())
    share = (most / met.clamp_min(most))[numbers][..., None]
    rows = _MovedByAShare.apply(table(numbers), share)
    assert isinstance(rows, Tensor)
    return rows


class _MovedByAShare(torch.autograd.Function):
    """Rows as they are, whose gradient is multiplied by a share."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, share: Tensor) -> Tensor:
        ctx.save_for_backward(share)
        return rows.view_as(rows)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        (share,) = ctx.saved_tensors
        return upstream[0] * share, None


def recipe_for(num_words: int) -> Recipe:
    """Return the recipe for a text of so many words: a short one is read more often.

    >>> recipe_for(1_000_000).epochs, recipe_for(100_000_000).epochs
    (20.0, 5.0)
    """
    passes = float(round(MOST_READ / max(1, num_words)))
    return replace(RECIPE, epochs=min(MOST_EPOCHS, max(float(RECIPE.epochs), passes)))


def build(config: Config, spec: TextSpec, counts: Sequence[int]) -> SkipGram:
    """Return the model for a text whose words occur so often.

    Args:
        config: the dials.
        spec: the words, and behind them the end of a sentence and the unknown, which have no
            vectors.
        counts: of the words.
    """
    if len(counts) != len(spec) - 2:
        raise ValueError(f"{len(counts)} counts for {len(spec) - 2} words")
    return SkipGram(config, counts)


def fading(progress: float) -> float:
    """Let the rate fall on a line to 1e-4 of 0.025."""
    return max(LAST_SHARE, 1 - progress)


def rate_factor(config: Config) -> float:
    """Return what the rate is multiplied by: CBOW moves each word around by its share only."""
    return CBOW_RATE if config.architecture == "cbow" else 1.0


def idle(config: Config) -> Mapping[str, str]:
    """Return the dials that have no effect with this Config, and why."""
    if config.objective == "negative_sampling":
        return {}
    return dict.fromkeys(("num_noise", "num_shared"), "a hierarchical softmax draws no noise")


def stage_of(config: Config, recipe: Recipe, feed: StretchesOfWords) -> Iterator[Stage]:
    """Yield the one stage: the cost for each word of the text, descended pair by pair.

    The objective is a mean, so that curves of different batches compare; the rate is multiplied by
    what the mean divides by, so that each pair moves its vectors by the recipe's rate.
    """
    num = float(feed.num_words)
    rate = recipe.learning_rate * num * rate_factor(config)

    def objective(model: nn.Module, batch: Stretches) -> Tensor:
        assert isinstance(model, SkipGram)
        return model.cost(batch) / num

    yield Stage(
        name="train",
        feed=feed,
        objective=objective,
        optimizer=lambda model: RowDescent(model.parameters(), rate),
        steps=max(1, round(recipe.epochs * feed.steps_per_epoch)),
        rate=constant if recipe.schedule == "constant" else fading,
    )

"""The neural probabilistic language model: word vectors learned by guessing the next word.

Reference: Bengio, Ducharme, Vincent & Jauvin (2003), A neural probabilistic language model, Journal
of Machine Learning Research 3:1137; its conference form of 2000 is the review's reference 71.

What was new. Every word has a vector of features, the rows of C; the vectors of the last n - 1
words side by side go through a hidden layer to one number for each word of the vocabulary. Vectors
and network are learned together from nothing but text, so that what was learned of one sentence
holds for the many that say something similar in similar words, which counting n-grams cannot.

Equation -> function

    x = (C(w_{t-1}), ..., C(w_{t-n+1}))               layers.window
    tanh(d + H x)                                     layers.window
    y = b + W x + U tanh(d + H x) (2003, eq. 1)       NNLM.read_out
    P(w_t | ...) = softmax(y) (2003, sec. 2)          the task's loss
    average with the trigram (2003, table 1)          MIXED_WITH, tasks.continue_text

Table -> Config: the defaults are MLP9 of table 1 (n = 5, h = 100, m = 30, no direct connections:
276 on the Brown corpus, 252 averaged with the trigram); MLP1 is context 4, h 50, m 60, direct.
Its free parameters are |V| (1 + n m + h) + h (1 + (n - 1) m) if direct (2003, sec. 2).

**Departures**

1. AdamW in batches, with a rate that falls to zero over the passes one gives it; the paper takes
   one word after the other at a rate of 1e-3 / (1 + 1e-8 t) and stops early (2003, sec. 4).
2. Dropout on the hidden layer and on the word vectors (Srivastava et al. 2014), besides the decay
   of the weights, which the paper has alone (2003, sec. 4.2: 1e-4).
3. Before the beginning of a text stand vectors of zeros.
4. The weight of the trigram in the mixture is the best one on the validation part; the paper takes
   one half (2003, table 1). The trigram is smoothed by modified Kneser-Ney, not by deleted
   interpolation (sec. 4.1), as is better.
5. Our copy of the Brown corpus is cut into words a little differently: 1,176,859 with the ends of
   sentences, 17,906 in the vocabulary; the paper counts 1,181,041 and 16,383 (2003, sec. 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Gt, Le
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import SequenceLogits
from samoyed.core.numbers import Count, Share
from samoyed.core.reference import Reference
from samoyed.core.spec import TextSpec
from samoyed.core.stage import Recipe
from samoyed.layers.window import Window, windows_of

REFERENCE = Reference(
    title="A neural probabilistic language model",
    authors="Bengio, Y., Ducharme, R., Vincent, P. & Jauvin, C.",
    year=2003,
    venue="Journal of Machine Learning Research 3, 1137-1155",
    review=71,
    url="https://www.jmlr.org/papers/v3/bengio03a.html",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=2e-3, batch_size=16, epochs=6, weight_decay=0.1,
    schedule="cosine", warmup=0.02, clip_norm=1.0,
)  # fmt: skip

MIXED_WITH = 3
"""Words in the n-grams that its guesses are averaged with, for a second score."""

# B batch, T time, V symbols, C context (n - 1), M features of a word, H hidden units
State = tuple[Tensor]
"""(B, C) the last symbols' numbers and one more, the newest last; 0 before the beginning."""


@dataclass(frozen=True)
class Config:
    """The dials of the network.

    Args:
        context: n - 1, how many words are looked back at (2003, table 1: 4 and 2).
        num_features: m, numbers in a word's vector (table 1: 30 and 60).
        num_hidden: h, units of the hidden layer (table 1: 100 and 50; its nets without one are not
            here).
        is_direct: whether the vectors also go to the outputs directly (table 1: either way).
        dropout: share of the hidden units and of the features left out in training.
    """

    context: Annotated[int, Gt(0), Le(1000)] = 4
    num_features: Count = 30
    num_hidden: Count = 100
    is_direct: bool = False
    dropout: Share = 0.1


class NNLM(nn.Module):
    """Guess the next symbol from the vectors of the last few.

    Args:
        config: the dials.
        num_symbols: V.
    """

    def __init__(self, config: Config, num_symbols: int) -> None:
        super().__init__()
        self.config = config
        self.window = Window(
            num_symbols, config.context, config.num_features, config.num_hidden, config.dropout
        )
        width = config.context * config.num_features
        self.U = nn.Linear(config.num_hidden, num_symbols)  # and b
        self.W = nn.Linear(width, num_symbols, bias=False) if config.is_direct else None
        nn.init.zeros_(self.U.bias)

    def start(self, batch_size: int) -> State:
        """Return the empty memory of `batch_size` texts."""
        shape = (batch_size, self.config.context)
        return (torch.zeros(shape, dtype=torch.int64, device=self.U.weight.device),)

    def read_out(self, windows: Int[Tensor, "*R C"]) -> Float[Tensor, "*R V"]:
        """Return y, eq. 1, of windows of symbols' numbers and one more; 0 is nothing."""
        x = self.window.features(windows)
        y = self.U(self.window.read(x))
        return y if self.W is None else y + self.W(x)

    def forward(self, tokens: Int[Tensor, "B T"], state: State) -> SequenceLogits:
        """Read T symbols and guess the one after each.

        Args:
            tokens: (B, T) symbols, whole numbers below V.
            state: the symbols before the first of them, from `start` or an earlier call.

        Returns:
            Logits (B, T, V) and the memory after the last symbol.
        """
        windows, memory = windows_of(tokens, state[0])
        values = self.read_out(windows.transpose(0, 1))  # time first, as the task's loss reads it
        return SequenceLogits(values.transpose(0, 1), (memory,))

    def step(self, state: State, token: Int[Tensor, " B"]) -> tuple[Float[Tensor, "B V"], State]:
        """Read one symbol; return the logits of the next and the memory."""
        values, state = self(token[:, None], state)
        return values[:, 0], state


def build(config: Config, spec: TextSpec) -> NNLM:
    """Return the network for these symbols, with fresh weights."""
    return NNLM(config, len(spec))

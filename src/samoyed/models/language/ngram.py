"""Counted n-grams with modified Kneser-Ney smoothing: the models that nets are measured against.

Reference: Chen & Goodman (1999), An empirical study of smoothing techniques for language modeling,
Computer Speech and Language 13(4):359; the review speaks of such "statistical modelling of
language" in its section on distributed representations. Counted as Heafield, Pouzyrevsky, Clark &
Koehn (2013), Scalable modified Kneser-Ney language model estimation (KenLM), sec. 3.

What was new. Kneser & Ney had seen that a shorter n-gram is asked only where a longer one failed,
so that what counts of it is not how often it occurs but after how many different symbols. Chen and
Goodman compared all ways of smoothing on many sizes of text, and made the best of them better: a
discount of its own for what occurs once, twice, and more often, and interpolation throughout.

Equation -> function

    p(w | h), modified and interpolated             layers.ngram_tables.NGramTables.forward
    D1, D2, D3+ (report of 1998, eq. 26)            layers.kneser_ney
    N1+(. w), the counts of shorter n-grams         layers.kneser_ney.KneserNey.learn
    the unigram is interpolated with 1 / V          (Heafield et al. 2013, sec. 3)

The equation's number is that of the longer report, Harvard TR-10-98, as KenLM's source cites it.

Table -> Config: Mikolov et al. 2011 (Empirical evaluation and combination of advanced language
modeling techniques, Interspeech, table 1) give 141.2 as the perplexity of Kneser-Ney 5-grams on the
Penn Treebank.

There is nothing to descend: the one step of training reads the text and counts. The parameters are
the 3 discounts of each length, in closed form; the counts are buffers beside them.

**Departures**

1. With words, n-grams do not reach over the end of a sentence, as KenLM has it; the unknown word is
   counted like any other, as in texts that were cut to a vocabulary before.
2. Where no n-gram of a length is counted once, twice, three or four times, they cannot be computed
   so, and the discounts are 0.5, 1 and 1.5 (KenLM's --discount_fallback).
3. Of a text longer than `most_symbols` only its end is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from annotated_types import Ge, Le
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import SequenceLogits
from samoyed.core.numbers import LargeCount
from samoyed.core.reference import Reference
from samoyed.core.spec import TextSpec
from samoyed.core.stage import DESCENT, Recipe, Stage
from samoyed.layers.ngram_tables import NGramTables, counting

REFERENCE = Reference(
    title="An empirical study of smoothing techniques for language modeling",
    authors="Chen, S. F. & Goodman, J.",
    year=1999,
    venue="Computer Speech and Language 13, 359-394",
    url="https://doi.org/10.1006/csla.1999.0128",
)

RECIPE = Recipe(optimizer="sgd", epochs=1.0, precision="float32")
"""One reading of the text; the other dials of a recipe have no say."""

WORD_ORDER, SYMBOL_ORDER = 5, 6

# B batch, T time, V symbols, O order - 1
State = tuple[Tensor]
"""(B, O) where the n-grams that end at the last symbol stand in the tables."""


@dataclass(frozen=True)
class Config:
    """The dials.

    Args:
        order: symbols in the longest n-gram; None takes 5 of words and 6 of characters or bytes.
        most_symbols: of a longer text only so many at its end are counted.
    """

    order: Annotated[int, Ge(1), Le(20)] | None = None
    most_symbols: LargeCount = 50_000_000


class NGram(nn.Module):
    """Guess the next symbol from how often it followed the last ones.

    Args:
        num_symbols: V.
        order: symbols in the longest n-gram.
    """

    def __init__(self, num_symbols: int, order: int) -> None:
        super().__init__()
        self.tables = NGramTables(num_symbols, order)

    def start(self, batch_size: int) -> State:
        """Return the empty memory of `batch_size` texts."""
        return (self.tables.start(batch_size),)

    def forward(self, tokens: Int[Tensor, "B T"], state: State) -> SequenceLogits:
        """Read T symbols and guess the one after each.

        Returns:
            The logarithms of the probabilities (B, T, V) and the memory after the last symbol.
        """
        places = self.tables.places(tokens, state[0])
        likely = self.tables(places.flatten(0, 1))
        values = likely.log().view(*tokens.shape, -1)
        return SequenceLogits(values, (places[:, -1],))

    def step(self, state: State, token: Int[Tensor, " B"]) -> tuple[Float[Tensor, "B V"], State]:
        """Read one symbol; return the logarithms for the next and the memory."""
        values, state = self(token[:, None], state)
        return values[:, 0], state


def build(config: Config, spec: TextSpec) -> NGram:
    """Return the tables for these symbols, empty."""
    order = config.order or (WORD_ORDER if spec.unit == "word" else SYMBOL_ORDER)
    return NGram(len(spec), order)


def idle(config: Config) -> Mapping[str, str]:
    """Return the dials that have no effect with this Config, and why."""
    of_nets = ("epochs", "accumulate", "batch_size", "unroll", "forget", "num_aside")
    return dict.fromkeys((*DESCENT, *of_nets), "n-grams are counted once, nothing is descended")


def stages(
    task: Any, model: nn.Module, config: Config, data: Any, recipe: Recipe, seed: int
) -> Iterator[Stage]:
    """Yield the one stage, which counts.

    Args:
        task: the question; its spec is the data's.
        model: the tables.
        config: the dials.
        data: the text.
        recipe: not used.
        seed: not used.
    """

    yield counting(data.train[-config.most_symbols :], data.spec.end)

"""Vectors of words and of units: looked up, and made of what a word looks like."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.spec import WordSpec

STD = 0.1  # of the initial numbers

UNIT_STD = 0.5
"""Of units that recurrent nets read: large enough for their gates to tell them apart."""

# Legend for shapes: B batch, L words of a text, C numbers of a word.


class WordVectors(nn.Module):
    """The sum of four vectors: of the word, of how it begins, how it ends, and its capitals.

    Args:
        spec: the words.
        width: C.
    """

    def __init__(self, spec: WordSpec, width: int) -> None:
        super().__init__()
        tables = [nn.Embedding(size, width, padding_idx=0) for size in spec.sizes]
        for table in tables:
            nn.init.normal_(table.weight, std=STD)
            nn.init.zeros_(table.weight[0])
        self.tables = nn.ModuleList(tables)

    def forward(self, words: Int[Tensor, "B L 4"]) -> Float[Tensor, "B L C"]:
        """Return the vectors; zeros where there is no word."""
        first, *others = (table(words[..., i]) for i, table in enumerate(self.tables))
        for other in others:
            first = first + other
        return first


def unit_table(num_symbols: int, size: int, std: float = UNIT_STD) -> nn.Embedding:
    """Return a table of normal numbers around zero, a row for each unit."""
    table = nn.Embedding(num_symbols, size)
    nn.init.normal_(table.weight, 0, std)
    return table

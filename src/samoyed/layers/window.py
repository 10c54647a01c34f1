"""Hidden units over the last few words: what the language models before recurrent ones look at.

Bengio et al. (2003), A neural probabilistic language model, JMLR 3:1137, eq. 1 without its outputs:

    x = (C(w_{t-n+1}), ..., C(w_{t-1})),  tanh(d + H x)
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.layers.dropout import dropout

# B batch, T time, V symbols, C context (n - 1), M features of a word, H hidden units
# R rows (a place each), X = C M
STD = 0.1  # of the words' vectors at the start


def windows_of(
    tokens: Int[Tensor, "B T"], memory: Int[Tensor, "B C"]
) -> tuple[Int[Tensor, "B T C"], Int[Tensor, "B C"]]:
    """Return the last C symbols at each place, and at the last one, for the places to come.

    Args:
        tokens: symbols, whole numbers below V.
        memory: the symbols' numbers before them and one more, the newest last; 0 before the
            beginning.

    Returns:
        The window at each place, and the memory after the last.

    >>> windows_of(torch.tensor([[7, 8]]), torch.tensor([[0, 6]]))
    (tensor([[[6, 8],
             [8, 9]]]), tensor([[8, 9]]))
    """
    row, num = torch.cat([memory, tokens + 1], dim=1), memory.shape[1]
    return row[:, 1:].unfold(1, num, 1), row[:, -num:]


class Window(nn.Module):
    """A vector for each word, and one hidden layer over those of a window.

    Args:
        num_symbols: V.
        num_before: C.
        num_features: M.
        num_hidden: H.
        dropout: share of the features and of the hidden units left out in training.
    """

    def __init__(
        self, num_symbols: int, num_before: int, num_features: int, num_hidden: int, dropout: float
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.projection = nn.Embedding(num_symbols, num_features)
        self.hidden = nn.Linear(num_before * num_features, num_hidden)
        nn.init.normal_(self.projection.weight, std=STD)

    def forward(self, windows: Int[Tensor, "*R C"]) -> Float[Tensor, "*R H"]:
        """Return the hidden units of each window of symbols' numbers and one more; 0 is nothing."""
        return self.read(self.features(windows))

    def features(self, windows: Int[Tensor, "*R C"]) -> Float[Tensor, "*R X"]:
        """Return x, the vectors of each window side by side, the newest word's last."""
        x = self.projection((windows - 1).clamp_min(0)) * (windows > 0)[..., None]
        return dropout(x, self.dropout, self.training).flatten(-2)

    def read(self, x: Float[Tensor, "*R X"]) -> Float[Tensor, "*R H"]:
        """Return tanh(d + H x)."""
        return dropout(torch.tanh(self.hidden(x)), self.dropout, self.training)

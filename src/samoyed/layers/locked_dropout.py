"""Dropout for recurrent nets: what is left out stays left out over time.

Reference: Gal & Ghahramani (2016), A theoretically grounded application of dropout in recurrent
neural networks, NeurIPS, sec. 4: one mask for all time steps of a sequence (eq. 7), and whole words
left out of the embedding (sec. 4.2, "embedding dropout"); recurrent weights are left out as by
Merity, Keskar & Socher (2018), Regularizing and optimizing LSTM language models, ICLR, sec. 3.
"""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

# T time, B batch, H units, V words, D numbers of a word


def locked_dropout(
    signal: Float[Tensor, "T B H"], share: float, is_training: bool
) -> Float[Tensor, "T B H"]:
    """Leave out units, the same ones at every step; the others are scaled up in return.

    Args:
        signal: what a layer gives, time first.
        share: of the units that are left out.
        is_training: whether anything is left out.
    """
    if not is_training or share == 0.0:
        return signal
    return signal * F.dropout(signal.new_ones(signal.shape[1:]), share)


def word_dropout(
    embedding: Float[Tensor, "V D"], share: float, is_training: bool
) -> Float[Tensor, "V D"]:
    """Leave out words, wherever they stand in the batch; the others are scaled up in return."""
    if not is_training or share == 0.0:
        return embedding
    return embedding * F.dropout(embedding.new_ones(len(embedding), 1), share)

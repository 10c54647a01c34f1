"""A small Transformer that translates: nothing recurrent, every place looks at every other.

Reference: Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser & Polosukhin (2017), Attention
is all you need, Advances in Neural Information Processing Systems 30, arXiv:1706.03762; with the
normalisation before each part (Xiong et al. 2020, On layer normalization in the Transformer
architecture, ICML, arXiv:2002.04745). Younger than the review; the line its systems have to beat.

What was new. The steps of a sentence no longer wait for one another: each layer looks from every
place at all places at once, several times side by side, and positions are told by waves.

Equation -> function (numbers of the paper)

    softmax(Q K^T / sqrt(d_k)) V, by head (eq. 1, sec. 3.2.2)          attend
    max(0, x W_1 + b_1) W_2 + b_2 (eq. 2)                              Inner
    x + part(norm(x)) (sec. 3.1; Xiong et al. 2020, figure 1b)         EncoderLayer, DecoderLayer
    sin and cos of the position (sec. 3.5)                             waves
    the embedding is the read-out, and times sqrt(d) (sec. 3.4)        Transformer.forward

Table -> Config: table 3, base, has 6 layers, width 512, inner layers of 2,048, 8 heads, dropout
0.1: 65 million weights with 37,000 units shared by both languages. The defaults here are for tens
of thousands of sentences.

**Departures**

1. Normalisation before each part and after the last layer, instead of after each sum (sec. 3.1):
   it learns with a larger rate and a short warm-up (Xiong et al. 2020).
2. Each language has units of its own, so only the target's embedding is the read-out too (sec. 3.4
   shares all three).
3. AdamW with a cosine schedule instead of Adam with the inverse square root (sec. 5.3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from annotated_types import Gt, Le
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from samoyed.core.batch import DecoderState, SequenceLogits
from samoyed.core.errors import OptionError
from samoyed.core.numbers import Count, Share
from samoyed.core.reference import Reference
from samoyed.core.spec import PAD, PairSpec
from samoyed.core.stage import Recipe
from samoyed.layers.dropout import Dropout
from samoyed.layers.words import unit_table

REFERENCE = Reference(
    title="Attention is all you need",
    authors="Vaswani, A., Shazeer, N., Parmar, N., Uszkoreit, J., Jones, L., Gomez, A. N., "
    "Kaiser, L. & Polosukhin, I.",
    year=2017,
    venue="Advances in Neural Information Processing Systems 30, 5998-6008",
    review=None,
    url="https://arxiv.org/abs/1706.03762",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=1.5e-3, batch_size=256, epochs=20, schedule="cosine",
    warmup=0.1, clip_norm=1.0, weight_decay=1e-2,
)  # fmt: skip

WAVE_LENGTH = 10_000.0
"""The longest wave is 2 pi times as many places (sec. 3.5)."""

# B sentences, S source places, T target places, D width, K hypotheses of each sentence, R = B K
# rows, n places that look, m places that are looked at


@dataclass(frozen=True)
class Config:
    """The dials of the network.

    Args:
        width: numbers by which a place is described (table 3: 512).
        num_layers: of the encoder and of the decoder (table 3: 6).
        num_heads: attentions side by side (table 3: 8).
        num_inner: units of the inner layers (table 3: 2,048).
        dropout: share of sums, embeddings and attention left out in training (table 3: 0.1).
    """

    width: Count = 256
    num_layers: Annotated[int, Gt(0), Le(100)] = 3
    num_heads: Count = 4
    num_inner: Count = 1_024
    dropout: Share = 0.2


def attend(
    query: Float[Tensor, "R n D"], key: Float[Tensor, "R m D"], value: Float[Tensor, "R m D"],
    is_hidden: Bool[Tensor, "... m"] | None, num_heads: int,
) -> tuple[Float[Tensor, "R n D"], Float[Tensor, "R n m"]]:  # fmt: skip
    """Look from n places at m, `num_heads` times side by side, eq. 1.

    Args:
        query: what is looked for.
        key: what can be found.
        value: what is read there.
        is_hidden: places that must not be looked at; its shape broadcasts with (R, heads, n, m).
        num_heads: how many attentions share the D numbers.

    Returns:
        What was read, and the mean over the heads of how much of each place.
    """
    q, k, v = (x.unflatten(2, (num_heads, -1)).transpose(1, 2) for x in (query, key, value))
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
    if is_hidden is not None:
        scores = scores.masked_fill(is_hidden, -math.inf)
    weights = torch.softmax(scores, dim=3)
    return (weights @ v).transpose(1, 2).flatten(2), weights.mean(1)


def waves(num_places: int, width: int, like: Tensor) -> Float[Tensor, "n D"]:
    """Return the waves that tell places apart (sec. 3.5): sines in even columns, cosines in odd.

    >>> waves(2, 4, torch.zeros(())).tolist()[0]
    [0.0, 1.0, 0.0, 1.0]
    """
    places = torch.arange(num_places, device=like.device, dtype=like.dtype)[:, None]
    even = torch.arange(0, width, 2, device=like.device, dtype=like.dtype)
    angles = places / WAVE_LENGTH ** (even / width)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :width]


class Looking(nn.Module):
    """The matrices around an attention (sec. 3.2.2).

    Args:
        config: the dials.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.query = nn.Linear(config.width, config.width)
        self.key_value = nn.Linear(config.width, 2 * config.width)
        self.out = nn.Linear(config.width, config.width)

    def found(self, x: Float[Tensor, "R m D"]) -> tuple[Tensor, Tensor]:
        """Return keys and values of places that are looked at."""
        key, value = self.key_value(x).chunk(2, dim=2)
        return key, value

    def forward(
        self, x: Float[Tensor, "R n D"], found: tuple[Tensor, Tensor],
        is_hidden: Bool[Tensor, "... m"] | None,
    ) -> tuple[Float[Tensor, "R n D"], Float[Tensor, "R n m"]]:  # fmt: skip
        """Look from the places x at those found."""
        read, weights = attend(self.query(x), *found, is_hidden, self.num_heads)
        return self.out(read), weights


class Inner(nn.Sequential):
    """The inner layer of each place, eq. 2.

    Args:
        config: the dials.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(
            nn.Linear(config.width, config.num_inner), nn.ReLU(),
            nn.Linear(config.num_inner, config.width),
        )  # fmt: skip


class EncoderLayer(nn.Module):
    """Look at the whole source, then think about each place.

    Args:
        config: the dials.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(2))
        self.looking, self.inner = Looking(config), Inner(config)
        self.drop = Dropout(config.dropout)

    def forward(self, x: Float[Tensor, "B S D"], is_pad: Tensor) -> Float[Tensor, "B S D"]:
        """Return the places' new numbers."""
        y = self.norms[0](x)
        x = x + self.drop(self.looking(y, self.looking.found(y), is_pad)[0])
        return x + self.drop(self.inner(self.norms[1](x)))


class DecoderLayer(nn.Module):
    """Look at what is written, then at the source, then think about each place.

    Args:
        config: the dials.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(3))
        self.back, self.across = Looking(config), Looking(config)
        self.inner, self.drop = Inner(config), Dropout(config.dropout)

    def forward(
        self, x: Float[Tensor, "R n D"], before: tuple[Tensor, Tensor] | None,
        memory: tuple[Tensor, Tensor], is_later: Tensor | None, is_pad: Tensor,
    ) -> tuple[Float[Tensor, "R n D"], tuple[Tensor, Tensor], Float[Tensor, "B k S"]]:  # fmt: skip
        """Return the places' new numbers, what can be found of them, and the alignment.

        Args:
            x: the places that are written now.
            before: keys and values of the places written before, if any.
            memory: keys and values of B sources, for R = B K rows of n places: k = K n.
            is_later: places that a place must not see.
            is_pad: places of the source that are filled up.
        """
        y = self.norms[0](x)
        found = self.back.found(y)
        if before is not None:
            found = torch.cat([before[0], found[0]], 1), torch.cat([before[1], found[1]], 1)
        x = x + self.drop(self.back(y, found, is_later)[0])
        rows = self.norms[1](x)
        shared = rows.reshape(len(memory[0]), -1, rows.shape[2])  # K rows look at one memory
        read, alpha = self.across(shared, memory, is_pad)
        x = x + self.drop(read.reshape(x.shape))
        return x + self.drop(self.inner(self.norms[2](x))), found, alpha


class Transformer(nn.Module):
    """Write a translation unit by unit, looking at all that is written and at all of the source.

    Args:
        config: the dials.
        num_source: units of the language that is read.
        num_target: units of the language that is written.
    """

    def __init__(self, config: Config, num_source: int, num_target: int) -> None:
        super().__init__()
        if config.width % config.num_heads:
            raise OptionError(
                "--set num_heads", f"a divisor of the width, {config.width}", str(config.num_heads)
            )
        self.config = config
        D, std = config.width, config.width**-0.5
        self.source_embedding = unit_table(num_source, D, std)
        self.target_embedding = unit_table(num_target, D, std)
        self.encoder = nn.ModuleList(EncoderLayer(config) for _ in range(config.num_layers))
        self.decoder = nn.ModuleList(DecoderLayer(config) for _ in range(config.num_layers))
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(D), nn.LayerNorm(D)
        self.drop = Dropout(config.dropout)

    def _embedded(self, table: nn.Embedding, units: Tensor, first: int = 0) -> Tensor:
        """Return the units' numbers with those of their places, the first place being `first`."""
        D = self.config.width
        places = waves(first + units.shape[1], D, table.weight)[first:]
        return self.drop(table(units) * math.sqrt(D) + places)

    def _encode(self, source: Int[Tensor, "B S"]) -> Float[Tensor, "B S D"]:
        x, is_pad = self._embedded(self.source_embedding, source), _hidden(source)
        for layer in self.encoder:
            x = layer(x, is_pad)
        return self.encoder_norm(x)

    def forward(self, source: Int[Tensor, "B S"], target: Int[Tensor, "B T"]) -> SequenceLogits:
        """Read sources and foresee each target unit from the true ones before it.

        Args:
            source: units, filled up with `PAD`.
            target: units from `START` on.

        Returns:
            Logits (B, T, V) of the unit after each, and the last layer's alignments (T, B, S).
        """
        memory, is_pad = self._encode(source), _hidden(source)
        x, T = self._embedded(self.target_embedding, target), target.shape[1]
        is_later = torch.ones(T, T, dtype=torch.bool, device=x.device).triu(1)
        alpha = x
        for layer in self._decoders():
            x, _, alpha = layer(x, None, layer.across.found(memory), is_later, is_pad)
        values = F.linear(self.decoder_norm(x), self.target_embedding.weight)
        return SequenceLogits(values, (alpha.transpose(0, 1),))

    def _decoders(self) -> list[DecoderLayer]:
        return [layer for layer in self.decoder if isinstance(layer, DecoderLayer)]

    def summary(self, source: Int[Tensor, "B S"]) -> Float[Tensor, "B D"]:
        """Return the mean over the places of each source, for maps of sentences."""
        is_read = (source != PAD)[..., None]
        return (self._encode(source) * is_read).sum(1) / is_read.sum(1).clamp(min=1)

    def start(self, source: Int[Tensor, "B S"]) -> DecoderState:
        """Read the sources; return what decoding begins with.

        The memory is each layer's keys and values of the source and where it is filled up; what
        moves is each layer's keys and values of what is written, and the alignment.
        """
        encoded = self._encode(source)
        memory = [part for layer in self._decoders() for part in layer.across.found(encoded)]
        nothing = encoded[:, :0]
        moving = [nothing] * (2 * self.config.num_layers)
        return DecoderState((*memory, _hidden(source)), (*moving, encoded[..., 0] * 0))

    def step(
        self, state: DecoderState, token: Int[Tensor, " R"]
    ) -> tuple[Float[Tensor, "R V"], DecoderState]:
        """Write one unit of each hypothesis; return the logits of the next and the state."""
        *memory, is_pad = state.memory
        before, moving = state.moving, []
        x = self._embedded(self.target_embedding, token[:, None], before[0].shape[1])
        alpha = x
        for index, layer in enumerate(self._decoders()):
            pair = slice(2 * index, 2 * index + 2)
            x, found, alpha = layer(x, before[pair], tuple(memory[pair]), None, is_pad)
            moving += found
        logits = F.linear(self.decoder_norm(x[:, 0]), self.target_embedding.weight)
        return logits, DecoderState(state.memory, (*moving, alpha.flatten(0, 1)))


def _hidden(source: Int[Tensor, "B S"]) -> Bool[Tensor, "B 1 1 S"]:
    """Return where a source is filled up, laid out for `attend`."""
    return (source == PAD)[:, None, None]


def build(config: Config, spec: PairSpec) -> Transformer:
    """Return the network for these units, with fresh weights."""
    return Transformer(config, len(spec.source), len(spec.target))

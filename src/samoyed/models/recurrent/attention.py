"""Translation by jointly learning to align and translate: RNNsearch.

Reference: Bahdanau, Cho & Bengio (2015), Neural machine translation by jointly learning to align
and translate, ICLR, arXiv:1409.0473, the review's reference 76.

What was new. A recurrent translator no longer squeezes the sentence into one vector: before every
word it writes, it weighs all places of the source by a small network that is trained along with
the rest, and reads their weighted sum.

Equation -> function (numbers of the paper)

    annotations h_j = [forward h_j ; backward h_j] (sec. 3.2)         layers.gru.BidirectionalGRU
    e_ij, alpha_ij, c_i (eqs. 5, 6 and the alignment of A.1.2)        layers.alignment.AttentiveGRU
    s_i = f(s_{i-1}, y_{i-1}, c_i) (eq. 4 and A.1.2)                  the same
    s_0 = tanh(W_s backward h_1) (A.2.2)                              Attention.start
    t_i = maxout(U_o s_i + V_o E y_{i-1} + C_o c_i) (A.2.2)           Attention._read_out
    p(y_i) = softmax(W_o t_i) (A.2.2)                                 the same

Table -> Config: appendix A.2.3 has 1,000 units, as many in the alignment, embeddings of 620 and 500
maxout units; 30,000 words of each language and a corpus of 348 million words (sec. 4). The defaults
here are for tens of thousands of sentences.

**Departures**

1. The read-out sees s_i, as eq. 4 says; A.2.2 prints s_{i-1}.
2. z and 1 - z are exchanged with respect to A.1.1, as in Cho et al. 2014: the same function with
   the signs of W_z, U_z and C_z turned.
3. Biases everywhere; the paper leaves them out "to make the equations less cluttered" (A.1).
4. Dropout on embeddings, annotations and the read-out (Srivastava et al. 2014): 29,000 pairs are
   learned by heart without it.
5. Weights start uniform in +-1/sqrt(fan-in) instead of N(0, 0.01^2), those of the alignment too
   (B.1: N(0, 0.001^2), v at zero, where hardly any gradient reaches them); the recurrent ones
   orthogonal, as in the paper; embeddings N(0, 0.5^2).
6. AdamW with a falling rate instead of Adadelta (B.2); batches of units instead of 80 sentences.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import DecoderState, SequenceLogits
from samoyed.core.numbers import Count, Share
from samoyed.core.reference import Reference
from samoyed.core.spec import PAD, PairSpec
from samoyed.core.stage import Recipe
from samoyed.layers.alignment import AttentiveGRU
from samoyed.layers.dropout import dropout
from samoyed.layers.gru import BidirectionalGRU
from samoyed.layers.maxout import maxout
from samoyed.layers.read_out import ReadOut
from samoyed.layers.words import unit_table

REFERENCE = Reference(
    title="Neural machine translation by jointly learning to align and translate",
    authors="Bahdanau, D., Cho, K. & Bengio, Y.",
    year=2015,
    venue="International Conference on Learning Representations",
    review=76,
    url="https://arxiv.org/abs/1409.0473",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=2e-3, batch_size=256, epochs=12, schedule="cosine",
    warmup=0.05, clip_norm=1.0, weight_decay=1e-2,
)  # fmt: skip

# B sentences, S source places, T target places, K hypotheses of each sentence, R = B K rows


@dataclass(frozen=True)
class Config:
    """The dials of the network.

    Args:
        embedding_size: numbers by which a unit is presented (appendix A.2.3: 620).
        num_units: of each direction of the encoder, and of the decoder (A.2.3: 1,000).
        num_alignment: hidden units of the alignment model (A.2.3: 1,000).
        num_maxout: maxout units before the softmax, each of two (A.2.3: 500).
        dropout: share of embeddings, annotations and read-out left out in training.
    """

    embedding_size: Count = 256
    num_units: Count = 320
    num_alignment: Count = 256
    num_maxout: Count = 256
    dropout: Share = 0.3


class Attention(nn.Module):
    """Write a translation unit by unit, looking back at the whole source before each.

    Args:
        config: the dials.
        num_source: units of the language that is read.
        num_target: units of the language that is written.
    """

    def __init__(self, config: Config, num_source: int, num_target: int) -> None:
        super().__init__()
        self.config = config
        D, H = config.embedding_size, config.num_units
        self.source_embedding = unit_table(num_source, D)
        self.target_embedding = unit_table(num_target, D)
        self.encoder = BidirectionalGRU(D, H)
        self.first = nn.Linear(H, H)
        self.decoder = AttentiveGRU(D, 2 * H, H, config.num_alignment)
        self.deep = nn.Linear(H + D + 2 * H, 2 * config.num_maxout)
        self.read_out = ReadOut(config.num_maxout, num_target)

    def forward(self, source: Int[Tensor, "B S"], target: Int[Tensor, "B T"]) -> SequenceLogits:
        """Read sources and foresee each target unit from the true ones before it.

        Args:
            source: units, filled up with `PAD`.
            target: units from `START` on.

        Returns:
            Logits (B, T, V) of the unit after each, and the alignments (T, B, S).
        """
        memory, s = self._encode(source)
        inputs = self._dropped(self.target_embedding(target.t()))
        states, contexts, alphas = self.decoder(inputs, memory, source == PAD, s)
        return SequenceLogits(self._read_out(states, inputs, contexts).transpose(0, 1), (alphas,))

    def _encode(
        self, source: Int[Tensor, "B S"]
    ) -> tuple[Float[Tensor, "B S C"], Float[Tensor, "B H"]]:
        """Return the annotations and s_0."""
        inputs = self._dropped(self.source_embedding(source.t()))
        there, back = self.encoder(inputs, (source == PAD).t())
        memory = self._dropped(torch.cat([there, back], dim=2).transpose(0, 1).contiguous())
        return memory, torch.tanh(self.first(back[0]))

    def _dropped(self, values: Tensor) -> Tensor:
        return dropout(values, self.config.dropout, self.training)

    def _read_out(self, states: Tensor, inputs: Tensor, contexts: Tensor) -> Tensor:
        """Return the logits of the next unit, (..., V)."""
        deep = self.deep(torch.cat([states, inputs, contexts], dim=-1))
        largest = maxout(deep)
        return self.read_out(self._dropped(largest))

    def summary(self, source: Int[Tensor, "B S"]) -> Float[Tensor, "B C"]:
        """Return the mean annotation of each source, for maps of sentences; nothing reads it."""
        memory, _ = self._encode(source)
        is_read = (source != PAD)[..., None]
        return (memory * is_read).sum(1) / is_read.sum(1).clamp(min=1)

    def start(self, source: Int[Tensor, "B S"]) -> DecoderState:
        """Read the sources; return what decoding begins with."""
        memory, s = self._encode(source)
        alpha = s.new_zeros(source.shape)
        return DecoderState((memory, self.decoder.keys(memory), source == PAD), (s, alpha))

    def step(
        self, state: DecoderState, token: Int[Tensor, " R"]
    ) -> tuple[Float[Tensor, "R V"], DecoderState]:
        """Write one unit of each hypothesis; return the logits of the next and the state."""
        memory, keys, is_pad = state.memory
        inputs = self.target_embedding(token)
        s, context, alpha = self.decoder.step(inputs, memory, keys, is_pad, state.moving[0])
        return self._read_out(s, inputs, context), DecoderState(state.memory, (s, alpha))


def build(config: Config, spec: PairSpec) -> Attention:
    """Return the network for these units, with fresh weights."""
    return Attention(config, len(spec.source), len(spec.target))

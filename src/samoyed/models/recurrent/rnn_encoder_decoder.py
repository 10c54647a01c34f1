"""RNN encoder-decoder: a sentence becomes one vector, and the vector another sentence.

Reference: Cho, van Merrienboer, Gulcehre, Bahdanau, Bougares, Schwenk & Bengio (2014), Learning
phrase representations using RNN encoder-decoder for statistical machine translation, EMNLP,
arXiv:1406.1078, the review's reference 72.

What was new. Two recurrent nets trained as one: the first reads a phrase into a vector of fixed
size, the second writes from it a phrase of another length; and the gated recurrent unit, which
learns when to forget and when to keep with two gates and no separate cell.

Equation -> function (numbers of the paper; A is its appendix)

    h_t of the encoder (eqs. 5-8, A.1.1)                               layers.gru.GRU
    c = tanh(V h_N) (A.1.1)                                            RNNEncoderDecoder.summary
    h'_0 = tanh(V' c) (A.1.2)                                          RNNEncoderDecoder.start
    h'_t from h'_{t-1}, y_{t-1} and c (A.1.2)                          layers.context_gru.ContextGRU
    s'_t = O_h h'_t + O_y y_{t-1} + O_c c; s_i = max of two (A.1.2)    RNNEncoderDecoder._read_out
    p(y_t) = softmax(G s), G = G_l G_r (A.1.2)                         the same

Table -> Config: section 4.1.1 has 1,000 units on both sides, 500 maxout units of two, words and
read-out factored through 100 numbers; section 4.1 has 15,000 words of each language. The defaults
here are for tens of thousands of sentences.

**Departures**

1. It translates whole sentences by beam search; the paper scores the phrases of a statistical
   system's table with it (sec. 3.1).
2. Biases everywhere; the paper leaves them out "to make the equations uncluttered" (A).
3. O_y acts on the embedding of y_{t-1}, not on the word itself (A.1.2).
4. Dropout on embeddings, c and the read-out (Srivastava et al. 2014).
5. Weights start uniform in +-1/sqrt(fan-in) instead of N(0, 0.01^2) (sec. 4.1.1), the recurrent
   ones orthogonal, as there; embeddings N(0, 0.5^2).
6. AdamW with a falling rate instead of Adadelta; batches of units instead of 64 phrases (sec.
   4.1.1).
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
from samoyed.layers.context_gru import ContextGRU
from samoyed.layers.dropout import dropout
from samoyed.layers.gru import GRU
from samoyed.layers.maxout import maxout
from samoyed.layers.read_out import ReadOut
from samoyed.layers.words import unit_table

REFERENCE = Reference(
    title="Learning phrase representations using RNN encoder-decoder for statistical machine "
    "translation",
    authors="Cho, K., van Merriënboer, B., Gulcehre, C., Bahdanau, D., Bougares, F., Schwenk, H. "
    "& Bengio, Y.",
    year=2014,
    venue="Empirical Methods in Natural Language Processing, 1724-1734",
    review=72,
    url="https://arxiv.org/abs/1406.1078",
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
        embedding_size: numbers by which a unit is presented, and through which the read-out is
            factored (section 4.1.1: 100).
        num_units: of the encoder and of the decoder (section 4.1.1: 1,000).
        num_maxout: maxout units before the softmax, each of two (section 4.1.1: 500).
        dropout: share of embeddings, summary and read-out left out in training.
    """

    embedding_size: Count = 256
    num_units: Count = 512
    num_maxout: Count = 384
    dropout: Share = 0.3


class RNNEncoderDecoder(nn.Module):
    """Write a translation unit by unit from one vector, which is seen before each.

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
        self.encoder = GRU(D, H)
        self.squeeze = nn.Linear(H, H)  # V
        self.first = nn.Linear(H, H)  # V'
        self.decoder = ContextGRU(D, H, H)
        self.deep = nn.Linear(H + D + H, 2 * config.num_maxout)  # O_h, O_y, O_c
        self.factor = nn.Linear(config.num_maxout, D, bias=False)  # G_r
        self.read_out = ReadOut(D, num_target)  # G_l

    def forward(self, source: Int[Tensor, "B S"], target: Int[Tensor, "B T"]) -> SequenceLogits:
        """Read sources and foresee each target unit from the true ones before it.

        Args:
            source: units, filled up with `PAD`.
            target: units from `START` on.

        Returns:
            Logits (B, T, V) of the unit after each; there is no alignment.
        """
        context = self._dropped(self.summary(source))
        inputs = self._dropped(self.target_embedding(target.t()))
        states = self.decoder(inputs, context, torch.tanh(self.first(context)))
        contexts = context.expand(len(states), -1, -1)
        return SequenceLogits(self._read_out(states, inputs, contexts).transpose(0, 1), ())

    def summary(self, source: Int[Tensor, "B S"]) -> Float[Tensor, "B H"]:
        """Return c, all that the decoder learns of each source."""
        inputs = self._dropped(self.source_embedding(source.t()))
        states = self.encoder(inputs, None, (source == PAD).t())
        return torch.tanh(self.squeeze(states[-1]))

    def _dropped(self, values: Tensor) -> Tensor:
        return dropout(values, self.config.dropout, self.training)

    def _read_out(self, states: Tensor, inputs: Tensor, contexts: Tensor) -> Tensor:
        """Return the logits of the next unit, (..., V)."""
        deep = self.deep(torch.cat([states, inputs, contexts.to(states.dtype)], dim=-1))
        largest = maxout(deep)
        return self.read_out(self.factor(self._dropped(largest)))

    def start(self, source: Int[Tensor, "B S"]) -> DecoderState:
        """Read the sources; return what decoding begins with."""
        context = self.summary(source)
        memory = context, self.decoder.of_context(context)
        return DecoderState(memory, (torch.tanh(self.first(context)),))

    def step(
        self, state: DecoderState, token: Int[Tensor, " R"]
    ) -> tuple[Float[Tensor, "R V"], DecoderState]:
        """Write one unit of each hypothesis; return the logits of the next and the state."""
        num = len(token) // len(state.memory[0])
        context, from_context = (part.repeat_interleave(num, 0) for part in state.memory)
        inputs = self.target_embedding(token)
        h = self.decoder.step(inputs, from_context, state.moving[0])
        return self._read_out(h, inputs, context), DecoderState(state.memory, (h,))


def build(config: Config, spec: PairSpec) -> RNNEncoderDecoder:
    """Return the network for these units, with fresh weights."""
    return RNNEncoderDecoder(config, len(spec.source), len(spec.target))

"""Sequence to sequence learning: a deep LSTM reads a sentence backwards, another writes the other.

Reference: Sutskever, Vinyals & Le (2014), Sequence to sequence learning with neural networks,
Advances in Neural Information Processing Systems 27, arXiv:1409.3215, the review's reference 17.

What was new. Nothing but two deep recurrent nets, the state of one handed to the other, and a
trick: the words of the source are read in reversed order, so that the first words of both
sentences are near each other and a descent finds the connection.

Equation -> function (numbers of the paper)

    v = the state after x_T ... x_1 (sec. 2 and 3.3)                   Seq2Seq._read
    p(y_1, ..., y_T' | x) = prod_t p(y_t | v, y_1, ..., y_{t-1}) (eq. 1)    Seq2Seq.forward
    the beam over partial translations (sec. 3.2, eq. 2)               decoding.beam

Table -> Config: section 3.4 has 4 layers of 1,000 cells on both sides, 1,000-dimensional words,
160,000 source and 80,000 target words: 384 million weights, 64 million of them recurrent, and a
sentence is 8,000 numbers. The defaults here are for tens of thousands of sentences.

**Departures**

1. Biases, the forget gates' at 1 at first; the paper counts weights only (sec. 3.4).
2. Dropout on what each layer reads and on the read-out (Zaremba, Sutskever & Vinyals 2014): the
   paper has 12 million pairs and needs none.
3. The mark that ends a sentence is not read before the decoder begins: its own first input, the
   mark that begins one, stands in its place (figure 1 shows one mark between the sentences).
4. AdamW with a falling rate instead of SGD at 0.7, halved; weights start uniform in +-1/sqrt(H)
   instead of +-0.08 (sec. 3.4), embeddings N(0, 0.5^2); the gradient's norm is kept below 1, not 5.
5. Batches of units instead of 128 sentences, of like length as in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Gt, Le
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from samoyed.core.batch import DecoderState, SequenceLogits
from samoyed.core.numbers import Count, Share
from samoyed.core.reference import Reference
from samoyed.core.spec import END, PAD, PairSpec
from samoyed.core.stage import Recipe
from samoyed.layers.dropout import dropout
from samoyed.layers.lstm import LSTM, State
from samoyed.layers.read_out import ReadOut
from samoyed.layers.words import unit_table

REFERENCE = Reference(
    title="Sequence to sequence learning with neural networks",
    authors="Sutskever, I., Vinyals, O. & Le, Q. V.",
    year=2014,
    venue="Advances in Neural Information Processing Systems 27, 3104-3112",
    review=17,
    url="https://arxiv.org/abs/1409.3215",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=2e-3, batch_size=256, epochs=12, schedule="cosine",
    warmup=0.05, clip_norm=1.0, weight_decay=1e-2,
)  # fmt: skip

# B sentences, S source places, T target places, H cells of a layer, L layers, R hypotheses


@dataclass(frozen=True)
class Config:
    """The dials of the network.

    Args:
        num_layers: of each of the two nets (section 3.4: 4).
        num_units: cells of a layer (section 3.4: 1,000).
        embedding_size: numbers by which a unit is presented (section 3.4: 1,000).
        is_reversed: whether the source is read from its end (section 3.3).
        dropout: share of what a layer reads, and of the read-out, left out in training.
    """

    num_layers: Annotated[int, Gt(0), Le(100)] = 2
    num_units: Count = 384
    embedding_size: Count = 256
    is_reversed: bool = True
    dropout: Share = 0.3


class Seq2Seq(nn.Module):
    """Read a sentence into the states of a deep LSTM, and write its translation from them.

    Args:
        config: the dials.
        num_source: units of the language that is read.
        num_target: units of the language that is written.
    """

    def __init__(self, config: Config, num_source: int, num_target: int) -> None:
        super().__init__()
        self.config = config
        self.source_embedding = unit_table(num_source, config.embedding_size)
        self.target_embedding = unit_table(num_target, config.embedding_size)
        self.encoder = _layers(config)
        self.decoder = _layers(config)
        self.read_out = ReadOut(config.num_units, num_target)

    def forward(self, source: Int[Tensor, "B S"], target: Int[Tensor, "B T"]) -> SequenceLogits:
        """Read sources and foresee each target unit from the true ones before it.

        Args:
            source: units, filled up with `PAD`.
            target: units from `START` on.

        Returns:
            Logits (B, T, V) of the unit after each; there is no alignment.
        """
        outputs, _ = self._through(self.decoder, self.target_embedding(target.t()),
                                   self._read(source), None)  # fmt: skip
        return SequenceLogits(self.read_out(self._dropped(outputs)).transpose(0, 1), ())

    def _read(self, source: Int[Tensor, "B S"]) -> list[State]:
        """Return every layer's state after the source."""
        units, is_pad = in_reading_order(source, is_reversed=self.config.is_reversed)
        inputs = self.source_embedding(units.t())
        _, states = self._through(self.encoder, inputs, None, is_pad.t())
        return states

    def _through(
        self, layers: nn.ModuleList, inputs: Float[Tensor, "T B D"], states: list[State] | None,
        is_pad: Bool[Tensor, "T B"] | None,
    ) -> tuple[Float[Tensor, "T B H"], list[State]]:  # fmt: skip
        """Run inputs through the layers; return the last one's outputs and the states after it."""
        after = []
        for index, layer in enumerate(layers):
            assert isinstance(layer, LSTM)
            before = layer.start(inputs.shape[1]) if states is None else states[index]
            inputs, state = layer(self._dropped(inputs), before, is_pad)
            after.append(state)
        return inputs, after

    def _dropped(self, values: Tensor) -> Tensor:
        return dropout(values, self.config.dropout, self.training)

    def summary(self, source: Int[Tensor, "B S"]) -> Float[Tensor, "B N"]:
        """Return v, all that the decoder learns of each source: N = 2 L H numbers."""
        return torch.cat([part for state in self._read(source) for part in state], dim=1)

    def start(self, source: Int[Tensor, "B S"]) -> DecoderState:
        """Read the sources; return what decoding begins with."""
        return DecoderState((), tuple(part for state in self._read(source) for part in state))

    def step(
        self, state: DecoderState, token: Int[Tensor, " R"]
    ) -> tuple[Float[Tensor, "R V"], DecoderState]:
        """Write one unit of each hypothesis; return the logits of the next and the state."""
        signal = self.target_embedding(token)
        moving: list[Tensor] = []
        for index, layer in enumerate(self.decoder):
            assert isinstance(layer, LSTM)
            after = layer.step(signal, (state.moving[2 * index], state.moving[2 * index + 1]))
            signal = after[0]
            moving += after
        return self.read_out(signal), DecoderState(state.memory, tuple(moving))


def _layers(config: Config) -> nn.ModuleList:
    sizes = [config.embedding_size] + [config.num_units] * (config.num_layers - 1)
    return nn.ModuleList(LSTM(size, config.num_units) for size in sizes)


def in_reading_order(
    source: Int[Tensor, "B S"], *, is_reversed: bool
) -> tuple[Int[Tensor, "B S"], Bool[Tensor, "B S"]]:
    """Move the filling to the beginning, so that all rows end together (section 3.3).

    Args:
        source: units, filled up with `PAD` at the end.
        is_reversed: whether the last unit is read first.

    Returns:
        The units in the order of reading, and where nothing is read: filling and ends.
    """
    if is_reversed:
        units = source.flip(1)
    else:
        num_filled = ((source == PAD) | (source == END)).sum(1, keepdim=True)
        places = torch.arange(source.shape[1], device=source.device)
        units = source.gather(1, (places - num_filled) % source.shape[1])
    return units, (units == PAD) | (units == END)


def build(config: Config, spec: PairSpec) -> Seq2Seq:
    """Return the network for these units, with fresh weights."""
    return Seq2Seq(config, len(spec.source), len(spec.target))

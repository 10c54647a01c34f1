"""A language model of characters with long short-term memory.

Reference: Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9(8):1735,
the review's reference 79; the forget gate is that of Gers, Schmidhuber & Cummins (2000), Learning
to forget, Neural Computation 12(10):2451; predicting text one character at a time and writing with
one's own predictions follows Graves (2013), Generating sequences with recurrent neural networks,
arXiv:1308.0850, sec. 2 and 3.

What was new. In 1997: a unit with a self-connection of weight one, so that an error neither
vanishes nor explodes on its way back through time, and gates that learn when to write to it and
when to read it. In 2000: a gate that learns when to clear it. In 2013: such a net, read one
character after another, writes text with long-range structure when its own guesses are fed back.

Equation -> function

    cell and gates (Gers 2000, eqs. 3-7; Graves 2013, eqs. 7-11)   layers.lstm.lstm_step, LSTM
    y_t = W h_t + b, Pr(x_{t+1} | y_t) softmax (Graves 2013, eq. 12)  LSTMLanguageModel._read_out
    the memory kept from one stretch of text to the next               the `state` in and out

Table -> Config: Graves 2013 sec. 3.1 trains characters of the Penn Treebank with one hidden layer
of 1,000 cells, softmax of 49, one-hot input, weight noise; here `num_units` is 512 because a
processor of two cores is meant, which reads one million characters in about a minute.

**Departures**

1. No peephole connections (Graves 2013, eqs. 7, 8, 10 have them): Greff et al. 2017 (LSTM: a search
   space odyssey, sec. V) find no loss without them.
2. The full gradient through the unrolled steps, not the 1997 gradient that is cut at the gates
   (1997, appendix A.1); the text is cut into stretches and the memory carried over between them.
3. A symbol's input is a learned row of `embedding_size` numbers instead of one-hot of size V
   (2013, sec. 2): a factor of the input weights, so nothing is lost when embedding_size >= V.
4. Dropout on what the layers read and on the read-out (Zaremba, Sutskever & Vinyals 2014), and
   DropConnect on the recurrent weights (Merity, Keskar & Socher 2018), instead of weight noise
   (2013, sec. 3.1).
5. Layers are stacked, and only the last is read out; Graves 2013 (eq. 3) reads out all of them.
6. Forget biases start at 1 (Gers 2000, sec. 3.2, starts them positive too).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import SequenceLogits
from samoyed.core.reference import Reference
from samoyed.core.spec import TextSpec
from samoyed.core.stage import Recipe
from samoyed.layers.lstm import LSTM

REFERENCE = Reference(
    title="Long short-term memory",
    authors="Hochreiter, S. & Schmidhuber, J.",
    year=1997,
    venue="Neural Computation 9, 1735-1780",
    review=79,
    url="https://doi.org/10.1162/neco.1997.9.8.1735",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=5e-3, batch_size=64, epochs=5, schedule="cosine", warmup=0.02,
    clip_norm=1.0,
)  # fmt: skip
"""Five passes: five to six minutes for a text of 1 MB on two cores in float32."""

# B batch, T time, D embedding size, H units, V symbols, L layers
State = tuple[Tensor, ...]
"""(h, c) of the first layer, (h, c) of the second, ...: 2 L tensors (B, H)."""


@dataclass(frozen=True)
class Config:
    """The dials of the network.

    Args:
        num_layers: how many layers of LSTM units (Graves 2013, sec. 3.1: 1).
        num_units: units per layer (Graves 2013, sec. 3.1: 1,000).
        embedding_size: numbers by which a symbol is presented to the first layer.
        dropout: share of a layer's outputs left out in training (Zaremba et al. 2014).
        weight_dropout: share of the recurrent weights left out in training (Merity et al. 2018).
        forget_bias: bias of the forget gates at the start.
    """

    num_layers: int = 1
    num_units: int = 512
    embedding_size: int = 128
    dropout: float = 0.25
    weight_dropout: float = 0.1
    forget_bias: float = 1.0


class LSTMLanguageModel(nn.Module):
    """Predict the next symbol from all symbols before it.

    Args:
        config: the dials.
        num_symbols: V.
    """

    def __init__(self, config: Config, num_symbols: int) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(num_symbols, config.embedding_size)
        self.layers = nn.ModuleList(
            LSTM(
                config.embedding_size if index == 0 else config.num_units,
                config.num_units,
                forget_bias=config.forget_bias,
                weight_dropout=config.weight_dropout,
            )
            for index in range(config.num_layers)
        )
        self.read_out = nn.Linear(config.num_units, num_symbols)

    def _lstms(self) -> list[LSTM]:
        return [layer for layer in self.layers if isinstance(layer, LSTM)]

    def start(self, batch_size: int) -> State:
        """Return the empty memory of `batch_size` texts."""
        zero = self.read_out.weight.new_zeros(batch_size, self.config.num_units)
        return tuple(zero.clone() for _ in range(2 * self.config.num_layers))

    def forward(self, tokens: Int[Tensor, "B T"], state: State) -> SequenceLogits:
        """Read T symbols and guess the one after each.

        Args:
            tokens: (B, T) symbols, whole numbers below V.
            state: the memory before the first of them, from `start` or an earlier call.

        Returns:
            Logits (B, T, V) and the memory after the last symbol.
        """
        outputs, state = self.hidden(tokens, state)
        outputs = F.dropout(outputs, self.config.dropout, self.training)
        return SequenceLogits(self.read_out(outputs).transpose(0, 1), state)

    def hidden(
        self, tokens: Int[Tensor, "B T"], state: State
    ) -> tuple[Float[Tensor, "T B H"], State]:
        """Read T symbols; return the last layer's h_t, time first, and the memory after them."""
        states: list[Tensor] = []
        for index, layer in enumerate(self._lstms()):
            before = state[2 * index], state[2 * index + 1]
            if index == 0:
                symbols = tokens.t().contiguous()
                outputs, after = layer.of_symbols(symbols, self.embedding.weight, before)
            else:
                outputs = F.dropout(outputs, self.config.dropout, self.training)
                outputs, after = layer(outputs, before)
            states += after
        return outputs, tuple(states)

    def step(self, state: State, token: Int[Tensor, " B"]) -> tuple[Float[Tensor, "B V"], State]:
        """Read one symbol; return the logits of the next and the memory.

        Args:
            state: the memory before it.
            token: (B,) one symbol for each text.
        """
        states: list[Tensor] = []
        signal = self.embedding(token)
        for index, layer in enumerate(self._lstms()):
            after = layer.step(signal, (state[2 * index], state[2 * index + 1]))
            signal = F.dropout(after[0], self.config.dropout, self.training)
            states += after
        return self.read_out(signal), tuple(states)


def build(config: Config, spec: TextSpec) -> LSTMLanguageModel:
    """Return the network for these symbols, with fresh weights."""
    return LSTMLanguageModel(config, len(spec))

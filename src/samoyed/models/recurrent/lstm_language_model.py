"""A language model of characters or words with long short-term memory.

Reference: Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9(8):1735,
the review's reference 79; the forget gate is that of Gers, Schmidhuber & Cummins (2000), Learning
to forget, Neural Computation 12(10):2451; predicting text one character at a time and writing with
one's own predictions follows Graves (2013), Generating sequences with recurrent neural networks,
arXiv:1308.0850, sec. 2 and 3; of words, the two layers of 650 units are those of Zaremba, Sutskever
& Vinyals (2014), Recurrent neural network regularization, arXiv:1409.2329, sec. 4.1.

What was new. In 1997: a unit with a self-connection of weight one, so that an error neither
vanishes nor explodes on its way back through time, and gates that learn when to write to it and
when to read it. In 2000: a gate that learns when to clear it. In 2013: such a net, read one
character after another, writes text with long-range structure when its own guesses are fed back.

Equation -> function

    cell and gates (Gers 2000, sec. 3; Graves 2013, eqs. 7-11)     layers.lstm.lstm_step, LSTM
    y_t = W h_t + b, Pr(x_{t+1} | y_t) softmax (Graves 2013, eq. 12)  LSTMLanguageModel._read_out
    the memory kept from one stretch of text to the next               the `state` in and out

Table -> Config: Graves 2013 sec. 3.1 trains characters of the Penn Treebank with one hidden layer
of 1,000 cells, softmax of 49, one-hot input, weight noise; here `num_units` is 512 because a
processor of two cores is meant, which reads one million characters in about a minute. Zaremba 2014
sec. 4.1 reads words with 2 layers of 650 units and words of 650 numbers: the size "two layers of
words", whose words have 400 numbers, and its second layer as many units, as its read-out is tied.
The size "words" has one layer of 400, and learns each word among a thousand: several times as many
passes in the same time, and far better guesses where that is minutes (decision 0015). `cell` puts
other units in place of the LSTM's: those of Cho et al. 2014, or Elman's of 1990.

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
6. Forget biases start at 1 (Gers 2000, sec. 3, starts them positive too).
7. Words: the read-out's weights are the embedding's (Press & Wolf 2017, Using the output embedding
   to improve language models, EACL), dropout is the same over a stretch (Gal & Ghahramani 2016),
   and AdamW along one cycle replaces Zaremba's SGD (2014, sec. 4.1: 39 passes, which take hours on
   two cores): few passes are made here. Where even these are not to be had in the time, less
   dropout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from annotated_types import Gt, Le
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import Batch, SequenceLogits
from samoyed.core.numbers import Count, LargeCountOrNone, Share
from samoyed.core.reference import Reference
from samoyed.core.spec import TextSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data.text import counts_of
from samoyed.layers.dropout import dropout
from samoyed.layers.elman import Elman
from samoyed.layers.gru import GRU
from samoyed.layers.locked_dropout import locked_dropout, word_dropout
from samoyed.layers.lstm import LSTM
from samoyed.layers.read_out import ReadOut
from samoyed.losses.sampled_softmax import DrawnWords, sampled_softmax
from samoyed.training.precision import has_bfloat16_cpu

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

WORD_RECIPE = Recipe(
    optimizer="adamw", learning_rate=5e-3, batch_size=20, epochs=15, schedule="cosine", warmup=0.1,
    weight_decay=0.02, clip_norm=0.5,
)  # fmt: skip
"""One cycle that ends when the time does; the rate is a little below the largest that held."""

OF_TWO_LAYERS = replace(WORD_RECIPE, batch_size=32)

WORDS_PER_S, WORDS_PER_S_IN_FLOAT32 = 9_000, 4_500
"""What two cores in bfloat16 (assumed), or without it, read of words as they train "words"."""

FEW_PASSES = 4
"""Below so many passes through a text hardly anything is dropped."""

MIXED_WITH = 5
"""Words in the n-grams that its guesses are averaged with, for a second score."""

FEW_WORDS = 200_000

# B batch, T time, D embedding size, H units, V symbols, L layers
State = tuple[Tensor, ...]
"""(h, c) of the first layer, (h, c) of the second, ...: 2 L tensors (B, H); h alone without c."""


@dataclass(frozen=True)
class Config:
    """The dials of the network.

    Args:
        num_layers: how many layers of LSTM units (Graves 2013, sec. 3.1: 1).
        num_units: units per layer (Graves 2013, sec. 3.1: 1,000).
        embedding_size: numbers by which a symbol is presented to the first layer.
        dropout: share of a layer's outputs left out in training (Zaremba et al. 2014).
        weight_dropout: share of the LSTM's recurrent weights left out in training (Merity et al.
            2018).
        forget_bias: bias of the LSTM's forget gates at the start.
        cell: the units: "lstm", "gru" (Cho et al. 2014) or "elman" (Elman 1990).
        input_dropout: share of a symbol's numbers left out in training.
        symbol_dropout: share of the symbols left out in training, wherever they stand.
        is_locked: whether dropout leaves out the same units over a whole stretch.
        is_tied: whether the read-out's weights are the embedding's; the last layer then has
            `embedding_size` units.
        num_drawn: in training every symbol is told among so many that are drawn and those of its
            stretch (Jean et al. 2015; `losses.sampled_softmax`); 0 tells it among all.
    """

    num_layers: Annotated[int, Gt(0), Le(100)] = 1
    num_units: Count = 512
    embedding_size: Count = 128
    dropout: Share = 0.25
    weight_dropout: Share = 0.1
    forget_bias: float = 1.0
    cell: Literal["lstm", "gru", "elman"] = "lstm"
    input_dropout: Share = 0.0
    symbol_dropout: Share = 0.0
    is_locked: bool = False
    is_tied: bool = False
    num_drawn: LargeCountOrNone = 0

    @property
    def widths(self) -> tuple[int, ...]:
        """Return how many units each layer has."""
        last = self.embedding_size if self.is_tied else self.num_units
        return (self.num_units,) * (self.num_layers - 1) + (last,)


_OF_WORDS = {
    "is_tied": True, "is_locked": True, "embedding_size": 400, "dropout": 0.3, "input_dropout": 0.2,
    "weight_dropout": 0.1, "num_drawn": 1_000,
}  # fmt: skip
_OF_TWO_LAYERS = {
    **_OF_WORDS, "num_layers": 2, "num_units": 650, "input_dropout": 0.3, "weight_dropout": 0.2,
    "symbol_dropout": 0.05, "num_drawn": 0,
}  # fmt: skip
SIZES: dict[str, dict[str, Any]] = {
    "characters": {},
    "words": _OF_WORDS,
    "few words": {**_OF_TWO_LAYERS, "num_units": 256, "embedding_size": 256},
    "hurried words": {**_OF_WORDS, "dropout": 0.1, "input_dropout": 0.1, "weight_dropout": 0.0},
    "two layers of words": _OF_TWO_LAYERS,
}  # fmt: skip
"""Named sizes: how they differ from `Config`'s defaults."""


def idle(config: Config) -> Mapping[str, str]:
    """Return the dials that have no effect with this Config, and why."""
    said = {}
    if config.cell != "lstm":
        said = dict.fromkeys(("forget_bias", "weight_dropout"), f"the cell {config.cell} has none")
    if config.is_tied and config.num_layers == 1:
        said["num_units"] = "the only layer is as wide as the embedding that its read-out is"
    return said


def recommend(spec: TextSpec, num_train: int, seconds: float | None) -> str:
    """Choose a size: by the unit, and of words by how many are there and can be read in time."""
    if spec.unit != "word":
        return "characters"
    rate = (
        WORDS_PER_S if has_bfloat16_cpu() or torch.cuda.is_available() else WORDS_PER_S_IN_FLOAT32
    )
    if seconds is not None and seconds * rate < FEW_PASSES * num_train:
        return "hurried words"
    return "few words" if num_train < FEW_WORDS else "words"


def recipe_for(spec: TextSpec, size: str) -> Recipe:
    """Return how to train a net of this size on a text of these units."""
    if spec.unit != "word":
        return RECIPE
    return WORD_RECIPE if size in ("words", "hurried words") else OF_TWO_LAYERS


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
        inputs = (config.embedding_size, *config.widths[:-1])
        self.layers = nn.ModuleList(
            _layer(config, *sizes) for sizes in zip(inputs, config.widths, strict=True)
        )
        self.read_out = ReadOut(config.widths[-1], num_symbols)
        if config.is_tied:
            nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
            nn.init.zeros_(self.read_out.bias)
            self.read_out.weight = self.embedding.weight

    @property
    def _per_layer(self) -> int:
        """Return how many tensors a layer remembers."""
        return 2 if self.config.cell == "lstm" else 1

    def start(self, batch_size: int) -> State:
        """Return the empty memory of `batch_size` texts."""
        like = self.read_out.weight
        return tuple(
            like.new_zeros(batch_size, width)
            for width in self.config.widths
            for _ in range(self._per_layer)
        )

    def forward(self, tokens: Int[Tensor, "B T"], state: State) -> SequenceLogits:
        """Read T symbols and guess the one after each.

        Args:
            tokens: (B, T) symbols, whole numbers below V.
            state: the memory before the first of them, from `start` or an earlier call.

        Returns:
            Logits (B, T, V) and the memory after the last symbol.
        """
        outputs, state = self.hidden(tokens, state)
        outputs = self._drop(outputs, self.config.dropout)
        return SequenceLogits(self.read_out(outputs).transpose(0, 1), state)

    def loss_among(
        self, batch: Batch, state: State, words: DrawnWords
    ) -> tuple[Float[Tensor, ""], State]:
        """Return the mean surprise in nats of symbols told among some, and the memory after them.

        Args:
            batch: (B, T) symbols and those after them.
            state: the memory before the first of them.
            words: draws those that each is told among.
        """
        assert batch.targets is not None
        tokens, targets = batch.inputs, batch.targets.t().flatten()
        subset, logs = words.around(targets)
        embedding: Tensor = self.embedding.weight
        weight: Tensor = self.read_out.weight
        bias: Tensor = self.read_out.bias
        if self.config.is_tied:  # rows that are read or told among are looked up together
            rows = torch.cat([tokens.flatten(), subset]).unique()
            embedding = weight = embedding.index_select(0, rows)
            bias = bias.index_select(0, rows)
            tokens, targets, subset = (
                torch.searchsorted(rows, some.contiguous()) for some in (tokens, targets, subset)
            )
        outputs, state = self._read(tokens, state, embedding)
        outputs = self._drop(outputs, self.config.dropout).flatten(0, 1)
        return sampled_softmax(outputs, weight, bias, targets, subset, logs), state

    def hidden(
        self, tokens: Int[Tensor, "B T"], state: State
    ) -> tuple[Float[Tensor, "T B H"], State]:
        """Read T symbols; return the last layer's h_t, time first, and the memory after them."""
        return self._read(tokens, state, self.embedding.weight)

    def _read(
        self, tokens: Int[Tensor, "B T"], state: State, embedding: Float[Tensor, "R D"]
    ) -> tuple[Float[Tensor, "T B H"], State]:
        """Do `hidden` with symbols that are rows of this table."""
        states: list[Tensor] = []
        after: State
        symbols = tokens.t().contiguous()
        embedding = word_dropout(embedding, self.config.symbol_dropout, self.training)
        outputs = embedding
        for index, layer in enumerate(self.layers):
            before = state[index * self._per_layer : (index + 1) * self._per_layer]
            if index > 0:
                outputs = self._drop(outputs, self.config.dropout)
            elif isinstance(layer, LSTM) and not (self.training and self.config.input_dropout):
                outputs, after = layer.of_symbols(symbols, embedding, (before[0], before[1]))
                states += after
                continue
            else:
                outputs = F.embedding(symbols, embedding)
                outputs = self._drop(outputs, self.config.input_dropout)
            outputs, after = _unrolled(layer, outputs, before)
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
        for index, layer in enumerate(self.layers):
            before = state[index * self._per_layer : (index + 1) * self._per_layer]
            after = _stepped(layer, signal, before)
            signal = dropout(after[0], self.config.dropout, self.training)
            states += after
        return self.read_out(signal), tuple(states)

    def _drop(self, signal: Tensor, share: float) -> Tensor:
        """Leave out units, at every step the same ones or others."""
        if self.config.is_locked:
            return locked_dropout(signal, share, self.training)
        return dropout(signal, share, self.training)


def _layer(config: Config, input_size: int, num_units: int) -> nn.Module:
    """Return a layer of the units that the dials ask for."""
    if config.cell == "gru":
        return GRU(input_size, num_units)
    if config.cell == "elman":
        return Elman(input_size, num_units)
    return LSTM(
        input_size, num_units, forget_bias=config.forget_bias, weight_dropout=config.weight_dropout
    )


def _unrolled(layer: nn.Module, inputs: Tensor, before: State) -> tuple[Tensor, State]:
    """Advance a layer T steps; return all h_t and what it remembers."""
    if isinstance(layer, LSTM):
        return layer(inputs, before)
    outputs = layer(inputs, before[0])
    return outputs, (outputs[-1],)


def _stepped(layer: nn.Module, inputs: Tensor, before: State) -> State:
    """Advance a layer one step; return what it remembers, h first."""
    if isinstance(layer, LSTM):
        return layer.step(inputs, (before[0], before[1]))
    assert isinstance(layer, GRU | Elman)
    return (layer.step(inputs, before[0]),)


def build(config: Config, spec: TextSpec) -> LSTMLanguageModel:
    """Return the network for these symbols, with fresh weights."""
    return LSTMLanguageModel(config, len(spec))


def stages(
    task: Any, model: nn.Module, config: Config, data: Any, recipe: Recipe, seed: int
) -> Iterator[Stage]:
    """Yield the task's stage; with `num_drawn`, every symbol is told among some only.

    The read-out of words begins with how often each is in the text, which a bias that moves by the
    rate at most in a step takes long to learn.

    Args:
        task: the question.
        model: the network.
        config: its dials.
        data: the text, whose frequencies make the chances.
        recipe: how fast and how long.
        seed: of the stretches' beginnings.
    """
    if data.spec.unit != "word":
        yield from task.stages(model, None, config, data, recipe, seed)
        return
    counts = counts_of(data.train, len(data.spec))
    is_told_few = 0 < config.num_drawn < len(counts)
    words = DrawnWords(counts, config.num_drawn) if is_told_few else None

    def loss(model: nn.Module, batch: Batch, state: State) -> tuple[Tensor, State]:
        assert isinstance(model, LSTMLanguageModel)
        assert words is not None
        return model.loss_among(batch, state, words)

    for stage in task.stages(
        model, None, config, data, recipe, seed, loss=loss if is_told_few else None
    ):
        yield replace(stage, before=partial(_begin, counts=counts, before=stage.before))


def _begin(
    model: nn.Module, counts: Int[np.ndarray, " V"], before: Callable[[nn.Module], None] | None
) -> None:
    """Let a read-out that knows nothing yet begin with how often each symbol is there."""
    assert isinstance(model, LSTMLanguageModel)
    bias = model.read_out.bias
    if model.config.is_tied and not bias.any():
        shares = (counts + 1) / (counts.sum() + len(counts))
        with torch.no_grad():
            bias.copy_(torch.from_numpy(np.log(shares)))
    if before is not None:
        before(model)

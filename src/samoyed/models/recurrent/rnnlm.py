"""A recurrent language model with a maximum-entropy model inside, and words found by their class.

Reference: Mikolov, Deoras, Povey, Burget & Cernocky (2011), Strategies for training large scale
neural network language models, IEEE Automatic Speech Recognition and Understanding Workshop,
196-201, the review's reference 5; classes and the gradient through time are of Mikolov, Kombrink,
Burget, Cernocky & Khudanpur (2011), Extensions of recurrent neural network language model, ICASSP.

What was new. A simple recurrent net beat n-grams wherever it could be afforded. Two things made it
affordable: a word is guessed in two steps, its class and then the word among those of its class;
and weights go directly from the last few words, hashed, to the outputs. These are a maximum-entropy
model: it learns what n-grams know, and a much smaller hidden layer learns the rest with it.

Equation -> function

    s(t) = sigmoid(U w(t) + W s(t-1))          (Strategies, fig. 1)     RNNLM.hidden, as 2 s - 1
    P(w | h) = P(class | h) P(w | class, h)    (Strategies, sec. III-C) RNNLM.loss, RNNLM.forward
    direct weights at hashed histories         (Strategies, sec. VII)   RNNLM.addresses
    words to classes by frequency              (Strategies, sec. III-C) class_bounds

Table -> Config: 200 hidden units on the Penn Treebank, in Extensions (table 2); hash tables of 10^6
to 10^9 weights (Strategies, table III) and histories of one and two words (sec. VII). `hash_size=0`
leaves out the direct weights: the RNN alone.

**Departures**

1. AdamW on batches of streams, with a rate that falls to zero; the paper descends word by word at
   0.1, which is halved again and again towards the end (Strategies, sec. VI). Only the direct
   weights descend as there, by 0.1 times the gradient summed over the places of a step. AdamW
   would divide by how large a weight's gradients have been, and move the many words that did not
   follow a history as far as the one that did: 2.70 bits per character after six passes of 120,000
   characters, against 2.59, with the histories of one and two.
2. The gradient goes back through a whole stretch (the task's `unroll`), its norm clipped; the paper
   goes 4 to 5 steps back, and clips each entry.
3. Classes are cut at equal shares of the roots of the frequencies, as the author's later program
   does, which makes the last ones smaller.
4. A hash address is made by multiplying and adding 64-bit numbers of our own choice.
5. Learning goes on for the passes one asks for; no dynamic evaluation, no sorting of the data
   (Strategies, sec. V), no L2 penalty on the direct weights (sec. VII), and words that never
   occurred are `<unk>`.
6. Dropout on the hidden units on their way to the outputs, on what a word brings to them
   (Zaremba et al. 2014), and on the histories of the direct weights.
7. A unit gives 2 s - 1 = tanh of half its input, not s. With a bias in every layer the functions
   are the same, but units that are never far from 1/2 all push every output the same way, and
   descent on batches sees hardly anything else: after three passes of one recipe, without direct
   weights, 322 in perplexity on the Penn Treebank's validation part, against 194.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Le
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import Batch, SequenceLogits
from samoyed.core.numbers import Count, CountOrNone, Positive, Share
from samoyed.core.reference import Reference
from samoyed.core.spec import TextSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data.text import counts_of
from samoyed.layers.dropout import dropout
from samoyed.training.optimizers import beside_tables

REFERENCE = Reference(
    title="Strategies for training large scale neural network language models",
    authors="Mikolov, T., Deoras, A., Povey, D., Burget, L. & Cernocky, J.",
    year=2011,
    venue="IEEE Automatic Speech Recognition and Understanding Workshop, 196-201",
    review=5,
    url="https://doi.org/10.1109/ASRU.2011.6163930",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=2e-3, batch_size=12, epochs=12, schedule="cosine", warmup=0.02,
    clip_norm=1.0, precision="float32",
)  # fmt: skip

_FACTOR, _NEXT, _OF_CLASS = 6364136223846793005, 1442695040888963407, 3202034522624059733

# B batch, T time, V symbols, H hidden units, C classes, O histories, R rows (a place each), S hash
State = tuple[Tensor, Tensor]
"""(B, O) the last symbols' numbers and one more, the newest last; (B, H) the hidden units."""

MIXED_WITH = 5
"""Words in the n-grams that its guesses are averaged with, for a second score."""


@dataclass(frozen=True)
class Config:
    """The dials of the network.

    Args:
        num_units: H (Extensions, table 2: 200; Strategies, table II: 10 to 640).
        num_classes: C; 0 takes the root of V.
        hash_size: direct weights (Strategies, table III: 10^6 to 10^9); 0 leaves them out.
        direct_order: the longest n-grams among the direct weights (Strategies, sec. VII: 3), at
            least 2: those of one are the outputs' biases.
        dropout: share of the hidden units left out on their way to the outputs in training.
        input_dropout: share of what a word brings to the hidden units left out in training.
        direct_dropout: share of the histories left out of the direct weights in training.
        direct_rate: of the descent on the direct weights, for the gradient summed over the places
            of a step (Strategies, sec. VI: 0.1).
    """

    num_units: Count = 300
    num_classes: CountOrNone = 0
    hash_size: Annotated[int, Ge(0), Le(1 << 28)] = 1 << 22
    direct_order: Annotated[int, Gt(1), Le(20)] = 3
    dropout: Share = 0.5
    input_dropout: Share = 0.4
    direct_dropout: Share = 0.5
    direct_rate: Positive = 0.1


SIZES: dict[str, dict[str, Any]] = {
    "words": {},
    "characters": {
        "direct_order": 6, "dropout": 0.1, "input_dropout": 0.0, "direct_dropout": 0.2,
    },
}  # fmt: skip
"""Named sizes: how they differ from `Config`'s defaults. Few symbols need little dropout, and more
of them say as much as two words."""


def recommend(spec: TextSpec, num_train: int, seconds: float | None) -> str:
    """Choose a size by the unit of the text."""
    return "words" if spec.unit == "word" else "characters"


def recipe_for(spec: TextSpec, size: str) -> Recipe:
    """Return how to train a net of this size: both alike."""
    return RECIPE


def class_bounds(counts: np.ndarray, num_classes: int) -> np.ndarray:
    """Cut the symbols, in their order, into classes of equal shares of the roots of frequencies.

    Args:
        counts: (V,) how often each symbol occurs.
        num_classes: C, at most V.

    Returns:
        (C + 1,) the first symbol of each class, and V; no class is empty.

    >>> class_bounds(np.array([16, 4, 4, 1, 1, 0]), 2)
    array([0, 2, 6])
    """
    num_symbols, shares = len(counts), np.sqrt(counts + 1e-9)
    ends = np.cumsum(shares) / shares.sum()
    cuts = 1 + np.searchsorted(ends, np.arange(1, num_classes) / num_classes)
    firsts = [0]
    for index, cut in enumerate(cuts.tolist(), start=1):
        firsts.append(min(max(cut, firsts[-1] + 1), num_symbols - num_classes + index))
    return np.array([*firsts, num_symbols])


def _summed(
    weights: Float[Tensor, "R O S"], shares: Float[Tensor, "R O"] | None
) -> Float[Tensor, "R S"]:
    """Return the sum over histories of direct weights, each history as much as it counts."""
    if shares is None:
        return weights.sum(1)
    return (shares[:, None, :] @ weights)[:, 0]


class RNNLM(nn.Module):
    """Predict the class of the next symbol, and the symbol in its class.

    Args:
        config: the dials.
        num_symbols: V.
    """

    firsts: Tensor
    classes: Tensor

    def __init__(self, config: Config, num_symbols: int) -> None:
        super().__init__()
        self.config, self.num_symbols = config, num_symbols
        H = config.num_units
        num_classes = min(config.num_classes or math.isqrt(num_symbols), num_symbols)
        self.U = nn.Embedding(num_symbols, H)
        self.W = nn.Linear(H, H)
        self.of_classes = nn.Linear(H, num_classes)
        self.of_symbols = nn.Linear(H, num_symbols)
        self.direct = nn.Parameter(torch.zeros(config.hash_size, 1)) if config.hash_size else None
        self.register_buffer("firsts", torch.zeros(num_classes + 1, dtype=torch.int64))
        self.register_buffer("classes", torch.zeros(num_symbols, dtype=torch.int64))
        nn.init.normal_(self.U.weight, std=0.1)
        self.divide(np.ones(num_symbols))

    def divide(self, counts: np.ndarray) -> None:
        """Put the symbols into classes by how often they occur, (V,)."""
        firsts = torch.as_tensor(class_bounds(counts, len(self.firsts) - 1))
        self.firsts.copy_(firsts)
        self.classes.copy_(torch.repeat_interleave(torch.arange(len(firsts) - 1), firsts.diff()))

    def start(self, batch_size: int) -> State:
        """Return the empty memory of `batch_size` texts."""
        seen = self.firsts.new_zeros(batch_size, self.config.direct_order - 1)
        return seen, self.U.weight.new_zeros(batch_size, self.config.num_units)

    def hidden(
        self, tokens: Int[Tensor, "B T"], h: Float[Tensor, "B H"]
    ) -> tuple[Float[Tensor, "B T H"], Float[Tensor, "B H"]]:
        """Read T symbols: s(t) = sigmoid(2 U w(t) + 2 W (2 s(t-1) - 1)); return 2 s - 1."""
        drive, found = dropout(self.U(tokens), self.config.input_dropout, self.training), []
        for t in range(tokens.shape[1]):
            h = torch.tanh(drive[:, t] + self.W(h))
            found.append(h)
        return torch.stack(found, dim=1), h

    def addresses(self, row: Int[Tensor, "B N"]) -> Int[Tensor, "B T O"]:
        """Hash the last 1, 2, ..., O symbols of each place after the memory.

        Args:
            row: numbers and one more of the memory's O symbols and T more.
        """
        num = self.config.direct_order - 1
        length = row.shape[1] - num
        keys, found = row.new_ones(len(row), length), []
        for first in range(num, 0, -1):
            keys = (keys + row[:, first : first + length]) * _FACTOR + _NEXT
            found.append(keys)
        return torch.stack(found, dim=2)

    def _shares(self, keys: Int[Tensor, "R O"]) -> Float[Tensor, "R O"] | None:
        """Return what each history counts in training: some are left out.

        Else histories that occurred once, which direct weights learn by heart, would take from the
        net what it has to learn.
        """
        if not self.training or self.direct is None or self.config.direct_dropout == 0.0:
            return None
        return dropout(self.direct.new_ones(keys.shape), self.config.direct_dropout, True)

    def _read(
        self, tokens: Int[Tensor, "B T"], state: State
    ) -> tuple[Float[Tensor, "R H"], Int[Tensor, "R O"], State]:
        """Return hidden units and hash addresses of every place, and the memory after the last."""
        row = torch.cat([state[0], tokens + 1], dim=1)
        h, last = self.hidden(tokens, state[1])
        h = dropout(h, self.config.dropout, self.training)
        seen = row[:, row.shape[1] - state[0].shape[1] :]
        return h.flatten(0, 1), self.addresses(row).flatten(0, 1), (seen, last)

    def _spots(self, keys: Int[Tensor, "R O"], places: Int[Tensor, " S"]) -> Int[Tensor, "R O S"]:
        """Return where the direct weights of these places behind each address are."""
        spread = keys[:, :, None] ^ (keys[:, :, None] >> 29)
        return (spread + places) % max(1, self.config.hash_size)

    def _direct(self, spots: Int[Tensor, "*S"]) -> Float[Tensor, "*S"]:
        """Return the direct weights that are there; their gradient is sparse."""
        assert self.direct is not None
        return F.embedding(spots, self.direct, sparse=True)[..., 0]

    def class_logits(
        self,
        h: Float[Tensor, "R H"],
        keys: Int[Tensor, "R O"],
        shares: Float[Tensor, "R O"] | None = None,
    ) -> Float[Tensor, "R C"]:
        """Return how well each class fits; `shares` is what each history counts, else 1."""
        values = self.of_classes(h)
        if self.direct is None:
            return values
        places = torch.arange(len(self.firsts) - 1, device=keys.device)
        return values + _summed(self._direct(self._spots(keys, places)), shares)

    def symbol_logits(
        self, h: Float[Tensor, "R H"], keys: Int[Tensor, "R O"]
    ) -> Float[Tensor, "R V"]:
        """Return how well each symbol fits in its class."""
        values = self.of_symbols(h)
        if self.direct is None:
            return values
        places = torch.arange(self.num_symbols, device=keys.device)
        for one in (keys * _OF_CLASS).split(1, dim=1):  # one history at a time: they are many
            values = values + self._direct(self._spots(one, places)[:, 0])
        return values

    def loss(
        self, tokens: Int[Tensor, "B T"], targets: Int[Tensor, "B T"], state: State
    ) -> tuple[Float[Tensor, ""], State]:
        """Return the mean surprise in nats, and the memory after the last symbol.

        Of the symbols only those in the classes of the targets are looked at: rows with the same
        class make one matrix product. A symbol that is alone in its class is told with it.
        """
        h, keys, state = self._read(tokens, state)
        wanted = targets.flatten()
        classes = self.classes[wanted]
        shares = self._shares(keys)
        total = F.cross_entropy(self.class_logits(h, keys, shares), classes, reduction="sum")
        shared = torch.nonzero(self.firsts.diff()[classes] > 1)[:, 0]
        order = shared[torch.argsort(classes[shared], stable=True)]
        found, sizes = torch.unique_consecutive(classes[order], return_counts=True)
        rows = list(zip(found.tolist(), order.split(sizes.tolist()), strict=True))
        direct = self._direct_of_classes(keys, shares, rows)
        parts = self.firsts.diff().tolist()
        weights, biases = self.of_symbols.weight.split(parts), self.of_symbols.bias.split(parts)
        firsts, grouped = self.firsts.tolist(), h[order].split(sizes.tolist())
        for index, (one, mine) in enumerate(rows):
            values = F.linear(grouped[index], weights[one], biases[one]) + direct[index]
            wanted_here = wanted[mine] - firsts[one]
            total = total + F.cross_entropy(values, wanted_here, reduction="sum")
        return total / len(wanted), state

    def _direct_of_classes(
        self,
        keys: Int[Tensor, "R O"],
        shares: Float[Tensor, "R O"] | None,
        rows: list[tuple[int, Tensor]],
    ) -> Sequence[Tensor | float]:
        """Return for each class and its rows the sum (R', S) of the direct weights of its symbols.

        All are looked up at once, so that the table gets one gradient.
        """
        if self.direct is None or not rows:
            return [0.0] * len(rows)
        firsts, keys = self.firsts.tolist(), keys * _OF_CLASS
        spots = [
            self._spots(keys[mine], torch.arange(firsts[c], firsts[c + 1], device=keys.device))
            for c, mine in rows
        ]
        flat = self._direct(torch.cat([spot.flatten() for spot in spots]))
        pieces = flat.split([spot.numel() for spot in spots])
        return [
            _summed(piece.view(spot.shape), None if shares is None else shares[mine])
            for piece, spot, (_, mine) in zip(pieces, spots, rows, strict=True)
        ]

    def forward(self, tokens: Int[Tensor, "B T"], state: State) -> SequenceLogits:
        """Read T symbols and guess the one after each.

        Returns:
            The logarithms of the probabilities of all symbols (B, T, V) and the memory.
        """
        h, keys, state = self._read(tokens, state)
        values = self.symbol_logits(h, keys).float()
        classes = self.classes.expand(len(values), -1)
        shape = len(values), len(self.firsts) - 1
        top = values.new_full(shape, -math.inf).scatter_reduce(1, classes, values.detach(), "amax")
        values = values - top.gather(1, classes)
        sums = values.new_zeros(shape).scatter_add(1, classes, values.exp())
        share = F.log_softmax(self.class_logits(h, keys).float(), dim=1) - sums.log()
        values = values + share.gather(1, classes)
        return SequenceLogits(values.view(*tokens.shape, -1), state)

    def step(self, state: State, token: Int[Tensor, " B"]) -> tuple[Float[Tensor, "B V"], State]:
        """Read one symbol; return the logarithms for the next and the memory."""
        values, state = self(token[:, None], state)
        return values[:, 0], state


def build(config: Config, spec: TextSpec) -> RNNLM:
    """Return the network for these symbols, with fresh weights."""
    return RNNLM(config, len(spec))


def idle(config: Config) -> Mapping[str, str]:
    """Return the dials that have no effect with this Config, and why."""
    if config.hash_size:
        return {}
    return dict.fromkeys(
        ("direct_order", "direct_dropout", "direct_rate"),
        "there are no direct weights with hash_size=0",
    )


def stages(
    task: Any, model: nn.Module, config: Config, data: Any, recipe: Recipe, seed: int
) -> Iterator[Stage]:
    """Yield the task's stage with the loss that looks at the targets' classes only.

    Args:
        task: the question.
        model: the network.
        config: its dials.
        data: the text, whose frequencies make the classes.
        recipe: how fast and how long.
        seed: of the stretches' beginnings.
    """

    def divide(model: nn.Module) -> None:
        assert isinstance(model, RNNLM)
        model.divide(counts_of(data.train, model.num_symbols))

    def loss(model: nn.Module, batch: Batch, state: State) -> tuple[Tensor, State]:
        assert isinstance(model, RNNLM)
        assert batch.targets is not None
        return model.loss(batch.inputs, batch.targets, state)

    for stage in task.stages(model, None, config, data, recipe, seed, loss=loss):
        places = stage.feed.batch_size * stage.feed.unroll * recipe.accumulate
        optimizer = beside_tables(recipe, ("direct",), config.direct_rate * places)
        yield replace(stage, before=divide, optimizer=optimizer)

"""Continuous-space language model: a net for the frequent words, counted n-grams for the others.

Reference: Schwenk (2007), Continuous space language models, Computer Speech and Language 21:492,
the review's reference 73.

What was new. Nearly all of the work of a neural language model goes into the outputs, one for each
word, and nearly all of a text is made of few words. So the net foretells the words of a short-list
only; an n-gram model with back-off says how likely it is that the next word is on the list at all,
and how likely each of the others is. That made such nets quick enough for the recognisers of speech
of their time, in which they stand beside the very n-grams they fall back on.

Equation -> function

    x = the projections of w_{t-n+1} ... w_{t-1}, side by side     layers.window.Window
    d = tanh(M x + b)                                              the same
    o = V d + k, P_N = softmax(o)                                  Network.forward
    P(w | h) = P_N(w | h) P_S(h)  for w on the short-list          CSLM.log_probabilities
             = P_B(w | h)         for all others                   the same
    P_S(h) = sum of P_B(w | h) over the short-list                 the same
    P_N = mean of the nets' P_k, where there are several           the same
    P_B, modified Kneser-Ney of the same n                         layers.ngram_tables
    average with the n-grams                                       MIXED_WITH, tasks.continue_text

Table -> Config: the paper's nets are 4-grams with short-lists of some thousand words, learned in
bunches of 128 examples; several nets of different size stand beside each other in its best results.
The parameters of a net are |V| m + h (1 + (n - 1) m) + S (1 + h), with S words on the short-list.

The n-grams are counted first, in a stage without descent; their parameters are the discounts, and
what is counted and listed are buffers. P_S and P_B do not depend on the nets, so that the surprise
of the listed words among the listed is all there is to descend.

**Departures**

1. AdamW with a rate that falls to zero over the passes one gives it, and dropout on projections and
   hidden units (Srivastava et al. 2014); the paper descends plainly, with weight decay.
2. Every pass reads the whole text; the paper draws parts of its large corpora anew for each pass.
3. The list holds the symbols that the training part shows most often, the unknown word and the end
   of a sentence among them. In the paper it holds words of the recogniser's vocabulary.
4. Before the beginning of a text stand vectors of zeros. The net's window reaches over the end of a
   sentence, the n-grams' does not.
5. Several nets differ in their first weights and in what dropout leaves out, not in their sizes,
   and count alike.
6. There is no recogniser here whose lattices or lists of best answers could be weighed anew.
7. The weight of the n-grams in the average is the best one on the validation part.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Le
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import Batch, SequenceLogits
from samoyed.core.numbers import Count, LargeCount, Share
from samoyed.core.reference import Reference
from samoyed.core.spec import TextSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data.text import counts_of
from samoyed.layers.ngram_tables import NGramTables, counting
from samoyed.layers.window import Window, windows_of
from samoyed.losses.large_softmax import large_cross_entropy

REFERENCE = Reference(
    title="Continuous space language models",
    authors="Schwenk, H.",
    year=2007,
    venue="Computer Speech and Language 21, 492-518",
    review=73,
    url="https://doi.org/10.1016/j.csl.2006.09.003",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=2e-3, batch_size=32, epochs=6, weight_decay=0.1,
    schedule="cosine", warmup=0.02, clip_norm=1.0,
)  # fmt: skip

MIXED_WITH = 4
"""Words in the n-grams that its guesses are averaged with, for a second score."""

# B batch, T time, V symbols, S listed ones, C context (n - 1), M features, R rows (a place each)
State = tuple[Tensor]
"""(B, C) the last symbols' numbers and one more, the newest last; 0 before the beginning."""


@dataclass(frozen=True)
class Config:
    """The dials.

    Args:
        order: n, of the nets and of the n-grams alike.
        short_list: S, symbols that the nets foretell; all where there are fewer.
        num_features: m, numbers in a word's projection.
        num_hidden: h, units of the hidden layer.
        num_networks: nets whose probabilities are averaged.
        dropout: share of the hidden units and of the projections left out in training.
        most_symbols: of a longer text only so many at its end are counted.
    """

    order: Annotated[int, Ge(2), Le(20)] = 4
    short_list: LargeCount = 4_000
    num_features: Count = 60
    num_hidden: Count = 200
    num_networks: Annotated[int, Gt(0), Le(20)] = 1
    dropout: Share = 0.2
    most_symbols: LargeCount = 50_000_000


class Network(nn.Module):
    """Guess which word of the short-list comes next, from the last n - 1 words of any kind.

    Args:
        config: the dials.
        num_symbols: V.
        num_listed: S.
    """

    def __init__(self, config: Config, num_symbols: int, num_listed: int) -> None:
        super().__init__()
        self.window = Window(
            num_symbols, config.order - 1, config.num_features, config.num_hidden, config.dropout
        )
        self.output = nn.Linear(config.num_hidden, num_listed)
        nn.init.zeros_(self.output.bias)

    def forward(self, windows: Int[Tensor, "R C"]) -> Float[Tensor, "R S"]:
        """Return o for each window of symbols' numbers and one more."""
        return self.output(self.window(windows))


class CSLM(nn.Module):
    """Guess listed symbols by the nets, and the others by counting.

    Until `choose` says otherwise, the first S symbols are listed.

    Args:
        config: the dials.
        num_symbols: V.
    """

    listed: Tensor
    slots: Tensor

    def __init__(self, config: Config, num_symbols: int) -> None:
        super().__init__()
        self.config = config
        num_listed = min(config.short_list, num_symbols)
        self.tables = NGramTables(num_symbols, config.order)
        self.networks = nn.ModuleList(
            Network(config, num_symbols, num_listed) for _ in range(config.num_networks)
        )
        self.register_buffer("listed", torch.arange(num_listed))
        self.register_buffer("slots", torch.full((num_symbols,), -1))
        self.choose(np.arange(num_symbols, 0, -1))

    def choose(self, counts: np.ndarray) -> None:
        """List the symbols that occur most often; of equal ones the first.

        Args:
            counts: (V,) how often each symbol occurs.
        """
        most = np.argsort(-counts, kind="stable")[: len(self.listed)]
        self.listed.copy_(torch.as_tensor(np.sort(most)))
        self.slots.fill_(-1)
        self.slots[self.listed] = torch.arange(len(self.listed), device=self.slots.device)

    def start(self, batch_size: int) -> State:
        """Return the empty memory of `batch_size` texts."""
        return (self.slots.new_zeros(batch_size, self.config.order - 1),)

    def loss(
        self, tokens: Int[Tensor, "B T"], targets: Int[Tensor, "B T"], state: State
    ) -> tuple[Float[Tensor, ""], State]:
        """Return the mean surprise in nats of the listed targets among all that is listed.

        Returns:
            The mean over nets and listed targets, zero where no target is listed, and the memory
            after the last symbol.
        """
        windows, memory = windows_of(tokens, state[0])
        wanted = self.slots[targets.flatten()]
        is_listed = wanted >= 0
        windows, wanted = windows.flatten(0, 1)[is_listed], wanted[is_listed]
        total = torch.zeros((), device=tokens.device)
        for network in self.networks:
            logits = network(windows)
            total = total + (large_cross_entropy(logits, wanted) if len(wanted) else logits.sum())
        return total / len(self.networks), (memory,)

    def log_probabilities(self, windows: Int[Tensor, "R C"]) -> Float[Tensor, "R V"]:
        """Return log P(w | h) of all symbols after each window."""
        places = self.tables.places(windows - 1, self.tables.start(len(windows)))
        backed_off = self.tables(places[:, -1])  # P_B; a window holds all that it looks at
        share = backed_off[:, self.listed].sum(1, keepdim=True)  # P_S
        each = [F.log_softmax(net(windows).to(share.dtype), dim=1) for net in self.networks]
        of_nets = torch.stack(each).logsumexp(0) - math.log(len(each))  # log P_N
        return backed_off.log().index_copy(1, self.listed, of_nets + share.log())

    def forward(self, tokens: Int[Tensor, "B T"], state: State) -> SequenceLogits:
        """Read T symbols and guess the one after each.

        Returns:
            The logarithms of the probabilities of all symbols (B, T, V) and the memory.
        """
        windows, memory = windows_of(tokens, state[0])
        values = self.log_probabilities(windows.flatten(0, 1))
        return SequenceLogits(values.view(*tokens.shape, -1), (memory,))

    def step(self, state: State, token: Int[Tensor, " B"]) -> tuple[Float[Tensor, "B V"], State]:
        """Read one symbol; return the logarithms for the next and the memory."""
        values, state = self(token[:, None], state)
        return values[:, 0], state


def build(config: Config, spec: TextSpec) -> CSLM:
    """Return the nets and tables for these symbols, with fresh weights and nothing counted."""
    return CSLM(config, len(spec))


def stages(
    task: Any, model: nn.Module, config: Config, data: Any, recipe: Recipe, seed: int
) -> Iterator[Stage]:
    """Yield two stages: count the n-grams; then descend the surprise of listed words.

    Args:
        task: the question.
        model: nets and tables.
        config: the dials.
        data: the text, whose frequencies make the list.
        recipe: how fast and how long.
        seed: of the stretches' beginnings.
    """
    yield counting(data.train[-config.most_symbols :], data.spec.end)

    def choose(model: nn.Module) -> None:
        assert isinstance(model, CSLM)
        model.choose(counts_of(data.train, len(data.spec)))

    def loss(model: nn.Module, batch: Batch, state: State) -> tuple[Tensor, State]:
        assert isinstance(model, CSLM)
        assert batch.targets is not None
        return model.loss(batch.inputs, batch.targets, state)

    for stage in task.stages(model, None, config, data, recipe, seed, loss=loss):

        def of_networks(model: nn.Module, make: Any = stage.optimizer) -> Any:
            assert isinstance(model, CSLM)
            return make(model.networks)

        yield replace(stage, before=choose, optimizer=of_networks)

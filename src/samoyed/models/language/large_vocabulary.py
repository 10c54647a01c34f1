"""A language model over very many words that is learned among few of them at a time.

Reference: Jean, Cho, Memisevic & Bengio (2015), On using very large target vocabulary for neural
machine translation, ACL, 1-10, arXiv:1412.2007, the review's reference 16.

What was new. The softmax over the words was the dearest part of every net that writes, so that
nets knew tens of thousands of words and wrote <unk> for all others. Here the text is cut
beforehand into pieces with few different words; while a piece is learned, its words are told among
those of the piece alone. A step costs the same however many words there are, the weights that it
needs fit into a small memory, and in use the net has all of its words.

Equation -> function (numbers of the paper)

    p(y_t) = exp(w_t . h + b_t) / Z (eq. 6)                        LargeVocabulary.forward
    gradient of log p through samples of Q (eqs. 8 to 10)          losses.sampled_softmax
    pieces of at most tau different words (sec. 3)                 data.partition.pieces_of
    Q equal within the piece, 0 outside: no term in log Q          is_corrected=False

Table -> Config: tau is 15,000 to 50,000 of 500,000 words in the paper (sec. 4), `num_subset`.
What stands before the softmax is the smallest net there is, the window of 2003: what is learned
here about its last layer holds for any net. The paper's stands behind RNNsearch (`attention`).
The parameters are |V| (m + h + 1) + h (1 + (n - 1) m).

What Q does. Which words a piece holds follows from how frequent they are, so that Q is far from
equal over the text as a whole: a rare word is only ever told from others when it is in the piece,
where it is likely. Left alone, as in the paper (which says that it makes the estimate biased, sec.
3), the net finds rare words too likely, and over all words the sum of these errors is large; the
paper's translators choose among candidates instead. With `is_corrected` every score in training has
the log of its word's chance to be in the subset subtracted, for which eq. 10 has its log Q.

**Departures**

1. A language model, not a translator: no list of candidates from a dictionary, no replacement of
   <unk> by what is aligned (sec. 3). In use the softmax is over all words.
2. The log of the chance is subtracted, see above; `is_corrected=False` is the paper's.
3. To the words of a piece `num_drawn` are added that are drawn from all words alike, so that words
   which training hardly shows, or never, are learned to be unlikely; 0 is the paper's.
4. The pieces are cut out of the stretches as they are learned, batch by batch, and every pass
   begins elsewhere; the paper cuts sentences once, and shuffles the text between passes.
5. AdamW with a rate that falls to zero, dropout on words' vectors and hidden units; the paper has
   Adadelta (sec. 4). The vectors are not frozen at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import SequenceLogits
from samoyed.core.numbers import Count, LargeCountOrNone, Share
from samoyed.core.reference import Reference
from samoyed.core.spec import TextSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data.partition import PartitionedFeed, SubsetBatch
from samoyed.data.text import counts_of
from samoyed.layers.window import Window, windows_of
from samoyed.losses.sampled_softmax import chances, sampled_softmax

REFERENCE = Reference(
    title="On using very large target vocabulary for neural machine translation",
    authors="Jean, S., Cho, K., Memisevic, R. & Bengio, Y.",
    year=2015,
    venue="Annual Meeting of the Association for Computational Linguistics, 1-10",
    review=16,
    url="https://arxiv.org/abs/1412.2007",
)

RECIPE = Recipe(
    optimizer="adamw", learning_rate=2e-3, batch_size=64, epochs=6, weight_decay=0.1,
    schedule="cosine", warmup=0.02, clip_norm=1.0,
)  # fmt: skip

# B batch, T time, V symbols, S of them in a subset, C context, H hidden units, R rows
State = tuple[Tensor]
"""(B, C) the last symbols' numbers and one more, the newest last; 0 before the beginning."""


@dataclass(frozen=True)
class Config:
    """The dials.

    Args:
        num_subset: tau, different words in a piece (sec. 4: 15,000 to 50,000); 0 tells every word
            among all.
        num_drawn: words drawn for each piece besides.
        is_corrected: whether scores are corrected for the chance to be in the subset.
        context: how many words are looked back at.
        num_features: m, numbers in a word's vector.
        num_hidden: h, units of the hidden layer.
        dropout: share of the hidden units and of the features left out in training.
    """

    num_subset: LargeCountOrNone = 1_000
    num_drawn: LargeCountOrNone = 1_000
    is_corrected: bool = True
    context: Count = 4
    num_features: Count = 64
    num_hidden: Count = 128
    dropout: Share = 0.1


class LargeVocabulary(nn.Module):
    """Guess the next symbol from the vectors of the last few.

    Args:
        config: the dials.
        num_symbols: V.
    """

    def __init__(self, config: Config, num_symbols: int) -> None:
        super().__init__()
        self.config = config
        self.window = Window(
            num_symbols, config.context, config.num_features, config.num_hidden, config.dropout
        )
        self.output = nn.Linear(config.num_hidden, num_symbols)
        nn.init.zeros_(self.output.bias)

    def start(self, batch_size: int) -> State:
        """Return the empty memory of `batch_size` texts."""
        shape = (batch_size, self.config.context)
        return (torch.zeros(shape, dtype=torch.int64, device=self.output.weight.device),)

    def loss(
        self,
        tokens: Int[Tensor, "B T"],
        targets: Int[Tensor, "B T"],
        state: State,
        subset: Int[Tensor, " S"],
        log_chances: Float[Tensor, " S"] | None = None,
    ) -> tuple[Float[Tensor, ""], State]:
        """Return the mean surprise of the targets among the subset, in nats, and the memory."""
        windows, memory = windows_of(tokens, state[0])
        value = sampled_softmax(
            self.window(windows).flatten(0, 1), self.output.weight, self.output.bias,
            targets.flatten(), subset, log_chances,
        )  # fmt: skip
        return value, (memory,)

    def forward(self, tokens: Int[Tensor, "B T"], state: State) -> SequenceLogits:
        """Read T symbols and guess the one after each, of all V.

        Returns:
            Logits (B, T, V) and the memory after the last symbol.
        """
        windows, memory = windows_of(tokens, state[0])
        return SequenceLogits(self.output(self.window(windows)), (memory,))

    def step(self, state: State, token: Int[Tensor, " B"]) -> tuple[Float[Tensor, "B V"], State]:
        """Read one symbol; return the logits of the next and the memory."""
        values, state = self(token[:, None], state)
        return values[:, 0], state


def build(config: Config, spec: TextSpec) -> LargeVocabulary:
    """Return the network for these symbols, with fresh weights."""
    return LargeVocabulary(config, len(spec))


def stages(
    task: Any, model: nn.Module, config: Config, data: Any, recipe: Recipe, seed: int
) -> Iterator[Stage]:
    """Yield the task's stage with the loss that looks at the words of a piece only.

    Args:
        task: the question.
        model: the network.
        config: its dials.
        data: the text, whose frequencies make the chances.
        recipe: how fast and how long.
        seed: of the stretches' beginnings and of the words drawn.
    """
    num_symbols = len(data.spec)
    counts = counts_of(data.train, num_symbols)
    if not config.num_subset:
        yield from task.stages(model, None, config, data, recipe, seed)
        return

    def loss(model: nn.Module, batch: SubsetBatch, state: State) -> tuple[Tensor, State]:
        assert isinstance(model, LargeVocabulary)
        assert batch.targets is not None
        assert batch.subset is not None
        device = batch.inputs.device
        logs = None
        if config.is_corrected:
            share = min(config.num_drawn, num_symbols) / num_symbols
            found = chances(counts[batch.subset], len(data.train), batch.num_read, share)
            logs = torch.as_tensor(np.log(found), dtype=torch.float32, device=device)
        subset = torch.as_tensor(batch.subset, device=device)
        return model.loss(batch.inputs, batch.targets, state, subset, logs)

    for stage in task.stages(model, None, config, data, recipe, seed, loss=loss):
        feed = PartitionedFeed(stage.feed, num_symbols, config.num_subset, config.num_drawn, seed)
        yield replace(stage, feed=feed)

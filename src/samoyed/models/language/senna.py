"""Natural language processing (almost) from scratch: the window and the sentence network.

Collobert, R., Weston, J., Bottou, L., Karlen, M., Kavukcuoglu, K. & Kuksa, P. (2011). Natural
language processing (almost) from scratch. Journal of Machine Learning Research 12, 2493-2537. The
review's reference 14.

What was new: one network for many tasks that reads words, not features made by hand; its word
vectors can be learned beforehand from text without any labels, by telling a window of real text
from the same window with another word in the middle.

Section or table -> here:

* 3.2, lookup tables, side by side for each kind of feature       -> `Lookup`
* 3.3.1, the words of a window in one vector, PADDING at the ends -> `windows`
* 3.3.1, linear layers and HardTanh                               -> `WindowNetwork.forward`
* 3.3.2, the same over all places, and the maximum over time      -> `SentenceNetwork.forward`
* 3.4.1, word-level, and 3.4.2, sentence-level log-likelihood     -> `losses.chain`
* 3.4.2, the best path                                            -> `decoding.viterbi`
* 4.2, max(0, 1 - f(x) + f(x^w))                                  -> `ranking_loss`
* 4.3, 11 words around, 100 hidden units                          -> `Ranker`
* table 5, windows of 5, 50 + 5 numbers for a word, 300 hidden units -> `Config`
* 6.1, the endings of words                                       -> `Config.ending_width`

Sentences with a tag for every word are read by windows, texts with one class by the sentence
network. `is_sentence_level = false` leaves the transitions at zero: the word-level likelihood.

**Departures**

1. Section 3.4.3 descends with one example at a time and a rate of 0.01 by the number of a layer's
   inputs; here it is Adam on batches, with a rate that falls, for minutes on a processor.
2. Section 6.1 gives endings of two letters to the tagger of parts of speech alone; here endings of
   three letters, and the first four, are given to every task. Zero widths leave them out.
3. Table 5 has no dropout; here a share of the words' vectors and of the hidden units is left out,
   which matters when the tagged sentences are all there is. Zero brings back the paper's network.
4. Section 4.3 learned for seven weeks from 852 million words, by a growing dictionary; here the
   training sentences, and whatever text is named, are read `pretrain_epochs` times.
5. Section 3.4.2: where the scheme of tags forbids one after another, no such path is answered (a
   dial of the task, `is_legal`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
from annotated_types import Gt, Le
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.core.batch import Batch, Logits, TagLogits
from samoyed.core.numbers import Count, CountOrNone, Passes, Share
from samoyed.core.reference import Reference
from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import LabelSpec, TagSpec, WordSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.layers.dropout import Dropout

REFERENCE = Reference(
    title="Natural language processing (almost) from scratch",
    authors="Collobert, R., Weston, J., Bottou, L., Karlen, M., Kavukcuoglu, K. & Kuksa, P.",
    year=2011,
    venue="Journal of Machine Learning Research 12, 2493-2537",
    review=14,
    url="https://www.jmlr.org/papers/v12/collobert11a.html",
)

RECIPE = Recipe(
    optimizer="adam", learning_rate=2e-3, batch_size=32, epochs=8, schedule="linear",
    clip_norm=5.0, precision="float32",
)  # fmt: skip

RANKED_WORDS = 11  # of a window in pre-training (section 4.3)
RANKED_UNITS = 100
RANKED_BATCH = 256
RANKED_RATE = 1e-3

# Legend for shapes: B batch, L words of a text, W words of a window, D numbers of a word, F = W D,
# H hidden units, K tags or classes.


@dataclass(frozen=True)
class Config:
    """What can be dialled; table 5 unless a departure says otherwise.

    Args:
        word_width: numbers of a word's vector.
        capital_width: of how it uses capitals.
        beginning_width: of its first letters.
        ending_width: of its last letters.
        window: words around each, itself included.
        num_hidden: hidden units.
        dropout: share of the inputs and of the hidden units that is left out in training.
        is_sentence_level: whether transitions between tags are learned.
        pretrain_epochs: how often the text is read to learn word vectors first.
    """

    word_width: Count = 50
    capital_width: CountOrNone = 5
    beginning_width: CountOrNone = 10
    ending_width: CountOrNone = 10
    window: Annotated[int, Gt(0), Le(1000)] = 5
    num_hidden: Count = 300
    dropout: Share = 0.3
    is_sentence_level: bool = True
    pretrain_epochs: Passes = 0.0


def build(
    config: Config, spec: WordSpec, asked: TagSpec | LabelSpec
) -> WindowNetwork | SentenceNetwork:
    """Build the network for tags of words, or for classes of texts."""
    if isinstance(asked, TagSpec):
        return WindowNetwork(config, spec, len(asked))
    return SentenceNetwork(config, spec, len(asked))


class Lookup(nn.Module):
    """Vectors of a word and of what it looks like, side by side (section 3.2).

    Row 0 of each table is the vector of PADDING, learned as the others are.

    Args:
        config: the widths.
        spec: the words.
    """

    def __init__(self, config: Config, spec: WordSpec) -> None:
        super().__init__()
        widths = (
            config.word_width, config.beginning_width, config.ending_width, config.capital_width
        )  # fmt: skip
        self.used = tuple(i for i, width in enumerate(widths) if width)
        tables = [nn.Embedding(spec.sizes[i], widths[i]) for i in self.used]
        for table in tables:
            nn.init.normal_(table.weight, std=0.1)
        self.tables, self.width = nn.ModuleList(tables), sum(widths)

    def forward(self, words: Int[Tensor, "B L 4"]) -> Float[Tensor, "B L D"]:
        """Return the vectors."""
        parts = [table(words[..., i]) for i, table in zip(self.used, self.tables, strict=True)]
        return torch.cat(parts, dim=-1)


def windows(
    vectors: Float[Tensor, "B L D"], padding: Float[Tensor, D], size: int
) -> Float[Tensor, "B L F"]:
    """Return for each word the vectors of the `size` words around it in one (section 3.3.1)."""
    num, _, width = vectors.shape
    before, after = (size - 1) // 2, size // 2
    edges = [padding.expand(num, n, width) for n in (before, after)]
    whole = torch.cat([edges[0], vectors, edges[1]], dim=1)
    return whole.unfold(1, size, 1).transpose(2, 3).flatten(2)


class Reading(nn.Module):
    """What both networks share: look words up, and read the window around each (3.2, 3.3.1).

    Args:
        config: the dials.
        spec: the words.
    """

    def __init__(self, config: Config, spec: WordSpec) -> None:
        super().__init__()
        self.size = config.window
        self.lookup = Lookup(config, spec)
        self.hidden = nn.Linear(config.window * self.lookup.width, config.num_hidden)
        self.dropout = Dropout(config.dropout)

    def forward(
        self, words: Int[Tensor, "B L 4"], present: Float[Tensor, "B L"] | None = None
    ) -> Float[Tensor, "B L H"]:
        """Return the hidden units of every word before their non-linearity."""
        vectors = self.dropout(self.lookup(words))
        if present is not None:
            vectors = vectors * present[..., None]
        padding = self.lookup(words.new_zeros(1, 1, 4))[0, 0]
        return self.hidden(windows(vectors, padding, self.size))


class WindowNetwork(nn.Module):
    """A score of each tag for each word from the window around it, and of each transition.

    Args:
        config: the dials.
        spec: the words.
        num_tags: K.
    """

    transitions: Tensor
    starts: Tensor

    def __init__(self, config: Config, spec: WordSpec, num_tags: int) -> None:
        super().__init__()
        self.reading = Reading(config, spec)
        self.tags = nn.Linear(config.num_hidden, num_tags)
        self.ranker = Ranker(config, self.reading.lookup.width) if config.pretrain_epochs else None
        zeros = (torch.zeros(num_tags, num_tags), torch.zeros(num_tags))
        for name, values in zip(("transitions", "starts"), zeros, strict=True):
            if config.is_sentence_level:
                self.register_parameter(name, nn.Parameter(values))
            else:
                self.register_buffer(name, values)

    def forward(self, words: Int[Tensor, "B L 4"]) -> TagLogits:
        """Return (B, L, K) scores of words, (K, K) of transitions and (K,) of beginnings."""
        hidden = self.reading.dropout(F.hardtanh(self.reading(words)))
        return TagLogits(self.tags(hidden), self.transitions, self.starts)


class SentenceNetwork(nn.Module):
    """A score of each class for a text: the window's layer everywhere, then the maximum over time.

    Args:
        config: the dials.
        spec: the words.
        num_classes: K.
    """

    def __init__(self, config: Config, spec: WordSpec, num_classes: int) -> None:
        super().__init__()
        self.reading = Reading(config, spec)
        self.second = nn.Linear(config.num_hidden, config.num_hidden)
        self.classes = nn.Linear(config.num_hidden, num_classes)
        self.ranker = Ranker(config, self.reading.lookup.width) if config.pretrain_epochs else None

    def forward(
        self, words: Int[Tensor, "B L 4"], present: Float[Tensor, "B L"] | None = None
    ) -> Logits:
        """Return (B, K); places behind a text's end have no part in its maximum (3.3.2)."""
        reached = self.reading(words, present)
        is_word = (words[..., 0] > 0) | (torch.arange(words.shape[1], device=words.device) == 0)
        reached = reached.masked_fill(~is_word[..., None], float("-inf")).amax(dim=1)
        hidden = self.reading.dropout(F.hardtanh(self.second(reached)))
        return Logits(self.classes(hidden))

    def scale_scores(self, factor: float) -> None:
        """Multiply all scores from now on: they are linear in the last layer."""
        self.classes.weight.mul_(factor)
        self.classes.bias.mul_(factor)


class Ranker(nn.Module):
    """How much a window of words looks like text: one number (section 4.3).

    Args:
        config: the dials.
        width: D.
    """

    def __init__(self, config: Config, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(RANKED_WORDS * width, RANKED_UNITS)
        self.score = nn.Linear(RANKED_UNITS, 1)

    def forward(self, vectors: Float[Tensor, "B W D"]) -> Float[Tensor, B]:
        """Return the score of each window."""
        return self.score(F.hardtanh(self.hidden(vectors.flatten(1)))).squeeze(1)


def ranking_loss(scores: Float[Tensor, B], spoiled: Float[Tensor, B]) -> Float[Tensor, ""]:
    """Return the mean of max(0, 1 - f(x) + f(x^w)) (section 4.2)."""
    return F.relu(1 - scores + spoiled).mean()


class RankingFeed:
    """Windows of text, and the same with another word in the middle.

    Args:
        features: (U, 4) of the different words, row 0 PADDING.
        codes: (T,) the words of all texts.
        starts: (N + 1,) where each text begins.
        seed: of the windows' order and the words put in.
    """

    def __init__(
        self, features: np.ndarray, codes: np.ndarray, starts: np.ndarray, seed: int
    ) -> None:
        self.features, self.codes, self.seed = features, codes, seed
        self.text = np.searchsorted(starts, np.arange(len(codes)), side="right") - 1
        self.num_windows = len(codes)

    def batch(self, step: int) -> Batch:
        """Return (2, B, W, 4): real windows, and spoiled ones."""
        draw = numpy_generator(self.seed, "ranking", step)
        middle = draw.integers(0, len(self.codes), RANKED_BATCH)
        half = RANKED_WORDS // 2
        places = middle[:, None] + np.arange(-half, half + 1)
        inside = np.clip(places, 0, len(self.codes) - 1)
        is_same = (places == inside) & (self.text[inside] == self.text[middle][:, None])
        real = np.where(is_same, self.codes[inside], 0)
        spoiled = real.copy()
        spoiled[:, half] = draw.integers(1, len(self.features), RANKED_BATCH)
        return Batch(torch.from_numpy(self.features[np.stack([real, spoiled])]))


def _ranking_objective(model: Any, batch: Batch) -> Tensor:
    vectors = model.reading.lookup(batch.inputs.flatten(0, 1))
    real, spoiled = model.ranker(vectors).chunk(2)
    return ranking_loss(real, spoiled)


def _ranked_parameters(model: Any) -> list[nn.Parameter]:
    return [*model.reading.lookup.parameters(), *model.ranker.parameters()]


def stages(
    model: nn.Module, config: Config, texts: Any, stage: Stage, seed: int
) -> Iterator[Stage]:
    """Yield the ranking of windows, where it is asked for, and the stage that learns the task.

    Args:
        model: the model.
        config: the dials.
        texts: words to pre-train on: `features`, `codes` and `starts`.
        stage: the stage that learns the task.
        seed: of the windows.
    """
    if config.pretrain_epochs:
        feed = RankingFeed(texts.features, texts.codes, texts.starts, seed)
        steps = max(1, round(config.pretrain_epochs * feed.num_windows / RANKED_BATCH))
        yield Stage(
            name="ranking words", feed=feed, objective=_ranking_objective,
            optimizer=lambda model: torch.optim.Adam(
                _ranked_parameters(model), lr=RANKED_RATE, fused=True
            ),
            steps=steps,
        )  # fmt: skip
    yield stage

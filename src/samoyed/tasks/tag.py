"""Tag the words of a sentence: a part of speech, a chunk, a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from samoyed.core.batch import Batch
from samoyed.core.errors import DataError
from samoyed.core.reference import Answer, Score
from samoyed.core.spec import TagSpec, WordSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data import tag_schemes, tagged_columns, tagged_jsonl, tagged_table, words
from samoyed.data.asked_texts import is_file, refuse_no_text
from samoyed.data.scripts import (
    INVISIBLE,
    JOINERS,
    LETTERS,
    MARKS,
    SINGLE,
    is_unspaced,
    share_unspaced,
)
from samoyed.data.table_files import is_table_name
from samoyed.data.tagged_text import Tagged, TaggedData
from samoyed.data.text_files import read_file
from samoyed.data.word_feed import WordFeed, by_length
from samoyed.data.words import WordRows
from samoyed.decoding.viterbi import viterbi
from samoyed.losses.chain import NO_TAG, chain_loss, log_partition
from samoyed.metrics import chunking
from samoyed.tasks.classify import resampled
from samoyed.training.stages import stage_of

FORBIDDEN = -1e4  # the score of a tag that cannot follow
WORDS_AT_ONCE = 1 << 13
_SIGN = rf"[^\w\s{INVISIBLE}{MARKS}][{MARKS}{JOINERS}]*"  # marks belong to what they follow
_EDGES = re.compile(rf"^((?:{_SIGN})*)(.*?)((?:{_SIGN})*)$", re.DOTALL)
_SIGNS = re.compile(_SIGN)
_PART = re.compile(rf"{SINGLE}|{LETTERS}|{_SIGN}|.", re.DOTALL)
LONGEST_UNSPACED = 12  # characters of a word that is looked for where blanks part none


@dataclass(frozen=True)
class Tag:
    """The question.

    Args:
        spec: the words.
        tags: the tags.
        is_legal: whether only sequences that the scheme allows are answered.
        extra_text: a file or folder of texts to pre-train on besides the training sentences.
    """

    spec: WordSpec
    tags: TagSpec
    is_legal: bool = True
    extra_text: str = ""
    name: ClassVar[str] = "tag"

    @property
    def headline(self) -> str:
        """Return the first score's name."""
        return "chunk_f1" if self.tags.scheme else "token_accuracy"

    @property
    def built_for(self) -> tuple[Any, ...]:
        """Return what a system's `build` is told of the data, after its Config."""
        return self.spec, self.tags

    def stages(
        self, model: nn.Module, data: TaggedData, recipe: Recipe, seed: int
    ) -> Iterator[Stage]:
        """Yield the stage that descends the likelihood of the tags."""
        starts, flat = data.train.rows.starts, data.train.tags

        def targets(rows: np.ndarray) -> Tensor:
            return torch.from_numpy(words.spread(flat, starts, rows, empty=NO_TAG))

        feed = WordFeed(data.train.rows, targets, recipe.batch_size, seed)
        yield stage_of(recipe, feed, likelihood)

    def score(
        self, model: nn.Module, data: TaggedData, device: torch.device | str = "cpu",
        limit: int | None = None, seed: int = 0,
    ) -> tuple[Score, ...]:  # fmt: skip
        """Measure on the held-out sentences; intervals draw whole sentences.

        Returns:
            Where tags mark chunks their F1, precision and recall; the share of words that have
            the right tag, in the scheme of the data.
        """
        test = quick_look(data, limit)
        answers, _ = self.tag(model, test.rows, device)
        return scores_of([s.tags for s in test.sentences], answers, self.tags.scheme, seed)

    def tag(
        self, model: nn.Module, rows: WordRows, device: torch.device | str = "cpu"
    ) -> tuple[list[list[str]], np.ndarray]:
        """Return each sentence's likeliest tags, in the scheme of the data, and their probability.

        The model is left in the mode it came in.
        """
        was_training = model.training
        model.eval()
        found: list[list[str]] = [[] for _ in range(len(rows))]
        sure = np.zeros(len(rows))
        legal, starts, ends = (part.to(device) for part in self._allowed())
        with torch.inference_mode():
            for chosen in by_length(rows, WORDS_AT_ONCE):
                inputs = rows.padded(chosen).to(device)
                is_word = inputs[..., 0] > 0
                logits = model(inputs)
                values = logits.values.double()
                moves, first = logits.transitions.double(), logits.starts.double()
                path, score = viterbi(values, moves + legal, first + starts, is_word, ends)
                whole = log_partition(values, moves, first, is_word)
                sure[chosen] = (score - whole).exp().cpu().numpy()
                for row, tags in zip(chosen, path.cpu().tolist(), strict=True):
                    named = [self.tags.names[k] for k in tags if k >= 0]
                    scheme = self.tags.scheme
                    found[row] = tag_schemes.from_bioes(named, scheme) if scheme else named
        model.train(was_training)
        return found, sure

    def _allowed(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return (K, K), (K,) and (K,) float64: 0 where the scheme allows it, else `FORBIDDEN`."""
        names = ("O", *self.tags.names, "O")
        scheme = self.tags.scheme if self.is_legal else ""
        pairs = torch.tensor(tag_schemes.legal_pairs(names, scheme))
        scores = torch.where(pairs, 0.0, FORBIDDEN).double()
        return scores[1:-1, 1:-1], scores[0, 1:-1], scores[1:-1, -1]

    def answer(
        self, model: nn.Module, inputs: Sequence[str], device: torch.device | str = "cpu"
    ) -> list[Answer]:
        """Tag sentences.

        Args:
            model: the model.
            inputs: sentences, or files of them: lines of text or JSON, or columns.
            device: where to compute.

        Returns:
            For each sentence a `word TAG` line for every word; words, tags and, where tags mark
            them, chunks are in its details.

        Raises:
            DataError: for a file that cannot be read, or an input without a word.
        """
        sentences = sentences_of(inputs, self.spec)
        if not sentences:
            return []
        found, sure = self.tag(model, words.encode(sentences, self.spec), device)
        answers = []
        for sentence, tags, share in zip(sentences, found, sure, strict=True):
            lines = "\n".join(f"{word} {tag}" for word, tag in zip(sentence, tags, strict=True))
            details: list[tuple[str, Any]] = [("words", sentence), ("tags", tags)]
            if self.tags.scheme:
                spans = tag_schemes.spans_of(tags)
                shown = [[kind, " ".join(sentence[i:j])] for kind, i, j in spans]
                details.append(("chunks", shown))
            answers.append(Answer(" ".join(sentence), lines, float(share), tuple(details)))
        return answers


def likelihood(model: nn.Module, batch: Batch) -> Tensor:
    """Return minus the log-likelihood of the tags per word, shape ()."""
    assert batch.targets is not None
    logits = model(batch.inputs)
    return chain_loss(
        logits.values.float(), logits.transitions.float(), logits.starts.float(), batch.targets
    )


def scores_of(
    truth: Sequence[Sequence[str]], answers: Sequence[Sequence[str]], scheme: str, seed: int = 0
) -> tuple[Score, ...]:
    """Return all scores of tags against the true ones, the headline first."""
    num = len(truth)
    right = np.array([
        sum(a == b for a, b in zip(one, two, strict=True))
        for one, two in zip(truth, answers, strict=True)
    ])  # fmt: skip
    lengths = np.array([len(tags) for tags in truth])

    def accuracy(rows: np.ndarray) -> float:
        return float(right[rows].sum() / max(1, lengths[rows].sum()))

    every = np.arange(num)
    by_word = Score(
        "token_accuracy", accuracy(every), *resampled(accuracy, num, seed), int(lengths.sum())
    )
    if not scheme:
        return (by_word,)
    spans = tag_schemes.spans_of
    found = chunking.counts(map(spans, truth), map(spans, answers))
    scores = []
    for name, measure in (
        ("chunk_f1", chunking.f1), ("chunk_precision", chunking.precision),
        ("chunk_recall", chunking.recall),
    ):  # fmt: skip
        low, high = resampled(partial(_of_rows, measure, found), num, seed)
        scores.append(Score(name, measure(found), low, high, int(found[:, 2].sum())))
    return (*scores, by_word)


def _of_rows(measure: Callable[[np.ndarray], float], found: np.ndarray, rows: np.ndarray) -> float:
    return measure(found[rows])


def quick_look(data: TaggedData, limit: int | None) -> Tagged:
    """Return the held-out part, or so many sentences of the validation part, where there is one."""
    if limit is None:
        return data.test
    part = data.test if data.validation is None else data.validation
    if limit >= len(part):
        return part
    return part.some(np.linspace(0, len(part) - 1, limit).astype(np.int64))


def sentences_of(inputs: Sequence[str], spec: WordSpec) -> list[list[str]]:
    """Return the sentences' words: each input is one, or names a file of them.

    A file has a sentence in every line, of text or of JSON, or columns of words and tags.

    Raises:
        DataError: for a file that cannot be read or is not there, or an input without a word.
    """
    texts: list[list[str] | str] = []
    for given in inputs:
        if is_file(given):
            texts += _in_file(Path(given))
        elif not given.strip():
            raise DataError(
                "input", "a sentence, or a file with one in every line", repr(given), "write a word"
            )
        else:
            refuse_no_text(given)
            texts.append(given)
    known = frozenset(spec.words)
    return [cut(text, known) if isinstance(text, str) else text for text in texts]


def _in_file(path: Path) -> list[list[str] | str]:
    """Return the sentences of a file, cut into words where it says how."""
    if tagged_jsonl.is_jsonl_name(path.name):
        return tagged_jsonl.words_to_tag(path)
    if is_table_name(path.name) and (found := tagged_table.words_to_tag(path)) is not None:
        return found
    text = read_file(path, is_western_allowed=True).text
    if is_table_name(path.name):
        tagged_table.refuse_other(path, text)
    if tagged_columns.looks_tagged(path.name, text):
        sentences, _, _ = tagged_columns.read_columns(path, "stop", [], [])
        return [list(sentence.words) for sentence in sentences]
    return [line for line in text.split("\n") if line.strip()]


def cut(text: str, known: frozenset[str]) -> list[str]:
    """Cut a sentence at its spaces, and marks off the words that are not known with them.

    >>> cut("Mr. Hamlet left (today).", frozenset(["mr."]))
    ['Mr.', 'Hamlet', 'left', '(', 'today', ')', '.']
    >>> cut("हिन्दी है।", frozenset())
    ['हिन्दी', 'है', '।']
    """
    found: list[str] = []
    for piece in text.split():
        if words.normal(piece) in known:
            found.append(piece)
            continue
        matched = _EDGES.match(piece)
        assert matched is not None
        before, inner, after = matched.groups()
        found += _SIGNS.findall(before)
        if inner:
            found += _pieces(inner, known) if share_unspaced(inner) else [inner]
        found += _SIGNS.findall(after)
    return found


def _pieces(text: str, known: frozenset[str]) -> list[str]:
    """Cut what no blanks part into the longest known words, else into characters.

    >>> _pieces("我爱北京GPS", frozenset(["北京"]))
    ['我', '爱', '北京', 'GPS']
    """
    found: list[str] = []
    start = 0
    while start < len(text):
        matched = _PART.match(text, start)
        assert matched is not None
        end = matched.end()
        if is_unspaced(text[start]):
            ends = range(min(len(text), start + LONGEST_UNSPACED), end, -1)
            end = next((k for k in ends if words.normal(text[start:k]) in known), end)
        found.append(text[start:end])
        start = end
    return found

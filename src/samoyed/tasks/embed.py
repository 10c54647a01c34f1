"""The task: which words are alike? Vectors of words, learned from the words around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from annotated_types import Ge, Gt, Le
from jaxtyping import Float, Int
from torch import nn

from samoyed.core.errors import OptionError, did_you_mean
from samoyed.core.numbers import Count, Positive, Weight
from samoyed.core.reference import Answer, Score
from samoyed.core.settings import FROM_DATA
from samoyed.core.spec import TextSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.data.near_words import NearData, around, near_pairs, unit_length
from samoyed.data.numbered_words import Words
from samoyed.data.phrases import JOINT
from samoyed.data.word_questions import files_in, read_analogies, read_likeness
from samoyed.data.word_stretches import StretchesOfWords
from samoyed.metrics.nearness import analogy_accuracy, answered, perplexity_of, spearman

MOST_SCORED = 100_000  # held-out words
ROWS_AT_ONCE = 512  # distributions over the vocabulary
MOST_CHANCES = 1 << 21  # numbers in them; of a large vocabulary fewer are held at once

# V words, D dimensions, N words of a text


@dataclass(frozen=True)
class Embed:
    """The question: which words are alike?

    Args:
        spec: V words, and behind them the end of a sentence and the unknown.
        counts: how often training shows each of the V words.
        is_lowercase: whether letters are made small before words are counted.
        phrase_passes: how often neighbours are joined to phrases; each pass makes longer ones.
        phrase_threshold: of eq. 6's score times the number of words, above which they are.
        phrase_delta: eq. 6's discount: pairs that occur so rarely are no phrases.
        similarity: files of `word word number`, with commas between them, to score the vectors by.
        analogies: files of four words in a line, the same.
        num_answers: words that are named for each question.
        seen_at_least: how often training must have shown a word that is named as a neighbour: what
            was seen less has learned its few places by heart, and is near to whatever stood there.
            Where too few words were, all are asked.
    """

    spec: TextSpec
    counts: tuple[int, ...] = field(default=(), metadata=FROM_DATA)
    is_lowercase: bool = True
    phrase_passes: Annotated[int, Ge(0), Le(5)] = 0
    phrase_threshold: Positive = 100.0
    phrase_delta: Weight = 5.0
    similarity: str = ""
    analogies: str = ""
    num_answers: Annotated[int, Gt(0), Le(1000)] = 10
    seen_at_least: Count = 10
    name: ClassVar[str] = "embed"

    @property
    def headline(self) -> str:
        """Return the first score: how well words near a given one are foretold."""
        return "near_perplexity"

    @property
    def built_for(self) -> tuple[Any, ...]:
        """Return what a system's `build` is told of the data, after its Config."""
        return self.spec, self.counts

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words that have vectors."""
        return self.spec.symbols[:-2]

    def stages(
        self, system: Any, config: Any, data: NearData, recipe: Recipe, seed: int = 0
    ) -> Iterator[Stage]:
        """Yield the stages of training."""
        feed = StretchesOfWords(
            data.train, data.counts,
            num_words=min(recipe.batch_size, len(data.train)), stretch=system.STRETCH,
            window=config.window, threshold=config.threshold, seed=seed,
            num_shared=config.num_shared,
        )  # fmt: skip
        yield from system.stage_of(config, recipe, feed)

    def score(
        self, model: nn.Module, data: NearData, device: torch.device | str = "cpu",
        limit: int | None = None, seed: int = 0,
    ) -> tuple[Score, ...]:  # fmt: skip
        """Measure on held-out text how well near words are foretold; then by what people say.

        Args:
            model: the vectors.
            data: the text.
            device: where the model is.
            limit: read only so many held-out words, and ask no questions.
            seed: of the windows and of the intervals' bootstrap.
        """
        held = data.test.part(0, MOST_SCORED if limit is None else limit)
        ask = surprise_of_middles if _is_cbow(model) else surprise_of_near
        question = "middle" if _is_cbow(model) else "near"
        nats = ask(model, held, device, seed)
        first = perplexity_of(question, nats, len(held), seed)
        if limit is not None:
            return (first,)
        return (first, *self.questioned(vectors_of(model)))

    def questioned(self, vectors: Float[np.ndarray, "V D"]) -> list[Score]:
        """Score vectors by the files that people were asked for, where all words are known."""
        unit, scores = unit_length(vectors), []
        known = {word: code for code, word in enumerate(self.words)}
        for file in files_in(self.similarity):
            rows = [
                (known[one], known[two], value)
                for a, b, value in read_likeness(file)
                if (one := self.written(a)) in known and (two := self.written(b)) in known
            ]
            cosines = [float(unit[one] @ unit[two]) for one, two, _ in rows]
            scores.append(spearman(Path(file).stem, [row[2] for row in rows], cosines))
        for file in files_in(self.analogies):
            asked = [tuple(map(self.written, row)) for row in read_analogies(file)]
            codes = [[known[w] for w in row] for row in asked if all(w in known for w in row)]
            rows_ = np.array(codes, np.int64).reshape(-1, 4)
            right = answered(unit, rows_[:, :3]) == rows_[:, 3]
            scores.append(analogy_accuracy(Path(file).stem, int(right.sum()), len(rows_)))
        return scores

    def answer(
        self, model: nn.Module, inputs: Sequence[str], device: torch.device | str = "cpu"
    ) -> list[Answer]:
        """Name the words nearest to each word, or that answer a question of three words.

        Args:
            model: the vectors.
            inputs: "monday" asks for its neighbours, "king man woman" for v(king) - v(man) +
                v(woman), all of length one (3CosAdd).
            device: where the model is; the vectors are compared on the CPU.

        Raises:
            OptionError: for a word without a vector, or another number of words.
        """
        unit = unit_length(vectors_of(model))
        answers = []
        for text in inputs:
            codes = [self.code_of(word) for word in text.split()]
            if len(codes) not in (1, 3):
                raise OptionError(
                    "predict", "a word, or three: king man woman", repr(text),
                    "a phrase is one word with _ in it; one question in every line",
                )  # fmt: skip
            signs = [1.0] if len(codes) == 1 else [1.0, -1.0, 1.0]
            question = np.array(signs, unit.dtype) @ unit[codes]
            often = self.often_seen(self.num_answers + len(codes))
            found = nearest(unit, question, self.num_answers, codes, often)
            named = {self.words[code]: round(cosine, 4) for code, cosine in found}
            best = next(iter(named), "")
            answers.append(Answer(text, best, None, (("nearest", named),)))
        return answers

    def often_seen(self, num: int) -> Int[np.ndarray, " W"]:
        """Return the words that training showed often enough, or all where they are fewer."""
        often = np.flatnonzero(np.array(self.counts) >= self.seen_at_least)
        return often if len(often) >= num else np.arange(len(self.words))

    def written(self, word: str) -> str:
        """Return a word as the vocabulary writes it."""
        return word.lower() if self.is_lowercase else word

    def code_of(self, word: str) -> int:
        """Return a word's number: as it is written, or but for capitals and the joints of phrases.

        Raises:
            OptionError: for a word without a vector.
        """
        words, wanted = self.words, self.written(word)
        if wanted in words:
            return words.index(wanted)
        for plain in (str.lower, _as_one):
            alike = [code for code, known in enumerate(words) if plain(known) == plain(wanted)]
            if alike:
                return alike[0]
        raise OptionError(
            "predict", f"one of the {len(words):,} words that training showed often enough",
            repr(word), did_you_mean(wanted, words).strip() or "Rarer words have no vector.",
        )  # fmt: skip


def _as_one(word: str) -> str:
    return word.lower().replace(JOINT, "")


def vectors_of(model: Any) -> Float[np.ndarray, "V D"]:
    """Return the words' vectors, those that are given."""
    return model.given.weight.detach().float().cpu().numpy()


def nearest(
    unit: Float[np.ndarray, "V D"], question: Float[np.ndarray, " D"], num: int,
    but: Sequence[int], among: Int[np.ndarray, " W"] | None = None,
) -> list[tuple[int, float]]:  # fmt: skip
    """Return the words with the largest cosine with a question, and the cosines.

    Args:
        unit: vectors of length one.
        question: of any length.
        num: how many words.
        but: words that are no answer: those of the question.
        among: words that may be; all by default.
    """
    cosines = unit @ (question / max(float(np.linalg.norm(question)), 1e-12))
    asked = np.arange(len(unit)) if among is None else among
    order = asked[np.argsort(-cosines[asked], kind="stable")[: num + len(but)]]
    found = [(int(code), float(cosines[code])) for code in order if code not in but]
    return found[:num]


@torch.inference_mode()
def surprise_of_near(
    model: Any, words: Words, device: torch.device | str, seed: int = 0
) -> np.ndarray:
    """Return -log p(near | given) in nats of each pair of near words, (P,), in the text's order."""
    given, near = near_pairs(words, seed)
    nats = np.zeros(len(given))
    order = np.argsort(given, kind="stable")
    different, first = np.unique(given[order], return_index=True)
    ends = np.append(first[1:], len(order))
    at_once = _at_once(model)
    for start in range(0, len(different), at_once):
        rows = slice(start, start + at_once)
        codes = torch.as_tensor(different[rows], device=device)
        told = torch.log_softmax(model(codes).values.double(), dim=1).cpu()
        places = order[first[rows][0] : ends[rows][-1]]
        row = np.repeat(np.arange(len(codes)), (ends - first)[rows])
        nats[places] = -told[torch.as_tensor(row), torch.as_tensor(near[places])].numpy()
    return nats


@torch.inference_mode()
def surprise_of_middles(
    model: Any, words: Words, device: torch.device | str, seed: int = 0
) -> np.ndarray:
    """Return -log p(word | the words around it) in nats of each word that has any, (P,)."""
    codes, is_there = around(words, model.config.window)
    chosen = np.flatnonzero(is_there.any(axis=1))
    nats = []
    at_once = _at_once(model)
    for start in range(0, len(chosen), at_once):
        rows = chosen[start : start + at_once]
        share = torch.as_tensor(is_there[rows], device=device).float()
        share = share / share.sum(dim=1, keepdim=True)
        hidden = (share[:, None] @ model.given(torch.as_tensor(codes[rows], device=device)))[:, 0]
        told = torch.log_softmax(model.foretell(hidden).double(), dim=1)
        right = torch.as_tensor(words.codes[rows], device=device)
        nats.append(-told.gather(1, right[:, None])[:, 0].cpu())
    return torch.cat(nats).numpy() if nats else np.zeros(0)


def _at_once(model: Any) -> int:
    return max(1, min(ROWS_AT_ONCE, MOST_CHANCES // len(model.given.weight)))


def _is_cbow(model: Any) -> bool:
    return model.config.architecture == "cbow"

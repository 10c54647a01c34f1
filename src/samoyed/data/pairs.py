"""Sentence pairs to learn a translation from: read, looked through, and split."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from samoyed.core.errors import DataError, first_names
from samoyed.core.seeding import numpy_generator
from samoyed.core.spec import PairSpec
from samoyed.data import bpe, pair_columns, pair_files, scripts, words
from samoyed.data.left_out import left_out
from samoyed.data.pair_files import Lines, PairAsk

SAME_ANSWER = 0.5  # of the pairs: there is little to learn
MIN_PAIRS = 20
HELD_OUT = 0.1
MOST_HELD_OUT = 1_000
"""Without a test part a tenth of the sentences is held out, but not more than so many."""

LONGEST_WORDS = 200
UNEQUAL = 9.0
"""A pair is not learned from if one side has so many times the words of the other (as in Moses)."""

UNSPACED = 0.3
"""From this share of characters on that count as words, a sentence is not cut at its blanks."""

CHARACTERS_A_WORD = 2.0  # of such sentences, beside one that is cut

MANY_COPIES = 0.02
MOST_COMPARED = 20_000  # sentences whose words are compared
FEW_PAIRS = 2_000
WORDS_A_SYMBOL, FEWEST_SYMBOLS, MOST_SYMBOLS = 56, 500, 16_000


@dataclass(frozen=True, eq=False)
class Pairs:
    """N sentences and their translations, as texts.

    Args:
        source: N sentences.
        target: their translations.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.source)

    def some(self, places: Sequence[int] | np.ndarray) -> Pairs:
        """Return the pairs at these places."""
        return Pairs(
            tuple(self.source[k] for k in places), tuple(self.target[k] for k in places)
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class PairData:
    """Sentence pairs and the units they are written in.

    Args:
        spec: the units.
        train: pairs to learn from.
        val: pairs to look at while training; where the data has none, the held-out ones.
        test: pairs that are held out.
    """

    spec: PairSpec
    train: Pairs
    val: Pairs
    test: Pairs


@dataclass(frozen=True, eq=False)
class PairSource:
    """Pairs that were read and split.

    Args:
        name: the folder's or file's name.
        path: what was read.
        names: the two languages.
        train: pairs to learn from.
        val: pairs to look at, or none.
        test: held-out pairs.
        has_official_test: whether the data brought a test part.
        lines: what `describe` says.
        warnings: suspicious things, with lines.
        skipped: "file:line: reason" for lines left out.
        fingerprint: of the content and the direction, hexadecimal.
        places: the columns of the two sides, from 0, where one file has both.
    """

    kind: ClassVar[str] = "pairs"
    name: str
    path: str
    names: tuple[str, str]
    train: Pairs
    val: Pairs
    test: Pairs
    has_official_test: bool
    lines: tuple[str, ...]
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]
    fingerprint: str
    places: tuple[int, int] | None = None

    @property
    def num_train(self) -> int:
        """Return how many pairs there are to learn from."""
        return len(self.train)

    @property
    def spec(self) -> None:
        """Return nothing: the units are chosen when the task says of what kind they are."""

    def describe(self) -> list[str]:
        """Return what was found, line by line."""
        return list(self.lines)

    def verify(self) -> list[str]:
        """Return what is wrong: nothing more, as the scan has read every line."""
        return []

    def fit_units(self, kind: str, num_symbols: int | None) -> PairSpec:
        """Choose the units of both languages from the training part.

        Args:
            kind: "bpe", "word" or "character".
            num_symbols: of each language, or None for a number that suits the size of the data.
        """
        sides = []
        for sentences in (self.train.source, self.train.target):
            num_words = sum(map(length, sentences))
            natural = min(MOST_SYMBOLS, max(FEWEST_SYMBOLS, num_words // WORDS_A_SYMBOL))
            if kind == "word":
                natural = MOST_SYMBOLS * 2
            sides.append(bpe.fit(sentences, kind, num_symbols or natural))
        return PairSpec(self.names, sides[0], sides[1])

    def load(self, spec: PairSpec) -> PairData:
        """Return the pairs with the units they are written in."""
        return PairData(spec, self.train, self.val if len(self.val) else self.test, self.test)

    def load_to_measure(self, spec: PairSpec) -> PairData:
        """Return the test part, or where there is none of its own every pair, to be scored."""
        held = self.test
        if not self.has_official_test:
            held = Pairs(
                self.train.source + self.test.source, self.train.target + self.test.target
            )  # fmt: skip
        return PairData(spec, held, held, held)


def scan_pairs(
    path: str | Path, ask: PairAsk, *, on_bad: str = "stop", seed: int = 0
) -> PairSource:  # fmt: skip
    """Read sentence pairs, look through them, and hold some out where there is no test part.

    Raises:
        OptionError: when it is not clear which language is translated into which.
        DataError: when the pairs cannot be used.
    """
    root = Path(path)
    notes: list[str] = []
    skipped: list[str] = []
    warnings: list[str] = []
    read: dict[str, tuple[Lines, Lines]] = {}
    is_one_file = root.is_file() and pair_columns.is_columns(root)
    if is_one_file:
        one, two, names, said, bad = pair_columns.read_one_file(root, ask, on_bad)
        read["train"] = (one, two)
        notes += list(said)
        skipped += bad
    else:
        files, names = pair_files.find_parts(root, ask)
        used = [side for sides in files.values() for side in sides]
        warnings += left_out(root, used, f"sentence pairs, {names[0]} to {names[1]}")
        for part, (source, target) in files.items():
            one, two, said = pair_files.read_two_files(source, target)
            read[part] = (one, two)
            notes += list(said)
    digest = hashlib.sha256(" ".join(names).encode())
    parts: dict[str, Pairs] = {}
    for part, sides in read.items():
        for side in sides:
            digest.update(hashlib.sha256(side.data).digest())
        parts[part], bad_lines, said_of = _looked_through(part, sides)
        skipped += bad_lines
        warnings += said_of
    empty = Pairs((), ())
    train, val, test = (parts.get(part, empty) for part in pair_files.PARTS)
    has_test = len(test) > 0
    if not has_test and not ask.is_measured:
        whole = len(train)
        train, test = _held_out(root, train, seed)
        if num := whole - len(train) - len(test):
            notes.append(
                f"{num:,} further translations of held-out sentences are not used: each is scored "
                "against its first"
            )
    fewest = 1 if ask.is_measured else MIN_PAIRS
    if len(train) < fewest:
        raise DataError(
            root, f"at least {fewest} pairs to learn from or to measure on",
            f"{len(train)} usable ones", "Add more pairs.",
        )  # fmt: skip
    warnings += _suspicions(train, test, names)
    where = [f"{len(p):,} {said}" for p, said in ((val, "to look at"), (test, "held out")) if p]
    lines = [
        f"sentence pairs: {names[0]} to {names[1]}, {len(train):,} to learn from, "
        + ", ".join(where) + ("" if has_test else " (there was no test part)"),
        f"words: {_words(train.source)} in {names[0]}, {_words(train.target)} in {names[1]} "
        "for each sentence on average",
        *notes,
    ]  # fmt: skip
    name = root.name.split(".")[0] or root.resolve().name
    columns = [side.column for side in read["train"] if side.column is not None]
    places = (columns[0], columns[1]) if columns else None
    return PairSource(
        name, str(root), names, train, val, test, has_test, tuple(lines), tuple(warnings),
        tuple(skipped), digest.hexdigest(), places,
    )  # fmt: skip


def _words(sentences: Sequence[str]) -> str:
    return f"{sum(map(length, sentences)) / max(1, len(sentences)):.1f}"


def length(sentence: str) -> int:
    """Return how many words there are: what blanks part, or each character where none do.

    >>> length("the dog barks."), length("我很高兴。")
    (3, 5)
    """
    return len(words_of(sentence))


def words_of(sentence: str) -> list[str]:
    """Return what blanks part, or the single characters where none do."""
    return words.split(sentence) if is_unspaced(sentence) else sentence.split()


def is_unspaced(sentence: str) -> bool:
    """Tell whether a sentence is not cut into words at its blanks, as Chinese or Thai."""
    return not sentence.isascii() and scripts.share_unspaced(sentence) > UNSPACED


def _looked_through(part: str, sides: tuple[Lines, Lines]) -> tuple[Pairs, list[str], list[str]]:
    """Leave out pairs with an empty side and, of those to learn from, unequal and long ones.

    Returns:
        The pairs, "file:line: reason" for what was left out, and warnings that count it.
    """
    one, two = sides
    kept: list[int] = []
    reasons: dict[str, list[int]] = {}
    for place, (source, target) in enumerate(zip(one.lines, two.lines, strict=True)):
        reason = _reason(source, target, part)
        if reason is None:
            kept.append(place)
        else:
            reasons.setdefault(reason, []).append(place)
    left_out = [
        f"{one.place}:{one.numbers[place]}: {reason}"
        for reason, places in reasons.items() for place in places
    ]  # fmt: skip
    warnings = []
    for reason, places in reasons.items():
        numbers = first_names([str(one.numbers[place]) for place in places], most=5)
        warnings.append(
            f"{one.place.name}: {len(places):,} of {len(one.lines):,} pairs left out, {reason} "
            f"(line{'s' if len(places) > 1 else ''} {numbers})"
        )
    pairs = Pairs(tuple(one.lines), tuple(two.lines)).some(kept)
    return pairs, left_out, warnings


def _reason(source: str, target: str, part: str) -> str | None:
    """Return why a pair is left out, or None."""
    if not source.strip() or not target.strip():
        return "a side is empty"
    if part != "train":
        return None
    few, many = sorted((length(source), length(target)))
    if many > LONGEST_WORDS:
        return f"a side has more than {LONGEST_WORDS} words"
    are_alike = is_unspaced(source) == is_unspaced(target)
    if many > UNEQUAL * few * (1 if are_alike else CHARACTERS_A_WORD):
        return "the sides' lengths differ wildly"
    return None


def _held_out(root: Path, pairs: Pairs, seed: int) -> tuple[Pairs, Pairs]:
    """Hold some out, with the first of their translations; a sentence stays on one side.

    Raises:
        DataError: when there are too few different sentences.
    """
    groups: dict[str, list[int]] = {}
    for place, sentence in enumerate(pairs.source):
        groups.setdefault(sentence, []).append(place)
    distinct = list(groups.values())
    num = min(MOST_HELD_OUT, int(len(distinct) * HELD_OUT))
    if num < 2:
        raise DataError(
            root, "at least 20 different sentences", f"{len(distinct)}",
            "There is too little to learn from and to hold out; add more pairs.",
        )  # fmt: skip
    order = numpy_generator(seed, "held-out pairs").permutation(len(distinct))
    held = {place for k in order[:num] for place in distinct[k]}
    test = [distinct[k][0] for k in sorted(order[:num])]
    return pairs.some([k for k in range(len(pairs)) if k not in held]), pairs.some(test)


def _suspicions(train: Pairs, test: Pairs, names: tuple[str, str]) -> list[str]:
    """Return warnings about copies, sides that are the same, and few pairs."""
    warnings = []
    known = dict.fromkeys(zip(train.source, train.target, strict=True))
    copied = [k for k, pair in enumerate(zip(test.source, test.target, strict=True))
              if pair in known]  # fmt: skip
    sources = set(train.source)
    seen = [k for k, sentence in enumerate(test.source) if sentence in sources]
    if seen:
        warnings.append(
            f"{len(seen):,} of {len(test):,} held-out sentences are in the training part too, "
            f"{len(copied):,} with the same translation (e.g. “{test.source[seen[0]][:60]}”): the "
            "scores flatter by so much"
        )
    repeated = len(train) - len(known)
    if repeated > MANY_COPIES * len(train):
        warnings.append(f"{repeated:,} of {len(train):,} training pairs are copies of others")
    same = [k for k, pair in enumerate(zip(train.source, train.target, strict=True))
            if pair[0] == pair[1]]  # fmt: skip
    if len(same) > MANY_COPIES * len(train):
        warnings.append(
            f"{len(same):,} of {len(train):,} training pairs are the same on both sides: is "
            f"{names[1]} really a translation? (e.g. “{train.source[same[0]][:60]}”)"
        )
    word, num = Counter(train.target).most_common(1)[0]
    if num > SAME_ANSWER * len(train):
        warnings.append(
            f"{num:,} of {len(train):,} training pairs have the same translation, “{word[:60]}”"
        )
    if len(train) < FEW_PAIRS:
        warnings.append(
            f"only {len(train):,} pairs to learn from: expect a phrase book, not a translator"
        )
    return warnings + _unlike_training(train, test, names)


def _unlike_training(train: Pairs, test: Pairs, names: tuple[str, str]) -> list[str]:
    """Warn where the held-out pairs have their sides exchanged, or one of them twice."""
    same = sum(one == two for one, two in zip(test.source, test.target, strict=True))
    if same > SAME_ANSWER * len(test):
        return [
            f"{same:,} of {len(test):,} held-out pairs are the same on both sides: is there a copy "
            "of one language in the place of the other? The scores mean nothing then"
        ]
    known = [_vocabulary(side[:MOST_COMPARED]) for side in (train.source, train.target)]
    held = [_vocabulary(side[:MOST_COMPARED]) for side in (test.source, test.target)]
    right = sum(len(mine & theirs) for mine, theirs in zip(held, known, strict=True))
    wrong = sum(len(mine & theirs) for mine, theirs in zip(held, known[::-1], strict=True))
    if wrong <= 2 * right:
        return []
    return [
        f"the held-out pairs seem to have their sides exchanged: their {names[0]} has the words of "
        f"{names[1]} to learn from, and the other way about ({wrong:,} words, {right:,} as they "
        "stand)"
    ]


def _vocabulary(sentences: Sequence[str]) -> set[str]:
    return {word for sentence in sentences for word in words_of(sentence.lower())}


def shortened(data: PairData, limit: int) -> PairData:
    """Return the data with only the first pairs to score."""
    return replace(data, test=data.test.some(range(min(limit, len(data.test)))))

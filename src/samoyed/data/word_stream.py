"""Text as a stream of words: its vocabulary, its parts, and the numbers of its words.

The words are those of the training part, from the most frequent to the rarest; one more, `<unk>`,
stands for all others, and `<eos>` ends each sentence, or what stands for one: a line of a text that
was cut into sentences, a paragraph of one that was not. The held-out parts have no say in the
vocabulary. The Brown corpus is the exception, where Bengio et al. 2003 (sec. 4) counted in the
whole of it and merged what occurs three times or less.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from samoyed.core.errors import DataError
from samoyed.core.spec import SENTENCE_END, TextSpec
from samoyed.data.corpora import (
    NUM_BROWN,
    Contents,
    Corpus,
    TextAsk,
    is_tagged,
    read_corpus,
    untagged,
)
from samoyed.data.scripts import LETTERS, SIGN, SINGLE, UNSPACED, is_plain
from samoyed.data.text import TextData, copied_share, line_end

UNKNOWN_WORD = "<unk>"
"""The word that stands for every word that is not in the vocabulary."""

BROWN_TRAIN, BROWN_VALID = 800_000, 200_000
BROWN_MIN_COUNT = 4
"""Words that the whole corpus shows less often are merged (Bengio et al. 2003, sec. 4)."""

MIN_COUNT = 3
"""The same in a text that was not cut into words before; counted in its training part."""

MAX_WORDS = 50_000
HELD_OUT = 0.1
VALIDATION = 0.05
"""Shares of a stream of words: the last tenth is held out, a twentieth before it is for choices."""

MIN_WORDS = 1_000
FEW_WORDS = 20_000
COPY_LENGTH = 16
"""Held-out stretches of this many words are looked for in the training part."""

_PLAIN = re.compile(r"<\w+>|\w+(?:['’]\w+)*|[^\w\s]")
_WORD = re.compile(rf"<\w+>|{LETTERS}(?:['’]{LETTERS})*|{SINGLE}|{SIGN}")
_WIDE = "，。、；：！？」』》〉】）"  # signs behind which no space stands either
_NO_SPACE_BEFORE = re.compile(
    rf" (?=[.,;:!?)\]}}»”%…।،؛؟{_WIDE}]|['’](?:s|t|d|ll|re|ve|m)\b)"
    rf"|(?<=[{UNSPACED}{_WIDE}]) (?=[{UNSPACED}「『《〈【（])"
)
_NO_SPACE_AFTER = re.compile(r"([(\[{«“「『《〈【（]) ")


@dataclass(frozen=True)
class WordSource:
    """What a scan found; `load` turns it into numbers.

    Args:
        name: file or folder name without ending.
        path: what was scanned.
        corpus: how it lies.
        ask: what was said about it.
        why: why its unit is the word.
        spec: the vocabulary.
        num_train: words in the training part.
        num_valid: words in the part to choose dials by.
        num_test: words in the held-out part.
        how: how it was split.
        unknown: shares of `<unk>` in the training and in the held-out part.
        notes: what was put right.
        warnings: what looks suspicious.
        skipped: "file: reason" for files left out.
        fingerprint: SHA-256 of the bytes, and of what was said about them.
    """

    kind: ClassVar[str] = "text"
    name: str
    path: str
    corpus: Corpus
    ask: TextAsk
    why: str
    spec: TextSpec
    num_train: int
    num_valid: int
    num_test: int
    how: str
    unknown: tuple[float, float]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]
    fingerprint: str

    def describe(self) -> list[str]:
        """Return what was found, line by line."""
        files = self.corpus.files
        where = str(files[0]) if len(files) == 1 else f"{len(files):,} files"
        total = self.num_train + self.num_valid + self.num_test
        shown = " ".join(self.spec.symbols[:12])
        return [
            f"text: {total:,} words in {where}, {SENTENCE_END} included; the unit is the word: "
            f"{self.why}",
            f"vocabulary: {len(self.spec):,} words ({shown} …); {UNKNOWN_WORD} stands for all "
            f"others, {self.unknown[0]:.1%} of training and {self.unknown[1]:.1%} of the test part",
            f"training: {self.num_train:,} words; validation: {self.num_valid:,}; held out: "
            f"{self.num_test:,} ({self.how})",
            *self.notes,
        ]

    def verify(self) -> list[str]:
        """Return what is wrong: nothing more, as the scan has read every byte."""
        return []

    def load(self) -> TextData:
        """Read the files again and number their words.

        Raises:
            DataError: if they are no longer what was scanned.
        """
        contents = read_corpus(self.corpus, "skip" if self.skipped else "stop")
        if contents.fingerprint(_said(self.ask)) != self.fingerprint:
            raise DataError(
                self.path, "the files that were scanned", "their contents have changed",
                "Run the command again.",
            )  # fmt: skip
        parts = _parts(self.corpus, as_lines(self.corpus, contents), self.spec.cut)
        train, valid, test = (encode_words(part, self.spec) for part in parts)
        return TextData(self.spec, train, test, valid)

    def load_to_measure(self, spec: TextSpec) -> TextData:
        """Number the words by another text's vocabulary: the test part, or all where there is none.

        The lead is the end of a sentence.
        """
        contents = read_corpus(self.corpus, "skip" if self.skipped else "stop")
        texts = as_lines(self.corpus, contents)
        if self.has_test:
            texts = [(part, text) for part, text in texts if part == "test"]
        words = [word for _, text in texts for word in words_of(text, spec.cut)]
        return TextData(spec, line_end(spec), encode_words(words, spec))

    @property
    def has_test(self) -> bool:
        """Tell whether the data brought a test part of its own."""
        return self.corpus.layout == "parts"


def scan_words(corpus: Corpus, contents: Contents, ask: TextAsk, why: str) -> WordSource:
    """Cut a text into words, split it and choose its vocabulary.

    Args:
        corpus: how it lies.
        contents: what was read of it.
        ask: what was said about it.
        why: why its unit is the word.

    Raises:
        DataError: if there are too few words.
    """
    texts = as_lines(corpus, contents)
    cut = cut_of(corpus, contents)
    train, valid, test = parts = _parts(corpus, texts, cut)
    total = sum(map(len, parts))
    for part, name in ((parts[0], "to learn from"), (parts[2], "to test on")):
        least = MIN_WORDS if part is train else 1
        if len(part) < least or total < MIN_WORDS:
            raise DataError(
                corpus.path, f"at least {least:,} words {name}", f"{len(part):,}",
                "There is too little; add more text"
                + ("." if ask.is_of_words else ", or read its characters: --set unit=character."),
            )  # fmt: skip
    spec, cut_off, warnings = _vocabulary(corpus, parts, cut, ask)
    codes = [encode_words(part, spec) for part in parts]
    notes = [*contents.notes, *([cut_off] if cut_off else [])]
    root = corpus.path
    return WordSource(
        name=root.name.split(".")[0] or root.resolve().name,
        path=str(root),
        corpus=corpus,
        ask=ask,
        why=why,
        spec=spec,
        num_train=len(train),
        num_valid=len(valid),
        num_test=len(test),
        how=_HOW[corpus.layout],
        unknown=(_share_unknown(codes[0], spec), _share_unknown(codes[2], spec)),
        notes=tuple(notes),
        warnings=(*corpus.warnings, *warnings, *_suspicions(corpus, contents, codes, spec, ask)),
        skipped=tuple(contents.skipped),
        fingerprint=contents.fingerprint(_said(ask)),
    )


def words_of(text: str, cut: str) -> list[str]:
    r"""Cut a text into words, `SENTENCE_END` at line ends; lines without words are passed over.

    >>> words_of("It's cold, he said.\n\nYes", "punctuation")
    ["It's", 'cold', ',', 'he', 'said', '.', '<eos>', 'Yes']
    >>> words_of("犬が走る。", "punctuation")
    ['犬', 'が', '走', 'る', '。']
    """
    text = re.sub(r"\n\s*\n", "\n", text).lstrip("\n").replace("\n", f" {SENTENCE_END} ")
    if cut == "spaces":
        return text.split()
    return (_PLAIN if is_plain(text) else _WORD).findall(text)


def encode_words(words: Sequence[str], spec: TextSpec) -> np.ndarray:
    """Return the words' numbers, (N,) int32; the last stands for those not in the vocabulary.

    Where the vocabulary hardly knows capitals, a word that it does not know is looked up without.
    """
    numbers, is_lower = _numbers(spec)
    unknown = len(spec) - 1
    if is_lower:
        found = [numbers.get(w, numbers.get(w.lower(), unknown)) for w in words]
    else:
        found = [numbers.get(word, unknown) for word in words]
    return np.array(found, dtype=np.int32)


def join_words(words: Sequence[str], cut: str) -> str:
    r"""Write words as a text.

    >>> join_words(["it", "(", "was", ")", "cold", ".", "<eos>", "yes"], "punctuation")
    'it (was) cold.\nyes'
    """
    text = re.sub(rf" ?{SENTENCE_END} ?", "\n", " ".join(words))
    if cut == "punctuation":
        text = _NO_SPACE_AFTER.sub(r"\1", _NO_SPACE_BEFORE.sub("", text))
    return text


@lru_cache(maxsize=8)
def _numbers(spec: TextSpec) -> tuple[dict[str, int], bool]:
    """Return the number of every word, and whether hardly any has a capital letter."""
    num_capital = sum(word != word.lower() for word in spec.symbols)
    return {word: n for n, word in enumerate(spec.symbols)}, num_capital < 0.01 * len(spec)


_HOW = {
    "stream": "the last tenth, and a twentieth before it for choices",
    "parts": "official parts",
    "brown": "first 800,000, next 200,000 and the rest, as Bengio et al. 2003",
}


def as_lines(corpus: Corpus, contents: Contents) -> list[tuple[str, str]]:
    """Return (part, text) of every file, one sentence or paragraph a line, the last one ended."""
    found = []
    for part, text in contents.texts:
        if corpus.layout == "brown" or is_tagged(text[:20_000].split()):
            text = untagged(text)
        else:
            text = _joined_paragraphs(text)
        found.append((part, text if text.endswith("\n") else text + "\n"))
    return found


def _joined_paragraphs(text: str) -> str:
    """Join the lines of paragraphs, where blank lines part them."""
    start = text[:200_000]
    num_lines, num_blank = start.count("\n") + 1, len(re.findall(r"\n[ \t]*\n", start))
    if num_blank < 0.02 * num_lines:
        return text
    paragraphs = re.split(r"\n[ \t]*\n\s*", text)
    return "".join(p.replace("\n", " ") + "\n" for p in paragraphs if p.strip())


def cut_of(corpus: Corpus, contents: Contents) -> str:
    """Tell how words are told apart: a text that was cut before is cut at spaces."""
    start = contents.texts[0][1][:200_000]
    tokens = start.split()
    if corpus.layout == "brown" or is_tagged(tokens[:5_000]) or UNKNOWN_WORD in tokens:
        return "spaces"
    num_apart = len(re.findall(r"(?<=\s)[.,。，、](?=\s|$)", start))
    num_joined = len(re.findall(r"(?<=[^\W_])(?:[.,](?=\s|$)|[。，、])", start))
    return "spaces" if num_apart > num_joined else "punctuation"


def _parts(corpus: Corpus, texts: Sequence[tuple[str, str]], cut: str) -> list[list[str]]:
    """Return the words of the training, the validation and the test part."""
    words = {"": [], "train": [], "valid": [], "test": []}  # type: dict[str, list[str]]
    for part, text in texts:
        words[part] += words_of(text, cut)
    if corpus.layout == "brown":
        stream, first = words[""], BROWN_TRAIN
        second = first + BROWN_VALID
        if second < len(stream):
            return [stream[:first], stream[first:second], stream[second:]]
    if corpus.layout == "parts":
        if not words["valid"]:
            place = _after_end(words["train"], 1 - VALIDATION)
            words["train"], words["valid"] = words["train"][:place], words["train"][place:]
        return [words["train"], words["valid"], words["test"]]
    stream = words[""]
    first, second = (_after_end(stream, 1 - HELD_OUT - v) for v in (VALIDATION, 0))
    return [stream[:first], stream[first:second], stream[second:]]


def _after_end(words: Sequence[str], share: float) -> int:
    """Return the place after the first end of a sentence beyond a share of the words."""
    place = int(len(words) * share)
    try:
        found = words.index(SENTENCE_END, place) + 1
    except ValueError:
        return place
    return found if found < len(words) - 1 and found - place < 0.02 * len(words) else place


def _vocabulary(
    corpus: Corpus, parts: Sequence[Sequence[str]], cut: str, ask: TextAsk
) -> tuple[TextSpec, str, list[str]]:
    """Choose the words; return them, what was cut off in words, and warnings."""
    counts = Counter(parts[0])
    for part in parts[1:] if corpus.layout == "brown" else ():
        counts.update(part)
    return vocabulary_of(corpus, counts, cut, ask.min_count)


def vocabulary_of(
    corpus: Corpus, counts: Counter[str], cut: str, min_count: int | None
) -> tuple[TextSpec, str, list[str]]:
    """Choose the words by how often they occur.

    Args:
        corpus: how the text lies.
        counts: of every word; changed.
        cut: how words are told apart.
        min_count: words that occur less often are unknown; None lets the data decide.

    Returns:
        The vocabulary, what was cut off in words, and warnings.
    """
    is_brown = corpus.layout == "brown"
    num_distinct = len(counts)
    was_cut = counts.pop(UNKNOWN_WORD, 0) > 0
    usual = BROWN_MIN_COUNT if is_brown else 1 if was_cut else MIN_COUNT
    least = usual if min_count is None else min_count
    frequent = sorted(
        (word for word, count in counts.items() if count >= least),
        key=lambda word: (-counts[word], word),
    )
    warnings = []
    if len(frequent) > MAX_WORDS:
        warnings.append(f"of {len(frequent):,} words the {MAX_WORDS:,} most frequent are kept")
    if not frequent:
        raise DataError(
            corpus.path, f"words that occur {least} times or more", "none",
            "Take a smaller --set min_count.",
        )  # fmt: skip
    where = "the corpus" if is_brown else "training"
    note = f"of {num_distinct:,} different words, those that {where} shows less than {least} "
    note += f"times are {UNKNOWN_WORD}"
    kind = "spaces" if cut == "spaces" else "punctuation"
    spec = TextSpec((*frequent[:MAX_WORDS], UNKNOWN_WORD), "word", kind)  # type: ignore[arg-type]
    return spec, note if least > 1 else "", warnings


def _share_unknown(codes: np.ndarray, spec: TextSpec) -> float:
    return float((codes == len(spec) - 1).mean()) if len(codes) else 0.0


def _suspicions(
    corpus: Corpus, contents: Contents, codes: Sequence[np.ndarray], spec: TextSpec, ask: TextAsk
) -> list[str]:
    """Return warnings about size, missing files, copies across the split and unknown words."""
    warnings = []
    train, _, test = codes
    if len(train) < FEW_WORDS:
        warnings.append(
            f"only {len(train):,} words to learn from: expect little more than word frequencies"
            + ("" if ask.is_of_words else "; --set unit=character learns more from so small a text")
        )
    if corpus.layout == "brown" and len(contents.texts) != NUM_BROWN:
        warnings.append(f"the Brown corpus has {NUM_BROWN} texts, here are {len(contents.texts)}")
    share = copied_share(train, test, COPY_LENGTH)
    if share > 0.02:
        warnings.append(
            f"{share:.0%} of the held-out part are copies of {COPY_LENGTH} words or more from the "
            "training part: the scores will flatter"
        )
    unknown = _share_unknown(test, spec)
    if unknown > 0.2:
        warnings.append(
            f"{unknown:.0%} of the held-out words are unknown, which flatters the perplexity: "
            "compare it only with models of the same vocabulary"
        )
    return warnings


def _said(ask: TextAsk) -> str:
    """Return what decides the numbers besides the bytes."""
    return f"word {ask.min_count}"

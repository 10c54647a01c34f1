"""How a text lies: in one stream, in official parts by file name, or as the Brown corpus.

* `ptb.train.txt`, `ptb.valid.txt`, `ptb.test.txt` (any stem or none; also `val` or `dev`,
  `.tokens`, `.gz`) in one folder are official parts, as of the Penn Treebank in Mikolov's form.
  A part may be several files (`one_train.txt`, `two_train.txt`, `one_test.txt`, ...); every file
  but a README says which it is, or all are one stream, with a warning.
* The Brown corpus is 500 files `ca01` to `cr09` of word/tag, or an archive of them; it is split as
  Bengio et al. 2003 (A neural probabilistic language model, JMLR 3:1137, sec. 4) split it: the
  first 800,000 words to learn from, the next 200,000 to choose dials by, the rest to test on.
* Anything else is one stream, read in the order of the files' names.

What it is cut into follows from what it holds, see `unit_of`.
"""

from __future__ import annotations

import hashlib
import lzma
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from samoyed.core.errors import DataError, OptionError, first_names
from samoyed.core.spec import OnBad, Unit
from samoyed.data.left_out import is_about, left_out
from samoyed.data.text_files import Reading, decode_bytes, find_files, read_text

Layout = Literal["stream", "parts", "brown"]

ARCHIVES = (".tar", ".tar.xz", ".tar.gz", ".tgz", ".tar.bz2")
NUM_BROWN = 500
MIN_BROWN = 10
"""With so many files of the Brown corpus a folder is taken for it; `NUM_BROWN` are expected."""

_PART_NAME = re.compile(
    r"(?:^|[._-])(train|valid|val|dev|test)\.(?:txt|text|tokens|jsonl)(?:\.gz)?$"
)
_BROWN_NAME = re.compile(r"^c[a-r]\d\d$")
_PARTS = {"train": "train", "valid": "valid", "val": "valid", "dev": "valid", "test": "test"}
_TAGGED = re.compile(r"^\S+/[A-Za-z.,:()'`*$+-]+$")
_LOOKED_AT = 200_000
"""Characters at the beginning that decide the unit."""


@dataclass(frozen=True)
class Corpus:
    """Where a text lies and how it is divided.

    Args:
        path: what was named.
        layout: how it lies.
        files: the files in reading order; an archive is one file.
        parts: of a text in parts: which part each file is, those of one part together.
        warnings: what the names of the files leave in doubt.
    """

    path: Path
    layout: Layout
    files: tuple[Path, ...]
    parts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """Say which files are which part, where a part is several."""
        if not division(self.parts):
            return []
        nums = Counter(self.parts)
        return ["parts by file name: " + ", ".join(f"{n:,} {part}" for part, n in nums.items())]


@dataclass
class Contents:
    """What was read of a corpus.

    Args:
        texts: (part, text) of every file; the part is "" where the corpus has no official ones.
        data: the bytes, for the fingerprint, in reading order.
        notes: what was put right.
        skipped: "file: reason" for files left out.
        files: the files that were read.
    """

    texts: list[tuple[str, str]] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def fingerprint(self, said: str = "") -> str:
        """Return the SHA-256 of the bytes and of what was said about them, hexadecimal."""
        digest = hashlib.sha256()
        for data in self.data:
            digest.update(data)
        digest.update(said.encode() + division([part for part, _ in self.texts]))
        return digest.hexdigest()

    def joined(self) -> tuple[str, dict[str, int]]:
        """Return all of the text, a line end between files, and the length of each part."""
        pieces: list[str] = []
        lengths = {"": 0, "train": 0, "valid": 0, "test": 0}
        for part, text in self.texts:
            is_last_open = bool(pieces) and not pieces[-1].endswith("\n")
            pieces.append("\n" + text if is_last_open else text)
            lengths[part] += len(pieces[-1])
        return "".join(pieces), lengths


@dataclass(frozen=True)
class TextAsk:
    """What a user may say about a text, by `--set`.

    Args:
        unit: what it is cut into, or None to let the data decide.
        min_count: words that training shows less often are unknown; None lets the data decide.
        is_of_words: whether the question is about words, whatever the text.
    """

    unit: Unit | None = None
    min_count: int | None = None
    is_of_words: bool = False

    @property
    def why(self) -> str:
        """Return why the unit is what was said."""
        return "vectors are of words" if self.is_of_words else "as asked"


def find_corpus(path: Path) -> Corpus:
    """Find out how a text lies.

    Raises:
        DataError: if there is no text.
    """
    if path.is_dir():
        brown = sorted(file for file in path.iterdir() if _BROWN_NAME.match(file.name))
        if len(brown) >= MIN_BROWN:
            return Corpus(path, "brown", tuple(brown))
        archives = [file for file in sorted(path.iterdir()) if is_brown_archive(file)]
        if len(archives) == 1:
            return Corpus(path, "brown", tuple(archives))
    elif is_brown_archive(path):
        return Corpus(path, "brown", (path,))
    files = find_files(path)
    found = [(part, file) for file in files if (part := _part_of(file))]
    others = [f for f in files if not _part_of(f) and not is_about(f.name)]
    if {"train", "test"} <= {part for part, _ in found} and not others:
        order = ("train", "valid", "test")
        found.sort(key=lambda pair: order.index(pair[0]))  # the names stay in order within each
        files, parts = [file for _, file in found], tuple(part for part, _ in found)
        unused = left_out(path, files, "a text to continue")
        return Corpus(path, "parts", tuple(files), parts, warnings=unused)
    doubts = (*_doubts(found, others), *left_out(path, files, "a text to continue"))
    return Corpus(path, "stream", tuple(files), warnings=doubts)


def _part_of(file: Path) -> str:
    """Return which part a file is by its name, or nothing."""
    match = _PART_NAME.search(file.name.lower())
    return _PARTS[match[1]] if match else ""


def _doubts(found: Sequence[tuple[str, Path]], others: Sequence[Path]) -> tuple[str, ...]:
    """Warn where names of files speak of parts and yet no division follows from them."""
    names = first_names([file.name for _, file in found], most=3)
    if found and others:
        unnamed = first_names([file.name for file in others], most=3)
        return (
            f"{names} say in their names which part they are, others do not: {unnamed}; all are "
            "taken as one text, of which the end is held out",
        )  # fmt: skip
    parts = {part for part, _ in found}
    if parts - {"train"}:  # as train and valid, or test alone
        missing = "test" if "train" in parts else "train"
        return (
            f"{names} {'say in their names' if len(found) > 1 else 'says in its name'} which part "
            f"{'they are' if len(found) > 1 else 'it is'}, but none is {missing}: all is taken as "
            "one text, of which the end is held out",
        )  # fmt: skip
    return ()


def division(parts: Sequence[str]) -> bytes:
    """Return what tells one division of several files into parts from another, for fingerprints."""
    return repr(list(parts)).encode() if any(parts) and len(set(parts)) < len(parts) else b""


def is_brown(path: Path) -> bool:
    """Tell whether this is the Brown corpus: an archive, or a folder of it or of its files."""
    if not path.is_dir():
        return is_brown_archive(path)
    try:
        names = [file.name for file in path.iterdir()]
    except OSError:
        return False
    is_unpacked = sum(bool(_BROWN_NAME.match(name)) for name in names) >= MIN_BROWN
    return is_unpacked or any(is_brown_archive(path / name) for name in names)


def is_brown_archive(path: Path) -> bool:
    """Tell by the name whether a file is an archive of the Brown corpus."""
    name = path.name.lower()
    return name.startswith("brown") and name.endswith(ARCHIVES) and path.is_file()


def read_corpus(corpus: Corpus, on_bad: OnBad) -> Contents:
    """Read every file of a corpus.

    Raises:
        DataError: for what cannot be read, with file, line and byte.
    """
    found = Contents()
    if corpus.layout == "brown" and len(corpus.files) == 1:
        _read_archive(corpus.files[0], found)
        return found
    parts = corpus.parts or ("",) * len(corpus.files)
    found.notes += corpus.notes
    for file, part in zip(corpus.files, parts, strict=True):
        try:
            reading = read_text(file)
        except DataError as error:
            if on_bad == "stop" or parts.count(part) == 1:
                raise
            found.skipped.append(f"{file}: {error.found}")
            continue
        _keep(found, reading, part, file)
    if {part for part, _ in found.texts} != set(parts):
        raise DataError(
            corpus.files[0].parent,
            "at least one readable text file" + (" of each part" if corpus.parts else ""),
            f"{len(found.skipped)} files, all of them bad; the first: {found.skipped[0]}",
            "Leave out --on-bad skip to see what is wrong with each.",
        )
    return found


def unit_of(corpus: Corpus, text: str) -> tuple[Unit, str]:
    """Choose what a text is cut into, and say why.

    Args:
        corpus: how it lies.
        text: its beginning.
    """
    if corpus.layout == "brown":
        return "word", "the Brown corpus is written word/tag"
    tokens = text[:_LOOKED_AT].split()
    num_unknown = tokens.count("<unk>")
    if num_unknown >= 3 and num_unknown > len(tokens) / 10_000:
        return "word", f"it was cut into words before: {num_unknown:,} of its first words are <unk>"
    if is_tagged(tokens):
        return "word", "it is written word/tag"
    return "character", "it is plain text; --set unit=word reads words"


def is_tagged(tokens: Sequence[str]) -> bool:
    """Tell whether nearly all of these are word/tag."""
    return len(tokens) >= 50 and sum(bool(_TAGGED.match(t)) for t in tokens) > 0.97 * len(tokens)


def untagged(text: str) -> str:
    r"""Return a word/tag text without its tags, one paragraph a line.

    >>> untagged("\n\n\tThe/at jury/nn said/vbd\nit/pps did/dod ./.\n\n\n\tA/at b//nn\n")
    'The jury said it did .\nA b/\n'
    """
    paragraphs = [block.split() for block in re.split(r"\n\s*\n", text)]
    lines = (" ".join(token.rpartition("/")[0] for token in p) for p in paragraphs if p)
    return "".join(line + "\n" for line in lines)


def ask_of(settings: Any, is_of_words: bool = False) -> TextAsk:
    """Take what was said about a text from the `--set` values.

    Args:
        settings: the values.
        is_of_words: whether the question is about words.

    Raises:
        OptionError: for a unit that is none, or a count below one.
    """
    unit, min_count = settings.get("unit"), settings.get("min_count")
    if unit == "bpe":  # of sentence pairs only, see `refuse_units`
        unit = None
    if is_of_words and unit not in (None, "word"):
        raise OptionError("--set unit", "word: vectors are of words", repr(unit), "leave it out")
    if is_of_words:
        return TextAsk("word", _count_of(min_count), is_of_words=True)
    if unit not in (None, "character", "byte", "word"):
        raise OptionError("--set unit", "character, byte or word", repr(unit))
    return TextAsk(unit, _count_of(min_count))


def _count_of(min_count: Any) -> int | None:
    """Return a count of one or more, or None.

    Raises:
        OptionError: for anything else.
    """
    is_count = isinstance(min_count, int) and not isinstance(min_count, bool) and min_count >= 1
    if min_count is not None and not is_count:
        raise OptionError(
            "--set min_count", "a whole number from 1", repr(min_count), "min_count=2, say"
        )
    return min_count


def refuse_units(kind: str, settings: Any) -> None:
    """Raise for what was said about units to data that is not cut into any.

    Args:
        kind: of the data.
        settings: the `--set` values.

    Raises:
        OptionError: naming the setting and the data.
    """
    holds = {"text": ("unit", "min_count"), "pairs": ("unit",)}.get(kind, ())
    for name in ("unit", "min_count"):
        if settings.get(name) is not None and name not in holds:
            raise OptionError(
                f"--set {name}", "a text to continue", f"data of another kind ({kind})",
                "leave it out: nothing here is cut into such units",
            )  # fmt: skip
    if kind == "text" and settings.get("unit") == "bpe":
        raise OptionError("--set unit", "character, byte or word", "'bpe'")


def _keep(found: Contents, reading: Reading, part: str, file: Path) -> None:
    """Add what was read of a file."""
    found.texts.append((part, reading.text))
    found.data.append(reading.data)
    found.notes.extend(reading.notes)
    if file not in found.files:
        found.files.append(file)


def _read_archive(path: Path, found: Contents) -> None:
    """Read the files of the Brown corpus from an archive, in the order of their names."""
    hint = "Fetch it again, or unpack it and give the folder."
    texts: dict[str, Reading] = {}
    try:
        with tarfile.open(path) as archive:  # in its own order: going back would unpack it again
            for member in archive:
                name = Path(member.name).name
                if member.isfile() and _BROWN_NAME.match(name):
                    file = archive.extractfile(member)
                    assert file is not None
                    texts[name] = decode_bytes(path / name, file.read())
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        raise DataError(path, "an undamaged tar archive", str(error), hint) from error
    for name in sorted(texts):
        _keep(found, texts[name], "", path)
    if not found.texts:
        raise DataError(
            path, "the files of the Brown corpus, ca01 to cr09", "none of them", hint
        )  # fmt: skip

"""Which files and folders are labelled or tagged text or trees, and not a text to continue."""

from __future__ import annotations

import gzip
import shlex
import zlib
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from samoyed.core.errors import DataError, OptionError
from samoyed.data import (
    labelled_folders,
    labelled_lines,
    tagged_columns,
    tagged_jsonl,
    tagged_table,
)  # fmt: skip
from samoyed.data.table_files import is_table_name
from samoyed.data.tree_text import looks_bracketed

if TYPE_CHECKING:
    from samoyed.data.tables import TableAsk

TextKind = Literal["labelled_text", "tagged_text", "trees"]
LOOKED_AT_BYTES = 1 << 20
_OTHER_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm",
    ".bin", ".npy", ".npz", ".pt", ".wav", ".flac", ".mp3", ".zip", ".tar", ".xz",
)  # fmt: skip


def kind_of_texts(path: Path, ask: TableAsk) -> TextKind | None:
    """Tell whether this is labelled or tagged text or trees, or neither.

    Args:
        path: a file or a folder.
        ask: what was said; a task decides where two kinds fit.

    Raises:
        DataError: where it may be labelled text or a text to continue, and nothing was said.
    """
    if ask.task == "continue_text":
        return None
    try:
        if path.is_dir():
            return _kind_of_folder(path, ask)
        if path.is_file():
            return _kind_of_file(path, ask)
    except OSError:
        return None  # whoever reads it says what is wrong
    return None


def scan_texts(path: Path, kind: TextKind, ask: TableAsk, *, on_bad: str, seed: int) -> Any:
    """Scan labelled or tagged text, or trees.

    Raises:
        DataError: for what cannot be learned from.
        OptionError: for options that do not fit.
    """
    if kind == "labelled_text":
        for option, value in (("target", ask.target), ("input", ask.input)):
            _refuse(option, value, "labelled text, in which nothing is to be chosen")
        from samoyed.data.labelled_text import scan_labelled_text

        found = scan_labelled_text(path, test=ask.test, on_bad=on_bad, seed=seed)
        return replace(found, warnings=(*_tagged(path), *found.warnings))
    if kind == "trees":
        for option, value in (("target", ask.target), ("input", ask.input)):
            _refuse(option, value, "trees, in which nothing is to be chosen")
        from samoyed.data.trees import scan_trees

        return scan_trees(path, test=ask.test, on_bad=on_bad, seed=seed)
    from samoyed.data.tagged_text import scan_tagged_text

    return scan_tagged_text(
        path, test=ask.test, word=ask.input, tag=ask.target, on_bad=on_bad, seed=seed
    )


def _tagged(path: Path) -> tuple[str, ...]:
    """Warn where lines that are to be classified look as if each held a word and its tag."""
    text = _beginning(path) if path.is_file() else None
    if text is None or not tagged_columns.looks_tagged(path.name, text):
        return ()
    return (
        "a word and its tags stand in every line, and empty lines between: samoyed train "
        f"{shlex.quote(str(path))} without --task learns to tag them",
    )


def _refuse(option: str, value: str | None, found: str) -> None:
    if value is not None:
        raise OptionError(
            f"--{option}", "a table, that is one .csv, .tsv, .jsonl or .parquet file", found,
            f"leave --{option} out",
        )  # fmt: skip


def _kind_of_file(path: Path, ask: TableAsk) -> TextKind | None:
    if path.name.lower().removesuffix(".gz").endswith(_OTHER_SUFFIXES):
        return None
    if _is_tagged_jsonl(path, ask) or _is_tagged_table(path, ask):
        return "tagged_text"
    if is_table_name(path.name):
        return None
    text = _beginning(path)
    if text is None:
        return None
    if ask.task in (None, "classify", "classify_trees") and looks_bracketed(text):
        return "trees"
    if ask.task == "tag" or (ask.task is None and tagged_columns.looks_tagged(path.name, text)):
        return "tagged_text"
    if ask.target is not None:
        return None
    if ask.task in ("classify", "classify_text"):
        return "labelled_text"
    found = None if ask.task else labelled_lines.form_of(text)
    if found is None:
        return None
    if found.is_certain or ask.test is not None:
        return "labelled_text"
    raise _both(path, "its lines begin with few different words, which may be classes")


def _is_tagged_jsonl(path: Path, ask: TableAsk) -> bool:
    """Tell whether this is a file of JSON lines that hold words and tags."""
    if not tagged_jsonl.is_jsonl_name(path.name) or ask.task not in (None, "tag"):
        return False
    text = _beginning(path)
    return text is not None and (ask.task == "tag" or tagged_jsonl.looks_tagged(path.name, text))


def _is_tagged_table(path: Path, ask: TableAsk) -> bool:
    """Tell whether this is a table that holds words and tags."""
    if not is_table_name(path.name) or ask.task not in (None, "tag"):
        return False
    if ask.task == "tag":
        return True
    text = _beginning(path)
    if text is None:
        return False
    is_told = ask.target is not None or ask.input is not None
    return tagged_table.looks_tagged(path.name, text, ask.input, ask.target) or (
        not is_told and tagged_table.holds_columns(path.name, text)
    )


def _beginning(path: Path) -> str | None:
    """Return the first lines of a file, or None where they are no text."""
    with path.open("rb") as probe:
        is_packed = probe.read(2) == b"\x1f\x8b"
    opened: IO[bytes]
    try:
        with gzip.open(path) if is_packed else path.open("rb") as opened:  # type: ignore[assignment]
            start = opened.read(LOOKED_AT_BYTES)
    except (EOFError, zlib.error):
        return None  # whoever reads all of it says what is wrong
    if b"\0" in start or not start.strip():
        return None
    if len(start) == LOOKED_AT_BYTES:
        start = start[: max(start.rfind(b"\n"), start.rfind(b"\r")) + 1]
    text = start.decode("utf-8", "replace").removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _kind_of_folder(path: Path, ask: TableAsk) -> TextKind | None:
    train = _train_file(path, ask)
    if train is not None:
        return _kind_of_file(train, ask)
    classes = labelled_folders.class_folders(path)
    if not classes or ask.task == "tag":
        return None
    is_labelled = labelled_folders.looks_labelled(classes.get("train", {}))
    if ask.task in ("classify", "classify_text"):
        return "labelled_text" if any(classes["train"].values()) else None
    if is_labelled is None:
        raise _both(path, "each folder in it holds few texts, which may be examples of a class")
    return "labelled_text" if is_labelled else None


def _train_file(path: Path, ask: TableAsk) -> Path | None:
    """Return the file of a folder that is named train, if it may be text."""
    for file in sorted(path.iterdir()):
        if file.name.startswith(".") or labelled_folders.part_of(file.name) != "train":
            continue
        is_tagged = _is_tagged_jsonl(file, ask) or _is_tagged_table(file, ask)
        if file.is_file() and (not is_table_name(file.name) or is_tagged):
            return file
    return None


def _both(path: Path, why: str) -> DataError:
    name = shlex.quote(str(path))
    return DataError(
        path, "a text to continue, or texts with a class each", f"both may be meant: {why}",
        f"samoyed train {name} --task classify_text, or samoyed train {name} --task continue_text",
    )  # fmt: skip

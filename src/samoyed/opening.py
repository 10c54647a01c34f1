"""From what a user names to a source: which kind of data it is, and the reader that scans it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from samoyed.core.errors import DataError, OptionError, did_you_mean
from samoyed.core.spec import OnBad
from samoyed.data import pair_columns, pair_files, pair_guess
from samoyed.data.asked_kind import refuse_run
from samoyed.data.built_in_facts import BUILT_IN as FACTS
from samoyed.data.corpora import TextAsk, is_brown
from samoyed.data.facts import is_fact_name, scan_facts
from samoyed.data.image_boxes import LACKING_LABELS, hint_of_boxes, hint_of_sheet
from samoyed.data.image_cifar import NAMES, is_cifar_name
from samoyed.data.image_listing import Known
from samoyed.data.image_reasons import UNSUPPORTED
from samoyed.data.left_out import is_litter
from samoyed.data.pair_files import PairAsk
from samoyed.data.table_files import is_table_name
from samoyed.data.tables import TableAsk
from samoyed.data.text_files import is_text_name
from samoyed.data.text_kinds import kind_of_texts, scan_texts
from samoyed.row import kind_in_words

PICTURE_SUFFIXES = {
    ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm",
}  # fmt: skip
IDX_NAME = re.compile(r"idx[13]-ubyte(\.gz)?$|idx[13]$")
SAMPLE = "digits"
MOST_NAMED = 8  # files of a folder
_TOLD = tuple(map(kind_in_words, ("pairs", "labelled_text", "tagged_text", "trees")))
_PACKED = (".zip", ".tar", ".tgz", ".7z", ".rar", ".bz2", ".xz")


def open_source(
    path: str, *, on_bad: OnBad = "stop", seed: int = 0, ask: TableAsk | None = None,
    about_text: TextAsk | None = None,
    pairs: PairAsk | None = None,
    known: Known | None = None,
) -> Any:  # fmt: skip
    """Find out what kind of data this is and scan it.

    Args:
        path: a file, a folder, a Gymnasium id, the name of a built-in world, or "digits".
        on_bad: "stop" at the first bad file, or "skip" and list them.
        seed: decides the split where the data brings none.
        ask: what was said about a table; a target makes any file a table.
        about_text: what was said about the units of a text.
        pairs: what was said about sentence pairs; a direction makes columns of text pairs.
        known: what a run about pictures knows that is to be measured on this data.

    Raises:
        DataError: when there is no such data or it cannot be used.
        OptionError: when what was said does not fit the data.
    """
    target = Path(path).expanduser()
    ask, pairs = ask or TableAsk(), pairs or PairAsk()
    _refuse_nothing(path, target)
    refuse_run(path)
    if _are_pairs(target, ask, pairs):
        if known is not None:
            raise _no_pictures(path, "sentence pairs")
        from samoyed.data.pairs import scan_pairs

        _refuse_table_options(ask)
        return scan_pairs(target, pairs, on_bad=on_bad, seed=seed)
    if pairs:
        raise OptionError(
            "--from and --to", "sentence pairs: two files, columns with a tab, or JSON lines",
            f"{path}, which holds none", "leave them out, or see docs/tasks/translate.md",
        )  # fmt: skip
    if ask.target is None and is_brown(target):
        _refuse_table_options(ask)
        return _open_text(target, on_bad, seed, about_text)
    if _are_facts(target, path, ask):
        _refuse_table_options(ask)
        return scan_facts(path, on_bad=on_bad)
    if (found := kind_of_texts(target, ask)) is not None:
        return scan_texts(target, found, ask, on_bad=on_bad, seed=seed)
    if is_picture_table(target, ask):
        from samoyed.data.images import scan_images

        return scan_images(
            target, on_bad=on_bad, seed=seed, target=ask.target, test=ask.test, known=known
        )
    if target.is_file() and (is_table_name(target.name) or ask.target is not None):
        if known is not None:
            raise _no_pictures(path, "a table that names no pictures that are there")
        from samoyed.data.tables import scan_table

        return scan_table(target, ask, on_bad=on_bad, seed=seed)
    if target.is_dir():
        return _open_folder(target, on_bad, seed, ask, about_text, known)
    _refuse_table_options(ask)
    if target.is_file():
        return _open_file(target, on_bad, seed, about_text, known)
    if path == SAMPLE:
        from samoyed.data.digits import scan_digits

        return scan_digits(seed=seed)
    from samoyed.worlds.scan import scan_world
    from samoyed.worlds.sequences import is_sequence_name, scan_sequences

    if is_sequence_name(path):
        return scan_sequences(path)
    return scan_world(path, on_bad=on_bad, seed=seed)


def _refuse_nothing(path: str, target: Path) -> None:
    """Raise where there is nothing that could be read, whatever else was said."""
    if target.is_dir() or target.is_file() or pair_files.is_prefix(target):
        return
    from samoyed.worlds.scan import BUILT_IN, is_world_name
    from samoyed.worlds.sequences import PROBLEMS, is_sequence_name

    if path == SAMPLE or path in FACTS or is_sequence_name(path) or is_world_name(path):
        return
    if os.path.lexists(target):
        is_link = target.is_symlink()
        raise DataError(
            path, "a file or a folder", "a link that leads nowhere" if is_link else "a device or a "
            "pipe, which cannot be read twice", "mend the link" if is_link else "copy it to a file",
        )  # fmt: skip
    siblings = [p.name for p in target.parent.iterdir()] if target.parent.is_dir() else []
    hint = did_you_mean(
        target.name, [*siblings, *BUILT_IN, *PROBLEMS, *FACTS, SAMPLE, "CartPole-v1"]
    ).strip()
    raise DataError(
        path, "a file, a folder, a Gymnasium id or a built-in sample or world", "nothing there",
        hint or f"built in are: {', '.join([SAMPLE, *BUILT_IN, *PROBLEMS, *FACTS])}",
    )  # fmt: skip


def refuse_missing(path: str, expected: str) -> None:
    """Raise where nothing is there, to a run that learned from files and can be told no name.

    Raises:
        DataError: with the nearest name.
    """
    target = Path(path).expanduser()
    if path == SAMPLE or os.path.lexists(target) or pair_files.is_prefix(target):
        return
    siblings = [p.name for p in target.parent.iterdir()] if target.parent.is_dir() else []
    hint = did_you_mean(target.name, siblings).strip()
    raise DataError(path, expected, "nothing there", hint or "Check the spelling of the path.")


def _are_facts(target: Path, path: str, ask: TableAsk) -> bool:
    """Tell whether these are facts: by a name, unless something is there that has it."""
    if ask.task == "complete" and ask.target is None:
        return True
    return is_fact_name(path) and not target.is_dir() and (path not in FACTS or not target.exists())


def _are_pairs(target: Path, ask: TableAsk, pairs: PairAsk) -> bool:
    """Tell whether these are sentence pairs: by their names, or because a direction was given."""
    if target.is_dir():
        return pair_files.holds_pairs(target, pairs)
    if not target.exists():
        return pair_files.is_prefix(target)
    if not target.is_file():
        return False
    is_asked = bool(pairs) or ask.task == "translate"
    return (
        (is_asked and pair_columns.is_columns(target))
        or _are_unasked_pairs(target, ask)
        or pair_files.is_side(target)
    )


def _are_unasked_pairs(target: Path, ask: TableAsk) -> bool:
    """Tell whether a file holds sentence pairs, where nothing was said that makes it another."""
    is_free = ask.target is None and ask.input is None and ask.task in (None, "translate")
    return is_free and target.is_file() and pair_guess.are_pairs(target)


def is_unasked_table(path: str, ask: TableAsk) -> bool:
    """Tell whether this is a table of which nobody said what to learn."""
    target = Path(path).expanduser()
    is_table = target.is_file() and is_table_name(target.name)
    is_open = ask.target is None and is_table and not is_picture_table(target, ask)
    is_other = _are_unasked_pairs(target, ask) or kind_of_texts(target, ask) is not None
    return is_open and not is_other and ask.task != "translate"


def is_picture_table(path: Path, ask: TableAsk) -> bool:
    """Tell whether this is a table that names pictures; with `--input` it is read as any table."""
    if ask.input is not None or not path.is_file():
        return False
    from samoyed.data.image_finding import names_pictures

    return names_pictures(path)


def question_of(source: Any, task: str | None) -> str | None:
    """Return what is asked of this data: by the data itself, or by `--task`.

    Raises:
        OptionError: when the task is for pictures with other labels.
    """
    if source.kind == "table":
        return source.asked
    if source.kind in ("labelled_text", "tagged_text", "trees"):
        if task not in (None, source.asked) and (task, source.asked) != (
            "classify", "classify_text",
        ):  # fmt: skip
            raise OptionError("--task", source.asked, repr(task), "leave it out: the data decides")
        return source.asked
    if source.kind != "images":
        return task
    if task in ("classify", "classify_labels") and task != source.asked:
        held = {"classify": "one class", "classify_labels": "any number of labels"}[source.asked]
        raise OptionError("--task", source.asked, task, f"each picture has {held}: leave it out")
    return source.asked if task is None else task


def _refuse_table_options(ask: TableAsk) -> None:
    """Raise for options that only a table understands."""
    for option in ("target", "test", "input"):
        value = getattr(ask, option, None)
        if value is not None:
            raise OptionError(
                f"--{option}", "a table, that is one .csv, .tsv, .data, .arff or .parquet file",
                "data of another kind", f"leave --{option} out, or give the table's file",
            )  # fmt: skip


def _open_text(target: Path, on_bad: OnBad, seed: int, about_text: TextAsk | None) -> Any:
    from samoyed.data.units import scan_units

    return scan_units(target, about_text, on_bad=on_bad, seed=seed)


def _open_file(
    target: Path, on_bad: OnBad, seed: int, about_text: TextAsk | None, known: Known | None
) -> Any:
    if target.suffix.lower() in PICTURE_SUFFIXES:
        raise DataError(
            target, "a folder of pictures with one folder per class", "a single picture",
            f"give the folder: samoyed train {shlex.quote(str(target.parent.parent))}",
        )  # fmt: skip
    if IDX_NAME.search(target.name) or is_cifar_name(target.name):
        from samoyed.data.images import scan_images

        return scan_images(target.parent, on_bad=on_bad, seed=seed, known=known)
    return _open_text(target, on_bad, seed, about_text)


def _open_folder(
    target: Path, on_bad: OnBad, seed: int, ask: TableAsk, about_text: TextAsk | None,
    known: Known | None,
) -> Any:  # fmt: skip
    """Pictures or texts: whichever the folder holds, by suffix."""
    pictures = texts = 0
    tables: list[Path] = []
    files = sorted(_some_files(target))
    if not files:
        raise DataError(
            target, "a folder of pictures, of texts, of tagged columns or of sentence pairs",
            "a folder without a file", "see “Point it at your data” in the README",
        )  # fmt: skip
    for file in files:
        suffix = Path(file.name.removesuffix(".gz")).suffix.lower()
        if is_table_name(file.name):
            tables.append(file)
        pictures += suffix in PICTURE_SUFFIXES or bool(IDX_NAME.search(file.name))
        pictures += is_cifar_name(file.name)
        texts += is_text_name(file.name) and file.name not in NAMES.values()
    if tables and not texts and not pictures:
        raise _of_which(target, files, ask, "one table, or files named train and test", known)
    packed = next((file for file in files if file.suffix.lower() in _PACKED), None)
    if packed is not None and not pictures and not texts:
        raise DataError(
            target, "pictures, texts, or files named train and test", f"an archive, {packed.name}",
            f"unpack it: python -m zipfile -e {shlex.quote(str(packed))} FOLDER"
            if packed.suffix.lower() == ".zip" else "unpack it first",
        )  # fmt: skip
    suffixes = {file.suffix.lower() for file in files}
    if not pictures and not texts and not suffixes & {"", *UNSUPPORTED}:
        expected = "pictures, texts, or files named train and test"
        raise _of_which(target, files, ask, expected, known)
    if texts and pictures and min(texts, pictures) * 5 > texts + pictures:
        raise DataError(
            target, "a folder of pictures or a folder of texts",
            f"both ({pictures} pictures and {texts} texts among the first files)",
            hint_of_boxes(target, files)
            or "move one kind elsewhere and give the folder of the other",
        )  # fmt: skip
    if texts > pictures:
        _refuse_table_options(ask)
        some = [file for file in files if is_text_name(file.name)][:MOST_NAMED]
        if all(_in_words(file, ask) in _TOLD for file in some):
            raise _of_which(
                target, files, ask, "texts to continue, or files named train and test", known
            )
        return _open_text(target, on_bad, seed, about_text)
    from samoyed.data.images import scan_images

    _refuse_table_options(TableAsk(input=ask.input))
    try:
        return scan_images(
            target, on_bad=on_bad, seed=seed, target=ask.target, test=ask.test, known=known
        )
    except DataError as error:
        about = ""
        if any(said in error.found for said in LACKING_LABELS):
            about = hint_of_boxes(target, files) or hint_of_sheet(files)
        if not about:
            raise
        hint = f"{error.hint.rstrip('.')}. {about}"
        raise DataError(error.place, error.expected, error.found, hint) from error


def _no_pictures(path: str | Path, found: str) -> DataError:
    """Return the error for data on which a run about pictures cannot be measured."""
    return DataError(
        path, "pictures, as the run learned from: a folder with one folder per class, or a table "
        "of paths and labels", found, "Give data of the kind that it learned from.",
    )  # fmt: skip


def _of_which(
    folder: Path, files: Sequence[Path], ask: TableAsk, expected: str, known: Known | None
) -> DataError:
    """Return the error for a folder that is not learned from as a whole, but maybe a file of it.

    Args:
        folder: that was named.
        files: that are in it.
        ask: what was said.
        expected: of the folder.
        known: what a run about pictures knows that is to be measured on it.
    """
    told = {file: _in_words(file, ask) for file in files[:MOST_NAMED]}
    shown = [f"{file.relative_to(folder)}{f' ({what})' if what else ''}"
             for file, what in told.items()]  # fmt: skip
    more = f" and {len(files) - MOST_NAMED:,} more" if len(files) > MOST_NAMED else ""
    found = f"a folder of {len(files):,}: {', '.join(shown)}{more}"
    if known is not None:
        return _no_pictures(folder, found)
    first: dict[str, Path] = {}  # of each kind
    for file in sorted(told, key=lambda file: not file.name.lower().startswith("train")):
        first.setdefault(told[file], file)
    one_of = [file for what, file in first.items() if what] or [files[0]]
    return DataError(
        folder, expected, found,
        "give a file by its name: "
        + "\n            or ".join(f"samoyed check {shlex.quote(str(file))}" for file in one_of),
    )  # fmt: skip


def _in_words(file: Path, ask: TableAsk) -> str:
    """Say what a file holds, or nothing where that cannot be told."""
    try:
        if _are_unasked_pairs(file, ask):
            return kind_in_words("pairs")
        if kind := kind_of_texts(file, ask):
            return kind_in_words(kind)
    except DataError as error:
        return error.expected  # one of two
    return "a table" if is_table_name(file.name) else ""


def _some_files(folder: Path, limit: int = 2000) -> Iterator[Path]:
    """Yield up to `limit` files below a folder; hidden ones and litter are left out."""
    seen = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not is_litter(f))
        for name in files:
            if is_litter(name):
                continue
            yield Path(place, name)
            seen += 1
            if seen >= limit:
                return

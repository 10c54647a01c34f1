"""Read labelled pictures: the entry for every layout people keep them in.

One class for each picture:

* a folder per class: `DATA/rose/1.jpg`; a fifth of each class is held out
* `DATA/train/rose/1.jpg` and `DATA/test/rose/2.jpg`, with or without `val`, `valid` or `dev`
* a table: `labels.csv` (or `.tsv`, `.jsonl`) with a column of paths and one of labels, and a
  column `split` where the table says what is held out; or `train.csv` and `test.csv`
* such a table beside one folder of pictures, or beside parts without class folders; it may name
  them by ids or by their names alone
* `metadata.csv`, `.jsonl` or `.parquet` with `file_name`, in the folder or in `train/` and `test/`
* IDX files as MNIST has them, plain or `.gz`
* CIFAR's binary files: `data_batch_1.bin` ..., `test_batch.bin`; or `train.bin`, `test.bin`

Any number of labels for each picture: in a table, `["a", "b"]`, `a|b` or `a;b` in the column of
labels, or a column of 0 and 1 for each label.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from samoyed.core.errors import DataError, OptionError, SomeUnreadable, did_you_mean
from samoyed.core.spec import ImageSpec
from samoyed.data.image_cifar import is_cifar_name, refuse_pickled, scan_cifar
from samoyed.data.image_finding import find_tables, has_labels, needs_table, refuse_unjoined
from samoyed.data.image_folders import scan_folders
from samoyed.data.image_idx import find_idx_files, scan_idx
from samoyed.data.image_layout import list_folder, pictures_below
from samoyed.data.image_listing import Known
from samoyed.data.image_reasons import FORMATS, NoPicture, error_of, lines_of, named
from samoyed.data.image_source import TEST, TRAIN, ImageData, ImageSource, Pictures
from samoyed.data.image_tables import TableFile, scan_picture_tables
from samoyed.data.pixels import decode_all
from samoyed.data.table_files import is_table_name
from samoyed.data.table_jsonl import SUFFIX as JSON_LINES

_ASKED = "a picture or a folder of pictures, as the run is about pictures"
_OTHERS = (
    "A table or a text is for a run that learned from such; paths in a file are read from standard "
    "input: samoyed predict RUN < FILE."
)

__all__ = ["ImageData", "ImageSource", "Pictures", "read_pictures", "scan_images"]


def scan_images(
    path: str | Path, *, on_bad: str = "stop", seed: int = 0, target: str | None = None,
    test: str | Path | None = None, known: Known | None = None,
) -> ImageSource:  # fmt: skip
    """Look at labelled pictures without decoding them.

    Args:
        path: a folder in one of the layouts above, or a table.
        on_bad: "stop" raises at bad files, "skip" counts and lists them and goes on.
        seed: which fifth is held out where the data brings no test split.
        target: of a table: the column of labels, or the columns of 0 and 1, separated by commas;
            of CIFAR-100: fine or coarse.
        test: of a table: the official test table.
        known: what a run knows that is to be measured on these pictures; without it they are to
            be learned from.

    Raises:
        DataError: what is there cannot be learned from.
        OptionError: `on_bad` is neither "stop" nor "skip", or an option does not fit the layout.
    """
    if on_bad not in ("stop", "skip"):
        raise OptionError("on_bad", "stop or skip", repr(on_bad))
    root = Path(path)
    if root.is_file() and (is_table_name(root.name) or root.suffix.lower() == JSON_LINES):
        tables = [TableFile(root, None if test is None else TRAIN)]
        if test is not None:
            _require_file(Path(test))
            tables.append(TableFile(Path(test), TEST))
        return scan_picture_tables(
            root, tables, on_bad=on_bad, seed=seed, target=target, known=known
        )
    _require_folder(root)
    _refuse("--test", test, "a table of pictures")
    listing = list_folder(root)
    cifar_files = [file for file in listing.files if is_cifar_name(file.name)]
    if cifar_files:
        is_measured = known is not None
        return scan_cifar(
            root, cifar_files, on_bad=on_bad, seed=seed, target=target, is_measured=is_measured
        )
    refuse_pickled(root, listing.files)
    idx_files = find_idx_files(listing.files)
    tables = [] if idx_files else find_tables(root, listing)
    if tables and {table.split for table in tables} == {TEST}:
        others = _others(listing.files, tables)
        return scan_folders(
            root, on_bad=on_bad, seed=seed, warnings=others, known=known, tested=tables[0]
        )
    is_open = needs_table(listing)
    if tables and (target is not None or is_open or all(map(has_labels, tables))):
        others = _others(listing.files, tables)
        return scan_picture_tables(
            root, tables, on_bad=on_bad, seed=seed, target=target, known=known, warnings=others
        )
    _refuse("--target", target, "a table of pictures, or CIFAR-100")
    if idx_files:
        return scan_idx(root, idx_files, on_bad=on_bad, seed=seed, known=known)
    refuse_unjoined(root, listing)
    without = [
        f"{t.path.name} names no pictures with labels: folders are the classes" for t in tables
    ]
    warnings = tuple(dict.fromkeys(without))
    return scan_folders(root, on_bad=on_bad, seed=seed, warnings=warnings, known=known)


def _others(files: Sequence[Path], tables: Sequence[TableFile]) -> tuple[str, ...]:
    """Say which tables beside those that are read are not."""
    read = {table.path for table in tables}
    others = [f.name for f in files if is_table_name(f.name) and f not in read]
    return (f"tables that are not read: {named(others)}",) if others else ()


def _refuse(option: str, value: object, expected: str) -> None:
    """Raise for an option that this layout does not know."""
    if value is not None:
        raise OptionError(
            option, expected, "pictures whose folders or files are their classes",
            f"leave {option} out",
        )  # fmt: skip


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise _missing(path, "a table of pictures")


def read_pictures(paths: Sequence[str | Path], size: ImageSpec) -> tuple[np.ndarray, list[str]]:
    """Decode pictures that have no labels.

    Args:
        paths: files, and folders of which every picture below is taken in order of its name.
        size: what to scale and convert them to.

    Returns:
        (N, C, H, W) uint8, and N paths as text.

    Raises:
        DataError: a path is missing, holds no picture, or no picture can be decoded.
        SomeUnreadable: some cannot be decoded, others can.
    """
    names: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            below = pictures_below(Path(path))
            if not below:
                raise DataError(path, "a folder with pictures in it", "no picture", FORMATS)
            names += below
        else:
            if not os.path.lexists(path):
                raise _missing(Path(path), "a picture or a folder of pictures")
            names.append(str(path))
    if not names:
        raise DataError("pictures", "at least one picture or folder", "none", "Name one.")
    images, bad = decode_all(names, size)
    if bad:
        unreadable = [(names[i], reason) for i, reason in bad]
        error, failed = error_of(unreadable, can_skip=False), {i for i, _ in bad}
        if isinstance(bad[0][1], NoPicture):
            error = DataError(error.place, _ASKED, error.found, f"{_OTHERS} {error.hint}")
        if len(failed) == len(names):
            raise error
        others = [name for i, name in enumerate(names) if i not in failed]
        raise SomeUnreadable(error, lines_of(unreadable), others)
    return images, names


def _require_folder(root: Path) -> None:
    if not os.path.lexists(root):
        raise _missing(root, "a folder of pictures")
    try:
        is_folder = root.is_dir()
        is_file = root.is_file()
    except OSError as error:
        raise DataError(
            root, "a folder of pictures", f"a path that cannot be opened: {error.strerror}",
            "Check the permissions of the folders above it.",
        ) from error  # fmt: skip
    if is_file:
        raise DataError(
            root, "a folder of pictures, one sub-folder for each class", "a single file",
            f"Name the folder: {root.parent}" if root.parent != root else "Name the folder.",
        )  # fmt: skip
    if not is_folder:
        found = f"a link to {os.readlink(root)}, which leads nowhere" if root.is_symlink() else (
            "something that is neither a folder nor a file"
        )  # fmt: skip
        raise DataError(root, "a folder of pictures", found, "Repair the link or name the folder.")


def _missing(path: Path, expected: str) -> DataError:
    try:
        siblings = os.listdir(path.parent)
    except OSError:
        siblings = []
    hint = f"Check the spelling.{did_you_mean(path.name, siblings, least=0.6)}"
    return DataError(path, expected, "nothing: this path does not exist", hint)

"""From what a user names to a source: which kind of data it is, and the reader that scans it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from samoyed.core.errors import DataError, OptionError, did_you_mean
from samoyed.core.spec import OnBad
from samoyed.data.table_files import is_table_name
from samoyed.data.tables import TableAsk

PICTURE_SUFFIXES = {
    ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm",
}  # fmt: skip
IDX_NAME = re.compile(r"idx[13]-ubyte(\.gz)?$|idx[13]$")
SAMPLE = "digits"


def open_source(
    path: str, *, on_bad: OnBad = "stop", seed: int = 0, ask: TableAsk | None = None
) -> Any:
    """Find out what kind of data this is and scan it.

    Args:
        path: a file, a folder, a Gymnasium id, the name of a built-in world, or "digits".
        on_bad: "stop" at the first bad file, or "skip" and list them.
        seed: decides the split where the data brings none.
        ask: what was said about a table; a target makes any file a table.

    Raises:
        DataError: when there is no such data or it cannot be used.
        OptionError: when what was said does not fit the data.
    """
    target = Path(path).expanduser()
    if target.is_file() and (is_table_name(target.name) or (ask and ask.target is not None)):
        from samoyed.data.tables import scan_table

        return scan_table(target, ask or TableAsk(), on_bad=on_bad, seed=seed)
    _refuse_table_options(ask)
    if target.is_dir():
        return _open_folder(target, on_bad, seed)
    if target.is_file():
        return _open_file(target, on_bad, seed)
    if path == SAMPLE:
        from samoyed.data.digits import scan_digits

        return scan_digits(seed=seed)
    from samoyed.worlds.scan import BUILT_IN, is_world_name, scan_world

    if is_world_name(path):
        return scan_world(path, on_bad=on_bad, seed=seed)
    if os.path.lexists(target):
        is_link = target.is_symlink()
        raise DataError(
            path, "a file or a folder", "a link that leads nowhere" if is_link else "a device or a "
            "pipe, which cannot be read twice", "mend the link" if is_link else "copy it to a file",
        )  # fmt: skip
    siblings = [p.name for p in target.parent.iterdir()] if target.parent.is_dir() else []
    hint = did_you_mean(target.name, [*siblings, *BUILT_IN, SAMPLE, "CartPole-v1"]).strip()
    raise DataError(
        path, "a file, a folder, a Gymnasium id or a built-in sample or world", "nothing there",
        hint or f"built in are: {', '.join([SAMPLE, *BUILT_IN])}",
    )  # fmt: skip


def is_unasked_table(path: str, ask: TableAsk) -> bool:
    """Tell whether this is a table of which nobody said what to learn."""
    target = Path(path).expanduser()
    return ask.target is None and target.is_file() and is_table_name(target.name)


def _refuse_table_options(ask: TableAsk | None) -> None:
    """Raise for options that only a table understands."""
    for option in ("target", "test", "input"):
        value = getattr(ask, option, None)
        if value is not None:
            raise OptionError(
                f"--{option}", "a table, that is one .csv, .tsv, .data, .arff or .parquet file",
                "data of another kind", f"leave --{option} out, or give the table's file",
            )  # fmt: skip


def _open_file(target: Path, on_bad: OnBad, seed: int) -> Any:
    if target.suffix.lower() in PICTURE_SUFFIXES:
        raise DataError(
            target, "a folder of pictures with one folder per class", "a single picture",
            f"give the folder: samoyed train {target.parent.parent}",
        )  # fmt: skip
    if IDX_NAME.search(target.name):
        from samoyed.data.images import scan_images

        return scan_images(target.parent, on_bad=on_bad, seed=seed)
    from samoyed.data.text import scan_text

    return scan_text(target, on_bad=on_bad, seed=seed)


def _open_folder(target: Path, on_bad: OnBad, seed: int) -> Any:
    """Pictures or texts: whichever the folder holds, by suffix."""
    pictures = texts = 0
    tables = []
    for file in _some_files(target):
        suffix = Path(file.name.removesuffix(".gz")).suffix.lower()
        if is_table_name(file.name):
            tables.append(file)
        pictures += suffix in PICTURE_SUFFIXES or bool(IDX_NAME.search(file.name))
        texts += suffix in (".txt", ".text")
    if tables and not texts and not pictures:
        raise DataError(
            target, "one table", f"a folder of {len(tables)}: {tables[0].name}, ...",
            f"give the file: samoyed train {tables[0]}",
        )  # fmt: skip
    if texts and pictures and min(texts, pictures) * 20 > texts + pictures:
        raise DataError(
            target, "a folder of pictures or a folder of texts",
            f"both ({pictures} pictures and {texts} texts among the first files)",
            "move one kind elsewhere and give the folder of the other",
        )  # fmt: skip
    if texts > pictures:
        from samoyed.data.text import scan_text

        return scan_text(target, on_bad=on_bad, seed=seed)
    from samoyed.data.images import scan_images

    return scan_images(target, on_bad=on_bad, seed=seed)


def _some_files(folder: Path, limit: int = 2000) -> Iterator[Path]:
    """Yield up to `limit` files below a folder; hidden ones are left out."""
    seen = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in files:
            if name.startswith("."):
                continue
            yield Path(place, name)
            seen += 1
            if seen >= limit:
                return

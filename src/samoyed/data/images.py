"""Read labelled pictures: the entry for every layout people keep them in.

* a folder per class: `DATA/rose/1.jpg`; a fifth of each class is held out
* `DATA/train/rose/1.jpg` and `DATA/test/rose/2.jpg`, with or without `val`, `valid` or `dev`
* IDX files as MNIST has them, plain or `.gz`
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from samoyed.core.errors import DataError, OptionError, did_you_mean
from samoyed.core.spec import ImageSpec
from samoyed.data.image_folders import scan_folders
from samoyed.data.image_idx import find_idx_files, scan_idx
from samoyed.data.image_layout import list_folder, pictures_below
from samoyed.data.image_reasons import FORMATS, error_of
from samoyed.data.image_source import ImageData, ImageSource, Pictures
from samoyed.data.pixels import decode_all

__all__ = ["ImageData", "ImageSource", "Pictures", "read_pictures", "scan_images"]


def scan_images(path: str | Path, *, on_bad: str = "stop", seed: int = 0) -> ImageSource:
    """Look at labelled pictures without decoding them.

    Args:
        path: a folder in one of the layouts above.
        on_bad: "stop" raises at bad files, "skip" counts and lists them and goes on.
        seed: which fifth is held out where the data brings no test split.

    Raises:
        DataError: what is there cannot be learned from.
        OptionError: `on_bad` is neither "stop" nor "skip".
    """
    if on_bad not in ("stop", "skip"):
        raise OptionError("on_bad", "stop or skip", repr(on_bad))
    root = Path(path)
    _require_folder(root)
    idx_files = find_idx_files(list_folder(root).files)
    if idx_files:
        return scan_idx(root, idx_files, on_bad=on_bad, seed=seed)
    return scan_folders(root, on_bad=on_bad, seed=seed)


def read_pictures(paths: Sequence[str | Path], size: ImageSpec) -> tuple[np.ndarray, list[str]]:
    """Decode pictures that have no labels.

    Args:
        paths: files, and folders of which every picture below is taken in order of its name.
        size: what to scale and convert them to.

    Returns:
        (N, C, H, W) uint8, and N paths as text.

    Raises:
        DataError: a path is missing, holds no picture, or a picture cannot be decoded.
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
        raise error_of([(names[i], reason) for i, reason in bad], can_skip=False)
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
    hint = f"Check the spelling.{did_you_mean(path.name, siblings)}"
    return DataError(path, expected, "nothing: this path does not exist", hint)

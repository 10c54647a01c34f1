"""Which folders are parts (train, validation, test) and which are classes: by their names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from samoyed.core.errors import DataError
from samoyed.data.image_layout import SPLIT_NAMES, list_folder
from samoyed.data.image_reasons import named
from samoyed.data.image_source import TEST, TRAIN, VALIDATION

_WORDS = SPLIT_NAMES | {
    "trainset": TRAIN, "traindata": TRAIN, "trn": TRAIN, "testset": TEST, "testdata": TEST,
    "tst": TEST, "valset": VALIDATION, "eval": VALIDATION, "evaluation": VALIDATION,
}  # fmt: skip
_FILLERS = frozenset([
    "seg", "final", "set", "images", "image", "imgs", "img", "data", "dataset", "pictures", "pics",
    "photos", "folder", "split", "part", "the", "new", "all", "cropped", "resized", "jpg", "png",
])  # fmt: skip
_DEEPEST = 2  # folders around the classes of a part
_FEWEST_CLASSES = 2  # other folders of pictures beside which a lone train/ is a class


class Part(NamedTuple):
    """What a folder's name says.

    Args:
        split: TRAIN, VALIDATION or TEST.
        rest: the words that say something else.
    """

    split: int
    rest: str


def part_in(name: str) -> Part | None:
    """Return which part a name means, or None.

    >>> part_in("seg_train"), part_in("Final_Test"), part_in("flowers-val")
    (Part(split=0, rest=''), Part(split=2, rest=''), Part(split=1, rest='flowers'))
    >>> part_in("rose"), part_in("train_test"), part_in("trainers")
    (None, None, None)
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    words = re.findall(r"[^\W\d_]+", apart)
    parts = [word for word in words if word in _WORDS]
    if len(parts) != 1:
        return None
    return Part(_WORDS[parts[0]], " ".join(w for w in words if w not in {*_FILLERS, *parts}))


def find_splits(root: Path, folders: list[Path], *, is_measured: bool = False) -> dict[int, Path]:
    """Return which folder holds which split, or nothing where the folders are classes.

    Names such as seg_train and Final_Test mean parts where one to learn from stands beside one to
    hold out; a lone folder called exactly `train` does with folders in it. With pictures directly
    in it, or with folders of pictures beside it, it is a class (of railways). Where a run is
    measured, one part is enough.

    Raises:
        DataError: two folders for the same split, or one of train and test without the other.
    """
    groups: dict[str, list[tuple[int, Path]]] = defaultdict(list)
    for folder in folders:
        if (part := part_in(folder.name)) is not None:
            groups[part.rest].append((part.split, folder))
    whole = [group for group in groups.values() if _is_whole({split for split, _ in group})]
    if len(whole) > 1:
        firsts = [f"{group[0][1].name}/" for group in whole]
        raise DataError(
            root, "one train/ and one test/, each with a folder per class",
            f"{len(whole)} sets of parts: {named(firsts)}",
            "Move each set to a folder of its own, and name one.",
        )  # fmt: skip
    if whole:
        return _distinct(root, whole[0])
    exact = [(SPLIT_NAMES[f.name.lower()], f) for f in folders if f.name.lower() in SPLIT_NAMES]
    splits = _distinct(root, exact)
    others = [folder for folder in folders if folder not in splits.values()]
    if not splits or (len(splits) < 2 and _is_class(next(iter(splits.values())), others)):
        return {}
    if is_measured:
        return splits
    present = "/, ".join(sorted(folder.name for folder in splits.values()))
    missing = "test" if TRAIN in splits else "train"
    hint = f"Add {missing}/ with the same class folders"
    if missing == "test":
        hint += f", or have a fifth of each class held out by naming {splits[TRAIN]}"
    raise DataError(
        root, "train/ and test/, each with a folder per class",
        f"{present}/ without {missing}/", f"{hint}.",
    )  # fmt: skip


def inside(place: Path, split: int) -> Path:
    """Return where a part's classes are: further in where one folder holds it all.

    So `seg_train/seg_train` and `Final_Training/Images`.
    """
    for _ in range(_DEEPEST):
        listing = list_folder(place)
        if len(listing.folders) != 1 or listing.files:
            break
        name = listing.folders[0].name
        said = part_in(name)
        if name.lower() not in _FILLERS and (said is None or said.split != split):
            break
        place = listing.folders[0]
    return place


def _is_whole(splits: set[int]) -> bool:
    return TRAIN in splits and bool(splits & {TEST, VALIDATION})


def _distinct(root: Path, group: Sequence[tuple[int, Path]]) -> dict[int, Path]:
    splits: dict[int, Path] = {}
    for split, folder in group:
        if split in splits:
            raise DataError(
                root, "one folder for each split", f"{splits[split].name}/ and {folder.name}/",
                "Merge them, or move one of them elsewhere.",
            )  # fmt: skip
        splits[split] = folder
    return splits


def _is_class(folder: Path, others: Sequence[Path]) -> bool:
    """Tell whether a lone folder with the name of a part is a class, as the others are."""
    inner = list_folder(folder)
    return not inner.folders or sum(_holds_something(o) for o in others) >= _FEWEST_CLASSES


def _holds_something(folder: Path) -> bool:
    listing = list_folder(folder)
    return bool(listing.folders or listing.files)

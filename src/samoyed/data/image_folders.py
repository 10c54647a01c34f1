"""A folder per class, with or without a folder per split around them."""

from __future__ import annotations

from pathlib import Path

from samoyed.core.errors import DataError
from samoyed.data.image_layout import SPLIT_NAMES, list_folder, natural, walk
from samoyed.data.image_listing import Entry, Found, Known, source_of
from samoyed.data.image_parts import find_splits, inside
from samoyed.data.image_reasons import BadPicture, named
from samoyed.data.image_source import TEST, TRAIN, VALIDATION, ImageSource
from samoyed.data.image_tables import TableFile, add_rows
from samoyed.data.table_files import is_table_name

_NO_CLASSES = frozenset([
    "image", "images", "imgs", "img", "mask", "masks", "label", "labels", "annotation",
    "annotations", "ground_truth", "groundtruth", "gt", "segmentation", "segmentations",
])  # fmt: skip


def scan_folders(
    root: Path, *, on_bad: str, seed: int, warnings: tuple[str, ...] = (),
    known: Known | None = None, tested: TableFile | None = None,
) -> ImageSource:  # fmt: skip
    """Read the headers of all pictures below a folder and describe what is there.

    Args:
        root: the folder.
        on_bad: "stop" or "skip".
        seed: which fifth is held out.
        warnings: what was noticed before.
        known: what a run knows that is to be measured on them.
        tested: a table of the part that is held out, whose folder says nothing of classes.

    Raises:
        DataError: there is no class folder, only one class, or, unless bad files are skipped,
            something that cannot be used.
    """
    listing = list_folder(root)
    places = find_splits(root, listing.folders, is_measured=known is not None)
    found = Found(root, warnings=list(warnings), known=known)
    if known is not None and not listing.folders and root.name in known.labels:
        found.place_of = lambda split, label: root
        found.entries = [Entry(path, (root.name,)) for path in walk(root).pictures]
        return source_of(found, on_bad=on_bad, seed=seed)
    if VALIDATION in places and TEST not in places:
        held_out = places.pop(VALIDATION)
        places[TEST] = held_out
        found.warnings.append(f"{held_out.name}/ is what is held out, as there is no test/")
    if places:
        others = [f"{f.name}/" for f in listing.folders if f not in places.values()]
        if others:
            found.warnings.append(f"folders beside the parts, not used: {named(others)}")
        used = () if tested is None else (tested.path,)
        found.ignored += [str(f) for f in listing.files if f not in used]
    found.has_official_split = TEST in places
    parts = places or {TRAIN: root}
    places = {split: inside(place, split) for split, place in places.items()} or parts
    found.lines += _about_parts(root, places)
    found.place_of = lambda split, label: places[split] / label
    found.split_name = lambda split: f"{parts[split].name}/"
    if not parts.keys() & {TEST, VALIDATION}:
        _refuse_masks(root, listing.folders)
    found.warnings += _parts_inside(listing.folders if parts == {TRAIN: root} else [])
    for split, place in sorted(places.items()):
        if split == TEST and tested is not None:
            add_rows(tested, found, on_bad)
        else:
            _gather(place, split, found, places)
    found.classes = tuple(
        sorted({label for entry in found.entries for label in entry.labels}, key=natural)
    )
    return source_of(found, on_bad=on_bad, seed=seed)


def _about_parts(root: Path, places: dict[int, Path]) -> list[str]:
    """Say which folders were taken for parts, where their names are not simply train and test."""
    told = {TRAIN: "to learn from", VALIDATION: "for validation", TEST: "held out"}
    names = {split: place.relative_to(root) for split, place in sorted(places.items())}
    if all(str(name).lower() in (".", *SPLIT_NAMES) for name in names.values()):
        return []
    return ["parts:    " + ", ".join(f"{name}/ {told[split]}" for split, name in names.items())]


def _refuse_masks(root: Path, folders: list[Path]) -> None:
    """Raise for pictures beside their masks, which are no classes.

    Raises:
        DataError: naming the folders.
    """
    if len(folders) != 2 or not all(f.name.lower() in _NO_CLASSES for f in folders):
        return
    one, two = ({file.stem for file in list_folder(folder).files} for folder in folders)
    if one and len(one & two) * 2 > len(one):
        raise DataError(
            root, "a folder for each class, with pictures in it",
            f"{folders[0].name}/ and {folders[1].name}/ with {len(one & two):,} files of the same "
            "names: pictures and masks",
            "Masks are not learned. To tell classes apart, put the pictures of each class in a "
            "folder of its own.",
        )  # fmt: skip


def _parts_inside(folders: list[Path]) -> list[str]:
    """Warn where train and test lie inside the classes, not around them."""
    inner = {f.name for folder in folders for f in _folders_in(folder)}
    if len({SPLIT_NAMES.get(name.lower()) for name in inner} - {None}) < 2:
        return []
    names = named(sorted(f"{n}/" for n in inner if n.lower() in SPLIT_NAMES))
    return [
        f"{names} inside the classes are not taken for parts: a fifth of all is held out; for "
        f"parts write train/{folders[0].name}/ and test/{folders[0].name}/"
    ]


def _folders_in(folder: Path) -> list[Path]:
    """Return the folders in one, none where it may not be read, which others tell of."""
    try:
        return list_folder(folder).folders
    except DataError:
        return []


def _gather(place: Path, split: int, found: Found, places: dict[int, Path]) -> None:
    """Note every picture of every class folder of one split."""
    listing = list_folder(place)
    if not listing.folders and not listing.files:
        raise DataError(
            place, "a folder for each class, with pictures in it", "an empty folder",
            "Put the pictures of each class in a folder of its own, named after the class"
            + ("." if split == TRAIN else ", or remove this one."),
        )  # fmt: skip
    if not listing.folders:
        raise DataError(
            place, "a folder for each class, with pictures in it",
            f"{len(listing.files):,} loose files and no folder: "
            f"{named([f.name for f in listing.files])}",
            "Put each class in a folder of its own, named after the class, or add a table of "
            "paths and labels (metadata.csv)."
            + (f" To learn from {found.split_name(TRAIN)} alone, name {places[TRAIN]}."
               if split != TRAIN and list_folder(places.get(TRAIN, place)).folders else ""),
        )  # fmt: skip
    found.ignored += [str(file) for file in listing.files]
    for folder in listing.folders:
        below = walk(folder)
        found.ignored += below.ignored
        found.bad += below.bad
        found.entries += [Entry(path, (folder.name,), split) for path in below.pictures]
        if not below.pictures and not below.bad:
            files = "1 file" if len(below.ignored) == 1 else f"{len(below.ignored):,} files"
            what = f"{files}, none a picture" if below.ignored else "no file"
            hint = "Add pictures or remove the folder."
            table = next((f for f in below.ignored if is_table_name(f)), None)
            if table is not None:
                hint = f"If {Path(table).name} says what the pictures show, move it to {place} and "
                hint += "remove the folder."
            reason = BadPicture(what, hint, f"pictures of class {folder.name!r}")
            found.bad.append((folder, reason))

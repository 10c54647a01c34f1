"""Every way to spoil a folder of pictures ends in one error with place, finding and remedy."""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from command_line import refused_by_check
from samoyed.core.errors import DataError, OptionError
from samoyed.core.spec import ImageSpec
from samoyed.data import image_layout
from samoyed.data.images import read_pictures, scan_images


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path_factory.mktemp("cache")))


def paint(path: Path, seed: int, size: tuple[int, int] = (12, 10)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def paint_classes(root: Path, names: tuple[str, ...] = ("cat", "dog"), num: int = 6) -> Path:
    for k, name in enumerate(names):
        for i in range(num):
            paint(root / name / f"{i}.png", 100 * k + i)
    return root


def paint_splits(root: Path) -> Path:
    for s, split in enumerate(("train", "test")):
        for k, name in enumerate(("cat", "dog")):
            for i in range(6):
                paint(root / split / name / f"{i}.png", 1000 * s + 100 * k + i)
    return root


def png_of_size(width: int, height: int) -> bytes:
    """Return a PNG whose header is right and whose pixels are missing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    )


def truncated(suffix: str, keep: float = 0.5) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        path = paint(root / "cat" / f"bad{suffix}", 7, (64, 64))
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * keep)])

    return spoil


def write(name: str, data: bytes) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)

    return spoil


def link(name: str, target: str) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        (root / name).symlink_to(target)

    return spoil


def broken_checksum(root: Path) -> None:
    path = paint(root / "cat" / "bad.png", 7)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def one_pixel(root: Path) -> None:
    paint(root / "cat" / "bad.png", 1, (1, 1))


class File(NamedTuple):
    """One bad file in an otherwise good folder."""

    name: str
    spoil: Callable[[Path], None]
    place: str
    expected: str
    found: str
    hint: str


BAD_FILES = [
    File("truncated png", truncated(".png"), "cat/bad.png", "complete", "cut off", "again"),
    File("truncated jpeg", truncated(".jpg", 0.6), "cat/bad.jpg", "complete", "truncated", "again"),
    File("truncated bmp", truncated(".bmp"), "cat/bad.bmp", "complete", "cut off", "again"),
    File("truncated gif", truncated(".gif"), "cat/bad.gif", "complete", "cut off", "again"),
    File("truncated webp", truncated(".webp"), "cat/bad.webp", "complete", "cut off", "again"),
    File("truncated tiff", truncated(".tiff"), "cat/bad.tiff", "complete", "picture", ""),
    File("truncated pgm", truncated(".ppm"), "cat/bad.ppm", "complete", "cut off", "again"),
    File("jpeg header only", truncated(".jpg", 0.02), "bad.jpg", "complete", "picture", ""),
    File("wrong checksum", broken_checksum, "cat/bad.png", "complete", "damaged", "again"),
    File("zero bytes", write("cat/bad.jpg", b""), "cat/bad.jpg", "complete", "0 bytes", "again"),
    File("text named png", write("cat/bad.png", b"hello there\n"), "cat/bad.png", "complete",
         "text file that begins with 'hello there'", "JPEG"),
    File("web page named jpg", write("cat/bad.jpg", b"<!DOCTYPE html><html>"), "cat/bad.jpg",
         "complete", "<!DOCTYPE html>", "JPEG"),
    File("random bytes", write("cat/bad.png", bytes(range(128, 255))), "cat/bad.png", "complete",
         "80 81 82 83", "JPEG"),
    File("zip named png", write("cat/bad.png", b"PK\x03\x04" + bytes(50)), "cat/bad.png",
         "complete", "zip", "JPEG"),
    File("bomb, warned", write("cat/bad.png", png_of_size(10_000, 10_000)), "cat/bad.png",
         "at most 89,478,485 pixels", "100,000,000 pixels by its header", "shrink"),
    File("bomb, refused", write("cat/bad.png", png_of_size(60_000, 60_000)), "cat/bad.png",
         "at most 89,478,485 pixels", "3,600,000,000 pixels by its header", "shrink"),
    File("one pixel", one_pixel, "cat/bad.png", "at least 2 x 2", "1 x 1", "Remove"),
    File("svg", write("cat/bad.svg", b"<svg/>"), "cat/bad.svg", "complete", "SVG", "Convert"),
    File("svg named png", write("cat/bad.png", b"<?xml?><svg>"), "bad.png", "complete", "SVG",
         "JPEG"),
    File("heic", write("cat/bad.heic", b"x"), "cat/bad.heic", "complete", "HEIC", "Convert"),
    File("heic named jpg", write("cat/bad.jpg", b"\0\0\0\x18ftypheic" + bytes(40)), "bad.jpg",
         "complete", "HEIC", "JPEG"),
    File("pdf", write("cat/bad.pdf", b"%PDF"), "cat/bad.pdf", "complete", "PDF", "Convert"),
    File("dangling link", link("cat/bad.png", "gone.png"), "cat/bad.png", "complete",
         "a link to gone.png, which leads nowhere", "link"),
    File("link to itself", link("cat/bad.png", "bad.png"), "cat/bad.png", "complete",
         "leads nowhere", "link"),
    File("pipe", lambda root: os.mkfifo(root / "cat" / "bad.png"), "cat/bad.png", "complete",
         "a pipe, a socket or a device", "Remove"),
    File("link to a folder above", link("cat/more", ".."), "cat/more", "folder of pictures",
         "leads back to", "Remove the link"),
    File("class without files", lambda root: (root / "eel").mkdir(), "eel", "class 'eel'",
         "no file", "remove the folder"),
    File("class without pictures", write("eel/notes.md", b"x"), "eel", "class 'eel'",
         "1 file, none a picture", "remove the folder"),
    File("class with one picture", lambda root: paint(root / "eel" / "1.png", 900), "eel",
         "at least 2 pictures", "1 picture", "Add pictures"),
]  # fmt: skip


@pytest.mark.parametrize("case", BAD_FILES, ids=lambda case: case.name)
def test_bad_file_stops_or_is_skipped(tmp_path, case):
    root = paint_classes(tmp_path / "data")
    case.spoil(root)
    with pytest.raises(DataError) as caught:
        scan_images(root).load(ImageSpec(3, 8, 8))
    error = caught.value
    assert error.place.startswith(str(root))
    assert error.place.endswith(case.place)
    assert case.expected in error.expected
    assert case.found in error.found
    assert "more" not in error.found or "bomb" in case.name
    assert case.hint in error.hint
    assert "--on-bad skip" in error.hint
    assert case.found in refused_by_check(root)

    source = scan_images(root, on_bad="skip")
    data = source.load(ImageSpec(3, 8, 8))
    assert len(data.train) + len(data.test) == 12
    assert data.labels.names == ("cat", "dog")
    assert len(source.skipped) == 1
    assert case.place in source.skipped[0]
    assert case.found in source.skipped[0]
    again = scan_images(root, on_bad="skip")  # the second time from the cache
    np.testing.assert_array_equal(again.load(ImageSpec(3, 8, 8)).train.images, data.train.images)
    assert again.skipped == source.skipped


@pytest.mark.parametrize(
    "case", [c for c in BAD_FILES if "truncated" in c.name], ids=lambda case: case.name
)
def test_verify_lists_what_cannot_be_decoded(tmp_path, case):
    root = paint_classes(tmp_path / "data")
    case.spoil(root)
    source = scan_images(root, on_bad="skip")
    problems = source.verify() or list(source.skipped)
    assert len(problems) == 1
    assert case.place in problems[0]


def test_verify_finds_nothing_in_good_pictures(tmp_path):
    assert scan_images(paint_classes(tmp_path / "data")).verify() == []


def test_many_bad_files_name_the_first_and_count_the_others(tmp_path):
    root = paint_classes(tmp_path / "data")
    for i in range(9):
        (root / "dog" / f"bad{i}.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"8 more are bad as well: bad1\.png") as caught:
        scan_images(root)
    assert caught.value.place.endswith("bad0.png")
    assert "and 3 more" in caught.value.found
    assert len(scan_images(root, on_bad="skip").skipped) == 9


def test_undecodable_files_are_counted_too(tmp_path):
    root = paint_classes(tmp_path / "data")
    for i in (2, 5):
        path = root / "dog" / f"{i}.png"
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"1 more is bad as well: 5\.png") as caught:
        scan_images(root).load(ImageSpec(1, 8, 8))
    assert caught.value.place.endswith(os.path.join("dog", "2.png"))
    source = scan_images(root, on_bad="skip")
    source.load(ImageSpec(1, 8, 8))
    assert len(source.skipped) == 2
    with pytest.raises(DataError, match=r"1 more is bad as well"):  # now from the cache
        scan_images(root).load(ImageSpec(1, 8, 8))


def test_skipping_never_leaves_a_single_class(tmp_path):
    root = paint_classes(tmp_path / "data")
    for path in (root / "dog").iterdir():
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match="at least two classes") as caught:
        scan_images(root, on_bad="skip").load(ImageSpec(1, 8, 8))
    assert "6 cannot be decoded" in caught.value.found


class Layout(NamedTuple):
    """A whole folder that is wrong."""

    name: str
    build: Callable[[Path], Path]
    place: str
    expected: str
    found: str
    hint: str


def single_file(root: Path) -> Path:
    return paint(root / "a.png", 1)


def loose(root: Path) -> Path:
    for i in range(7):
        paint(root / f"{i}.png", i)
    return root


def nested(root: Path) -> Path:
    paint_classes(root / "flowers", ("rose", "tulip"))
    return root


def without(split: str, keep: str = "") -> Callable[[Path], Path]:
    def build(root: Path) -> Path:
        (paint_splits(root) / split).rename(root / keep if keep else root.parent / "away")
        return root

    return build


def unknown_class(root: Path) -> Path:
    paint(paint_splits(root) / "test" / "dogs" / "1.png", 77)
    return root


def all_copies(root: Path) -> Path:
    for k, name in enumerate(("cat", "dog")):
        for i in range(4):
            paint(root / name / f"{i}.png", k)
    return root


def two_tests(root: Path) -> Path:
    paint_classes(paint_splits(root) / "Testing")
    return root


def make(folder: str) -> Callable[[Path], Path]:
    def build(root: Path) -> Path:
        (root / folder).mkdir(parents=True)
        return root

    return build


def misspelt(root: Path) -> Path:
    return paint_classes(root / "flowers").with_name("flower")


def dangling(root: Path) -> Path:
    root.mkdir()
    (root / "link").symlink_to("nowhere")
    return root / "link"


def every_file_bad(root: Path) -> Path:
    for path in paint_classes(root).rglob("*.png"):
        path.write_bytes(b"")
    return root


BAD_LAYOUTS = [
    Layout("missing", lambda r: r / "x", "x", "a folder of pictures", "does not exist", "spelling"),
    Layout("misspelt", misspelt, "flower", "a folder", "does not exist", "'flowers'"),
    Layout("file instead of folder", single_file, "a.png", "one sub-folder for each class",
           "a single file", "Name the folder"),
    Layout("dangling link", dangling, "link", "a folder of pictures", "a link to nowhere",
           "Repair the link"),
    Layout("empty", make(""), "data", "a folder for each class", "an empty folder", "of its own"),
    Layout("only hidden files", make(".git"), "data", "a folder for each class",
           "an empty folder", "of its own"),
    Layout("loose pictures", loose, "data", "a folder for each class",
           "7 loose files and no folder: 0.png, 1.png, 2.png, 3.png, 4.png and 2 more",
           "Put each class in a folder"),
    Layout("one class", lambda r: paint_classes(r, ("cat",)), "data", "at least two classes",
           "one class only, 'cat'", "each other class"),
    Layout("one level too high", nested, "data", "at least two classes", "'flowers'",
           "If rose, tulip are the classes, name"),
    Layout("train without test", without("test"), "data", "train/ and test/",
           "train/ without test/", "held out by naming"),
    Layout("test without train", without("train"), "data", "train/ and test/",
           "test/ without train/", "Add train/"),
    Layout("validation without train", without("train", "val"), "data", "train/ and test/",
           "test/, val/ without train/", "Add train/"),
    Layout("class only in test", unknown_class, "test/dogs", "one of the 2 classes of train/",
           "class 'dogs' with 1 pictures", "Did you mean 'dog'?"),
    Layout("two test folders", two_tests, "data", "one folder for each split", "Testing/",
           "Merge"),
    Layout("copies of one picture", all_copies, "data", "hold out", "copies of one picture",
           "Add pictures"),
    Layout("every file bad", every_file_bad, "cat/0.png", "complete", "11 more are bad", "again"),
]  # fmt: skip


@pytest.mark.parametrize("case", BAD_LAYOUTS, ids=lambda case: case.name)
def test_bad_layout(tmp_path, case):
    path = case.build(tmp_path / "data")
    with pytest.raises(DataError) as caught:
        scan_images(path)
    error = caught.value
    assert error.place.endswith(case.place)
    assert case.expected in error.expected
    assert case.found in error.found
    assert case.hint in error.hint


@pytest.mark.parametrize("name", ["one class", "every file bad", "loose pictures", "empty"])
def test_nothing_to_learn_is_an_error_even_when_skipping(tmp_path, name):
    case = next(case for case in BAD_LAYOUTS if case.name == name)
    with pytest.raises(DataError):
        scan_images(case.build(tmp_path / "data"), on_bad="skip")


def test_class_only_in_test_can_be_skipped(tmp_path):
    source = scan_images(unknown_class(tmp_path / "data"), on_bad="skip")
    assert source.num_test == 12
    assert "dogs" in source.skipped[0]


def test_unreadable_class_folder(tmp_path, monkeypatch):
    root = paint_classes(tmp_path / "data", ("cat", "dog", "eel"))
    real = os.scandir

    def scandir(path):
        if Path(path).name == "dog":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(image_layout.os, "scandir", scandir)
    with pytest.raises(DataError, match="permission denied") as caught:
        scan_images(root)
    assert caught.value.place == str(root / "dog")
    assert "permission" in caught.value.hint
    source = scan_images(root, on_bad="skip")
    assert source.labels.names == ("cat", "eel")
    assert "dog: permission denied" in source.skipped[0]


def test_unreadable_top_folder(tmp_path, monkeypatch):
    def scandir(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(image_layout.os, "scandir", scandir)
    with pytest.raises(DataError, match="permission denied"):
        scan_images(tmp_path)


def test_unreadable_file(tmp_path, monkeypatch):
    root = paint_classes(tmp_path / "data")
    real = Path.read_bytes

    def read_bytes(path):
        if path.name == "3.png" and path.parent.name == "cat":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    with pytest.raises(DataError, match="may not be read") as caught:
        scan_images(root)
    assert caught.value.place == str(root / "cat" / "3.png")
    assert "permission" in caught.value.hint
    assert len(scan_images(root, on_bad="skip").skipped) == 1


def test_on_bad_has_two_values(tmp_path):
    with pytest.raises(OptionError, match="stop or skip"):
        scan_images(tmp_path, on_bad="ignore")


@pytest.mark.parametrize(
    ("spoil", "expected", "found"),
    [
        (lambda root: [root / "gone.png"], "a picture or a folder", "does not exist"),
        (lambda root: [], "at least one picture", "none"),
        (lambda root: [write("cat/a.png", b"")(root), root / "cat" / "a.png"][1:], "complete",
         "0 bytes"),
        (lambda root: [make("eel")(root) / "eel"], "with pictures in it", "no picture"),
        (lambda root: [link("cat/up", "..")(root), root][1:], "folder of pictures", "leads back"),
    ],
)  # fmt: skip
def test_bad_pictures_to_predict(tmp_path, spoil, expected, found):
    root = paint_classes(tmp_path / "data")
    with pytest.raises(DataError) as caught:
        read_pictures(spoil(root), ImageSpec(3, 8, 8))
    assert expected in caught.value.expected
    assert found in caught.value.found
    assert "--on-bad" not in caught.value.hint


def test_a_class_that_the_validation_part_lacks_is_named(tmp_path):
    root = paint_splits(tmp_path / "data")
    for i in range(3):
        paint(root / "valid" / "cat" / f"{i}.png", 5000 + i)
    assert scan_images(root).warnings == ("classes without a validation example: dog",)


def test_a_line_break_in_a_name_breaks_no_line(tmp_path):
    source = scan_images(paint_classes(tmp_path / "data", ("cat", "sled\ndog")))
    assert source.labels.names == ("cat", "sled\ndog")
    assert "cat (6), sled\\ndog (6)" in source.describe()[1]

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from command_line import refused_by_check
from samoyed.core.errors import DataError
from samoyed.core.spec import ImageSpec
from samoyed.data.idx import idx_rows, read_idx, read_idx_header
from samoyed.data.images import scan_images

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
CODES = {"uint8": 8, "int8": 9, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("SAMOYED_CACHE", str(folder))
    return folder


def as_idx(array: np.ndarray) -> bytes:
    head = struct.pack(
        f">BBBB{array.ndim}I", 0, 0, CODES[array.dtype.name], array.ndim, *array.shape
    )
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def drawn(num: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (num, 6, 5), np.uint8)


def labels_of(num: int) -> np.ndarray:
    return (np.arange(num) % 3).astype(np.uint8)


def put(root: Path, name: str, data: bytes, is_gzipped: bool = True) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    path = root / (f"{name}.gz" if is_gzipped else name)
    path.write_bytes(gzip.compress(data) if is_gzipped else data)
    return path


def put_set(root: Path, is_gzipped: bool = True) -> Path:
    put(root, TRAIN_IMAGES, as_idx(drawn(30, 1)), is_gzipped)
    put(root, TRAIN_LABELS, as_idx(labels_of(30)), is_gzipped)
    put(root, TEST_IMAGES, as_idx(drawn(12, 2)), is_gzipped)
    put(root, TEST_LABELS, as_idx(labels_of(12)), is_gzipped)
    return root


@pytest.mark.parametrize("dtype", CODES)
def test_every_type_and_rank(tmp_path, dtype):
    for shape in ((7,), (4, 3), (2, 3, 4), (2, 2, 3, 2)):
        array = np.random.default_rng(0).normal(0, 50, shape).astype(dtype)
        read = read_idx(put(tmp_path, f"{len(shape)}", as_idx(array)))
        np.testing.assert_array_equal(read, array)
        assert read.dtype == array.dtype


def test_rows_come_in_pieces(tmp_path):
    array = drawn(10, 3)
    header = read_idx_header(put(tmp_path, "x", as_idx(array), is_gzipped=False))
    assert header.shape == (10, 6, 5)
    pieces = list(idx_rows(header, 4))
    assert [len(piece) for piece in pieces] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate(pieces), array)


@pytest.mark.parametrize("is_gzipped", [True, False])
def test_official_split(tmp_path, is_gzipped, cache_folder):
    root = put_set(tmp_path / "mnist", is_gzipped)
    for _ in range(2):
        source = scan_images(root)
        assert source.spec == ImageSpec(1, 6, 5)
        assert source.labels.names == ("0", "1", "2")
        assert (source.num_train, source.num_test, source.has_official_test) == (30, 12, True)
        assert source.warnings == ()
        data = source.load(source.spec)
        np.testing.assert_array_equal(data.train.images[:, 0], drawn(30, 1))
        np.testing.assert_array_equal(data.test.images[:, 0], drawn(12, 2))
        np.testing.assert_array_equal(data.test.labels, labels_of(12))
        assert not data.train.images.flags.writeable  # mapped from the disk
    assert data.test.names[3].startswith("t10k-images-idx3-ubyte")
    assert data.test.names[3].endswith("[3]")
    assert source.verify() == []
    assert list(cache_folder.glob("*.npy"))


@pytest.mark.parametrize(
    "names",
    [
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte",
         "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"),
        ("emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte",
         "emnist-letters-test-images-idx3-ubyte", "emnist-letters-test-labels-idx1-ubyte"),
    ],
)  # fmt: skip
def test_other_names(tmp_path, names):
    arrays = drawn(30, 1), labels_of(30), drawn(12, 2), labels_of(12)
    for name, array in zip(names, arrays, strict=True):
        put(tmp_path, name, as_idx(array))
    source = scan_images(tmp_path)
    assert (source.num_train, source.num_test) == (30, 12)


def test_without_test_files_a_fifth_is_held_out(tmp_path):
    put(tmp_path, TRAIN_IMAGES, as_idx(drawn(30, 1)))
    put(tmp_path, TRAIN_LABELS, as_idx(labels_of(30)))
    source = scan_images(tmp_path)
    assert not source.has_official_test
    data = source.load(source.spec)
    assert np.bincount(data.test.labels).tolist() == [2, 2, 2]
    together = np.concatenate([data.train.images, data.test.images])[:, 0]
    assert sorted(map(bytes, together)) == sorted(map(bytes, drawn(30, 1)))


def test_labels_need_not_begin_at_zero(tmp_path):
    put(tmp_path, TRAIN_IMAGES, as_idx(drawn(30, 1)))
    put(tmp_path, TRAIN_LABELS, as_idx((labels_of(30) * 3 + 1).astype(np.int32)))
    source = scan_images(tmp_path)
    assert source.labels.names == ("1", "4", "7")
    assert set(source.targets.tolist()) == {0, 1, 2}


@pytest.mark.parametrize("is_last", [True, False])
def test_colour(tmp_path, is_last):
    images = np.random.default_rng(0).integers(0, 256, (30, 6, 5, 3), np.uint8)
    first = np.moveaxis(images, -1, 1)
    put(tmp_path, "train-images-idx4-ubyte", as_idx(images if is_last else first))
    put(tmp_path, TRAIN_LABELS, as_idx(labels_of(30)))
    source = scan_images(tmp_path)
    assert source.spec == ImageSpec(3, 6, 5)
    loaded = source.load(source.spec).train.images
    np.testing.assert_array_equal(loaded, first[source.splits == 0])


def test_another_size_is_kept_for_the_next_time(tmp_path, cache_folder):
    source = scan_images(put_set(tmp_path / "mnist"))
    before = set(cache_folder.glob("*.npy"))
    first = source.load(ImageSpec(3, 12, 10)).train.images
    assert first.shape == (30, 3, 12, 10)
    assert len(set(cache_folder.glob("*.npy")) - before) == 2  # and what is nearly the same
    again = scan_images(tmp_path / "mnist").load(ImageSpec(3, 12, 10)).train.images
    np.testing.assert_array_equal(first, again)


def test_copies_across_the_split_are_named(tmp_path):
    root = put_set(tmp_path / "mnist")
    images = drawn(12, 2)
    images[4] = drawn(30, 1)[7]
    put(root, TEST_IMAGES, as_idx(images))
    (warning,) = scan_images(root).warnings
    assert "learn from and held out, 1: " in warning
    assert f"{TRAIN_IMAGES}.gz[7] = {TEST_IMAGES}.gz[4]" in warning


class Spoilt(NamedTuple):
    """One way to spoil the four files."""

    name: str
    spoil: Callable[[Path], object]
    place: str
    expected: str
    found: str
    hint: str


def put_plain(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda root: put(root, name, data, is_gzipped=False)


def put_gz(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda root: put(root, name, data)


def put_raw_gz(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda root: put(root, f"{name}.gz", data, is_gzipped=False)


def remove(*names: str) -> Callable[[Path], object]:
    return lambda root: [(root / f"{name}.gz").unlink() for name in names]


GOOD = as_idx(drawn(30, 1))
NEGATIVE = labels_of(30).astype(np.int16)
NEGATIVE[4] = -2
UNKNOWN = labels_of(12)
UNKNOWN[5] = 9
SPOILT = [
    Spoilt("wrong magic", put_plain(TRAIN_IMAGES, b"\x01\x02\x08\x03" + GOOD[4:]),
           f"{TRAIN_IMAGES} (byte 0)", "magic number", "01 02 08 03", "idx in their name"),
    Spoilt("unknown type", put_plain(TRAIN_IMAGES, b"\0\0\x07\x03" + GOOD[4:]), "(byte 0)",
           "magic number", "00 00 07 03", ""),
    Spoilt("text", put_plain(TRAIN_IMAGES, b"hello there"), "(byte 0)", "magic", "68 65", ""),
    Spoilt("gzip without .gz", put_plain(TRAIN_IMAGES, gzip.compress(GOOD)), "(byte 0)", "magic",
           "1f 8b", "add .gz"),
    Spoilt("empty", put_plain(TRAIN_IMAGES, b""), TRAIN_IMAGES, "an IDX file", "0 bytes",
           "Download"),
    Spoilt("empty gz", put_raw_gz(TRAIN_IMAGES, b""), ".gz", "a gzip file", "0 bytes", "Download"),
    Spoilt("header cut", put_plain(TRAIN_IMAGES, GOOD[:10]), "(byte 10)", "the lengths of 3 axes",
           "the end of the file", "Download"),
    Spoilt("truncated", put_plain(TRAIN_IMAGES, GOOD[:-7]), "(byte 909)",
           "900 bytes of values, as the header says (30 x 6 x 5)", "893 bytes, 7 too few",
           "Download"),
    Spoilt("extra bytes", put_plain(TRAIN_IMAGES, GOOD + b"xyz"), "(byte 916)", "900 bytes",
           "903 bytes, 3 too many", "Download"),
    Spoilt("truncated inside gz", put_gz(TRAIN_IMAGES, GOOD[:-7]), "(byte 909)", "900 bytes",
           "893 bytes, 7 too few", "Download"),
    Spoilt("extra bytes inside gz", put_gz(TRAIN_IMAGES, GOOD + b"xyz"), "(byte 916)",
           "900 bytes", "901 bytes or more, 1 or more too many", "Download"),
    Spoilt("absurd lengths", put_plain(TRAIN_IMAGES, GOOD[:4] + b"\x7f" * 12 + GOOD[16:]),
           "(byte 916)", "2,139,062,143 x 2,139,062,143", "900 bytes, 9,787", "Download"),
    Spoilt("absurd lengths in gz", put_gz(TRAIN_IMAGES, GOOD[:4] + b"\x7f" * 12 + GOOD[16:]),
           "(byte 4)", "gzipped bytes can fulfil", "2,139,062,143 x 2,139,062,143", "Download"),
    Spoilt("length zero", put_plain(TRAIN_IMAGES, GOOD[:4] + bytes(12)), "(byte 4)",
           "lengths above zero", "0 x 0 x 0", "Download"),
    Spoilt("not gzip", put_raw_gz(TRAIN_IMAGES, b"hello there"), "gz (byte 0)", "a gzip file",
           "68 65", "Download"),
    Spoilt("plain named gz", put_raw_gz(TRAIN_IMAGES, GOOD), "gz (byte 0)", "a gzip file",
           "00 00", "remove .gz"),
    Spoilt("gz cut", put_raw_gz(TRAIN_IMAGES, gzip.compress(GOOD)[:500]), ".gz",
           "a complete gzip file", "the end of the file after", "Download"),
    Spoilt("gz damaged", put_raw_gz(TRAIN_IMAGES, gzip.compress(GOOD)[:-8] + bytes(8)), ".gz",
           "an undamaged gzip file", "CRC", "Download"),
    Spoilt("fewer labels", put_gz(TRAIN_LABELS, as_idx(labels_of(29))), TRAIN_LABELS,
           "30 labels, one for each picture of train-images", "29 labels", "belong together"),
    Spoilt("labels as pictures", put_gz(TRAIN_IMAGES, as_idx(labels_of(30))), "(byte 2)",
           "pictures: bytes", "labels of uint8", "changed their names"),
    Spoilt("pictures as labels", put_gz(TRAIN_LABELS, GOOD), "(byte 2)", "labels: whole numbers",
           "uint8 on 3 axes", "changed their names"),
    Spoilt("pictures of another type", put_gz(TRAIN_IMAGES, as_idx(drawn(30, 1).astype("float32"))),
           "(byte 2)", "pictures: bytes", "float32", ""),
    Spoilt("labels of another type", put_gz(TRAIN_LABELS, as_idx(labels_of(30).astype("float64"))),
           "(byte 2)", "labels: whole numbers", "float64 on 1 axes", ""),
    Spoilt("negative label", put_gz(TRAIN_LABELS, as_idx(NEGATIVE)), "(label 4)",
           "labels from 0 up", "-2", "Correct"),
    Spoilt("label only in test", put_gz(TEST_LABELS, as_idx(UNKNOWN)), "(label 5)",
           "one of the labels to learn from: 0, 1, 2", "9; 1 labels", "--on-bad skip"),
    Spoilt("one label only", put_gz(TRAIN_LABELS, as_idx(np.zeros(30, np.uint8))), TRAIN_LABELS,
           "at least two different labels", "only 0", "another class"),
    Spoilt("no labels", remove(TRAIN_LABELS), "", "labels beside train-images", "none", "labels"),
    Spoilt("no pictures", remove(TEST_IMAGES), "", "pictures beside t10k-labels", "none", "images"),
    Spoilt("no training files", remove(TRAIN_IMAGES, TRAIN_LABELS), "", "to learn from",
           "only t10k-images", "Add"),
    Spoilt("another size", put_gz(TEST_IMAGES, as_idx(drawn(12, 2)[:, 1:])), TEST_IMAGES,
           "pictures of 6 x 5", "pictures of 5 x 5", "same set"),
    Spoilt("two sets", put_gz(f"kmnist-{TRAIN_IMAGES}", GOOD), "", "one data set", "kmnist",
           "folder of their own"),
    Spoilt("two files for a part", put_gz("train-images.idx3-ubyte", GOOD), "", "one IDX file",
           "train-images", "Remove one"),
    Spoilt("other axes in the test", put_gz(TEST_IMAGES, as_idx(np.zeros((12, 6, 5, 7), np.uint8))),
           TEST_IMAGES, "pictures of 6 x 5", "pictures of 6 x 5 x 7", "same set"),
    Spoilt("dangling link", lambda root: (root / TRAIN_IMAGES).symlink_to("gone"), TRAIN_IMAGES,
           "can be read", "no such file", "link"),
]  # fmt: skip


@pytest.mark.parametrize("on_bad", ["stop", "skip"])
@pytest.mark.parametrize("case", SPOILT, ids=lambda case: case.name)
def test_spoilt_files(tmp_path, case, on_bad):
    root = put_set(tmp_path / "mnist")
    case.spoil(root)
    if on_bad == "skip" and case.name == "label only in test":
        source = scan_images(root, on_bad="skip")
        assert (source.num_train, source.num_test) == (30, 11)
        assert "[5]: label 9" in source.skipped[0]
        assert len(source.load(source.spec).test) == 11
        return
    with pytest.raises(DataError) as caught:
        scan_images(root, on_bad=on_bad)
    error = caught.value
    assert error.place.startswith(str(root))
    assert case.place in error.place
    assert case.expected in error.expected
    assert case.found in error.found
    assert case.hint in error.hint
    if on_bad == "stop":
        assert case.found in refused_by_check(root)


def test_seven_colours_are_too_many(tmp_path):
    put(tmp_path, TRAIN_IMAGES, as_idx(np.zeros((30, 6, 5, 7), np.uint8)))
    put(tmp_path, TRAIN_LABELS, as_idx(labels_of(30)))
    with pytest.raises(DataError, match="pictures of 6 x 5 x 7") as caught:
        scan_images(tmp_path)
    assert "1 or 3 colours" in caught.value.expected


def test_unreadable_file(tmp_path, monkeypatch):
    root = put_set(tmp_path / "mnist", is_gzipped=False)
    real = Path.open

    def opened(path, *args, **options):
        if path.name == TRAIN_LABELS:
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **options)

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(DataError, match="permission denied") as caught:
        scan_images(root)
    assert caught.value.place.endswith(TRAIN_LABELS)


def test_plain_goes_before_its_gzipped_twin(tmp_path):
    root = put_set(tmp_path / "mnist")
    put(root, TRAIN_IMAGES, as_idx(drawn(30, 5)), is_gzipped=False)
    data = scan_images(root).load(ImageSpec(1, 6, 5))
    np.testing.assert_array_equal(data.train.images[:, 0], drawn(30, 5))

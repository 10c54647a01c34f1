"""CIFAR's binary files, written here byte by byte."""

from pathlib import Path

import numpy as np
import pytest

from samoyed.core.errors import DataError, OptionError
from samoyed.core.spec import ImageSpec
from samoyed.data.images import scan_images
from samoyed.data.tables import TableAsk
from samoyed.opening import open_source

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path_factory.mktemp("cache")))


def records(labels: list[tuple[int, ...]], seed: int) -> tuple[bytes, list[np.ndarray]]:
    """Return the bytes, and each picture as rows, columns, colours."""
    rng = np.random.default_rng(seed)
    pictures = [rng.integers(0, 256, (32, 32, 3), np.uint8) for _ in labels]
    data = b"".join(
        bytes(label) + b"".join(picture[:, :, c].tobytes() for c in range(3))
        for label, picture in zip(labels, pictures, strict=True)
    )
    return data, pictures


def put_ten(root: Path) -> dict[str, list[np.ndarray]]:
    pictures = {}
    for k, name in enumerate(("data_batch_1", "data_batch_2", "test_batch")):
        data, pictures[name] = records([(i % 10,) for i in range(20)], k)
        (root / f"{name}.bin").write_bytes(data)
    (root / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")
    (root / "readme.html").write_text("<html>")
    return pictures


def put_hundred(root: Path) -> None:
    for k, name in enumerate(("train", "test")):
        data, _ = records([(i % 20, i % 100) for i in range(200)], k)
        (root / f"{name}.bin").write_bytes(data)
    (root / "fine_label_names.txt").write_text("\n".join(f"fine {i}" for i in range(100)))
    (root / "coarse_label_names.txt").write_text("\n".join(f"coarse {i}" for i in range(20)))


def test_ten_classes(tmp_path):
    pictures = put_ten(tmp_path)
    source = open_source(str(tmp_path))
    assert source.labels.names == NAMES
    assert (source.num_train, source.num_test, source.has_official_test) == (40, 20, True)
    data = source.load(source.spec)
    assert source.spec == ImageSpec(3, 32, 32)
    for name, image, label in zip(data.test.names, data.test.images, data.test.labels, strict=True):
        i = int(name.removeprefix("test_batch.bin[")[:-1])
        np.testing.assert_array_equal(image.transpose(1, 2, 0), pictures["test_batch"][i])
        assert label == i % 10
    first = pictures["data_batch_1"][3]
    np.testing.assert_array_equal(data.train.images[3].transpose(1, 2, 0), first)
    assert source.load(ImageSpec(1, 16, 16)).train.images.shape == (40, 1, 16, 16)


def test_a_file_that_is_missing_between_others_is_named(tmp_path):
    put_ten(tmp_path)
    assert not any("missing" in said for said in scan_images(tmp_path).warnings)
    (tmp_path / "data_batch_2.bin").rename(tmp_path / "data_batch_4.bin")
    said = "missing between the other files: data_batch_2.bin, data_batch_3.bin"
    assert said in scan_images(tmp_path).warnings


def test_one_file_will_do_to_name_them_all(tmp_path):
    put_ten(tmp_path)
    assert open_source(str(tmp_path / "data_batch_1.bin")).num_train == 40


def test_without_test_file_a_fifth_is_held_out(tmp_path):
    put_ten(tmp_path)
    (tmp_path / "test_batch.bin").unlink()
    source = scan_images(tmp_path)
    assert (source.num_train, source.num_test, source.has_official_test) == (30, 10, False)
    assert source.load(source.spec).train.images.shape == (30, 3, 32, 32)


def test_hundred_classes_or_twenty(tmp_path):
    put_hundred(tmp_path)
    fine, coarse = scan_images(tmp_path), scan_images(tmp_path, target="coarse")
    assert fine.labels.names[:2] == ("fine 0", "fine 1")
    assert coarse.labels.names[:2] == ("coarse 0", "coarse 1")
    np.testing.assert_array_equal(fine.targets, np.tile(np.arange(100), 4))
    np.testing.assert_array_equal(coarse.targets, np.tile(np.arange(20), 20))
    assert fine.fingerprint != coarse.fingerprint
    assert open_source(str(tmp_path), ask=TableAsk(target="coarse")).labels == coarse.labels
    with pytest.raises(OptionError, match="fine or coarse"):
        scan_images(tmp_path, target="course")


def test_names_are_missing_or_too_few(tmp_path):
    put_ten(tmp_path)
    (tmp_path / "batches.meta.txt").write_text("airplane\nbird\n")
    source = scan_images(tmp_path)
    assert "batches.meta.txt holds 2 names, not 10" in source.warnings[0]
    assert source.labels.names == tuple("0123456789")
    (tmp_path / "batches.meta.txt").unlink()
    assert scan_images(tmp_path).warnings[0].startswith("no batches.meta.txt")


def cut_off(root: Path) -> None:
    path = root / "data_batch_2.bin"
    path.write_bytes(path.read_bytes()[:-100])


def no_train(root: Path) -> None:
    (root / "data_batch_1.bin").unlink()
    (root / "data_batch_2.bin").unlink()


def large_label(root: Path) -> None:
    data = bytearray((root / "data_batch_2.bin").read_bytes())
    data[3073 * 7] = 11
    (root / "data_batch_2.bin").write_bytes(data)


def pickled(root: Path) -> None:
    for path in list(root.glob("*.bin")):
        path.rename(path.with_suffix(""))


@pytest.mark.parametrize(
    ("spoil", "place", "expected", "found"),
    [
        (cut_off, "data_batch_2.bin", "records of 3,073 bytes", "19 records and 2,973 bytes more"),
        (no_train, "", "data_batch_1.bin to learn from", "test_batch.bin"),
        (large_label, "(data_batch_2.bin[7])", "a label from 0 to 9", "11; 1 labels"),
        (pickled, "", "binary files", "pickles: data_batch_1, data_batch_2, test_batch"),
        (lambda root: (root / "test_batch.bin").write_bytes(b""), "test_batch.bin", "records",
         "0 bytes"),
    ],
)  # fmt: skip
def test_spoiled_files(tmp_path, spoil, place, expected, found):
    put_ten(tmp_path)
    spoil(tmp_path)
    with pytest.raises(DataError) as caught:
        open_source(str(tmp_path))
    assert caught.value.place.endswith(place)
    assert expected in caught.value.expected
    assert found in caught.value.found

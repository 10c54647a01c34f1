import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samoyed.core.spec import ImageSpec
from samoyed.data import image_files
from samoyed.data.digits import scan_digits
from samoyed.data.image_split import hold_out, suspicions
from samoyed.data.images import read_pictures, scan_images


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("SAMOYED_CACHE", str(folder))
    return folder


def noise(seed: int, width: int = 12, height: int = 10) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def paint(path: Path, pixels: np.ndarray, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def paint_classes(root: Path, counts: dict[str, int], first_seed: int = 0) -> Path:
    seed = first_seed
    for name, count in counts.items():
        for i in range(count):
            paint(root / name / f"{i}.png", noise(seed))
            seed += 1
    return root


# --- layouts


def test_folder_per_class(tmp_path):
    root = paint_classes(tmp_path / "pets", {"cat": 10, "dog": 15, "eel": 7})
    source = scan_images(root)
    assert (source.kind, source.name, source.path) == ("images", "pets", str(root))
    assert source.labels.names == ("cat", "dog", "eel")
    assert source.spec == ImageSpec(3, 10, 12)
    assert (source.num_train, source.num_test, source.has_official_test) == (26, 6, False)
    assert source.warnings == ()
    assert source.skipped == ()
    said = "\n".join(source.describe())
    for part in (
        "32 in 3 classes",
        "cat (10), dog (15), eel (7)",
        "12 x 10",
        "26 to learn",
        "6 held",
    ):
        assert part in said
    data = source.load(source.spec)
    assert np.bincount(data.test.labels).tolist() == [2, 3, 1]
    assert data.validation is None
    for split in (data.train, data.test):
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int64
        for image, label, name in zip(split.images, split.labels, split.names, strict=True):
            assert Path(name).parent.name == data.labels.names[label]
            pixels = np.asarray(Image.open(root / name))
            np.testing.assert_array_equal(image, np.moveaxis(pixels, -1, 0))


@pytest.mark.parametrize("validation", [None, "val", "valid", "dev"])
def test_official_splits(tmp_path, validation):
    counts = {"train": 7, "test": 3} | ({validation: 2} if validation else {})
    for s, (split, num) in enumerate(counts.items()):
        paint_classes(tmp_path / split, {"cat": num, "dog": num}, 100 * s)
    source = scan_images(tmp_path)
    assert (source.num_train, source.num_test, source.has_official_test) == (14, 6, True)
    data = source.load(ImageSpec(3, 10, 12))
    assert set(data.test.names) == {f"test/{c}/{i}.png" for c in ("cat", "dog") for i in range(3)}
    assert data.test.labels.tolist() == [0, 0, 0, 1, 1, 1]
    if validation:
        assert data.validation is not None
        assert set(data.validation.labels.tolist()) == {0, 1}
        assert data.validation.names[0] == f"{validation}/cat/0.png"
        assert "4 for validation" in "\n".join(source.describe())
    else:
        assert data.validation is None


def test_validation_serves_where_there_is_no_test(tmp_path):
    for s, split in enumerate(("train", "val")):
        paint_classes(tmp_path / split, {"cat": 7, "dog": 7}, 100 * s)
    source = scan_images(tmp_path)
    assert (source.num_train, source.num_test) == (14, 14)
    assert "val/ is what is held out" in source.warnings[0]


def test_train_may_be_a_class(tmp_path):
    source = scan_images(paint_classes(tmp_path, {"bus": 8, "car": 8, "train": 8}))
    assert source.labels.names == ("bus", "car", "train")


def test_folders_inside_a_class_belong_to_it(tmp_path):
    root = paint_classes(tmp_path, {"cat": 7, "dog": 7})
    paint(root / "cat" / "more" / "deep" / "a.png", noise(99))
    assert len(scan_images(root).names) == 15


def test_links_to_folders_are_followed(tmp_path):
    paint_classes(tmp_path / "away", {"x": 7}, 50)
    root = paint_classes(tmp_path / "data", {"cat": 7})
    (root / "dog").symlink_to(tmp_path / "away" / "x")
    assert scan_images(root).labels.names == ("cat", "dog")


def test_numbers_in_names_are_ordered_as_numbers(tmp_path):
    source = scan_images(paint_classes(tmp_path, {"10": 7, "9": 7}))
    assert source.labels.names == ("9", "10")


def test_hidden_files_and_litter_are_not_mentioned(tmp_path):
    root = paint_classes(tmp_path, {"cat": 7, "dog": 7})
    for name in (".DS_Store", "cat/.DS_Store", "cat/Thumbs.db", "dog/desktop.ini", "cat/._0.png"):
        (root / name).write_bytes(b"x")
    (root / "__MACOSX" / "cat").mkdir(parents=True)
    (root / ".git").mkdir()
    source = scan_images(root)
    assert source.labels.names == ("cat", "dog")
    assert source.warnings == ()


def test_other_files_are_named_in_a_warning(tmp_path):
    root = paint_classes(tmp_path, {"cat": 7, "dog": 7})
    for name in ("README.md", "cat/notes.txt", "labels.csv", "dog/a.json", "dog/b", "dog/c.xyz"):
        (root / name).write_text("x")
    (warning,) = scan_images(root).warnings
    assert warning.startswith("not pictures, ignored, 6: ")
    assert "cat/notes.txt" in warning
    assert "and 1 more" in warning


def test_picture_without_a_suffix_is_a_picture(tmp_path):
    root = paint_classes(tmp_path, {"cat": 7, "dog": 7})
    (root / "cat" / "6.png").rename(root / "cat" / "6")
    assert len(scan_images(root).names) == 14


# --- the split


def test_split_is_stratified_and_ignores_names_and_order():
    targets = np.repeat([0, 1, 2], [50, 20, 5])
    digests = [f"{i:x}" for i in range(75)]
    splits = hold_out(targets, digests, seed=0)
    assert [int((splits[targets == k] == 2).sum()) for k in range(3)] == [10, 4, 1]
    order = np.random.default_rng(0).permutation(75)
    shuffled = hold_out(targets[order], [digests[i] for i in order], seed=0)
    np.testing.assert_array_equal(shuffled, splits[order])
    assert (hold_out(targets, digests, seed=1) != splits).any()


def test_a_class_of_one_picture_is_learned_and_not_held_out():
    targets = np.array([0] * 10 + [1] + [2] * 3)
    digests = [str(i) for i in range(11)] + ["copy"] * 3
    splits = hold_out(targets, digests, seed=0)
    assert [int((splits[targets == k] == 2).sum()) for k in range(3)] == [2, 0, 0]


def test_two_copies_that_differ_are_named():
    targets, splits = np.array([0, 0, 1, 0]), np.array([0, 0, 0, 2])
    found = suspicions(targets, splits, ["x"] * 4, ["a", "b", "c", "d"], ["cat", "dog"])
    assert "same picture to learn from and held out, 1: a = d" in found
    assert "same picture in two classes, 1: a = c" in found


def test_copies_stay_on_one_side():
    rng = np.random.default_rng(0)
    for seed in range(20):
        targets = rng.integers(0, 3, 200)
        digests = [str(i) for i in rng.integers(0, 90, 200)]
        splits = hold_out(targets, digests, seed)
        for digest in set(digests):
            rows = [i for i in range(200) if digests[i] == digest]
            assert len(set(splits[rows].tolist())) == 1


def test_seed_changes_the_split_and_nothing_else(tmp_path):
    root = paint_classes(tmp_path, {"cat": 20, "dog": 20})
    first, same, other = (set(load_test_names(root, seed)) for seed in (0, 0, 1))
    assert first == same
    assert first != other
    assert len(first) == len(other) == 8


def load_test_names(root: Path, seed: int):
    return scan_images(root, seed=seed).load(ImageSpec(1, 4, 4)).test.names


# --- warnings


def test_copies_are_named(tmp_path):
    for s, split in enumerate(("train", "test")):
        paint_classes(tmp_path / split, {"cat": 7, "dog": 7}, 100 * s)
    paint(tmp_path / "test" / "cat" / "copy.png", noise(3))
    paint(tmp_path / "train" / "dog" / "both.png", noise(4))
    paint(tmp_path / "train" / "dog" / "twice.png", noise(8))
    across, doubtful, twice = scan_images(tmp_path).warnings
    assert across == (
        "same picture to learn from and held out, 1: train/cat/3.png = test/cat/copy.png"
    )
    assert "in two classes, 1: train/cat/4.png = train/dog/both.png" in doubtful
    assert "copies of another picture in a split, 1: train/dog/1.png = train/dog/twice.png" in twice


def test_rare_and_unequal_classes_are_named(tmp_path):
    source = scan_images(paint_classes(tmp_path, {"cat": 60, "dog": 6, "eel": 3}))
    few, unequal = source.warnings
    assert few == "classes with 5 or fewer examples to learn from: dog (5), eel (2)"
    assert unequal == "unequal classes: 48 examples of cat, 2 of eel"


def test_class_without_test_example_is_named(tmp_path):
    paint_classes(tmp_path / "train", {"cat": 7, "dog": 7})
    paint_classes(tmp_path / "test", {"cat": 7}, 50)
    assert scan_images(tmp_path).warnings == ("classes without a test example: dog",)


def test_sizes_differ_median_is_taken(tmp_path):
    root = paint_classes(tmp_path, {"cat": 7, "dog": 7})
    for i, (width, height) in enumerate([(40, 20), (30, 8), (4, 50)] * 7):
        paint(root / "eel" / f"{i}.png", noise(100 + i, width, height))
    source = scan_images(root)
    widths, heights = [12] * 14 + [40, 30, 4] * 7, [10] * 14 + [20, 8, 50] * 7
    assert source.spec == ImageSpec(3, int(np.median(heights)), int(np.median(widths)))
    (said,) = [line for line in source.describe() if "sizes differ" in line]
    height = source.spec.height
    assert f"differ, from 12 x 10 to 40 x 20; brought to 12 x {height} pixels, colour" in said
    assert not any("sizes differ" in warning for warning in source.warnings)


def test_all_gray_means_one_channel(tmp_path):
    for k, name in enumerate(("cat", "dog")):
        for i in range(6):
            paint(tmp_path / name / f"{i}.png", noise(10 * k + i)[..., 0])
    assert scan_images(tmp_path).spec == ImageSpec(1, 10, 12)
    paint(tmp_path / "cat" / "colour.png", noise(77))
    assert scan_images(tmp_path).spec == ImageSpec(3, 10, 12)


# --- cache


def test_second_load_decodes_nothing(tmp_path, monkeypatch):
    root = paint_classes(tmp_path, {"cat": 7, "dog": 7})
    first = scan_images(root).load(ImageSpec(3, 8, 8))
    monkeypatch.setattr(image_files, "decode_all", lambda *args: pytest.fail("decoded again"))
    second = scan_images(root).load(ImageSpec(3, 8, 8))
    np.testing.assert_array_equal(first.train.images, second.train.images)
    assert first.test.names == second.test.names


def test_another_content_or_size_is_another_entry(tmp_path):
    root = paint_classes(tmp_path, {"cat": 7, "dog": 7})
    before = scan_images(root)
    first = before.load(ImageSpec(3, 8, 8))
    assert before.load(ImageSpec(1, 8, 8)).train.images.shape[1] == 1
    paint(root / "cat" / "0.png", noise(999))
    after = scan_images(root)
    assert after.fingerprint != before.fingerprint
    second = after.load(ImageSpec(3, 8, 8))
    everything = [np.concatenate([d.train.images, d.test.images]) for d in (first, second)]
    assert {im.tobytes() for im in everything[0]} != {im.tobytes() for im in everything[1]}


def test_same_content_elsewhere_has_the_same_fingerprint(tmp_path):
    counts = {"cat": 7, "dog": 7}
    sources = [scan_images(paint_classes(tmp_path / name, counts)) for name in ("a", "b")]
    assert sources[0].fingerprint == sources[1].fingerprint


def test_works_where_nothing_can_be_cached(tmp_path, monkeypatch):
    root = paint_classes(tmp_path / "data", {"cat": 7, "dog": 7})
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.warns(UserWarning, match="not kept for the next time"):
        data = scan_images(root).load(ImageSpec(3, 8, 8))
    assert len(data.train) == 12


def test_decoding_in_pieces_gives_the_same(tmp_path, monkeypatch):
    root = paint_classes(tmp_path / "data", {"cat": 7, "dog": 7})
    whole = scan_images(root).load(ImageSpec(3, 8, 8))
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path / "other"))
    monkeypatch.setattr(image_files, "_CHUNK_BYTES", 500)
    pieces = scan_images(root).load(ImageSpec(3, 8, 8))
    np.testing.assert_array_equal(whole.train.images, pieces.train.images)


# --- pictures to predict


def test_read_pictures_takes_files_and_folders(tmp_path):
    root = paint_classes(tmp_path / "data", {"cat": 3, "dog": 2})
    single = paint(tmp_path / "one.png", noise(50))
    (root / "cat" / "notes.txt").write_text("x")
    images, names = read_pictures([str(single), root], ImageSpec(3, 10, 12))
    assert names == [str(single)] + [
        str(root / name / f"{i}.png") for name, num in (("cat", 3), ("dog", 2)) for i in range(num)
    ]
    assert images.shape == (6, 3, 10, 12)
    np.testing.assert_array_equal(images[0], np.moveaxis(noise(50), -1, 0))
    np.testing.assert_array_equal(images[4], np.moveaxis(noise(3), -1, 0))


def test_predicting_sees_what_training_saw(tmp_path):
    root = paint_classes(tmp_path, {"cat": 7, "dog": 7})
    size = ImageSpec(1, 7, 7)
    data = scan_images(root).load(size)
    images, _ = read_pictures([root / name for name in data.test.names], size)
    np.testing.assert_array_equal(images, data.test.images)


def test_pillows_remarks_stay_inside(tmp_path):
    root = paint_classes(tmp_path, {"cat": 7, "dog": 7})
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.save(root / "cat" / "p.png", transparency=b"\x80\xff")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = scan_images(root).load(ImageSpec(3, 8, 8))
    assert len(data.train) + len(data.test) == 15


# --- the bundled sample


def test_digits():
    from sklearn.datasets import load_digits

    source = scan_digits()
    assert (source.num_train, source.num_test) == (1438, 359)
    assert source.spec == ImageSpec(1, 8, 8)
    assert source.labels.names == tuple("0123456789")
    data = source.load(source.spec)
    digits = load_digits()
    for split in (data.train, data.test):
        rows = [int(name[7:-1]) for name in split.names]
        np.testing.assert_array_equal(split.labels, digits.target[rows])
        np.testing.assert_allclose(split.images[:, 0] / 255 * 16, digits.images[rows], atol=0.04)
    counts = np.bincount(data.test.labels) / np.bincount(digits.target)
    assert np.abs(counts - 0.2).max() < 0.01
    assert scan_digits().load(source.spec).test.names == data.test.names
    assert scan_digits(seed=1).load(source.spec).test.names != data.test.names
    assert data.train.images.flags.writeable
    assert source.load(ImageSpec(1, 28, 28)).train.images.shape == (1438, 1, 28, 28)

"""Folders of pictures as people have them: each is read, or refused with what helps if followed."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samoyed.core.errors import DataError
from samoyed.data.image_listing import Known
from samoyed.data.images import scan_images
from samoyed.opening import open_source


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path_factory.mktemp("cache")))


def paint(root: Path, places: list[str]) -> Path:
    for place in places:
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        seed = list((str(root.name) + place).encode())
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).save(root / place)
    return root


def some(place: str, num: int = 6) -> list[str]:
    return [f"{place}/{i}.png" for i in range(num)]


def table(path: Path, names: list[str], header: str = "path,label") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = "".join(f"{name},{'xy'[i % 2]}\n" for i, name in enumerate(names))
    path.write_text(f"{header}\n{rows}")
    return path


def refused(root: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        open_source(str(root))
    return caught.value


def test_folders_around_the_parts_are_named_at_once(tmp_path: Path):
    places = [f"archive/data/{part}/{name}" for part in ("seg_train", "seg_test") for name in "ab"]
    error = refused(paint(tmp_path, [file for place in places for file in some(place)]))
    assert error.hint == f"seg_test, seg_train are parts: name {tmp_path / 'archive/data'}."
    assert scan_images(tmp_path / "archive/data").labels.names == ("a", "b")


def test_one_folder_of_pictures_whose_names_tell_the_classes(tmp_path: Path):
    files = [f"train/{name}.{i}.jpg" for name in ("cat", "dog") for i in range(5)]
    error = refused(paint(tmp_path, files))
    assert "as their names begin with cat, dog" in error.hint
    assert "labels.csv" in error.hint
    table(tmp_path / "labels.csv", files)  # as it says
    assert len(scan_images(tmp_path).names) == 10


def test_pictures_and_their_masks_are_no_classes(tmp_path: Path):
    error = refused(paint(tmp_path, [*some("images"), *some("masks")]))
    assert error.found == "images/ and masks/ with 6 files of the same names: pictures and masks"


def test_folders_of_which_one_is_called_images_may_be_classes(tmp_path: Path):
    source = scan_images(paint(tmp_path, [*some("images"), *some("drawings")]))
    assert source.labels.names == ("drawings", "images")


def test_capitals_in_names_are_pointed_out(tmp_path: Path):
    paint(tmp_path, ["pics/IMG_1.JPG", *some("pics")])
    table(tmp_path / "t.csv", [*some("pics"), "pics/img_1.jpg"])
    assert "It is called IMG_1.JPG there: capitals count" in refused(tmp_path).hint


def test_numbers_without_leading_zeros_are_names(tmp_path: Path):
    paint(tmp_path, [f"train/{i:05}.png" for i in range(12)])
    table(tmp_path / "labels.csv", [str(i) for i in range(12)], "id,label")
    source = scan_images(tmp_path)
    assert sorted(source.names) == [f"train/{i:05}.png" for i in range(12)]
    found = {n: source.labels.names[k] for n, k in zip(source.names, source.targets, strict=True)}
    assert all(found[f"train/{i:05}.png"] == "xy"[i % 2] for i in range(12))


def test_paths_of_another_machine_are_found_by_their_ends(tmp_path: Path):
    files = [f"images/{part}/{i}.png" for part in "ab" for i in range(6)]
    paint(tmp_path, files)
    table(tmp_path / "labels.csv", [f"/kaggle/input/{file}" for file in files])
    assert sorted(scan_images(tmp_path).names) == sorted(files)


def test_numbers_to_foretell_are_told_to_be_none(tmp_path: Path):
    paint(tmp_path, [f"{i}.png" for i in range(30)])
    rows = "".join(f"{i}.png,{i * 1.37:.2f}\n" for i in range(30))
    (tmp_path / "t.csv").write_text("path,price\n" + rows)
    assert "neither numbers nor names are learned from pictures" in refused(tmp_path).hint


def test_an_archive_is_to_be_unpacked(tmp_path: Path):
    paint(tmp_path / "pics", [*some("a"), *some("b")])
    (tmp_path / "data").mkdir()
    shutil.make_archive(str(tmp_path / "data" / "pics"), "zip", tmp_path / "pics")
    error = refused(tmp_path / "data")
    assert error.found == "an archive, pics.zip"
    command = f"python -m zipfile -e {tmp_path / 'data' / 'pics.zip'} FOLDER"
    assert error.hint == f"unpack it: {command}"


def test_a_table_in_each_part_is_read(tmp_path: Path):
    for part in ("train", "test"):
        names = [Path(file).name for file in some(part, 8)]
        paint(tmp_path, some(part, 8))
        table(tmp_path / part / "labels.csv", names, "file,label")
    source = scan_images(tmp_path)
    assert (source.num_train, source.num_test, source.has_official_test) == (8, 8, True)


def test_a_table_in_the_test_part_alone_goes_with_class_folders(tmp_path: Path):
    paint(tmp_path, [*some("Final_Training/Images/x"), *some("Final_Training/Images/y")])
    paint(tmp_path, some("Final_Test", 8))
    table(tmp_path / "Final_Test" / "GT.csv", [f"{i}.png" for i in range(8)], "Filename,ClassId")
    source = scan_images(tmp_path)
    assert source.labels.names == ("x", "y")
    assert (source.num_train, source.num_test) == (12, 8)


def test_a_table_in_a_folder_of_its_own_is_to_be_moved(tmp_path: Path):
    paint(tmp_path, some("images", 12))
    place = table(tmp_path / "annotations" / "labels.csv", [f"{i}.png" for i in range(12)])
    hint = refused(tmp_path).hint
    assert f"If labels.csv says what the pictures show, move it to {tmp_path} and remove" in hint
    place.rename(tmp_path / "labels.csv")
    place.parent.rmdir()
    assert len(scan_images(tmp_path).names) == 12


def test_parts_inside_the_classes_are_told_of(tmp_path: Path):
    places = [f"{name}/{part}" for name in "ab" for part in ("train", "test")]
    source = scan_images(paint(tmp_path, [file for place in places for file in some(place)]))
    assert source.labels.names == ("a", "b")
    [said] = [line for line in source.warnings if "inside the classes" in line]
    assert said.endswith("for parts write train/a/ and test/a/")


def test_a_class_that_is_a_link_to_another_is_told_of(tmp_path: Path):
    paint(tmp_path, [*some("a"), *some("b")])
    os.symlink(tmp_path / "a", tmp_path / "c")
    assert any(line.startswith("same picture in two classes, 6") for line
               in scan_images(tmp_path).warnings)  # fmt: skip


def test_a_class_with_other_capitals_in_the_test_part(tmp_path: Path):
    paint(tmp_path, [*some("Train/Cat"), *some("Train/dog"), *some("Test/cat"), *some("Test/dog")])
    assert refused(tmp_path).hint == (
        "Add it to Train/ or rename it. Did you mean 'Cat'? Or leave bad files out with "
        "--on-bad skip."
    )


def test_an_empty_test_folder_may_be_removed(tmp_path: Path):
    paint(tmp_path, [*some("train/a"), *some("train/b"), *some("val/a", 2), *some("val/b", 2)])
    (tmp_path / "test").mkdir()
    error = refused(tmp_path)
    assert (error.place, error.found) == (str(tmp_path / "test"), "an empty folder")
    assert error.hint.endswith("or remove this one.")
    (tmp_path / "test").rmdir()  # as it says
    assert open_source(str(tmp_path)).labels.names == ("a", "b")


@pytest.mark.parametrize(
    ("places", "found"),
    [
        ((*some("cta"), *some("zebra", 1)), "cta (6 pictures), zebra (1 picture)"),
        (some("zebra", 2), "a class that the run does not know: zebra (2 pictures)"),
    ],
)
def test_a_run_measured_on_unknown_classes_alone_names_them(tmp_path, places, found):
    paint(tmp_path, places)
    known = Known(("cat", "dog"), is_several=False)
    with pytest.raises(DataError) as caught:
        scan_images(tmp_path, on_bad="skip", known=known)
    assert caught.value.expected == "pictures of the run's classes: cat, dog"
    assert found in caught.value.found
    assert ("Did you mean 'cat' by 'cta'?" in caught.value.hint) == ("cta" in found)


def test_a_run_measured_on_damaged_pictures_alone_says_why(tmp_path):
    paint(tmp_path, some("cat", 2))
    for file in (tmp_path / "cat").iterdir():
        file.write_bytes(b"words")
    known = Known(("cat", "dog"), is_several=False)
    with pytest.raises(DataError, match=r"left out as bad: 2 \(first: .*begins with 'words'\)"):
        scan_images(tmp_path, on_bad="skip", known=known)

"""Folders made for finding objects, and labels in spreadsheets: refused with what they are."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samoyed.core.errors import DataError
from samoyed.opening import open_source


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path_factory.mktemp("cache")))


def pictures(folder: Path, num: int = 6) -> list[str]:
    folder.mkdir(parents=True)
    for i in range(num):
        seed = [i, *str(folder).encode()]
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return [f"{i}.png" for i in range(num)]


def refused(root: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        open_source(str(root))
    return caught.value


def yolo(root: Path) -> str:
    pictures(root / "images" / "train")
    (root / "labels" / "train").mkdir(parents=True)
    for i in range(6):
        line = f"{i % 2} 0.5 0.25 1 .75\n0 0.1 0.1 5e-2 0.05\n"
        (root / "labels" / "train" / f"{i}.txt").write_text(line)
    return "YOLO's format"


def coco(root: Path) -> str:
    names = pictures(root / "train2017")
    (root / "annotations").mkdir()
    found = {
        "images": [{"id": i, "file_name": name} for i, name in enumerate(names)],
        "annotations": [{"image_id": 0, "category_id": 1, "bbox": [0, 0, 4, 4]}],
    }
    (root / "annotations" / "instances.json").write_text(json.dumps(found))
    return "COCO's format"


def voc(root: Path) -> str:
    pictures(root / "JPEGImages")
    (root / "Annotations").mkdir()
    (root / "Annotations" / "0.xml").write_text("<annotation>\n<object/></annotation>")
    return "Pascal VOC's format"


@pytest.mark.parametrize("made", [yolo, coco, voc])
def test_boxes_are_named(made, tmp_path: Path):
    kind = made(tmp_path)
    hint = refused(tmp_path).hint
    assert f"boxes around objects ({kind})" in hint
    assert "a folder for each class" in hint


def test_a_spreadsheet_beside_one_folder_of_pictures_is_named(tmp_path: Path):
    pictures(tmp_path / "pictures")
    (tmp_path / "labels.xlsx").write_bytes(b"PK\x03\x04")
    assert "save its sheet as labels.csv" in refused(tmp_path).hint


def test_a_spreadsheet_does_not_hide_that_texts_lie_among_pictures(tmp_path: Path):
    pictures(tmp_path / "a")
    for i in range(6):
        (tmp_path / f"{i}.txt").write_text("1 0 0 1 0 1\n")  # classes of a table, no boxes
    (tmp_path / "budget.xlsx").write_bytes(b"PK\x03\x04")
    assert refused(tmp_path).hint == "move one kind elsewhere and give the folder of the other"


def test_boxes_of_a_large_folder_are_found_where_they_are_kept(tmp_path: Path):
    yolo(tmp_path)
    pixels = (tmp_path / "images" / "train" / "0.png").read_bytes()
    for i in range(2100):  # more than are looked through
        (tmp_path / "images" / "train" / f"more{i}.png").write_bytes(pixels)
    assert "YOLO's format" in refused(tmp_path).hint


def test_other_annotations_are_not_called_boxes(tmp_path: Path):
    pictures(tmp_path / "pictures")
    (tmp_path / "notes.xml").write_text("<annotations><image/></annotations>")
    (tmp_path / "captions.json").write_text('{"annotations": [{"caption": "a \\"bbox\\""}]}')
    hint = refused(tmp_path).hint
    assert "boxes" not in hint


def test_files_beside_classes_change_nothing(tmp_path: Path):
    """What can be read is read, and an error about one picture is about that picture."""
    pictures(tmp_path / "a")
    pictures(tmp_path / "b")
    (tmp_path / "notes.xlsx").write_bytes(b"PK\x03\x04")
    (tmp_path / "0.xml").write_text("<annotation/>")
    assert open_source(str(tmp_path)).labels.names == ("a", "b")
    (tmp_path / "a" / "0.png").write_bytes(b"")
    error = refused(tmp_path)
    assert error.place == str(tmp_path / "a" / "0.png")
    assert "notes.xlsx" not in error.hint
    assert "boxes" not in error.hint


def test_texts_and_pictures_without_boxes_are_told_apart_as_before(tmp_path: Path):
    pictures(tmp_path / "a")
    for i in range(6):
        (tmp_path / f"{i}.txt").write_text("3 apples 0.5 pears and a plum\n")
    assert refused(tmp_path).hint == "move one kind elsewhere and give the folder of the other"

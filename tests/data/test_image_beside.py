"""Tables of labels that lie beside folders of pictures, and name them by less than their path."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samoyed.core.errors import DataError
from samoyed.data import image_beside
from samoyed.data.image_labels import lists_in
from samoyed.data.image_source import TEST
from samoyed.data.images import scan_images
from samoyed.data.tables import TableAsk
from samoyed.opening import is_picture_table, open_source


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path_factory.mktemp("cache")))


def paint(root: Path, places: list[str], first: int = 0) -> None:
    for seed, place in enumerate(places, first):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).save(root / place)


def classes_of(source) -> dict[str, str]:
    names = source.labels.names
    return {n: names[k] for n, k in zip(source.names, source.targets, strict=True)}


def breeds(root: Path, table: str = "labels.csv") -> dict[str, str]:
    """Write a competition's folder; return the breed of each picture to learn from."""
    ids = [f"{i:03x}f" for i in range(16)]
    paint(root, [f"train/{name}.jpg" for name in ids])
    paint(root, [f"test/{i:03x}e.jpg" for i in range(5)], first=50)
    said = {name: ("pug", "husky", "collie")[i % 3] for i, name in enumerate(ids)}
    (root / table).write_text("id,breed\n" + "".join(f"{k},{v}\n" for k, v in said.items()))
    rows = "".join(f"{i:03x}e,0.3,0.3,0.4\n" for i in range(5))
    (root / "sample_submission.csv").write_text("id,pug,husky,collie\n" + rows)
    return {f"train/{name}.jpg": breed for name, breed in said.items()}


def test_ids_are_joined_to_pictures_by_their_names(tmp_path: Path):
    wanted = breeds(tmp_path)
    for place in (tmp_path, tmp_path / "labels.csv"):
        source = open_source(str(place))
        assert classes_of(source) == wanted
        assert "joined:   16 values of 'id' name pictures in train/" in source.lines
    shutil.rmtree(tmp_path / "test")
    assert classes_of(open_source(str(tmp_path))) == wanted  # one folder alone is no class


def test_names_with_endings_and_other_slashes_are_joined_too(tmp_path: Path):
    paint(tmp_path, [f"pics/{part}/{i}.png" for part in "ab" for i in range(8)])
    rows = "".join(f"{part}\\{i}.png,{'xy'[i % 2]}\n" for part in "ab" for i in range(8))
    (tmp_path / "t.csv").write_text("file,label\n" + rows)
    source = scan_images(tmp_path / "t.csv")
    assert classes_of(source) == {f"pics/{p}/{i}.png": "xy"[i % 2] for p in "ab" for i in range(8)}


def test_names_without_a_picture_are_counted_and_named(tmp_path: Path):
    breeds(tmp_path)
    with (tmp_path / "labels.csv").open("a") as file:
        file.write("zzz,pug\nyyy,pug\n")
    with pytest.raises(DataError) as refused:
        scan_images(tmp_path)
    said = "2 of 18 values of 'id' name no picture in train/: zzz, yyy"
    assert (refused.value.place, refused.value.found) == (str(tmp_path / "labels.csv"), said)
    source = scan_images(tmp_path, on_bad="skip")
    assert len(source.names) == 16
    assert source.skipped == (f"{tmp_path / 'labels.csv'}: {said}",)


def test_a_table_of_other_names_is_told_of(tmp_path: Path):
    breeds(tmp_path)
    (tmp_path / "labels.csv").write_text(
        "key,breed\n" + "".join(f"q{i},{'ab'[i % 2]}\n" for i in range(16))
    )
    with pytest.raises(DataError) as refused:
        scan_images(tmp_path)
    assert refused.value.place == str(tmp_path / "labels.csv")
    assert "the first column, 'key', holds q0, q1, q2, q3, q4 and 11 more" in refused.value.found
    assert "the pictures are called 000e.jpg, 001e.jpg" in refused.value.found


def test_a_name_that_two_pictures_have_is_theirs_to_learn_from(tmp_path: Path):
    paint(tmp_path, [f"{part}_images/{i}.png" for part in ("train", "test") for i in range(10)])
    (tmp_path / "labels.csv").write_text(
        "id,label\n" + "".join(f"{i},{i % 2}\n" for i in range(10))
    )
    assert {*classes_of(scan_images(tmp_path))} == {f"train_images/{i}.png" for i in range(10)}
    (tmp_path / "train_images").rename(tmp_path / "other")
    with pytest.raises(DataError, match=r"'0', which 2 pictures are called: other/0\.png, test_im"):
        scan_images(tmp_path / "labels.csv")


def signs(root: Path) -> None:
    """Write a folder as that of the German traffic signs: the test part has no class folders."""
    paint(root, [f"Train/{k}/{i}.png" for k in range(3) for i in range(6)])
    paint(root, [f"Test/{i:05}.png" for i in range(9)], first=100)
    paint(root, [f"Meta/{k}.png" for k in range(3)], first=200)
    header = "Width,Height,ClassId,Path\n"
    train = "".join(f"8,8,{k},Train/{k}/{i}.png\n" for k in range(3) for i in range(6))
    (root / "Train.csv").write_text(header + train)
    (root / "Test.csv").write_text(
        header + "".join(f"8,8,{i % 3},Test/{i:05}.png\n" for i in range(9))
    )
    (root / "Meta.csv").write_text(
        "Path,ClassId\n" + "".join(f"Meta/{k}.png,{k}\n" for k in range(3))
    )


@pytest.mark.parametrize("without", [(), ("Train.csv",), ("Train.csv", "Meta.csv")])
def test_a_test_part_without_class_folders_has_its_table(tmp_path: Path, without: tuple[str, ...]):
    signs(tmp_path)
    for name in without:
        (tmp_path / name).unlink()
    source = scan_images(tmp_path)
    assert (source.num_train, source.num_test, source.has_official_test) == (18, 9, True)
    rows = zip(source.names, source.targets, source.splits, strict=True)
    held = {name: source.labels.names[k] for name, k, split in rows if split == TEST}
    assert held == {f"Test/{i:05}.png": str(i % 3) for i in range(9)}


def test_numbered_pieces_of_one_set_are_no_classes(tmp_path: Path):
    paint(tmp_path, [f"set_images_part_{1 + i // 6}/p{i}.jpg" for i in range(12)])
    rows = "".join(f"x{i},p{i},{'ab'[i % 2]},{i}\n" for i in range(12))
    (tmp_path / "set_metadata.csv").write_text("lesion_id,image_id,dx,age\n" + rows)
    source = scan_images(tmp_path)
    assert source.labels.names == ("a", "b")
    assert len(source.names) == 12


def test_a_table_with_ids_of_its_own_is_no_table_of_pictures(tmp_path: Path):
    paint(tmp_path, [f"plots/{i}.png" for i in range(4)])
    table = tmp_path / "people.csv"
    table.write_text("id,age,kind\n" + "".join(f"{i},{i % 9},{i % 2}\n" for i in range(40)))
    assert not is_picture_table(table, TableAsk())


def test_the_column_that_the_hint_names_works(tmp_path: Path):
    paint(tmp_path, [f"{i}.png" for i in range(12)])
    rows = "".join(f"{i}.png,{i},{'ab'[i % 2]},note {i}\n" for i in range(12))
    (tmp_path / "t.csv").write_text("path,number,answer,remark\n" + rows)
    with pytest.raises(DataError, match=r"--target answer\.") as refused:
        scan_images(tmp_path)
    assert "number, answer, remark" in refused.value.found
    assert scan_images(tmp_path, target="answer").labels.names == ("a", "b")


def test_signs_between_labels_are_told_of(tmp_path: Path):
    paint(tmp_path, [f"{i}.png" for i in range(12)])

    def line(answers: list[str]) -> tuple[str, str]:
        rows = "".join(f"{i}.png,{answer}\n" for i, answer in enumerate(answers))
        (tmp_path / "t.csv").write_text("path,label\n" + rows)
        source = scan_images(tmp_path)
        return source.asked, source.lines[0]

    asked, said = line(["pug", "husky"] * 5 + ["pug;husky", "pug"])
    assert asked == "classify_labels"
    assert said.endswith(
        "(labels separated by semicolons in 1 row; where ; belongs to a name, write another sign)"
    )
    asked, said = line(["red;blue", "green"] * 6)
    assert asked == "classify"
    assert "; belongs to the label in 6 rows, as no part of it stands alone" in said


def test_a_plural_column_holds_lists_whatever_stands_elsewhere():
    assert lists_in("tags", ["a;b", "c;d"]).rows == [("a", "b"), ("c", "d")]
    assert lists_in("label", ["a;b", "c;d"]) is None


def test_a_home_full_of_other_files_is_not_searched_to_its_end(tmp_path: Path, monkeypatch):
    """A table with a column `id` may lie anywhere."""
    monkeypatch.setattr(image_beside, "_MOST_OTHERS", 3)
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        for i in range(4):
            (tmp_path / place / f"{i}.txt").touch()
    paint(tmp_path, ["z/7.png"])
    assert image_beside.Beside(tmp_path).find("7") == []
    paint(tmp_path, ["a/9.png"])  # a picture among the first: the others are worth looking for
    assert image_beside.Beside(tmp_path).find("7") == ["z/7.png"]

"""Every way to spoil a table of pictures ends in one error, or in a warning that names names."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from samoyed.core.errors import DataError, MissingExtra, OptionError
from samoyed.core.spec import ImageSpec
from samoyed.data.images import scan_images

SIZE = ImageSpec(3, 8, 8)


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path_factory.mktemp("cache")))


def paint(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def good(root: Path) -> list[list[str]]:
    """Paint sixteen pictures and return the rows of a table that is right."""
    for i in range(16):
        paint(root / "pics" / f"{i}.png", i)
    return [["path", "label"], *([f"pics/{i}.png", ("cat", "dog")[i % 2]] for i in range(16))]


def put(root: Path, rows: list[list[str]], name: str = "t.csv") -> Path:
    (root / name).write_text("".join(",".join(row) + "\n" for row in rows))
    return root / name


class Row(NamedTuple):
    """One bad row in an otherwise good table."""

    name: str
    row: list[str]
    place: str
    expected: str
    found: str
    hint: str


BAD_ROWS = [
    Row("missing picture", ["pics/99.png", "cat"], "t.csv:18", "relative to the table",
        "pics/99.png, which does not exist", "spelling"),
    Row("misspelt picture", ["pics/15.pgn", "cat"], "t.csv:18", "relative to the table",
        "does not exist", "Did you mean '15.png'"),
    Row("picture in a folder beside", ["7.png", "cat"], "t.csv:18", "relative to the table",
        "7.png, which does not exist", "It is in pics/: write pics/7.png"),
    Row("address", ["https://a.example/1.png", "cat"], "t.csv:18", "relative to the table",
        "an address", "Download"),
    Row("folder", ["pics", "cat"], "t.csv:18", "relative", "a folder: pics", "Name a file"),
    Row("empty path", ["", "cat"], "t.csv:18", "relative", "an empty path", "Name the picture"),
    Row("no label", ["pics/16.png", ""], "t.csv:18", "a label in column 2 ('label')", "no label",
        "Mend the row"),
    Row("two labels for one picture", ["pics/3.png", "cat"], "t.csv:18",
        "one row for each picture", "pics/3.png is cat here and dog in t.csv:5", "a|b"),
    Row("text named png", ["pics/text.png", "cat"], "pics/text.png", "complete", "text file",
        "JPEG"),
    Row("cut off", ["pics/cut.png", "cat"], "pics/cut.png", "complete", "cut off", "again"),
    Row("class with one picture", ["pics/16.png", "eel"], "t.csv", "at least 2 pictures",
        "1 picture of class 'eel'", "Add pictures"),
    Row("too many cells", ["pics/16.png", "cat", "x"], "t.csv:18", "2 cells", "3 cells", "comma"),
    Row("too few cells", ["pics/16.png"], "t.csv:18", "2 cells", "1 cells", "comma"),
]  # fmt: skip


@pytest.mark.parametrize("case", BAD_ROWS, ids=lambda case: case.name)
def test_bad_row_stops_or_is_skipped(tmp_path, case):
    rows = good(tmp_path)
    paint(tmp_path / "pics" / "16.png", 16)
    (tmp_path / "pics" / "text.png").write_text("hello")
    (tmp_path / "pics" / "cut.png").write_bytes((tmp_path / "pics/1.png").read_bytes()[:120])
    table = put(tmp_path, [*rows, case.row])
    with pytest.raises(DataError) as caught:
        scan_images(table).load(SIZE)
    error = caught.value
    assert error.place.endswith(case.place)
    assert case.expected in error.expected
    assert case.found in error.found
    assert case.hint in error.hint
    assert "--on-bad skip" in error.hint
    source = scan_images(table, on_bad="skip")
    data = source.load(SIZE)
    assert len(data.train) + len(data.test) == 16
    assert data.labels.names == ("cat", "dog")
    assert len(source.skipped) == 1
    assert case.place in source.skipped[0]


class Table(NamedTuple):
    """A whole table that is wrong."""

    name: str
    build: Callable[[Path], Path]
    place: str
    expected: str
    found: str
    hint: str


def with_split(*words: str) -> Callable[[Path], Path]:
    def build(root: Path) -> Path:
        head, *rows = good(root)
        rows = [[*row, words[i % len(words)]] for i, row in enumerate(rows)]
        return put(root, [[*head, "split"], *rows])

    return build


def relabelled(label: Callable[[int], str], head: str = "label") -> Callable[[Path], Path]:
    def build(root: Path) -> Path:
        rows = good(root)
        return put(root, [["path", head], *([r[0], label(i)] for i, r in enumerate(rows[1:]))])

    return build


def rewritten(text: str, name: str = "t.csv") -> Callable[[Path], Path]:
    def build(root: Path) -> Path:
        good(root)
        (root / name).write_text(text)
        return root / name

    return build


def two_tables(root: Path) -> Path:
    rows = good(root)
    put(root, rows, "first.csv")
    put(root, rows, "second.csv")
    return root


def two_metadata(root: Path) -> Path:
    put(root, good(root), "metadata.csv")
    (root / "metadata.jsonl").write_text("{}\n")
    return root


def metadata_in_train_only(root: Path) -> Path:
    put(root / "train", good(root / "train"), "metadata.csv")
    paint(root / "test" / "1.png", 1)
    return root


def other_columns(root: Path) -> Path:
    rows = good(root)
    put(root, rows[:9], "train.csv")
    put(root, [["path", "kind"], *rows[9:]], "test.csv")
    return root


def unknown_in_test(root: Path) -> Path:
    rows = good(root)
    put(root, rows, "train.csv")
    paint(root / "pics" / "20.png", 20)
    put(root, [rows[0], ["pics/20.png", "cats"]], "test.csv")
    return root


def in_both_splits(root: Path) -> Path:
    rows = good(root)
    put(root, rows, "train.csv")
    put(root, [rows[0], rows[3]], "test.csv")
    return root


def many_words(root: Path) -> Path:
    for i in range(60):
        paint(root / f"{i}.png", i)
    return put(root, [["path", "label"], *([f"{i}.png", f"word {i}"] for i in range(60))])


def several_unclear(root: Path) -> Path:
    rows = [["path", "colour", "shape"], *([r[0], r[1], r[1]] for r in good(root)[1:])]
    return put(root, rows)


BAD_TABLES = [
    Table("unknown split", with_split("train", "trian"), "t.csv:3, column 3 ('split')",
          "train, validation or test", "'trian'", "Did you mean 'train'"),
    Table("empty split", with_split("train", ""), "t.csv:3, column 3 ('split')",
          "train, validation or test", "an empty cell", "Correct"),
    Table("all held out", with_split("test"), "t.csv", "pictures to learn from",
          "all are held out", "Add a train part"),
    Table("one class", relabelled(lambda i: "cat"), "t.csv", "at least two classes",
          "one class only, 'cat'", "each other class"),
    Table("names in place of labels", many_words, "t.csv, column 2 ('label')",
          "labels that several pictures share", "60 different ones in 60 rows", "few classes"),
    Table("no label column", several_unclear, "t.csv", "a column of labels",
          "beside 'path': colour, shape", "--target colour"),
    Table("no list", relabelled(lambda i: '"[1.5]"'), "t.csv:2", "a label", "no list of labels",
          "Mend"),
    Table("broken list", relabelled(lambda i: "[cat"), "t.csv:2", "a label",
          "a list that cannot be read: '[cat'", "Mend"),
    Table("no labels in any row", relabelled(lambda i: "[]"), "t.csv", "at least two classes",
          "no label in any row", "Check"),
    Table("header only", rewritten("path,label\n"), "t.csv", "a row for each example",
          "a header and no row", ""),
    Table("empty", rewritten(""), "t.csv", "something in it", "an empty file", "fill it"),
    Table("open quotation mark", rewritten('path,label\npics/1.png,"cat\n'), "t.csv:2",
          "quotation marks in pairs", "never closed", "Close it"),
    Table("a name twice", rewritten("path,path\npics/1.png,cat\n"), "t.csv:1",
          "a different name for every column", "'path'", "Rename"),
    Table("no JSON", rewritten('{"file_name": "pics/1.png"}\n{"file_name"\n', "t.jsonl"),
          "t.jsonl:2", "a JSON object", "no JSON object (Expecting", "Mend the line"),
    Table("a JSON list", rewritten('["pics/1.png"]\n', "metadata.jsonl"), "metadata.jsonl:1",
          "a JSON object", "a JSON list", "Mend the line"),
    Table("no column of paths", rewritten("colour,label\nred,cat\nblue,dog\n", "metadata.csv"),
          "metadata.csv", "a column with the paths", "the columns: colour, label", "relative"),
    Table("two tables", two_tables, "data", "one table of pictures", "first.csv, second.csv",
          "Name the one"),
    Table("two metadata files", two_metadata, "data", "one table of pictures",
          "metadata.csv, metadata.jsonl", "Remove one"),
    Table("metadata in train only", metadata_in_train_only, "test", "as in train/", "none", "Add"),
    Table("other columns in test", other_columns, "test.csv", "the label columns of train.csv",
          "kind", "same columns"),
    Table("class only in test", unknown_in_test, "train.csv", "one of the 2 classes",
          "class 'cats' with 1 pictures", "Did you mean 'cat'"),
    Table("a picture in both splits", in_both_splits, "test.csv:2", "each picture in one split",
          "another split than in train.csv:4", "Remove one"),
]  # fmt: skip


@pytest.mark.parametrize("case", BAD_TABLES, ids=lambda case: case.name)
def test_bad_table(tmp_path, case):
    (tmp_path / "data").mkdir()
    path = case.build(tmp_path / "data")
    path = path.parent if path.name.startswith("metadata") else path
    with pytest.raises(DataError) as caught:
        scan_images(path)
    error = caught.value
    assert error.place.endswith(case.place)
    assert case.expected in error.expected
    assert case.found in error.found
    assert case.hint in error.hint


def test_missing_test_table(tmp_path):
    table = put(tmp_path, good(tmp_path))
    with pytest.raises(DataError, match="does not exist"):
        scan_images(table, test=tmp_path / "gone.csv")


@pytest.mark.parametrize(("option", "value"), [("target", "label"), ("test", "t.csv")])
def test_options_of_tables_do_not_fit_folders(tmp_path, option, value):
    for i in range(12):
        paint(tmp_path / ("cat", "dog")[i % 2] / f"{i}.png", i)
    with pytest.raises(OptionError, match="a table of pictures") as caught:
        scan_images(tmp_path, **{option: value})
    assert caught.value.place == f"--{option}"


# --- what is only suspicious


def warnings_of(root: Path, rows: list[list[str]]) -> list[str]:
    return list(scan_images(put(root, rows)).warnings)


def test_a_row_twice(tmp_path):
    rows = good(tmp_path)
    [warning] = warnings_of(tmp_path, [*rows, rows[4], rows[5]])
    assert warning == (
        "rows that name a picture again, left out, 2: pics/3.png (t.csv:18), pics/4.png (t.csv:19)"
    )


def test_nearly_the_same_class(tmp_path):
    rows = good(tmp_path)
    for row in rows[1:12]:
        row[1] = row[1].capitalize()
    assert "classes with nearly the same name: Cat = cat, Dog = dog" in warnings_of(tmp_path, rows)


def lists(root: Path, label: Callable[[int], list[str]]) -> list[list[str]]:
    rows = good(root)
    return [["path", "labels"], *([row[0], "|".join(label(i))] for i, row in enumerate(rows[1:]))]


def test_label_of_every_picture(tmp_path):
    rows = lists(tmp_path, lambda i: ["photo", ("cat", "dog", "eel")[i % 3]])
    assert "labels that every picture to learn from has: photo" in warnings_of(tmp_path, rows)


def test_labels_that_always_go_together(tmp_path):
    rows = lists(tmp_path, lambda i: [["cat", "fur"], ["dog"], ["eel", "dog"]][i % 3])
    assert "labels that always go together: cat = fur" in warnings_of(tmp_path, rows)


def test_rare_labels(tmp_path):
    rows = lists(tmp_path, lambda i: ["dog"] + ["cat"] * (i % 2) + ["eel"] * (i == 3))
    assert any("5 or fewer examples to learn from: eel" in w for w in warnings_of(tmp_path, rows))


def test_label_only_in_the_held_out_part(tmp_path):
    rows = lists(tmp_path, lambda i: ["dog"] * (i % 3 > 0) + ["cat"] * (i % 2) + ["eel"] * (i > 14))
    rows = [
        [*rows[0], "split"],
        *([*r, "test" if i > 12 else "train"] for i, r in enumerate(rows[1:])),
    ]
    found = scan_images(put(tmp_path, rows))
    assert "labels that no picture to learn from has, left out: eel" in found.warnings
    assert found.labels.names == ("cat", "dog")


def test_copies_with_other_labels(tmp_path):
    rows = lists(tmp_path, lambda i: [["cat", "dog"], ["dog"]][i % 2])
    paint(tmp_path / "pics" / "copy.png", 4)
    found = warnings_of(tmp_path, [*rows, ["pics/copy.png", "dog"]])
    assert any(w.startswith("same picture with other labels, 1: pics/") for w in found)


def test_shapes_that_lose_most(tmp_path):
    rows = good(tmp_path)
    for name, size in (("long", (80, 8)), ("tall", (8, 40)), ("tiny", (2, 2))):
        pixels = np.random.default_rng(len(name)).integers(0, 255, (*size, 3), np.uint8)
        Image.fromarray(pixels).resize(size).save(tmp_path / "pics" / f"{name}.png")
        rows.append([f"pics/{name}.png", "cat"])
    found = warnings_of(tmp_path, rows)
    [cut] = [w for w in found if "more than half is cut away" in w]
    assert cut.endswith("2: pics/long.png, pics/tall.png") or cut.endswith(
        "2: pics/tall.png, pics/long.png"
    )


def test_json_lines_skip(tmp_path):
    rows = [json.dumps({"file_name": r[0], "label": r[1]}) for r in good(tmp_path)[1:]]
    (tmp_path / "metadata.jsonl").write_text("\n".join([*rows[:3], "oops", *rows[3:]]))
    source = scan_images(tmp_path, on_bad="skip")
    assert len(source.names) == 16
    assert "metadata.jsonl:4: a line that is no JSON" in source.skipped[0]


def test_parquet_that_is_none_and_parquet_without_its_reader(tmp_path, monkeypatch):
    good(tmp_path)
    pytest.importorskip("polars")
    (tmp_path / "metadata.parquet").write_bytes(b"PAR1, or so it says")
    with pytest.raises(DataError, match="a Parquet file"):
        scan_images(tmp_path)
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingExtra, match="tabular"):
        scan_images(tmp_path)

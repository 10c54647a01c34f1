"""Pictures that a table names: every way to write paths, labels and splits."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samoyed.core.errors import DataError, OptionError
from samoyed.data.image_source import TEST, TRAIN, VALIDATION
from samoyed.data.images import scan_images
from samoyed.data.tables import TableAsk
from samoyed.opening import is_picture_table, open_source, question_of


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path_factory.mktemp("cache")))


def paint(root: Path, num: int = 20, folder: str = "pics", first: int = 0) -> list[str]:
    """Paint pictures of noise; return their paths relative to root."""
    (root / folder).mkdir(parents=True, exist_ok=True)
    for i in range(first, first + num):
        pixels = np.random.default_rng(i).integers(0, 256, (8, 9, 3), np.uint8)
        Image.fromarray(pixels).save(root / folder / f"{i}.png")
    return [f"{folder}/{i}.png" if folder else f"{i}.png" for i in range(first, first + num)]


def write(path: Path, rows: list, mark: str = ",") -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=mark).writerows(rows)
    return path


def labels_by_name(source) -> dict[str, tuple[str, ...]]:
    """Return what the source says of each picture, by path."""
    names = source.labels.names
    if source.targets.ndim == 1:
        return {n: (names[k],) for n, k in zip(source.names, source.targets, strict=True)}
    return {
        n: tuple(sorted(names[k] for k in np.flatnonzero(row > 0.5)))
        for n, row in zip(source.names, source.targets, strict=True)
    }


def alternating(paths: list[str]) -> dict[str, tuple[str, ...]]:
    return {path: (("cat", "dog")[i % 2],) for i, path in enumerate(paths)}


@pytest.mark.parametrize(
    ("header", "mark", "suffix"),
    [
        (("file_name", "label"), ",", ".csv"),
        (("path", "class"), "\t", ".tsv"),
        (("Image", "Species"), ";", ".csv"),
        (("picture of the day", "what it is"), ",", ".csv"),
        (None, ",", ".csv"),
    ],
)
def test_path_and_label_under_any_header(tmp_path, header, mark, suffix):
    paths = paint(tmp_path)
    rows = [(path, label) for path, (label,) in alternating(paths).items()]
    table = write(tmp_path / f"t{suffix}", [header, *rows] if header else rows, mark)
    source = scan_images(table)
    assert labels_by_name(source) == alternating(paths)
    assert (source.name, source.asked, source.num_train, source.num_test) == (
        "t", "classify", 16, 4
    )  # fmt: skip
    data = source.load(source.spec)
    for image, name in zip(data.test.images, data.test.names, strict=True):
        pixels = np.asarray(Image.open(tmp_path / name))
        np.testing.assert_array_equal(image, np.moveaxis(pixels, -1, 0))


def test_the_folder_of_a_lone_table_will_do(tmp_path):
    paths = paint(tmp_path)
    write(
        tmp_path / "labels.csv", [("id", "label"), *((p, "ab"[i % 2]) for i, p in enumerate(paths))]
    )
    assert set(scan_images(tmp_path).names) == set(paths)


def test_paths_without_ending_and_with_backslashes_are_found(tmp_path):
    paths = paint(tmp_path)
    rows = [(p.removesuffix(".png"), "ab"[i % 2]) for i, p in enumerate(paths[:10])]
    rows += [(p.replace("/", "\\"), "ab"[i % 2]) for i, p in enumerate(paths[10:])]
    table = write(tmp_path / "t.csv", [("image_id", "label"), *rows])
    assert set(scan_images(table).names) == set(paths)


def test_split_column(tmp_path):
    paths = paint(tmp_path)
    words = ["train"] * 10 + ["valid", "dev", "val", "validation"] + ["test"] * 6
    rows = [(p, "ab"[i % 2], w) for i, (p, w) in enumerate(zip(paths, words, strict=True))]
    source = scan_images(write(tmp_path / "t.csv", [("path", "label", "split"), *rows]))
    split_of = dict(zip(source.names, source.splits.tolist(), strict=True))
    for path, word in zip(paths, words, strict=True):
        assert split_of[path] == {"train": TRAIN, "test": TEST}.get(word, VALIDATION)
    assert source.has_official_test
    data = source.load(source.spec)
    assert (len(data.train), len(data.validation), len(data.test)) == (10, 4, 6)


def test_validation_is_held_out_where_the_table_has_no_test(tmp_path):
    rows = [(p, "ab"[i % 2], "val" if i > 13 else "train") for i, p in enumerate(paint(tmp_path))]
    source = scan_images(write(tmp_path / "t.csv", [("path", "label", "set"), *rows]))
    assert (source.num_train, source.num_test) == (14, 6)
    assert source.warnings[0].startswith("the validation part is what is held out")


def test_one_table_for_each_split(tmp_path):
    paths = paint(tmp_path)
    rows = [(p, "ab"[i % 2]) for i, p in enumerate(paths)]
    write(tmp_path / "train.csv", [("path", "label"), *rows[:12]])
    test = write(tmp_path / "test.csv", [("path", "label"), *rows[12:]])
    source = scan_images(tmp_path)
    assert (source.num_train, source.num_test, source.has_official_test) == (12, 8, True)
    again = open_source(str(tmp_path / "train.csv"), ask=TableAsk(test=str(test)))
    assert again.fingerprint == source.fingerprint


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "metadata.parquet"])
def test_hugging_face_layout(tmp_path, name):
    paths = paint(tmp_path, folder="")
    rows = [{"file_name": p, "label": "ab"[i % 2]} for i, p in enumerate(paths)]
    put_metadata(tmp_path / name, rows)
    source = scan_images(tmp_path)
    assert labels_by_name(source) == {r["file_name"]: (r["label"],) for r in rows}
    assert source.warnings == ()


def put_metadata(path: Path, rows: list[dict]) -> None:
    if path.suffix == ".csv":
        write(path, [list(rows[0]), *(list(row.values()) for row in rows)])
    elif path.suffix == ".parquet":
        pytest.importorskip("polars").DataFrame(rows).write_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "metadata.parquet"])
def test_hugging_face_layout_within_splits(tmp_path, name):
    for s, split in enumerate(("train", "test", "validation")):
        paths = paint(tmp_path / split, 8, "", 100 * s)
        rows = [{"file_name": p, "label": "ab"[i % 2], "by": "me"} for i, p in enumerate(paths)]
        put_metadata(tmp_path / split / name, rows)
    source = scan_images(tmp_path)
    assert np.bincount(source.splits).tolist() == [8, 8, 8]
    assert source.names[0] == "train/0.png"
    assert source.describe()[0] == (
        f"table:    {name}, pictures in 'file_name', labels in 'label' (one label each); not used: "
        "by"
    )


def test_metadata_without_labels_leaves_it_to_the_folders(tmp_path):
    for name in ("cat", "dog"):
        paint(tmp_path, 8, name, ord(name[0]))
    rows = [(f"cat/{ord('c')}.png", "a sentence", "another")]
    write(tmp_path / "metadata.csv", [("file_name", "caption", "more"), *rows])
    source = scan_images(tmp_path)
    assert source.labels.names == ("cat", "dog")
    assert (
        source.warnings[0] == "metadata.csv names no pictures with labels: folders are the classes"
    )


def test_a_metadata_file_about_something_else_leaves_it_to_the_folders(tmp_path):
    for name in ("cat", "dog"):
        paint(tmp_path, 8, name, ord(name[0]))
    write(tmp_path / "metadata.csv", [("camera", "year"), ("a", "1999"), ("b", "2001")])
    source = scan_images(tmp_path)
    assert source.labels.names == ("cat", "dog")
    assert "folders are the classes" in source.warnings[0]


def test_pictures_that_no_row_names_are_mentioned(tmp_path):
    paths = paint(tmp_path)
    rows = [(p, "ab"[i % 2]) for i, p in enumerate(paths[:18])]
    write(tmp_path / "metadata.csv", [("file_name", "label"), *rows])
    assert scan_images(tmp_path).warnings == (
        "pictures that no row names, ignored, 2: pics/18.png, pics/19.png",
    )


LISTS = [(), ("cat",), ("cat", "dog"), ("dog",), ("cat", "dog", "eel")]
WRITTEN = {
    "json": lambda labels: json.dumps(labels) if labels else "",
    "python": lambda labels: str(list(labels)),
    "bars": "|".join,
    "semicolons": "; ".join,
    "commas": ", ".join,
}


@pytest.mark.parametrize("how", WRITTEN)
def test_lists_of_labels(tmp_path, how):
    paths = paint(tmp_path)
    truth = {path: LISTS[i % 5] for i, path in enumerate(paths)}
    rows = [(path, WRITTEN[how](labels)) for path, labels in truth.items()]
    source = scan_images(write(tmp_path / "t.csv", [("path", "labels"), *rows]))
    assert labels_by_name(source) == truth
    assert source.labels.names == ("cat", "dog", "eel")
    assert source.asked == "classify_labels"
    assert source.targets.dtype == np.float32
    said = "\n".join(source.describe())
    assert "20, each with any number of 3 labels, 1.4 on average, 4 with none" in said
    assert "cat (12), dog (12), eel (4)" in said
    assert source.load(source.spec).train.labels.shape == (source.num_train, 3)


@pytest.mark.parametrize("name", ["metadata.jsonl", "metadata.parquet"])
def test_lists_in_lines_of_json_and_in_parquet(tmp_path, name):
    paths = paint(tmp_path, folder="")
    truth = {path: LISTS[i % 5] for i, path in enumerate(paths)}
    put_metadata(tmp_path / name, [{"file_name": p, "label": list(t)} for p, t in truth.items()])
    assert labels_by_name(scan_images(tmp_path)) == truth


@pytest.mark.parametrize(("yes", "no"), [("1", "0"), ("True", "False"), ("1", "-1"), ("yes", "no")])
def test_a_column_for_each_label(tmp_path, yes, no):
    paths = paint(tmp_path)
    truth = {path: LISTS[i % 5] for i, path in enumerate(paths)}
    names = ("eel", "cat", "dog")
    rows = [(p, *(yes if n in t else no for n in names)) for p, t in truth.items()]
    source = scan_images(write(tmp_path / "t.csv", [("path", *names), *rows]))
    assert source.labels.names == names  # in the order of the table
    assert labels_by_name(source) == truth


def test_unknown_answers_stay_unknown(tmp_path):
    rows = [
        (p, "1", "") if i % 4 == 0 else (p, "01"[i % 2], "10"[i % 2])
        for i, p in enumerate(paint(tmp_path))
    ]
    source = scan_images(write(tmp_path / "t.csv", [("path", "cat", "dog"), *rows]))
    assert np.isnan(source.targets).sum() == 5
    assert "5 answers are not known" in source.describe()[1]


def test_one_wrong_answer_does_not_cost_a_label(tmp_path):
    rows = [[p, "01"[i % 2], "10"[i % 2], "1"] for i, p in enumerate(paint(tmp_path))]
    rows[4][3] = "2"
    table = write(tmp_path / "t.csv", [("path", "cat", "dog", "eel"), *map(tuple, rows)])
    with pytest.raises(DataError, match=r"t.csv:6, column 4 \('eel'\)(.|\n)*0 or 1(.|\n)*'2'"):
        scan_images(table)
    assert scan_images(table, target="cat,dog").labels.names == ("cat", "dog")
    for i, row in enumerate(rows):
        row[3] = "a remark" if i == 4 else ""
    table = write(tmp_path / "t.csv", [("path", "cat", "dog", "notes"), *map(tuple, rows)])
    assert scan_images(table).labels.names == ("cat", "dog")


def test_lists_of_one_label_each_are_classes(tmp_path):
    paths = paint(tmp_path)
    rows = [(p, "10"[i % 2], "01"[i % 2]) for i, p in enumerate(paths)]
    one_hot = scan_images(write(tmp_path / "t.csv", [("path", "cat", "dog"), *rows]))
    rows = [(p, json.dumps([label])) for p, (label,) in alternating(paths).items()]
    lists = scan_images(write(tmp_path / "u.csv", [("path", "label"), *rows]))
    for source in (one_hot, lists):
        assert source.asked == "classify"
        assert labels_by_name(source) == alternating(paths)


def test_target_says_which_columns(tmp_path):
    paths = paint(tmp_path)
    rows = [(p, "ab"[i % 2], "01"[i % 2], "01"[i // 2 % 2]) for i, p in enumerate(paths)]
    table = write(tmp_path / "t.csv", [("path", "label", "wet", "cold"), *rows])
    assert scan_images(table).labels.names == ("a", "b")
    assert scan_images(table, target="cold").labels.names == ("0", "1")
    assert scan_images(table, target="3,4").labels.names == ("wet", "cold")
    with pytest.raises(OptionError, match="Did you mean 'cold'"):
        scan_images(table, target="colt")
    with pytest.raises(OptionError, match="which names the pictures"):
        scan_images(table, target="path")
    with pytest.raises(OptionError, match="'label', which holds 'a'"):
        scan_images(table, target="label,wet")


def test_held_out_pictures_have_every_label(tmp_path):
    paths = paint(tmp_path, 60)
    rows = [(p, "|".join(LISTS[i % 5])) for i, p in enumerate(paths)]
    source = scan_images(write(tmp_path / "t.csv", [("path", "labels"), *rows]))
    held_out = source.targets[source.splits == TEST]
    assert 8 <= len(held_out) <= 16
    assert (held_out.sum(0) > 0).all()


def test_a_label_that_one_picture_has_is_not_scored_unlearned(tmp_path):
    paths = paint(tmp_path, 40)
    rare = {5: "|early", 17: "|middle", 23: "|late"}
    rows = [(p, ("cat", "dog")[i % 2] + rare.get(i, "")) for i, p in enumerate(paths)]
    source = scan_images(write(tmp_path / "t.csv", [("path", "labels"), *rows]))
    names = [source.labels.names.index(name[1:]) for name in rare.values()]
    assert source.targets[source.splits == TRAIN][:, names].sum(0).tolist() == [1, 1, 1]
    assert not [w for w in source.warnings if "always go together" in w]


# --- which reader is asked


def test_a_table_that_names_pictures_is_known_by_what_it_names(tmp_path):
    paths = paint(tmp_path)
    table = write(
        tmp_path / "t.csv", [("a", "b"), *((p, "ab"[i % 2]) for i, p in enumerate(paths))]
    )
    numbers = write(
        tmp_path / "n.csv", [("a", "b"), *((i % 7 / 4, "ab"[i % 2]) for i in range(20))]
    )
    assert is_picture_table(table, TableAsk())
    assert is_picture_table(table, TableAsk(target="b"))
    assert not is_picture_table(table, TableAsk(input="b"))
    assert not is_picture_table(numbers, TableAsk())
    assert open_source(str(table)).kind == "images"
    assert open_source(str(numbers), ask=TableAsk(target="b")).kind == "table"


def test_a_ragged_row_does_not_hide_that_a_table_names_pictures(tmp_path):
    paths = paint(tmp_path)
    rows = [("path", "label"), *((p, "ab"[i % 2]) for i, p in enumerate(paths))]
    table = write(tmp_path / "t.csv", rows)
    table.write_text(table.read_text() + f"{paths[0]},a,and,more\n")
    assert is_picture_table(table, TableAsk())
    source = open_source(str(table), on_bad="skip")
    assert source.kind == "images"
    assert [line for line in source.skipped if f"t.csv:{len(rows) + 1}" in line]


def test_the_data_decides_the_question(tmp_path):
    paths = paint(tmp_path)
    one = scan_images(
        write(
            tmp_path / "a.csv", [("p", "label"), *((p, "ab"[i % 2]) for i, p in enumerate(paths))]
        )
    )
    many = scan_images(
        write(
            tmp_path / "b.csv",
            [("p", "label"), *((p, "a|b" if i % 2 else "a") for i, p in enumerate(paths))],
        )
    )
    assert question_of(one, None) == question_of(one, "classify") == "classify"
    assert question_of(many, None) == "classify_labels"
    with pytest.raises(OptionError, match="any number of labels: leave it out"):
        question_of(many, "classify")
    with pytest.raises(OptionError, match="each picture has one class"):
        question_of(one, "classify_labels")

"""A run is told by a file's first bytes that it is asked about a picture, whatever it is called."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samoyed.core.errors import DataError
from samoyed.core.spec import Column, ImageSpec, TableSpec
from samoyed.data.asked_kind import nothing_given, refuse_pictures
from samoyed.data.asked_texts import Said
from samoyed.data.image_reasons import HEAD_BYTES, picture_format
from samoyed.data.images import read_pictures
from samoyed.data.text_files import decode_bytes
from samoyed.kinds.tasks import TASKS

PIXELS = np.random.default_rng(0).integers(1, 256, (12, 12, 3), np.uint8)
FORMATS = {"JPEG": "JPEG", "PNG": "PNG", "GIF": "GIF", "BMP": "BMP", "TIFF": "TIFF",
           "WEBP": "WebP", "PPM": "PPM"}  # fmt: skip
PICTURE_TASKS = ("classify", "classify_labels")
TABLE = TableSpec(tuple(Column(name, "number") for name in ("age", "height")))


def picture(form: str) -> bytes:
    held = BytesIO()
    Image.fromarray(PIXELS).save(held, form)
    return held.getvalue()


@pytest.mark.parametrize("form", FORMATS)
def test_pictures_are_told_by_their_first_bytes(form: str):
    assert picture_format(picture(form)[:HEAD_BYTES]) == FORMATS[form]
    with pytest.raises(DataError, match=f"a {FORMATS[form]} picture"):
        decode_bytes(Path("a.csv"), picture(form))


@pytest.mark.parametrize(
    "start",
    [b"P5 92 112 255\n\xf5\xf4\xef", b"P6\n# a comment\n92 112\n255\n", b"P2\n2 2\n255\n1 2 3 4\n"],
)
def test_portable_maps_are_pictures(start: bytes):
    assert picture_format(start)


@pytest.mark.parametrize(
    "text", ["BMW baut Autos", "BMÜ", "P5 92 112 are numbers", "II*", "RIFF", "P6\nis paper", ""]
)
def test_words_that_begin_as_pictures_do_are_words(text: str):
    assert picture_format(text.encode()) == ""


@pytest.mark.parametrize("task", [t for t in TASKS if t not in (*PICTURE_TASKS, "play")])
def test_a_run_about_others_names_its_kind_and_what_to_give(task: str, tmp_path: Path):
    file = tmp_path / "rows.csv"
    file.write_bytes(picture("JPEG"))
    with pytest.raises(DataError) as refused:
        refuse_pictures(["some words", str(file)], "runs/r", task)
    error = refused.value
    assert error.place == str(file)
    assert error.expected.endswith("which runs/r is about")
    assert error.found == "a picture (JPEG, by its first bytes)"
    assert error.hint.startswith("Give ")
    refuse_pictures(["some words", str(tmp_path), Said(file)], "runs/r", task)
    assert "samoyed explain runs/r " in nothing_given("runs/r", task).hint


@pytest.mark.parametrize("task", PICTURE_TASKS)
def test_a_run_about_pictures_takes_them(task: str, tmp_path: Path):
    given = tmp_path / "a.png"
    given.write_bytes(picture("PNG"))
    refused = []
    for asked in (task, "classify_table"):
        try:
            refuse_pictures([str(given)], "runs/r", asked)
        except DataError:
            refused.append(asked)
    assert refused == ["classify_table"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (TABLE, "with the columns age, height."),
        (TableSpec(TABLE.columns, has_header=False), "with its columns in the same order."),
    ],
)
def test_a_run_about_a_table_names_the_columns(table: TableSpec, said: str, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(picture("PNG"))
    with pytest.raises(DataError) as refused:
        refuse_pictures([str(tmp_path / "a.png")], "runs/r", "classify_table", table)
    assert said in refused.value.hint
    assert refused.value.expected == "tables, which runs/r is about"


def test_a_run_about_pictures_says_what_a_table_is(tmp_path: Path):
    table = tmp_path / "rows.csv"
    table.write_text("größe,alter\n1,2\n" * 40)
    with pytest.raises(DataError) as refused:
        read_pictures([table], ImageSpec(3, 8, 8))
    error = refused.value
    assert "the run is about pictures" in error.expected
    assert error.found == "a text file that begins with 'größe,alter'"
    assert "for a run that learned from such" in error.hint
    assert "JPEG, PNG" in error.hint

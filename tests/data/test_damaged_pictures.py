"""Pictures that are cut off, and all that is bad in one list."""

import numpy as np
import pytest
from PIL import Image

import samoyed
from command_line import refused_by_check
from samoyed.api import MOST_LISTED
from samoyed.core.errors import DataError
from samoyed.core.spec import ImageSpec
from samoyed.data.images import read_pictures


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"\x89PNG\r\n", "PNG"), (b"\xff\xd8\xff\xe0", "JPEG"), (b"GIF89a", "GIF"),
        (b"BM\x36\x00", "BMP"), (b"RIFF\x10\x00\x00\x00WEBPVP", "WebP"),
        (b"II*\x00\x08", "TIFF"), (b"MM\x00*", "TIFF"),
    ],
)  # fmt: skip
def test_the_beginning_of_a_format_that_is_read_is_a_cut_off_picture(start, name, tmp_path):
    path = tmp_path / "x.png"
    path.write_bytes(start)
    with pytest.raises(DataError) as caught:
        read_pictures([path], ImageSpec(3, 8, 8))
    assert caught.value.found.startswith(f"a damaged or cut off {name}")
    assert "again" in caught.value.hint


def test_check_lists_all_that_is_bad(tmp_path):
    random = np.random.default_rng(0)
    for place in (f"{name}/{i}.png" for name in ("cat", "dog") for i in range(30)):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        pixels = random.integers(0, 256, (10, 12, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / place)
    whole = (tmp_path / "dog" / "0.png").read_bytes()
    (tmp_path / "dog" / "0.png").write_bytes(whole[: len(whole) // 2])
    for i in range(22):
        (tmp_path / "cat" / f"{i}.png").write_bytes(b"no picture" if i else b"")
    message = refused_by_check(tmp_path)
    assert "23 problems:" in message
    assert message.count("/cat/") == 20
    assert "0.png: an empty file (0 bytes)" in message
    assert "and 3 more" in message
    assert "train stops, unless it is given --on-bad skip, which leaves them out" in message
    for i in range(2, 22):
        (tmp_path / "cat" / f"{i}.png").unlink()
    message = refused_by_check(tmp_path)
    assert "3 problems:" in message
    assert "/dog/0.png: a damaged or cut off picture" in message


def test_a_long_list_of_what_was_skipped_is_cut(tmp_path):
    table = tmp_path / "t.csv"
    rows = "".join(f"{i * 7 % 61},{i % 3},{'xy'[i % 2]}\n" for i in range(60))
    table.write_text("a,b,kind\n" + rows + "1,2\n" * 45)
    said = samoyed.check(table, target="kind", on_bad="skip")
    skipped = [line for line in said if line.startswith("skipped: ")]
    assert len(skipped) == MOST_LISTED + 1
    assert skipped[0] == f"skipped: {table}:62: 2 cells, not 3"
    assert skipped[-1] == "skipped: ... and 25 more"

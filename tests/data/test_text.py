"""Reading texts: what is found, what is put right, what is refused and how precisely."""

import gzip
import os
import random

import numpy as np
import pytest

from command_line import refused_by_check
from samoyed.core.errors import DataError
from samoyed.core.spec import TextSpec
from samoyed.data import text, text_files
from samoyed.data.text import (
    UNKNOWN,
    copied_share,
    decode,
    encode,
    scan_text,
)

LETTERS = "abcdefghij klmnopqrst\n"


def prose(num=30_000, seed=0, letters=LETTERS):
    return "".join(random.Random(seed).choices(letters, k=num))


def put(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(path, **options):
    with pytest.raises(DataError) as caught:
        scan_text(path, **options)
    assert caught.value.hint, "every refusal says what to do"
    return caught.value


def test_reads_what_was_written(tmp_path):
    text = prose()
    source = scan_text(put(tmp_path / "a.txt", text))
    data = source.load()
    assert (source.kind, source.name) == ("text", "a")
    assert (source.num_train, source.num_test) == (27_000, 3_000)
    assert data.spec.symbols == (*sorted(set(text)), UNKNOWN)
    assert data.train.dtype == data.test.dtype == np.int64
    assert decode(np.concatenate([data.train, data.test]), data.spec) == text
    assert source.warnings == ()
    assert source.skipped == ()
    assert any("30,000 characters" in line for line in source.describe())


def test_same_content_same_fingerprint_whatever_the_packing(tmp_path):
    text = prose()
    plain = scan_text(put(tmp_path / "a.txt", text))
    packed = scan_text(put(tmp_path / "b.txt.gz", gzip.compress(text.encode())))
    other = scan_text(put(tmp_path / "c.txt", text + "x"))
    assert plain.fingerprint == packed.fingerprint != other.fingerprint
    assert np.array_equal(plain.load().train, packed.load().train)


def test_two_gz_members_are_one_text(tmp_path):
    text = prose()
    halves = gzip.compress(text[:9999].encode()) + gzip.compress(text[9999:].encode())
    data = scan_text(put(tmp_path / "a.gz", halves)).load()
    assert decode(np.concatenate([data.train, data.test]), data.spec) == text


def test_a_folder_is_read_in_order_and_other_files_left_alone(tmp_path):
    put(tmp_path / "b.txt", "second part\n" + prose(2_000))
    put(tmp_path / "a.txt", "first part" + prose(2_000, letters="xyz"))
    put(tmp_path / "cover.png", b"\x89PNG")
    put(tmp_path / ".hidden.txt", "no")
    source = scan_text(tmp_path)
    data = source.load()
    text = decode(np.concatenate([data.train, data.test]), data.spec)
    assert text.startswith("first part")
    assert "\nsecond part\n" in text, "a line end is put between files"
    assert [os.path.basename(file) for file in source.files] == ["a.txt", "b.txt"]


def test_line_ends_and_byte_order_mark_are_put_right_with_a_note(tmp_path):
    text = prose()
    content = b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
    source = scan_text(put(tmp_path / "a.txt", content))
    data = source.load()
    assert decode(np.concatenate([data.train, data.test]), data.spec) == text
    assert len(source.notes) == 2
    assert "byte order mark" in source.notes[0]
    assert f"{text.count(chr(10)):,} Windows line ends" in source.notes[1]


@pytest.mark.parametrize(
    ("content", "place", "found"),
    [
        (b"good\nbad \xe9t\xe9\n" + b"x" * 2000, ":2", "0xE9 0x74 0xE9 0x0A at byte 9"),
        (b"abc\n" * 500 + b"ab\xc3", ":501", "breaks off inside a character at byte 2,002"),
        (b"", "", "empty file"),
        (b"abc\nab\x00c" + b"x" * 2000, ":2", "NUL byte at byte 6"),
        ("hello there ".encode("utf-16"), "", "UTF-16 (its byte order mark ff fe"),
        ("hello there ".encode("utf-32"), "", "UTF-32"),
        (("hello there\n" * 100).encode("utf-16-le"), ":1", "UTF-16 without a mark"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "", "a PNG picture"),
        (b"PK\x03\x04" + b"\0" * 50, "", "ZIP archive"),
        (b"%PDF-1.7\n" + b"x" * 2000, "", "a PDF document"),
        (b"short text", "", "10"),
        (b"a" * 5000, "", "'a' alone, 4,500 times"),
        (b"\x1f\x8b" + b"nonsense" * 100, "", "after 0 decompressed bytes"),
        (gzip.compress(prose().encode())[:-3000], "", "breaks off after"),
        (gzip.compress(prose().encode())[:-4] + b"\1\1\1\1", "", "incorrect length check"),
    ],
)
def test_what_is_not_text_is_refused_precisely(tmp_path, content, place, found):
    path = put(tmp_path / "a.txt", content)
    error = refused(path)
    assert error.place == str(path) + place
    assert found in error.found
    assert found in refused_by_check(path)


def test_the_named_byte_is_where_the_text_is_bad(tmp_path):
    content = "ü\n".encode() * 1000 + b"\xff"
    error = refused(put(tmp_path / "a.txt", content))
    assert f"0xFF at byte {len(content) - 1:,}" in error.found
    assert error.place.endswith(":1001")


def test_a_plain_file_called_gz_is_refused(tmp_path):
    assert "first bytes" in refused(put(tmp_path / "a.gz", prose())).found


def test_missing_unreadable_and_empty_places_are_refused(tmp_path, monkeypatch):
    assert "nothing of that name" in refused(tmp_path / "gone.txt").found
    (tmp_path / "empty").mkdir()
    assert "an empty folder" in refused(tmp_path / "empty").found
    (tmp_path / "pictures").mkdir()
    put(tmp_path / "pictures" / "a.png", b"x")
    assert "1 entries, none of them .txt" in refused(tmp_path / "pictures").found
    path = put(tmp_path / "a.txt", prose())

    def deny(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", deny)
    assert "Permission denied" in refused(path).found


def test_too_large_is_refused_packed_or_not(tmp_path, monkeypatch):
    monkeypatch.setattr(text_files, "MAX_BYTES", 10_000)
    assert "20,000 bytes" in refused(put(tmp_path / "a.txt", b"ab" * 10_000)).found
    bomb = gzip.compress(b"a" * 20_000_000)
    assert "when decompressed" in refused(put(tmp_path / "b.gz", bomb)).found


def test_bad_files_of_a_folder_stop_or_are_left_out_and_listed(tmp_path):
    put(tmp_path / "a.txt", prose())
    bad = put(tmp_path / "b.txt", b"\xff" * 100)
    assert refused(tmp_path).place.startswith(str(bad))
    source = scan_text(tmp_path, on_bad="skip")
    assert len(source.skipped) == 1
    assert source.skipped[0].startswith(f"{bad}: 0xFF")
    assert source.num_train + source.num_test == 30_000
    assert len(source.load().train) == source.num_train


def test_a_folder_of_bad_files_is_an_error_even_when_skipping(tmp_path):
    put(tmp_path / "a.txt", b"\xff" * 100)
    put(tmp_path / "b.txt", b"\0" * 100)
    assert "2 files, all of them bad" in refused(tmp_path, on_bad="skip").found


def test_a_file_that_changes_after_the_scan_is_noticed(tmp_path):
    path = put(tmp_path / "a.txt", prose())
    source = scan_text(path)
    put(path, prose(seed=1))
    with pytest.raises(DataError, match="contents have changed"):
        source.load()


def test_held_out_characters_have_no_say_in_the_symbols(tmp_path):
    source = scan_text(put(tmp_path / "a.txt", prose(27_000) + "ß" * 3 + prose(2_997)))
    assert "ß" not in source.spec.symbols
    assert np.count_nonzero(source.load().test == len(source.spec) - 1) == 3
    assert any("'ß' (3)" in warning for warning in source.warnings)


def test_rare_characters_of_a_large_script_are_folded(tmp_path, monkeypatch):
    """700 characters 20 times or more are kept, and 100 that occur twice are one symbol."""
    many = "".join(chr(0x4E00 + index) for index in range(700)) * 20
    rare = "".join(chr(0x5E00 + index) for index in range(100)) * 2
    path = put(tmp_path / "a.txt", rare + many)
    source = scan_text(path)
    assert len(source.spec) == 700 + 1
    assert any("100 rare characters" in warning for warning in source.warnings)
    data = source.load()
    counts = np.bincount(data.train, minlength=len(source.spec))
    assert counts[:-1].min() >= 15
    assert counts[-1] == 200
    assert any("(一丁丂" in line for line in source.describe())
    monkeypatch.setattr(text, "MAX_SYMBOLS", 600)
    assert len(scan_text(path).spec) == 600 + 1
    few = put(tmp_path / "b.txt", rare[:100] * 2 + "a b" * 5_000)
    assert len(scan_text(few).spec) == 103 + 1


def test_suspicious_texts_are_named(tmp_path):
    small = scan_text(put(tmp_path / "a.txt", prose(2_000)))
    assert any("only 2,000 characters" in warning for warning in small.warnings)
    repeated = scan_text(put(tmp_path / "b.txt", "the same line once more and again\n" * 2_000))
    assert any("only 1 are distinct" in warning for warning in repeated.warnings)
    assert any("copies of 64 characters" in warning for warning in repeated.warnings)
    once = prose(20_000)
    copied = scan_text(put(tmp_path / "c.txt", once + once[:2000]))
    assert any("88% of the held-out part are copies" in warning for warning in copied.warnings)
    control = scan_text(put(tmp_path / "d.txt", prose() + "\x01" * 100))
    assert any("control characters" in warning for warning in control.warnings)


RUSSIAN = "Вот текст, что записан иначе. "
ENCODINGS = {
    "western": (prose(2_000) + "Öl").encode("cp1252"),
    "russian": (RUSSIAN * 60).encode("cp1251"),
    "mixed": (RUSSIAN * 60).encode() + "Öl".encode("cp1252") + (RUSSIAN * 60).encode(),
}


@pytest.mark.parametrize(
    ("name", "byte", "hint"),
    [("western", "2,000", "WINDOWS-1252"), ("russian", "0", "WINDOWS-1251"),
     ("mixed", f"{60 * len(RUSSIAN.encode()):,}", "iconv -c -f UTF-8")],
)  # fmt: skip
def test_the_hint_fits_what_else_is_there(tmp_path, name, byte, hint):
    """A text in UTF-8 with a foreign place was to be converted as a whole, and so spoilt."""
    for mark in (b"", b"\xef\xbb\xbf"):
        error = refused(put(tmp_path / "a.txt", mark + ENCODINGS[name]))
        place = int(byte.replace(",", "")) + len(mark)
        assert f"at byte {place:,}" in error.found
        assert hint in error.hint


@pytest.mark.parametrize(
    ("content", "command"),
    [
        ("naïve café".encode("latin-1") * 9, "iconv -f WINDOWS-1252 -t UTF-8 '{}' > utf8.txt"),
        (("naïve café ïäö " * 9).encode() + b"\xff", "-t UTF-8 '{}' > utf8.txt"),
        ("text".encode("utf-16"), "iconv -f UTF-16 -t UTF-8 '{}' > utf8.txt"),
        (b'[\n{"text": "a"}]', "jq -c '.[]' '{}' > lines.jsonl"),
    ],
)
def test_commands_in_hints_name_the_file_as_it_was_given(tmp_path, content, command):
    folder = tmp_path / "a folder"
    folder.mkdir()
    path = put(folder / "x.json", content)
    with pytest.raises(DataError) as error:
        text_files.read_text(path)
    assert command.format(path) in error.value.hint


def test_blanks_alone_are_no_text(tmp_path):
    assert "blanks" in refused(put(tmp_path / "a.txt", "\n \n\n" * 1_000)).found


def test_copied_share_counts_copied_stretches():
    random = np.random.default_rng(0)
    train, fresh = random.integers(0, 30, 20_000), random.integers(0, 30, 64 * 50)
    assert copied_share(train, fresh) == 0.0
    assert copied_share(train, train[1_003 : 1_003 + 64 * 50]) == 1.0
    half = np.concatenate([train[77 : 77 + 64 * 25], fresh[: 64 * 25]])
    assert copied_share(train, half) == 0.5


def test_encoding_and_decoding():
    spec = TextSpec(("\n", "a", "𝄞", UNKNOWN))
    assert encode("a𝄞\nz", spec).tolist() == [1, 2, 0, 3]
    assert decode([1, 2, 0, 3], spec) == "a𝄞\n" + UNKNOWN
    assert encode("", spec).shape == (0,)


def put_files(folder, names):
    """One letter of its own for each file, so that what is read tells from where it is."""
    for name, letter in zip(names, "abcdefgh", strict=False):
        put(folder / name, f"{letter}{letter} \n" * 400)


def test_files_that_say_their_part_are_kept_apart(tmp_path):
    put_files(tmp_path, ("one_test.txt", "one-train.txt", "two.test.txt", "two_TRAIN.txt"))
    put(tmp_path / "README.txt", "zz \n" * 400)
    source = scan_text(tmp_path)
    data = source.load()
    assert set(decode(data.test, data.spec)) == set("\ufffd \n"), "no letter of a test file"
    learned = decode(np.concatenate([data.train, data.valid]), data.spec)
    assert set(learned) == set("bd \n")
    assert "parts by file name: 2 train, 2 test" in source.describe()
    (tmp_path / "one-train.txt").rename(tmp_path / "one-valid.txt")
    assert scan_text(tmp_path).fingerprint != source.fingerprint, "another division"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("a_train.txt", "a_test.txt", "more.txt"), "others do not: more.txt; all are taken"),
        (("a_train.txt", "a_dev.txt"), "none is test: all is taken as one text"),
        (("latest.txt", "contest.txt"), ""),
    ],
)
def test_files_of_which_some_say_their_part_are_one_text_with_a_warning(tmp_path, names, said):
    put_files(tmp_path, names)
    source = scan_text(tmp_path)
    assert source.num_train == 4 * 400 * len(names) * 0.9
    about_parts = [line for line in source.warnings if "which part" in line]
    assert [said in line for line in about_parts] == ([True] if said else [])


def test_a_part_without_one_readable_file_is_refused(tmp_path):
    put_files(tmp_path, ("a_train.txt", "b_train.txt", "b_test.txt"))
    put(tmp_path / "a_train.txt", b"\x00\x01")
    kept = scan_text(tmp_path, on_bad="skip")
    assert len(kept.skipped) == 1
    assert kept.num_test == 1600
    put(tmp_path / "b_train.txt", b"\x00\x01")
    assert "each part" in refused(tmp_path, on_bad="skip").expected

"""What is a text that is asked about, and what names a file of them."""

from __future__ import annotations

import pytest

from samoyed.core.errors import DataError
from samoyed.data.asked_texts import Said, is_file, is_folder, refuse_no_text, texts_of


def test_a_text_is_no_file_however_long_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dogs").write_text("cats\n")
    (tmp_path / "folder").mkdir()
    assert is_file("dogs")
    assert is_folder("folder")
    assert not is_file("folder")
    for given in ("a" * 300, "a " * 3000, "a\0b", "dogs\n", "", Said("dogs"), Said("folder")):
        assert not is_file(given)
        assert not is_folder(given)
    with pytest.raises(DataError, match="no such file"):
        refuse_no_text("a" * 300 + ".txt")
    refuse_no_text(Said("folder"))
    refuse_no_text(Said("missing.txt"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("new.csv", 'stars,review\n5,"A story, lovely"\n1,"dull\n\nmen"\n'),
        ("new.tsv", "review\tliked\nA story, lovely\tyes\ndull men\tno\n"),
        ("new.csv", 'a,b,c,d,review\n1,2,3,4,"A story, lovely"\n1,2,3,4,dull men\n'),
        ("new.csv", 'review\n"A story, lovely"\ndull men\n'),
        ("new.jsonl", '{"id": 1, "review": "A story, lovely"}\n{"review": "dull\\nmen"}\n'),
    ],
)
@pytest.mark.parametrize("column", ["review", "text"])
def test_the_column_of_texts_is_read(tmp_path, name, text, column):
    (tmp_path / name).write_text(text.replace("review", column))
    learned = column if column == "review" else ""  # of lines or files, where it is called text
    texts = texts_of([str(tmp_path / name)], learned)
    assert [said for _, said in texts] == ["A story, lovely", "dull men"]


def test_a_table_without_a_header_has_columns_by_number(tmp_path):
    (tmp_path / "new.csv").write_text('5,"A story, lovely"\n1,dull men\n')
    texts = texts_of([str(tmp_path / "new.csv")], "column 2")
    assert [said for _, said in texts] == ["A story, lovely", "dull men"]
    (tmp_path / "new.tsv").write_text("a lovely film\nof dogs\n")
    texts = texts_of([str(tmp_path / "new.tsv")])  # nothing but lines, whatever it is called
    assert [said for _, said in texts] == ["a lovely film", "of dogs"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("n ew.tsv", "id\treview\n1\tdogs\n", "cut -f 1 '{}' > texts.txt"),
        ("n ew.jsonl", '{"review": "dogs"}\n', "Name the column of texts 'text'."),
        ("n ew.jsonl", '{"text": ""}\n', "{}:1, column 1 ('text')"),
        ("n ew.jsonl", "dogs\n", "no JSON object"),
        ("folder", None, "a folder"),
    ],
)
def test_what_holds_no_known_texts_is_refused(tmp_path, name, text, message):
    place = tmp_path / name
    place.mkdir() if text is None else place.write_text(text)
    with pytest.raises(DataError) as refused:
        texts_of([str(place)])
    assert message.format(place) in str(refused.value)


def test_whole_files_and_folders_of_them(tmp_path):
    for name, text in (("b.txt", "one\n\ntwo\n"), ("in/a.txt", "three")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    asked = [str(tmp_path), str(tmp_path / "b.txt"), "four"]
    names = [str(tmp_path / name) for name in ("b.txt", "in/a.txt", "b.txt")]
    assert texts_of(asked, is_whole=True) == [
        *zip(names, ["one\n\ntwo", "three", "one\n\ntwo"], strict=True), ("four", "four")
    ]  # fmt: skip
    (tmp_path / "in" / "a.txt").write_text("\n")
    with pytest.raises(DataError, match="not a word"):
        texts_of([str(tmp_path)], is_whole=True)

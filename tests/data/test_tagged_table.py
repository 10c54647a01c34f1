"""Words and tags in tables, as collections of named entities are often handed on."""

import csv
import gzip
import io

import pytest

from samoyed.core.errors import DataError, OptionError
from samoyed.data.tables import TableAsk
from samoyed.data.tagged_table import words_to_tag
from samoyed.data.tagged_text import scan_tagged_text
from samoyed.data.text_kinds import kind_of_texts
from samoyed.opening import is_unasked_table

NAMES = ("Anna", "Ben", "Cleo", "Dora", "Emil")
TAGS = ("B-per", "O", "B-geo", "I-geo", "O")


def words_of(k: int) -> list[str]:
    """Return a sentence that differs for each k, with a comma and a quotation mark in it."""
    return [NAMES[k % 5], ",", f"town{k}", '"East"', "."]


def write(path, header, rows, encoding="utf-8"):
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows([header, *rows])
    data = lines.getvalue().encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def a_word_a_row(num, *, is_filled=False):
    return [
        [f"Sentence: {k + 1}" if is_filled or i == 0 else "", word, "X", tag]
        for k in range(num)
        for i, (word, tag) in enumerate(zip(words_of(k), TAGS, strict=True))
    ]


HEADER = ("Sentence #", "Word", "POS", "Tag")


def held(source):
    return sorted(
        (*source.parts["train"], *source.parts["test"]), key=lambda s: int(s.words[2][4:])
    )


def expected(num):
    return [tuple(words_of(k)) for k in range(num)]


@pytest.mark.parametrize("is_filled", [False, True])
@pytest.mark.parametrize("name", ["ner.csv", "ner.csv.gz"])
def test_a_word_in_every_row(tmp_path, is_filled, name):
    path = write(tmp_path / name, HEADER, a_word_a_row(30, is_filled=is_filled))
    assert kind_of_texts(path, TableAsk()) == "tagged_text"
    assert not is_unasked_table(str(path), TableAsk())
    source = scan_tagged_text(path)
    assert [s.words for s in held(source)] == expected(30)
    assert {s.tags for s in held(source)} == {TAGS}
    assert held(source)[2].lines == tuple(range(12, 17))
    assert source.tags.scheme == "BIO"
    told = "the words in 'Word', the tags in 'Tag', the sentences by 'Sentence #' (also there: POS)"
    assert told in source.describe()[0]


def test_western_letters_are_read(tmp_path):
    rows = a_word_a_row(30)
    rows[1][1] = "Zoë"
    path = write(tmp_path / "ner.csv", HEADER, rows, "latin-1")
    assert held(scan_tagged_text(path))[0].words[1] == "Zoë"


@pytest.mark.parametrize("as_list", [False, True])
def test_a_sentence_in_every_row(tmp_path, as_list):
    wrap = str if as_list else " ".join
    rows = [[wrap(words_of(k)), wrap(list(TAGS))] for k in range(30)]
    path = write(tmp_path / "ner.csv", ("text", "labels"), rows)
    assert kind_of_texts(path, TableAsk()) == "tagged_text"
    source = scan_tagged_text(path)
    assert [s.words for s in held(source)] == expected(30)
    assert {s.tags for s in held(source)} == {TAGS}


def test_tables_that_hold_no_tags_stay_tables(tmp_path):
    reviews = [[f"it was good number {k}", "yes" if k % 2 else "no"] for k in range(40)]
    path = write(tmp_path / "reviews.csv", ("text", "label"), reviews)
    assert kind_of_texts(path, TableAsk(target="label")) is None
    words = [[k, f"word{k}", "N" if k % 3 else "V"] for k in range(40)]
    path = write(tmp_path / "lexicon.csv", ("sentence", "word", "tag"), words)
    assert kind_of_texts(path, TableAsk()) is None
    path = write(tmp_path / "ner.csv", HEADER, a_word_a_row(30))
    assert kind_of_texts(path, TableAsk(target="Tag", task="classify")) is None


def test_another_column_is_chosen_by_its_name(tmp_path):
    rows = [[*row[:2], "N" if i % 2 else "V", row[3]] for i, row in enumerate(a_word_a_row(30))]
    path = write(tmp_path / "ner.csv", HEADER, rows)
    assert kind_of_texts(path, TableAsk(target="POS")) == "tagged_text"
    assert set(scan_tagged_text(path, tag="POS").tags.names) == {"N", "V"}
    with pytest.raises(OptionError, match=r"--target(.|\n)*'POST'(.|\n)*mean 'POS'"):
        scan_tagged_text(path, tag="POST")


def test_a_test_file_in_the_same_columns(tmp_path):
    path = write(tmp_path / "train.csv", HEADER, a_word_a_row(30))
    test = write(tmp_path / "test.csv", HEADER, a_word_a_row(7))
    assert kind_of_texts(tmp_path, TableAsk()) == "tagged_text"
    for source in (scan_tagged_text(path, test=str(test)), scan_tagged_text(tmp_path)):
        assert (source.num_train, len(source.parts["test"])) == (30, 7)
    write(test, ("Sentence #", "Word"), [row[:2] for row in a_word_a_row(7)])
    with pytest.raises(DataError, match=r"test\.csv(.|\n)*a column 'Tag'(.|\n)*Sentence #, Word"):
        scan_tagged_text(path, test=str(test))


def test_a_bad_row_is_named_or_its_sentence_left_out(tmp_path):
    rows = a_word_a_row(30)
    rows[7][3] = ""
    path = write(tmp_path / "ner.csv", HEADER, rows)
    with pytest.raises(DataError, match=r"ner\.csv:9, column 4 \('Tag'\)(.|\n)*an empty cell"):
        scan_tagged_text(path)
    source = scan_tagged_text(path, on_bad="skip")
    assert len(held(source)) == 29
    assert [note for note in source.skipped if "ner.csv:9" in note and "left out" in note]


def test_a_sentence_with_too_few_tags_is_named(tmp_path):
    rows = [[" ".join(words_of(k)), " ".join(TAGS)] for k in range(30)]
    rows[4][1] = "O O"
    path = write(tmp_path / "ner.csv", ("text", "labels"), rows)
    with pytest.raises(DataError, match=r"ner\.csv:6(.|\n)*5 words and 2 tags"):
        scan_tagged_text(path)
    assert len(held(scan_tagged_text(path, on_bad="skip"))) == 29


def test_columns_that_are_not_there_are_said(tmp_path):
    path = write(tmp_path / "a.csv", ("a", "b"), [[k, k] for k in range(30)])
    with pytest.raises(DataError, match=r"a column of words(.|\n)*the columns a, b"):
        scan_tagged_text(path)


def test_words_to_tag_need_no_tags(tmp_path):
    path = write(tmp_path / "a.csv", HEADER, a_word_a_row(3))
    assert words_to_tag(path) == [words_of(k) for k in range(3)]
    path = write(tmp_path / "a.csv", HEADER[:2], [row[:2] for row in a_word_a_row(3)])
    assert words_to_tag(path) == [words_of(k) for k in range(3)]
    path = write(tmp_path / "a.csv", ("id", "text"), [[1, "Ann ran."], [2, "Ben sat."]])
    assert words_to_tag(path) == ["Ann ran.", "Ben sat."]
    path = write(tmp_path / "a.csv", ("id", "name"), [[1, "Ann"], [2, "Ben"]])
    assert words_to_tag(path) is None

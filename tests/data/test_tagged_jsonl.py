"""Words and tags in lines of JSON, as data sets of named entities are often handed on."""

import gzip
import json

import pytest

from samoyed.core.errors import DataError, OptionError
from samoyed.data.tables import TableAsk
from samoyed.data.tagged_text import scan_tagged_text
from samoyed.data.text_kinds import kind_of_texts

NAMES = ("Anna", "Ben", "Cleo", "Dora", "Emil")


def sentence(k: int, **changed) -> dict:
    """Return a sentence that differs for each k."""
    return {
        "id": str(k), "tokens": [NAMES[k % 5], "saw", f"town{k}", "."],
        "pos_tags": ["N", "V", "N", "."], "ner_tags": ["B-PER", "O", "B-LOC", "O"],
    } | changed  # fmt: skip


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / "ner.jsonl", [sentence(k) for k in range(30)])


def test_words_and_tags_are_found(path):
    assert kind_of_texts(path, TableAsk()) == "tagged_text"
    source = scan_tagged_text(path)
    held = [*source.parts["train"], *source.parts["test"]]
    assert sorted(s.words[2] for s in held) == sorted(f"town{k}" for k in range(30))
    assert {s.tags for s in held} == {("B-PER", "O", "B-LOC", "O")}
    assert source.tags.scheme == "BIO"
    [told] = [line for line in source.describe() if "JSON" in line]
    assert "words in 'tokens', the tags in 'ner_tags' (also there: pos_tags)" in told


def test_another_field_is_chosen_by_its_name(path):
    assert kind_of_texts(path, TableAsk(target="pos_tags")) == "tagged_text"
    source = scan_tagged_text(path, tag="pos_tags")
    assert set(source.tags.names) == {"N", "V", "."}
    with pytest.raises(OptionError, match=r"--target(.|\n)*'ner'(.|\n)*mean 'ner_tags'"):
        scan_tagged_text(path, tag="ner")


def test_a_folder_with_parts(tmp_path):
    write(tmp_path / "train.jsonl", [sentence(k) for k in range(30)])
    with gzip.open(tmp_path / "test.jsonl.gz", "wt") as file:
        file.write("".join(json.dumps(sentence(k)) + "\n" for k in range(40, 47)))
    assert kind_of_texts(tmp_path, TableAsk()) == "tagged_text"
    source = scan_tagged_text(tmp_path)
    assert (source.num_train, len(source.parts["test"])) == (30, 7)
    assert source.has_official_test


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (sentence(9, ner_tags=["O", "O"]), "4 words and 2 tags"),
        (sentence(9, ner_tags=["O", "O", None, "O"]), "None, item 3"),
        (sentence(9, tokens=["a", " ", "b", "c"]), "' ', item 2"),
        (sentence(9, ner_tags="O O O O"), "'O O O O' in the field 'ner_tags'"),
        ({"id": "9", "tokens": ["a"]}, "no field 'ner_tags'"),
        (["a", "b"], "a JSON list"),
        (sentence(9, ner_tags=["I-LOC", "O", "O", "O"]), "'I-LOC' after the sentence's beginning"),
        (sentence(9, tokens=[], ner_tags=[]), r"'\[\]' in the field 'tokens'"),
    ],
)
def test_a_bad_line_is_named_or_left_out(tmp_path, row, expected):
    rows = [sentence(k) | {"ner_tags": ["B-PER", "I-PER", "B-LOC", "O"]} for k in range(30)]
    rows[3] = row
    path = write(tmp_path / "ner.jsonl", rows)
    with pytest.raises(DataError, match=rf"ner.jsonl:4\n(.|\n)*{expected}"):
        scan_tagged_text(path)
    source = scan_tagged_text(path, on_bad="skip")
    assert sum(map(len, source.parts.values())) == 29
    [skipped] = source.skipped
    assert "ner.jsonl:4: " in skipped


def test_what_is_no_json_is_named(tmp_path):
    path = write(tmp_path / "ner.jsonl", [sentence(k) for k in range(30)])
    path.write_text(path.read_text() + '{"tokens": ["a"], \n')
    with pytest.raises(DataError, match=r"ner.jsonl:31\n(.|\n)*no JSON object"):
        scan_tagged_text(path)


def test_other_lines_of_json_stay_what_they_are(tmp_path):
    rows = [{"text": f"line {k}", "authors": ["a", "b"], "keywords": ["c", "d"]} for k in range(9)]
    assert kind_of_texts(write(tmp_path / "a.jsonl", rows), TableAsk()) is None
    path = write(tmp_path / "b.jsonl", [{"text": f"line {k}"} for k in range(9)])
    with pytest.raises(DataError, match="fields text without such lists"):
        scan_tagged_text(path)


def test_numbers_and_lines_in_the_place_of_tags_are_told_of(tmp_path):
    numbers = [sentence(k, ner_tags=[1, 0, 5, 0]) for k in range(30)]
    source = scan_tagged_text(write(tmp_path / "a.jsonl", numbers))
    assert any("the tags are numbers (0, 1, 5)" in warning for warning in source.warnings)
    lines = [sentence(k, ner_tags=["N", "V", "_", "."]) for k in range(30)]
    source = scan_tagged_text(write(tmp_path / "b.jsonl", lines))
    [told] = [warning for warning in source.warnings if "'_'" in warning]
    assert told.startswith("30 words have no tag")

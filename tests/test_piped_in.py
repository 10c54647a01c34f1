"""What is piped in is read as the file would be that is laid out so."""

from __future__ import annotations

from pathlib import Path

import pytest

from samoyed.core.errors import DataError
from samoyed.data.pair_columns import sentences_in
from samoyed.piped_in import as_file, kept_in_a_file

WORDS = "He PRP B-NP\nruns VBZ B-VP\n\nShe PRP B-NP\nsits VBZ B-VP\n\n" * 3


@pytest.mark.parametrize(
    ("task", "text", "suffix"),
    [
        ("tag", WORDS, ".conll"),
        ("tag", WORDS.replace("\n", "\r\n"), ".conll"),
        ("tag", '{"tokens": ["He", "runs"]}\n' * 2, ".jsonl"),
        ("tag", "Sentence #,Word,Tag\n1,He,O\n1,runs,O\n", ".csv"),
        ("tag", "sentence\tword\n1\tHe\n1\truns\n", ".tsv"),
        ("tag", "He runs .\nShe sits .\n", ""),
        ("tag", "Word by word, tag by tag\nHe runs\n", ""),
        ("translate", "Ein Hund\tA dog\nEin Mann\tA man\n", ".tsv"),
        ("translate", "de,en\nEin Hund,A dog\n", ".csv"),
        ("translate", "Ein Hund, der läuft.\nEin Mann, der sitzt.\n", ""),
        ("translate", "Ja, nein\nNein, ja\n", ""),
        ("translate", "Ein Hund\n\nEin Mann\n", ""),
        ("translate", '{"de": "Ein Hund"}\n', ".jsonl"),
        ("classify_text", "text,label\nso good,1\n", ".csv"),
        ("classify_text", "id\ttext\n1\tso good\n", ".tsv"),
        ("classify_text", "text\nso good\n", ".csv"),
        ("classify_text", "Great, fun\nHorrible, waste of time\nBoring, I slept\n", ""),
        ("classify_text", "text\nI love it, really\nbad film\n", ""),
        ("classify_text", "Wow, text\nso good\nso, so, bad\n", ""),
        ("classify_text", "good, dull\nso good, so dull\nfine\nbad\n", ""),
        ("classify_text", "good\tso fine\nbad\tso dull\n", ""),
        ("classify_text", "so good, so bad\ntext\n", ""),
        ("classify_text", '{"text": "so good"}\n{"text": "so bad"}\n', ".jsonl"),
        ("classify_text", "{so good}\n{so bad}\n", ""),
        ("classify_trees", "(2 (2 so) (3 good))\n", ""),
        ("embed", "monday\tfriday\nking\tqueen\n", ""),
    ],
)  # fmt: skip
def test_layouts_are_told_and_lines_are_lines(tmp_path, task: str, text: str, suffix: str):
    file = as_file(text, tmp_path, task)
    assert Path(file).suffix == suffix
    if file:
        assert Path(file).read_bytes() == text.encode()


@pytest.mark.parametrize("task", ["tag", "translate", "classify_text"])
@pytest.mark.parametrize("text", ["a," + "long " * 40_000, "so\rgood, bad\nfine\n", '"open, so\nx'])
def test_what_no_table_can_hold_is_lines(tmp_path, task: str, text: str):
    assert not as_file(text, tmp_path, task)


def test_columns_that_the_run_learned_from_are_known(tmp_path):
    table = "a b,stars\nso good,1\n"
    assert not as_file(table, tmp_path, "classify_text")
    assert as_file(table, tmp_path, "classify_text", ["a b"])
    table = 'review,kind\n"good, really",pos\nso dull,neg\n'
    assert as_file(table, tmp_path, "classify_text", ["", "pos", "neg"])
    assert not as_file(table, tmp_path, "classify_text", ["", "1", "0"])
    assert not as_file("pos\tfine\npos\tI love it\n", tmp_path, "classify_text", ["", "pos", "neg"])
    assert not as_file("nds,is\nDat,Það\n", tmp_path, "translate")
    assert as_file("nds,is\nDat,Það\n", tmp_path, "translate", ["nds", "is"])


def test_one_sentence_of_columns_is_told_by_its_tags(tmp_path):
    one = "He PRP B-NP\nruns VBZ O\n"
    assert not as_file(one, tmp_path, "tag")
    assert as_file(one, tmp_path, "tag", ["O", "B-NP", "E-NP", "I-NP", "S-NP"]).endswith(".conll")
    assert as_file("He PRON\nruns VERB\n", tmp_path, "tag", ["PRON", "VERB"])
    assert not as_file("He runs\nShe sits\n", tmp_path, "tag", ["O", "S-NP"])
    assert not as_file("He ran home .\nThe dog barked .\n", tmp_path, "tag", ["NN", "VB", "."])
    assert not as_file("He took vitamin O\n", tmp_path, "tag", ["O", "S-NP"])


def test_bytes_of_another_encoding_are_kept(tmp_path):
    text = b"text,label\nd\xe9 film,1\n".decode("utf-8", "surrogateescape")
    assert (
        Path(as_file(text, tmp_path, "classify_text")).read_bytes() == b"text,label\nd\xe9 film,1\n"
    )


def test_errors_name_standard_input_and_nothing_is_left_behind():
    with pytest.raises(DataError) as refused, kept_in_a_file() as folder:
        sentences_in(Path(as_file("xx\tyy\nka\tmu\n", folder, "translate")), "de")
    assert refused.value.place == "standard input:1"
    assert str(folder) not in str(refused.value)
    assert "cut -f 1 FILE" in str(refused.value)
    assert not folder.exists()

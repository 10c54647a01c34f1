"""Ways to spoil texts, labelled texts, tags and pairs: one message each, or a warning by name."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from samoyed import api
from samoyed.core.errors import DataError, OptionError, SamoyedError

DRAW = random.Random(0)
WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "and",
    "then",
    "ran",
    "away",
    "from",
    "big",
    "dogs",
    "who",
    "were",
    "loud",
]
SENTENCES = [" ".join(DRAW.choices(WORDS, k=7)) + f" {k}" for k in range(40)]
OTHERS = [" ".join(DRAW.choices(WORDS, k=7)) + f" {k}" for k in range(40)]
TABLE = "label,text\n" + "".join(f"{'ab'[k % 2]},{s}\n" for k, s in enumerate(SENTENCES))
CHUNKS = [f"the B-NP\ndog{k} I-NP\nruns B-VP\n" for k in range(30)]
WORD = "{}\t{}\t_\t{}\t_\t_\t_\t_\t_\t_\n"
TREE = (
    "# text = dela casa\n1-2\tdela" + "\t_" * 8 + "\n" + WORD.format(1, "de", "ADP")
    + WORD.format(2, "la", "DET") + WORD.format("2.1", "x", "X") + WORD.format(3, "casa", "NOUN")
)  # fmt: skip
LINES = [json.dumps({"de": a, "en": b}) for a, b in zip(SENTENCES, OTHERS, strict=True)]
TSV = "de\ten\n" + "".join(f"{a}\t{b}\n" for a, b in zip(SENTENCES, OTHERS, strict=True))


def put(root: Path, **files: str | bytes) -> None:
    for name, content in files.items():
        file = root / name.replace("__", ".")
        file.write_bytes(content if isinstance(content, bytes) else content.encode())


def pairs(root: Path, one: list[str], other: list[str], part: str = "train") -> None:
    put(root, **{f"{part}__de": "\n".join(one) + "\n", f"{part}__en": "\n".join(other) + "\n"})


Spoil = Callable[[Path], object]
GERMAN = {"source": "de", "into": "en"}
LABELLED = {"target": "label"}
# name: (what to write, what of it to check, how, words of the message)
REFUSED: dict[str, tuple[Spoil, str, dict[str, str], str]] = {
    "a cell of 200,000 letters": (
        lambda r: put(r, x__csv=TABLE + "a," + "w" * 200_000 + "\n"), "x.csv", LABELLED,
        "x.csv:42|cells of fewer than"),
    "nothing but a huge line": (
        lambda r: put(r, x__csv="a,b\n" + "w" * 200_000 + ",1\n"), "x.csv", {"target": "b"},
        "x.csv:2|cells of fewer than"),
    "copies alone": (
        lambda r: put(r, x__csv="label,text\n" + "a,one text\nb,another\n" * 30), "x.csv",
        LABELLED, "rows that differ"),
    "labelled copies alone": (
        lambda r: put(r, x__txt="a one text\nb another text\n" * 30), "x.txt",
        {"task": "classify_text"}, "texts that differ"),
    "one class": (
        lambda r: put(r, x__csv=TABLE.replace("\nb,", "\na,")), "x.csv", LABELLED,
        "at least two classes"),
    "no such label": (
        lambda r: put(r, x__csv=TABLE), "x.csv", {"target": "stars"}, "The columns: label, text"),
    "JSON lines broken at 7": (
        lambda r: put(r, x__jsonl="\n".join([*LINES[:6], '{"de": ', *LINES[7:]])), "x.jsonl",
        GERMAN, "x.jsonl:7|--on-bad skip"),
    "a number for a sentence": (
        lambda r: put(r, x__jsonl="\n".join([*LINES[:6], '{"de": "a", "en": 5}'])), "x.jsonl",
        GERMAN, "x.jsonl:7|5 there"),
    "a field too few": (
        lambda r: put(r, x__jsonl="\n".join([*LINES[:6], '{"de": "a"}'])), "x.jsonl", GERMAN,
        "x.jsonl:7|the fields de"),
    "no gz": (lambda r: put(r, x__txt__gz=b"plain"), "x.txt.gz", {}, "a gz file"),
    "half a gz": (
        lambda r: put(r, x__txt__gz=gzip.compress("".join(OTHERS).encode())[:99]), "x.txt.gz", {},
        "a whole gz file"),
    "binary": (lambda r: put(r, x__txt=bytes(range(256)) * 9), "x.txt", {}, "NUL byte"),
    "nothing there": (lambda r: None, "x.txt", {}, "nothing there"),
    "one column of tags": (
        lambda r: put(r, x__conll="the\ndog\n\n" * 30), "x.conll", {}, "one column alone"),
    "ragged": (
        lambda r: put(r, x__conll="\n".join([*CHUNKS, "the\n"])), "x.conll", {},
        "x.conll:121|2 columns"),
    "one tag": (
        lambda r: put(r, x__conll="the O\ndog O\n\n" * 30), "x.conll", {}, "two different tags"),
    "no empty lines": (
        lambda r: put(r, x__conll="the B-NP\ndog I-NP\n" * 30), "x.conll", {},
        "Put an empty line after each sentence"),
    "inside after outside": (
        lambda r: put(r, x__conll="\n".join([*CHUNKS, "the O\ndog I-NP\n"])), "x.conll", {},
        "x.conll:122|'I-NP' after O"),
    "another type inside": (
        lambda r: put(r, x__conll="\n".join([*CHUNKS, "the B-NP\ndog I-VP\n"])), "x.conll", {},
        "x.conll:122|'I-VP' after B-NP"),
    "BIO among BIOES": (
        lambda r: put(r, x__conll="\n".join(["a B-NP\ncat E-NP\n"] * 20 + ["a B-NP\ncat I-NP\n"])),
        "x.conll", {}, "x.conll:62|'I-NP' at the sentence's end"),
    "no such column": (
        lambda r: put(r, x__conll="\n".join(CHUNKS)), "x.conll", {"target": "9"},
        "columns from 1 to 2"),
    "a column by name": (
        lambda r: put(r, x__conll="\n".join(CHUNKS)), "x.conll", {"target": "pos"},
        "count them from the left"),
    "CoNLL-U sentences run together": (
        lambda r: put(r, x__conllu=(TREE + "\n") * 10 + TREE + WORD.format(1, "la", "DET")),
        "x.conllu", {}, "x.conllu:77|empty line between sentences"),
    "CoNLL-U with nine columns": (
        lambda r: put(r, x__conllu=(TREE + "\n") * 10 + "1\tla\t_\tDET\t_\t_\t_\t_\t_\n"),
        "x.conllu", {}, "x.conllu:71|10 columns"),
    "unequal sides": (
        lambda r: pairs(r, SENTENCES, OTHERS[:-2]), "", GERMAN, "train.de:39|the first without"),
    "an empty side": (lambda r: pairs(r, SENTENCES, [""] * 40), "", GERMAN, "different sentences"),
    "one pair": (lambda r: pairs(r, ["a"], ["b"]), "", GERMAN, "at least 20"),
    "a test part of one side": (
        lambda r: (pairs(r, SENTENCES, OTHERS), put(r, test__de="a\n")), "", GERMAN,
        "test.en beside it"),
    "no such language": (
        lambda r: pairs(r, SENTENCES, OTHERS), "", {"source": "de", "into": "fr"},
        "one of de, en|take --to"),
    "the same language": (
        lambda r: pairs(r, SENTENCES, OTHERS), "", {"source": "de", "into": "de"}, "take --to en"),
    "semicolons": (
        lambda r: put(r, x__csv=TSV.replace("\t", ";")), "x.csv", GERMAN,
        "two columns with a comma"),
    "a tab too few": (
        lambda r: put(r, x__tsv=TSV + "alone\n"), "x.tsv", GERMAN, "x.tsv:42|2 columns with a tab"),
}  # fmt: skip


@pytest.mark.parametrize("way", REFUSED)
def test_a_spoilt_input_is_refused_in_one_message(tmp_path: Path, way: str):
    spoil, name, said, words = REFUSED[way]
    spoil(tmp_path)
    with pytest.raises(SamoyedError) as caught:
        api.check(tmp_path / name, **said)
    error = caught.value
    assert isinstance(error, DataError | OptionError)
    assert error.place
    assert error.expected
    assert error.found
    assert error.hint
    for part in words.split("|"):
        assert part in str(error)


WARNED: dict[str, tuple[Spoil, str, dict[str, str], str]] = {
    "a tag that marks no chunk": (
        lambda r: put(r, x__conll="\n".join([*CHUNKS, *["the X-NP\ndog I-NP\n"] * 15])),
        "x.conll", {}, "(first: 'X-NP', "),
    "a word without end": (
        lambda r: put(r, x__conll="\n".join([*CHUNKS, "w" * 900 + " B-NP\n"])), "x.conll", {},
        "x.conll:121): is a blank missing?"),
    "pairs: test is train": (
        lambda r: (pairs(r, SENTENCES, OTHERS), pairs(r, SENTENCES, OTHERS, "test")), "", GERMAN,
        "the scores flatter"),
    "one translation of everything": (
        lambda r: pairs(r, SENTENCES, ["hello"] * 40), "", GERMAN,
        "have the same translation, “hello”"),
    "sides that are the same": (
        lambda r: pairs(r, SENTENCES, SENTENCES), "", GERMAN, "the same on both sides"),
    "an empty sentence": (
        lambda r: pairs(r, SENTENCES, ["", *OTHERS[1:]]), "", GERMAN, "a side is empty (line 1)"),
    "copies with other labels": (
        lambda r: put(r, x__csv=TABLE + "a,the same twice here\nb,the same twice here\n"), "x.csv",
        LABELLED, "different classes"),
}  # fmt: skip


@pytest.mark.parametrize("way", WARNED)
def test_a_suspicious_input_is_warned_of_by_name(tmp_path: Path, way: str):
    spoil, name, said, words = WARNED[way]
    spoil(tmp_path)
    told = [line for line in api.check(tmp_path / name, **said) if line.startswith("warning: ")]
    assert any(words in line for line in told), told


def test_ranges_and_empty_words_of_conllu_are_no_words(tmp_path: Path):
    put(tmp_path, x__conllu="".join(TREE.replace("casa", f"casa{k}") + "\n" for k in range(12)))
    told = api.check(tmp_path / "x.conllu")
    assert "tags: 3 of single words: ADP (10), DET (10), NOUN (10)" in told

"""Folders of texts as archives hold them: parts, what lies beside them, files without endings."""

import random

import pytest

from samoyed.data.tables import TableAsk
from samoyed.opening import open_source

WORDS = ["a", "fine", "dull", "film", "warm", "slow", "sings", "waste"]


def fill(folder, num=12, ending=".txt", size=30):
    folder.mkdir(parents=True)
    for i in range(num):
        rng = random.Random(f"{folder.name}{i}")
        text = " ".join(rng.choices(WORDS, k=size))
        (folder / f"{i}{ending}").write_text(f"{folder} {text}\n")


@pytest.mark.parametrize("beside", ["unsup", "__MACOSX", "docs", "bin"])
def test_parts_stay_parts_whatever_lies_beside_them(tmp_path, beside):
    for part, num in (("train", 12), ("test", 6)):
        for label in ("neg", "pos"):
            fill(tmp_path / part / label, num)
    fill(tmp_path / beside, ending=".bin" if beside == "bin" else ".txt")
    source = open_source(str(tmp_path))
    assert source.labels.names == ("neg", "pos")
    assert (source.num_train, len(source.parts["test"])) == (24, 12)
    is_told = any(f"{beside}/" in said for said in source.warnings)
    assert is_told == (beside != "__MACOSX")  # what archivers leave is nobody's data


def test_a_class_named_train_is_a_class(tmp_path):
    for label in ("bus", "car", "train"):
        fill(tmp_path / label)
    assert open_source(str(tmp_path)).labels.names == ("bus", "car", "train")


@pytest.mark.parametrize("task", [None, "classify_text"])
@pytest.mark.parametrize("ending", ["", ".1", ".7c53336b37003a9286aba55d2945844c"])
def test_texts_without_endings(tmp_path, ending, task):
    for label in ("alt.atheism", "sci.med"):
        fill(tmp_path / "news" / label, ending=ending)
    source = open_source(str(tmp_path / "news"), ask=TableAsk(task=task))
    assert source.kind == "labelled_text"
    assert source.labels.names == ("alt.atheism", "sci.med")
    assert source.num_train + len(source.parts["test"]) == 24


def test_parts_of_texts_without_endings(tmp_path):
    for part in ("news-train", "news-test"):
        for label in ("alt.atheism", "sci.med"):
            fill(tmp_path / part / label, ending="")
    assert open_source(str(tmp_path)).has_official_test


def test_files_without_endings_that_are_no_texts_are_none(tmp_path):
    for label in ("a", "b"):
        fill(tmp_path / label, ending="")
        (tmp_path / label / "0").write_bytes(b"\0\1\2\3")
    with pytest.raises(Exception, match="picture"):
        open_source(str(tmp_path))


def test_the_encoding_of_texts_is_told(tmp_path):
    for label in ("neg", "pos"):
        fill(tmp_path / label)
    words = "un été déjà passé, élève ; " * 9
    (tmp_path / "pos" / "0.txt").write_bytes(words.encode().decode("latin-1").encode())
    (tmp_path / "pos" / "1.txt").write_bytes((words + "long " * 99).encode("latin-1"))
    notes = open_source(str(tmp_path)).notes
    assert any(n.startswith("1 files are not UTF-8") for n in notes)
    assert any("1 files hold UTF-8 that was read as Windows-1252" in n for n in notes)

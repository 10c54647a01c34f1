"""Labelled text: its layouts, its splits, and the ways to spoil it."""

import csv
import gzip
import json
import random

import pytest

from samoyed.core.errors import DataError, OptionError
from samoyed.data import text_kinds
from samoyed.data.labelled_lines import form_of
from samoyed.data.labelled_text import scan_labelled_text
from samoyed.data.tables import TableAsk
from samoyed.data.text_kinds import kind_of_texts
from samoyed.opening import open_source

GOOD = ["a fine film", "so moving and warm", "what a joy , really", "it sings"]
BAD = ["dull and slow", "a waste of time", "who wrote this ?", "it drags on"]


def lines(num=40, seed=0):
    rng = random.Random(seed)
    found = []
    for i in range(num):
        words = rng.choice(GOOD if i % 2 else BAD)
        found.append((str(i % 2), f"{words} {rng.choice('abcdef')}{i}"))
    return found


def spaced(pairs):
    return "".join(f"{label} {text}\n" for label, text in pairs)


def put(tmp_path, text, name="train.all"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def open_any(path, **said):
    return open_source(str(path), ask=TableAsk(**said))


FORMS = {
    "label text": (spaced(lines()), "space"),
    "topics": (spaced([("DESC:manner" if a == "0" else "HUM:ind", t) for a, t in lines()]),
               "space"),
    "fasttext": ("".join(f"__label__{a} {t}\n" for a, t in lines()), "fasttext"),
    "tab": ("".join(f"{['bad', 'good'][int(a)]}\t{t}\n" for a, t in lines()), "tab"),
    "tab last": ("".join(f"{t}\t{['bad', 'good'][int(a)]}\n" for a, t in lines()), "tab last"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_told_and_read(name, tmp_path):
    text, form = FORMS[name]
    assert form_of(text).form == form
    assert form_of(text).is_certain
    source = open_any(put(tmp_path, text))
    assert source.kind == "labelled_text"
    records = [r for part in ("train", "test") for r in source.parts[part]]
    assert sorted(r.text for r in records) == sorted(t for _, t in lines())
    assert len(source.labels) == 2
    assert len(source.parts["test"]) == 8


@pytest.mark.parametrize(
    "text",
    [
        "It was the best of times\nit was the worst of times\n" * 20,
        "".join(f"{i} In the beginning\n" for i in range(1, 60)),
        "1 2 3\n2 3 4\n" * 20,
        "word\n" * 30,
        "",
    ],
)
def test_other_texts_are_none(text):
    found = form_of(text)
    assert found is None or not found.is_certain


def test_lines_are_cut_at_line_ends_alone(tmp_path):
    """Windows-1252 writes an ellipsis as byte 85, which Unicode takes for a line end."""
    pairs = lines()
    text = spaced(pairs).replace("a fine film", "a fine\x85film").encode("latin-1")
    path = tmp_path / "mr.all"
    path.write_bytes(text)
    source = open_any(path)
    assert source.num_train + len(source.parts["test"]) == len(pairs)
    assert any("fine…film" in r.text for r in source.parts["train"])
    assert any("0x85" in note and "Windows-1252" in note for note in source.notes)


def test_a_compressed_file_is_the_same(tmp_path):
    path = tmp_path / "train.gz"
    path.write_bytes(gzip.compress(spaced(lines()).encode()))
    assert open_any(path).kind == "labelled_text"


def test_only_the_beginning_of_a_compressed_file_is_looked_at(tmp_path, monkeypatch):
    """A corpus of gigabytes was unpacked into memory to see what it is."""
    monkeypatch.setattr(text_kinds, "LOOKED_AT_BYTES", 3_000)
    path = tmp_path / "texts.txt.gz"
    path.write_bytes(gzip.compress((spaced(lines()) * 300).encode())[:-400])
    assert kind_of_texts(path, TableAsk()) == "labelled_text"
    path.write_bytes(gzip.compress(spaced(lines()).encode())[:60])
    assert kind_of_texts(path, TableAsk()) is None


def test_the_official_test_part_is_taken(tmp_path):
    train = put(tmp_path, spaced(lines()))
    test = put(tmp_path, spaced(lines(10, seed=1)), "test.all")
    source = open_any(train, test=str(test))
    assert source.num_train == 40
    assert len(source.parts["test"]) == 10
    assert source.has_official_test
    folder = open_any(tmp_path)
    assert [len(folder.parts[p]) for p in ("train", "test")] == [40, 10]


def test_a_development_file_is_looked_at_while_training(tmp_path):
    for name, num in (("x.train", 40), ("x.dev", 10), ("x.test", 20)):
        put(tmp_path, spaced(lines(num, seed=num)), name)
    data = open_any(tmp_path).load()
    assert [len(part) for part in (data.train, data.validation, data.test)] == [40, 10, 20]


def folders(root, counts, size=30):
    for name, num in counts.items():
        (root / name).mkdir(parents=True)
        for i in range(num):
            text = random.Random(f"{name}{i}").choice(GOOD) + f" {name} {i} " + "word " * size
            (root / name / f"{i}.txt").write_text(text)


def test_a_folder_for_each_class(tmp_path):
    folders(tmp_path / "r", {"pos": 20, "neg": 20})
    source = open_any(tmp_path / "r")
    assert source.labels.names == ("neg", "pos")
    assert len(source.parts["test"]) == 8
    assert open_any(tmp_path / "r", task="continue_text").kind == "text"


def test_train_and_test_folders_and_what_has_no_label(tmp_path):
    root = tmp_path / "reviews"
    folders(root / "train", {"pos": 12, "neg": 12, "unsup": 3})
    folders(root / "test", {"pos": 6, "neg": 6})
    source = open_any(root)
    assert source.labels.names == ("neg", "pos")
    assert (source.num_train, len(source.parts["test"])) == (24, 12)
    assert any("without a label" in note for note in source.notes)


def test_where_both_fit_both_commands_are_said(tmp_path):
    folders(tmp_path / "r", {"austen": 3, "bronte": 3})
    with pytest.raises(DataError, match=r"--task classify_text.*--task continue_text"):
        open_any(tmp_path / "r")
    assert open_any(tmp_path / "r", task="continue_text").kind == "text"
    said = "".join(f"{random.Random(i).choice(['Ann', 'Bob'])} says hello {i}\n" for i in range(99))
    path = put(tmp_path, said, "chat.txt")
    with pytest.raises(DataError, match=r"--task classify_text.*--task continue_text"):
        open_any(path)
    assert open_any(path, task="classify_text").labels.names == ("Ann", "Bob")
    assert kind_of_texts(path, TableAsk(task="continue_text")) is None


def test_large_files_in_folders_are_a_text_to_continue(tmp_path):
    folders(tmp_path / "r", {"austen": 6, "bronte": 6}, size=9000)
    assert open_any(tmp_path / "r").kind == "text"


def table(tmp_path, header, rows, name="t.csv"):
    path = tmp_path / name
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def long_rows(num=40):
    return [[f"{t} and so on until it ends , at last {a}", "yn"[int(a)]] for a, t in lines(num)]


def test_a_table_of_one_text_column_is_labelled_text(tmp_path):
    path = table(tmp_path, ["review", "liked"], long_rows())
    source = open_any(path, target="liked")
    assert source.kind == "labelled_text"
    assert source.labels.names == ("n", "y")
    assert "column 'review' is read as text" in source.describe()[0]
    test = table(tmp_path, ["review", "liked"], long_rows(10), "test.csv")
    assert len(open_any(path, target="liked", test=str(test)).parts["test"]) == 10


def test_input_chooses_the_text_column(tmp_path):
    rows = [[text, str(i % 9), label] for i, (text, label) in enumerate(long_rows())]
    path = table(tmp_path, ["review", "stars", "liked"], rows)
    assert open_any(path, target="liked").kind == "table"
    assert open_any(path, target="liked", input="review").kind == "labelled_text"
    jsonl = tmp_path / "t.jsonl"
    jsonl.write_text("".join(json.dumps({"text": t, "y": y}) + "\n" for t, _, y in rows))
    assert open_any(jsonl, target="y").kind == "labelled_text"


def changed(number, line):
    pairs = spaced(lines()).split("\n")
    pairs[number - 1] = line
    return "\n".join(pairs)


ERRORS = {
    "one label only": (spaced([("0", text) for _, text in lines()]), "at least two classes"),
    "a label without a text": (changed(7, "1"), "train.all:7\n"),
    "a label and spaces": (changed(7, "1   "), "train.all:7\n"),
    "a line without a label": (changed(9, "Whoever wrote this"), "train.all:9\n"),
    "too few": (spaced(lines(6)), "at least 10 texts"),
    "several labels": (
        FORMS["fasttext"][0].replace("__label__1 ", "__label__1 __label__0 ", 1), "train.all:2\n"),
    "a mark without a name": (FORMS["fasttext"][0].replace("__label__1", "__label__", 1),
                              "train.all:2\n"),
    "no mark": (FORMS["fasttext"][0].replace("__label__1 ", "", 1), "train.all:2\n"),
    "a mark without a text": (FORMS["fasttext"][0] + "__label__1\n", "train.all:41\n"),
    "two tabs": (FORMS["tab"][0].replace("good\t", "good\t\t", 1), "train.all:2\n"),
    "an empty cell": (FORMS["tab"][0] + "good\t\n", "train.all:41\n"),
    "no tab": (FORMS["tab"][0] + "good\n", "train.all:41\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_what_is_spoiled_is_named(name, tmp_path):
    text, said = ERRORS[name]
    path = put(tmp_path, text)
    with pytest.raises(DataError) as caught:
        open_any(path)
    assert said in str(caught.value)
    for part in ("  expected: ", "  found:    "):
        assert str(caught.value).count(part) == 1


@pytest.mark.parametrize("name", [n for n in ERRORS if ":" in ERRORS[n][1]])
def test_bad_lines_can_be_left_out(name, tmp_path):
    text, said = ERRORS[name]
    source = open_source(str(put(tmp_path, text)), on_bad="skip")
    assert len(source.skipped) == 1
    assert said.strip() in source.skipped[0]


def test_an_unknown_class_of_the_test_part_is_named_with_its_line(tmp_path):
    train = put(tmp_path, spaced(lines()))
    test = put(tmp_path, spaced([*lines(9, seed=2), ("2", "who ?")]), "test.all")
    with pytest.raises(DataError, match=r"test.all:10\n.*training showed: 0, 1") as caught:
        open_any(train, test=str(test))
    assert "'2'" in caught.value.found
    source = scan_labelled_text(train, test=str(test), on_bad="skip")
    assert len(source.parts["test"]) == 9


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "0 bytes"), (b" \n \n", "spaces alone"), (b"\x89PNG\r\n", "PNG"),
        (b"good\0film", "NUL"), ("gut ünd schön".encode("utf-16"), "UTF-16"),
        ("хорошо".encode("cp1251") * 9, "0x"),
    ],
)  # fmt: skip
def test_a_bad_text_in_a_class_folder_is_named(tmp_path, content, said):
    folders(tmp_path / "r", {"pos": 8, "neg": 8})
    (tmp_path / "r" / "pos" / "3.txt").write_bytes(content)
    with pytest.raises(DataError, match=r"3\.txt") as caught:
        open_any(tmp_path / "r")
    assert said in str(caught.value)
    source = open_source(str(tmp_path / "r"), on_bad="skip")
    assert source.num_train + len(source.parts["test"]) == 15


def test_an_empty_class_folder_is_named(tmp_path):
    folders(tmp_path / "r", {"pos": 8, "neg": 8})
    (tmp_path / "r" / "so-so").mkdir()
    with pytest.raises(DataError, match="so-so"):
        open_any(tmp_path / "r")


def test_two_train_files_are_refused(tmp_path):
    for name in ("a.train", "b.train"):
        put(tmp_path, spaced(lines()), name)
    with pytest.raises(DataError, match=r"a\.train and b\.train"):
        open_any(tmp_path)


def test_a_missing_test_file_is_answered_with_the_nearest(tmp_path):
    train = put(tmp_path, spaced(lines()))
    put(tmp_path, spaced(lines(8)), "test.all")
    with pytest.raises(DataError, match=r"Did you mean 'test\.all'"):
        open_any(train, test=str(tmp_path / "tset.all"))


def test_an_option_of_tables_is_refused(tmp_path):
    with pytest.raises(OptionError, match="--input"):
        open_any(put(tmp_path, spaced(lines())), input="1")


def warned(tmp_path, text, said, **more):
    source = open_any(put(tmp_path, text), **more)
    [found] = [w for w in source.warnings if said in w]
    return found


def test_suspicious_things_are_warned_about_with_names(tmp_path):
    pairs = lines(100)
    copy = [*pairs, pairs[4]]
    assert "train.all:5 and" in warned(tmp_path, spaced(copy), "are copies of others")
    differing = [*pairs, ("1", pairs[4][1])]
    assert "different classes, 1 times" in warned(tmp_path, spaced(differing), "no model can")
    rare = [*pairs, ("7", "one of a kind"), ("7", "two of a kind")]
    assert "7 (" in warned(tmp_path, spaced(rare), "5 or fewer")
    unequal = [(a if i < 10 else "1", t) for i, (a, t) in enumerate(pairs)]
    assert "macro F1" in warned(tmp_path, spaced(unequal), "unequal classes")
    wordless = [*pairs, ("1", "<br />")]
    assert "train.all:101" in warned(tmp_path, spaced(wordless), "without a word")


def test_copies_across_the_split_are_named(tmp_path):
    pairs = lines()
    test = put(tmp_path, spaced(pairs[:10]), "test.all")
    found = warned(tmp_path, spaced(pairs), "will flatter", test=str(test))
    assert "10 texts of the test part" in found
    assert "test.all:1 = " in found


def test_copies_stay_on_one_side(tmp_path):
    pairs = [pair for pair in lines(60) for _ in range(3)]
    source = open_any(put(tmp_path, spaced(pairs)))
    sides = [{r.text for r in source.parts[part]} for part in ("train", "test")]
    assert sides[1]
    assert not sides[0] & sides[1]


def test_the_fingerprint_follows_the_content(tmp_path):
    one = open_any(put(tmp_path, spaced(lines()))).fingerprint
    assert open_any(put(tmp_path, spaced(lines()), "b.all")).fingerprint == one
    assert open_any(put(tmp_path, changed(3, "0 other words"))).fingerprint != one


def test_chinese_lines_have_their_class_behind():
    text = "".join(f"我们很高兴{k}看见你\t{k % 4}\n" for k in range(100))
    assert form_of(text).form == "tab last"


def test_a_dialogue_has_no_classes():
    assert form_of("".join(f"{'—–«'[k % 3]} he said {k} words\n" for k in range(600))) is None


def test_a_list_of_classes_is_no_class(tmp_path):
    rows = [{"text": f"{text} {i}", "label": label} for i, (label, text) in enumerate(lines(40))]
    rows[7]["label"] = ["0", "1"]
    path = put(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "t.jsonl")
    with pytest.raises(DataError) as refused:
        open_source(str(path), ask=TableAsk("label"))
    assert refused.value.place == f"{path}:8, column 2 ('label')"
    assert refused.value.found == 'a list of 2: ["0", "1"]'
    source = open_source(str(path), ask=TableAsk("label"), on_bad="skip")
    assert source.labels.names == ("0", "1")
    assert source.skipped == (f'{path}:8, column 2 (\'label\'): a list of 2: ["0", "1"]',)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (lines(100), "of at most 5 words, the longest of 6; held out: 20, a fifth, copies"),
        ([(str(k % 2), "ab"[k % 2]) for k in range(20)], "of at most 1 word, the longest of 1; "
         "held out: none, as each class has one text, or copies of one"),
        ([("0", "x")] * 40 + [("1", "y"), ("1", "z")], "held out: 1, less than a fifth, as copies"),
        ([(str(k // 2), f"x{k}") for k in range(12)], "held out: 6, more than a fifth, as one"),
    ],
)  # fmt: skip
def test_what_is_held_out_is_said_as_it_is(pairs, said, tmp_path):
    [told] = [line for line in scan_labelled_text(put(tmp_path, spaced(pairs))).describe()
              if line.startswith("training")]  # fmt: skip
    assert f" texts, half of them {said}" in told or f"; {said}" in told

"""Bracketed trees: read, made binary, numbered, and every way to spoil them named by its place."""

import gzip
import random

import numpy as np
import pytest

from samoyed.core.batch import NO_LABEL
from samoyed.core.errors import DataError, OptionError
from samoyed.core.spec import LabelSpec, WordSpec
from samoyed.data import tree_rows
from samoyed.data.tables import TableAsk
from samoyed.data.tree_text import looks_bracketed, parse, trees_of
from samoyed.data.trees import scan_trees
from samoyed.opening import open_source

LINE = "(3 (2 a) (4 (4 lovely) (2 film{})))\n"
GOOD = "".join(LINE.format(i) for i in range(20))


def put(tmp_path, text, name="train.txt"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_nodes_stand_behind_their_children():
    tree = parse("(3 (2 (1 a) (0 b)) (4 (4 lovely) (2 film)))")
    assert tree.words == ("a", "b", "lovely", "film")
    assert tree.labels == ("1", "0", "4", "2", "2", "4", "3")
    assert tree.children == ((0, 1), (2, 3), (4, 5))
    assert tree.heights == [0, 0, 0, 0, 1, 1, 2]
    assert tree.spans[4:] == [(0, 2), (2, 4), (0, 4)]


def drawn(rng, num):
    if num == 1:
        return f"({rng.randrange(5)} w{rng.randrange(9)})"
    left = rng.randint(1, num - 1)
    return f"({rng.randrange(5)} {drawn(rng, left)} {drawn(rng, num - left)})"


@pytest.mark.parametrize("num", [1, 2, 7, 40])
def test_what_is_written_is_what_was_read(num):
    text = drawn(random.Random(num), num)
    tree = parse(text)
    assert tree.written() == text
    assert len(tree.labels) == 2 * num - 1
    assert all(max(pair) < num + i for i, pair in enumerate(tree.children))


def test_deep_trees_are_read_without_recursion():
    deep = "(1 (1 w) " * 900 + "(0 w)" + ")" * 900
    assert parse(deep).heights[-1] == 900


def test_other_trees_become_binary():
    tree = parse("( (S (NP (DT The) (JJ old) (NN dog)) (VP (VBZ runs)) (. .)) )")
    assert tree.labels[:5] == ("DT", "JJ", "NN", "VP", ".")
    assert tree.written() == (
        "(S (NP (DT The) (_ (JJ old) (NN dog))) (_ (VP runs) (. .)))"
    )  # fmt: skip


def test_brackets_and_slashes_of_a_treebank_are_what_they_stand_for():
    tree = parse(r"(1 (0 -LRB-) (1 (0 1\/2) (0 -RRB-)))")
    assert tree.words == ("(", "1/2", ")")
    assert "-LRB-" in tree.written()


def test_a_tree_may_go_on_over_indented_lines():
    assert [line for line, _ in trees_of("(1 (1 a)\n   (1 b))\n(0\n c)\n")] == [1, 3]
    tree = parse("(1 (1 a)\n   (1 b))", "x", 4)
    assert tree.words == ("a", "b")
    assert tree.place == "x:4"


BROKEN = {
    "one is not closed": ("(3 (2 a) (4 (4 b) (2 c))", ":1:1\n", "closing bracket"),
    "two are not closed": ("(3 (2 a) (4 (4 b) (2 c)", ":1:10\n", "1 more around it"),
    "one too many is closed": ("(3 (2 a) (4 b)))", ":1:16\n", "the end of the tree"),
    "something behind it": ("(3 (2 a) (4 b)) c", ":1:17\n", "'c'"),
    "another tree behind it": ("(3 (2 a) (4 b)) (2 c)", ":1:17\n", "'(2 c)'"),
    "no label": ("((2 a) (4 b))", ":1:1\n", "a label"),
    "no label inside": ("(3 ((2 a) (4 b)) (2 c))", ":1:4\n", "a label"),
    "nothing inside": ("(3 (2 a) ())", ":1:10\n", "nothing"),
    "a label alone": ("(3 (2 a) (4))", ":1:10\n", "'4' alone"),
    "two words": ("(3 (2 a b) (4 c))", ":1:9\n", "'b' behind 'a'"),
    "a word before brackets": ("(3 a (4 c))", ":1:6\n", "brackets behind 'a'"),
    "a word behind brackets": ("(3 (2 a) c)", ":1:10\n", "'c' behind brackets"),
    "no bracket at first": ("3 (2 a) (4 c))", ":1:1\n", "an opening bracket"),
    "on a later line": ("(3 (2 a)\n  (4 b c))", ":2:8\n", "'c' behind 'b'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_tree_is_named_with_its_column(name):
    text, place, said = BROKEN[name]
    with pytest.raises(DataError) as caught:
        parse(text, "x")
    assert str(caught.value).startswith("x" + place)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", BROKEN)
def test_in_a_file_it_is_named_with_its_line_or_left_out(name, tmp_path):
    text, place, _ = BROKEN[name]
    path = put(tmp_path, GOOD + text + "\n" + LINE.format(99))
    with pytest.raises(DataError) as caught:
        open_source(str(path))
    line = 20 + int(place.split(":")[1])
    assert f"train.txt:{line}:" in str(caught.value)
    source = open_source(str(path), on_bad="skip")
    assert source.kind == "trees"
    assert len(source.skipped) == 1
    assert source.num_train + len(source.parts["test"]) == 21


OTHERS = {
    "too few": (LINE.format(1) * 9, "at least 10 trees"),
    "one class": ("(1 (1 a) (1 b))\n" * 20, "at least two classes"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_cannot_be_learned_from_is_said(name, tmp_path):
    text, said = OTHERS[name]
    with pytest.raises(DataError, match=said):
        scan_trees(put(tmp_path, text))


def test_parts_are_found_by_name_and_checked(tmp_path):
    put(tmp_path, GOOD)
    put(tmp_path, LINE.format(3) * 3, "dev.txt")
    test = put(tmp_path, LINE.format(5) * 4, "test.txt")
    source = open_source(str(tmp_path))
    assert [len(source.parts[p]) for p in ("train", "validation", "test")] == [20, 3, 4]
    assert source.labels.names == ("2", "3", "4")
    test.write_text(LINE.format(5) + "(7 (2 a) (3 b))\n")
    with pytest.raises(DataError, match=r"test\.txt:2\n.*showed: 2, 3, 4") as caught:
        open_source(str(tmp_path))
    assert caught.value.found == "'7'"
    with pytest.raises(DataError, match=r"Did you mean 'test\.txt'"):
        open_source(
            str(tmp_path / "train.txt"), ask=TableAsk(test=str(tmp_path / "tset.txt"))
        )  # fmt: skip


def test_a_compressed_file_is_the_same_and_tables_options_are_refused(tmp_path):
    path = tmp_path / "train.gz"
    path.write_bytes(gzip.compress(GOOD.encode()))
    assert open_source(str(path)).kind == "trees"
    with pytest.raises(OptionError, match="--input"):
        open_source(str(path), ask=TableAsk(input="1"))


def test_other_texts_with_brackets_are_no_trees():
    for text in ("(see below)\nand so on\n", "(aside)\n" * 20, "It was (so they say) good.\n", ""):
        assert not looks_bracketed(text)


def test_numbers_hold_the_tree():
    trees = [parse("(3 (2 a) (4 (4 b) (9 c)))"), parse("(1 z)")]
    spec, labels = WordSpec(("c", "a", "b"), (), ()), LabelSpec(("1", "2", "3", "4", "9"))
    rows = tree_rows.encode(trees, spec)
    assert rows.lengths.tolist() == [5, 1]
    padded = rows.padded(np.array([1, 0]))
    assert padded[0].tolist() == [[1, 0, 0, 0, 0, 1]] + [[0] * 6] * 4
    assert padded[1].tolist() == [
        [3, 0, 0, 0, 0, 1], [4, 0, 0, 0, 1, 2], [2, 0, 0, 0, 2, 3],
        [0, 2, 3, 1, 1, 3], [0, 1, 4, 2, 0, 3],
    ]  # fmt: skip
    assert tree_rows.targets_of(trees, labels).tolist() == [1, 3, 4, 3, 2, 0]
    joined = [parse("(S (A a) (B b) (C c))")]
    found = tree_rows.targets_of(joined, LabelSpec(("A", "B", "C", "S")))
    assert found.tolist() == [0, 1, 2, NO_LABEL, 3]

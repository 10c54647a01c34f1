"""Trees through their verbs: good and bad words, and one that turns them round."""

import io
import json
import random

import numpy as np
import pytest

import samoyed
from samoyed import cli
from samoyed.core.errors import DataError, RunError
from samoyed.core.spec import LabelSpec, WordSpec
from samoyed.data.tree_text import parse
from samoyed.data.trees import numbered
from samoyed.tasks.classify_trees import ClassifyTrees, given_tree, merged_spans, scores_of

GOOD, BAD = ["fine", "lovely", "warm"], ["dull", "slow", "cold"]
THINGS = ["film", "story", "dog", "day"]


def main(arguments):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert not stopped.value.code


def drawn(draw):
    """(x (1 a) (x [not] (x fine film))): `not` turns what follows it round."""
    value = draw.choice([0, 2])
    word = draw.choice(GOOD if value else BAD)
    text = f"({value} ({value} {word}) (1 {draw.choice(THINGS)}))"
    if draw.random() < 0.5:
        value = 2 - value
        text = f"({value} (1 not) {text})"
    return f"({value} (1 {draw.choice(['a', 'the'])}) {text})\n"


@pytest.fixture(scope="module")
def treebank(tmp_path_factory):
    root = tmp_path_factory.mktemp("treebank")
    draw = random.Random(0)
    for part, num in (("train", 300), ("dev", 20), ("test", 60)):
        (root / f"{part}.txt").write_text("".join(drawn(draw) for _ in range(num)))
    return root


@pytest.fixture(scope="module")
def run(treebank, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "s"
    settings = {
        "width": 16, "margin_weight": 0.5, "is_tensor": True, "dropout": 0.0, "quiet": True,
        "learning_rate": 0.03, "batch_size": 16}  # fmt: skip
    return samoyed.train(treebank, out=out, epochs=20, settings=settings)


def test_it_learns_what_turns_a_phrase_round(run):
    scores = {score.name: score for score in run.scores}
    assert list(scores) == [
        "accuracy", "node_accuracy", "good_or_bad_accuracy", "good_or_bad_node_accuracy", "tree_f1",
    ]  # fmt: skip
    assert scores["accuracy"].value > 0.95
    assert scores["node_accuracy"].value > 0.95
    assert scores["tree_f1"].value > 0.95
    assert scores["accuracy"].num == 60
    assert set(dict(run.baselines)) == {
        "always the commonest class", "logistic regression on n-grams",
        "support vectors on n-grams",
    }  # fmt: skip


def test_the_report_shows_trees(run):
    report = (run.path / "report.html").read_text()
    for said in ("Right answers, phrase by phrase", "By the number of words",
                 "Trees from plain sentences"):  # fmt: skip
        assert said in report


def test_predict_takes_trees_and_plain_sentences(run, capsys, monkeypatch, tmp_path):
    tree = "(_ (_ the) (_ (_ not) (_ (_ warm) (_ day))))"
    told = "(0 (1 the) (0 (1 not) (2 (2 warm) (1 day))))"
    given, plain = run.predict([tree, "the not warm day"])
    assert given.answer == plain.answer == "0"
    assert dict(given.details)["tree"] == dict(plain.details)["tree"] == told
    file = tmp_path / "in.txt"
    file.write_text(f"{tree}\n\na lovely dog\n")
    monkeypatch.setattr("sys.stdin", io.StringIO(file.read_text()))
    main(["predict", str(run.path), "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["answer"] for row in rows] == [a.answer for a in run.predict(file)] == ["0", "2"]
    main(["explain", str(run.path), "--input", "a lovely dog"])
    assert "(2 (1 a) (2 (2 lovely) (1 dog)))" in capsys.readouterr().out
    assert "lovely" in (run.path / "explain.html").read_text()


@pytest.mark.parametrize(
    ("given", "said"),
    [("(2 (2 a) (1 dog)", r"input:1:1\n.*closing bracket"), (" ", "write a word"),
     ("(2 (2 a b) (1 dog))", r"input:1:9\n")],
)  # fmt: skip
def test_a_broken_question_is_named(run, given, said):
    with pytest.raises(DataError, match=said):
        run.predict(given)


def test_a_sentence_in_brackets_is_no_tree():
    assert given_tree("(see below)", "input", 1, ("0", "1")).words == ("(", "see", "below", ")")
    assert given_tree("(1 below)", "input", 1, ("0", "1")).words == ("below",)


def test_measured_on_other_trees(run, treebank, tmp_path):
    assert run.evaluate(treebank) == run.evaluate() == run.scores
    file = tmp_path / "one.txt"
    file.write_text("(2 (1 a) (2 (2 fine) (1 dog)))\n")
    scores = {score.name: score for score in run.evaluate(file)}
    assert (scores["accuracy"].value, scores["accuracy"].num) == (1.0, 1)
    assert scores["node_accuracy"].num == 5
    file.write_text("(2 (1 a) (2 fine))\n(9 (1 a) (9 dog))\n")
    with pytest.raises(RunError, match="9"):
        run.evaluate(file)
    said: list[str] = []
    assert run.evaluate(file, on_bad="skip", say=said.append)[0].num == 1
    assert "unknown class '9'" in said[0]


def test_without_a_margin_sentences_are_refused_and_trees_are_not(treebank, tmp_path):
    settings = {"margin_weight": 0, "quiet": True, "report": False, "baselines": False}
    run = samoyed.train(treebank, out=tmp_path / "run", epochs=0.2, settings=settings)
    assert "tree_f1" not in [score.name for score in run.scores]
    assert run.predict("(1 (1 a) (1 dog))")[0].input == "a dog"
    with pytest.raises(DataError, match="margin_weight"):
        run.predict("a dog")


def test_scores_are_counted_by_hand():
    labels = LabelSpec(tuple("01234"))
    trees = [parse("(4 (2 a) (3 b))"), parse("(1 (2 a) (0 (2 b) (0 c)))")]
    test = numbered(trees, WordSpec((), (), ()), labels)
    told = [2, 1, 3, 2, 2, 0, 2, 1]
    by_node = np.eye(5)[told] * 0.9 + 0.02
    built = [trees[0], parse("(1 (0 (2 a) (2 b)) (0 c))")]
    scores = {score.name: score for score in scores_of(test, by_node, 2, built)}
    assert scores["accuracy"].value == 1 / 2
    assert scores["node_accuracy"].value == 5 / 8
    assert (scores["good_or_bad_accuracy"].value, scores["good_or_bad_accuracy"].num) == (1.0, 2)
    # phrases that are not neutral: b (3), the whole (4); c (0), "b c" (0, told 2), the whole (1)
    assert scores["good_or_bad_node_accuracy"].num == 5
    assert scores["good_or_bad_node_accuracy"].value == 4 / 5
    assert (scores["tree_f1"].value, scores["tree_f1"].num) == (0.0, 1)
    assert merged_spans(trees[1]) == [("", 1, 3)]


@pytest.mark.parametrize(
    ("names", "middle"), [("01234", 2), ("012", 1), ("0123", None), ("01", None), ("12345", None)]
)
def test_the_middle_of_a_scale(names, middle):
    task = ClassifyTrees(WordSpec((), (), ()), LabelSpec(tuple(names)))
    assert task.middle == middle

"""The task through its verbs, on a language of a few words."""

import json
import random

import pytest

import samoyed
from samoyed import cli
from samoyed.core.errors import DataError
from samoyed.metrics import translation
from samoyed.runs.baselines.pairs import dictionary, measure

pytest.importorskip("sacrebleu")
GERMAN = ["ein", "hund", "katze", "läuft", "schläft", "am", "strand", "im", "haus"]
ENGLISH = ["a", "dog", "cat", "runs", "sleeps", "at", "beach", "in", "house"]
WORDS = dict(zip(GERMAN, ENGLISH, strict=True))


def main(arguments):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert not stopped.value.code


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    root = tmp_path_factory.mktemp("pairs")
    draw = random.Random(0)
    for part, num in (("train", 300), ("test", 20)):
        rows = [[draw.choice(list(WORDS)) for _ in range(draw.randint(3, 6))] for _ in range(num)]
        (root / f"{part}.de").write_text("".join(" ".join(r) + ".\n" for r in rows))
        (root / f"{part}.en").write_text(
            "".join(" ".join(WORDS[w] for w in r) + ".\n" for r in rows)
        )
    return root


@pytest.fixture(scope="module")
def run(pairs, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "tr"
    settings = {
        "from": "de", "to": "en", "num_units": 48, "embedding_size": 48, "num_alignment": 24,
        "num_maxout": 24, "batch_units": 400, "dropout": 0.0, "learning_rate": 1e-2, "quiet": True,
    }  # fmt: skip
    return samoyed.train(pairs, out=out, epochs=24, settings=settings)


def test_it_learns_a_language_of_a_few_words(run):
    bleu, chrf, perplexity = run.scores
    assert [s.name for s in run.scores] == ["bleu", "chrf", "unit_perplexity"]
    assert bleu.value > 80
    assert bleu.low <= bleu.value <= bleu.high
    assert bleu.num == chrf.num == 20
    assert perplexity.value < 2
    baselines = dict(run.baselines)
    assert set(baselines) == {
        "copying the source", "nearest training sentence", "word-by-word dictionary",
    }  # fmt: skip
    assert baselines["copying the source"].value < 10
    report = (run.path / "report.html").read_text()
    assert "What it looks at" in report
    assert "BLEU and the length of sentences" in report
    assert "case:mixed|eff:no|tok:13a" in report


def test_units_are_in_the_run_as_plain_json(run):
    spec = json.loads((run.path / "config.json").read_text())["task"]["spec"]
    assert spec["names"] == ["de", "en"]
    assert " hund" in spec["source"]["symbols"]


def test_predict_and_explain(run, capsys, monkeypatch, tmp_path):
    answers = run.predict(["ein hund läuft am strand.", "katze schläft.", ""])
    assert answers[0].answer == "a dog runs at beach."
    assert answers[2].answer == ""
    file = tmp_path / "in.txt"
    file.write_text("ein hund läuft am strand.\n\nkatze schläft.\n")
    with file.open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        main(["predict", str(run.path), "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["answer"] for row in rows] == [
        answers[0].answer, run.predict("katze schläft.")[0].answer
    ]  # fmt: skip
    main(["explain", str(run.path), "--input", "ein hund läuft."])
    assert "a dog runs." in capsys.readouterr().out
    page = (run.path / "explain.html").read_text()
    assert "läuft" in page
    assert "alignment" in page


def test_a_file_is_translated(run, capsys, tmp_path):
    (tmp_path / "in.txt").write_text("ein hund läuft.\nkatze schläft.\n")
    main(["predict", str(run.path), str(tmp_path / "in.txt")])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_evaluate_on_other_pairs(run, pairs, tmp_path):
    assert run.evaluate()[0] == run.scores[0]
    for side in ("de", "en"):
        lines = (pairs / f"train.{side}").read_text().splitlines()[:40]
        (tmp_path / f"other.{side}").write_text("\n".join(lines) + "\n")
    assert run.evaluate(tmp_path)[0].num == 40
    (tmp_path / "book.txt").write_text("It was the best of times. " * 99)
    with pytest.raises(DataError, match="no tab"):
        run.evaluate(tmp_path / "book.txt")


def test_bleu_is_sacrebleus(capsys):
    import sacrebleu

    answers, truths = ["the dog runs on a beach", "a cat"], ["a dog runs on the beach", "a cat"]
    found = translation.bleu(answers, truths)
    assert found.value == sacrebleu.corpus_bleu(answers, [truths]).score
    assert translation.chrf(answers, truths).value == sacrebleu.corpus_chrf(answers, [truths]).score
    assert translation.bleu(truths, truths).value == pytest.approx(100)
    assert translation.signature().startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp")


def test_model_1_learns_who_is_who():
    """Knight's two sentences (1999, sec. 31): the house is the one that comes with the house."""
    found = dictionary([["la", "maison"], ["la", "fleur"]], [["the", "house"], ["the", "flower"]])
    assert found == {"la": "the", "maison": "house", "fleur": "flower"}


def test_the_dictionary_wins_where_words_keep_their_order(run):
    scores = dict(measure(run.assembly().data))
    assert scores["word-by-word dictionary"].value > 90


def test_check_says_what_was_found(pairs, capsys):
    main(["check", str(pairs), "--from", "de", "--to", "en"])
    said = capsys.readouterr().out
    assert "sentence pairs: de to en, 300 to learn from, 20 held out" in said
    assert f"to train: samoyed train {pairs} --from de --to en" in said

"""The task through its verbs, on a language of a few words."""

import io
import json
import random
import re

import numpy as np
import pytest

import samoyed
from samoyed import cli
from samoyed.core.errors import DataError
from samoyed.data import bpe
from samoyed.data.pair_feed import unknown_share
from samoyed.metrics import translation
from samoyed.runs.baselines.pairs import dictionary, measure
from samoyed.runs.figures import translate as figures
from samoyed.runs.figures.sentence_map import nearest, unit_length

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


def test_perfect_translations_are_counted_and_not_called_the_worst():
    source, truths = (
        ["eins zwei drei", "ein hund", "haus am strand"],
        ["one two three", "a dog", "x y"],
    )
    figure = figures._worst(source, ["one two three", "a cat", "x y"], truths)
    assert "a cat" in figure.html
    assert "one two three" not in figure.html
    assert "2 of 3 are the reference word for word" in figure.caption
    assert figures._worst(["a"], ["b"], ["b"]).html == ""


def test_the_signature_stands_in_brackets_and_the_axis_ends_at_100():
    truths = ["x y z u", "z u v w x"] * 6
    figure = figures._by_length(["a b", "c d e"] * 6, truths, truths)
    assert figure.caption.endswith(f"(sacreBLEU signature {translation.signature()}).")
    assert float(re.search(r'data-y="\S+ (\S+)"', figure.html).group(1)) == 100


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
        answers[0].answer, "", run.predict("katze schläft.")[0].answer
    ]  # fmt: skip
    assert rows[1]["probability"] is None
    main(["explain", str(run.path), "--input", "ein hund läuft."])
    assert "a dog runs." in capsys.readouterr().out
    page = (run.path / "explain.html").read_text()
    assert "läuft" in page
    assert "alignment" in page


def test_what_is_not_known_is_named(run, capsys):
    plain, strange = run.predict(["katze schläft.", "katze 猫 schläft 猫 犬."])
    assert plain.details == ()
    assert dict(strange.details)["note"].startswith("not known: 猫, 犬")
    main(["predict", str(run.path), "猫"])
    assert capsys.readouterr().out.strip().endswith("note: not known: 猫")


def test_columns_in_a_text_and_tables_about_something_else(of_columns, tmp_path):
    (tmp_path / "few.txt").write_text("cat house\tkatze haus\n" * 3)
    assert [a.input for a in of_columns.predict(tmp_path / "few.txt")] == ["katze haus"] * 3
    (tmp_path / "iris.csv").write_text("length,width,kind\n5.1,3.5,setosa\n6.2,3.4,virginica\n")
    with pytest.raises(DataError, match="3 columns"):
        of_columns.predict(tmp_path / "iris.csv")
    with pytest.raises(DataError, match="sentences in de and en"):
        of_columns.evaluate(tmp_path / "iris.csv")
    (tmp_path / "said.csv").write_text("review,kind\nso good to see,1\nso bad,0\n" * 9)
    with pytest.raises(DataError, match="named in the first line"):
        of_columns.predict(tmp_path / "said.csv")


def test_a_file_is_translated(run, capsys, tmp_path):
    (tmp_path / "in.txt").write_text("ein hund läuft.\nkatze schläft.\n")
    main(["predict", str(run.path), str(tmp_path / "in.txt")])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_as_many_lines_come_out_as_go_in(run, capsys, monkeypatch, tmp_path):
    """No other mark than the line's end ends a line, and empty lines are answered."""
    said = "ein hund\u2028läuft.\n\nkatze\x85schläft.\r\nhaus.\n".encode()
    (tmp_path / "in.txt").write_bytes(said)
    answers = run.predict(tmp_path / "in.txt")
    assert [bool(answer.answer) for answer in answers] == [True, False, True, True]
    with open(tmp_path / "in.txt", encoding="utf-8") as stream:
        monkeypatch.setattr("sys.stdin", stream)
        main(["predict", str(run.path)])
    lines = capsys.readouterr().out.removesuffix("\n").split("\n")
    assert [line.partition("\t")[0] for line in lines] == [answer.input for answer in answers]
    assert lines[1] == ""


def test_long_sentences_and_piped_names_are_sentences(run, capsys, monkeypatch, tmp_path):
    long = "ein hund läuft am strand " * 14 + "."
    assert run.predict(long)[0].input == long
    (tmp_path / "haus").write_text("katze schläft.\n")
    monkeypatch.chdir(tmp_path)
    for piped in ("haus\n", long + "\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(piped))
        main(["predict", str(run.path), "--json"])
        assert json.loads(capsys.readouterr().out)["input"] == piped.strip("\n")
    assert run.predict("haus")[0].input == "katze schläft."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("new.tsv", "en\tde\na dog\tein hund\nin\t\n"),
        ("new.csv", 'de,en\n"ein hund",a dog\n,in\n'),
        ("new.jsonl", '{"translation": {"de": "ein hund", "en": "a dog"}}\n{"de": ""}\n'),
        ("new.tsv", "der hund ist ein hund\tthe dog is a dog\n\tin\n"),
    ],
)
def test_the_column_of_its_language_is_translated(run, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    first, second = run.predict(tmp_path / name)
    assert "ein hund" in first.input
    assert "\t" not in first.input
    assert (second.input, second.answer) == ("", "")


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("o ne.tsv", "hund\tdog\nhaus\thouse\n", "cut -f 1 '{}' > sentences.txt"),
        ("o ne.tsv", "fr\ten\nchien\tdog\n", "cut -f 1 '{}' > sentences.txt"),
        ("o ne.jsonl", '{"a b": "hund"}\n', "jq -r '.[\"a b\"]' '{}' > sentences.txt"),
        ("folder", None, "Name the files in it"),
    ],
)
def test_what_does_not_tell_what_to_translate_is_refused(run, tmp_path, name, text, hint):
    place = tmp_path / name
    place.mkdir() if text is None else place.write_text(text)
    with pytest.raises(DataError) as refused:
        run.predict(place)
    assert hint.format(place) in str(refused.value)


def test_lines_of_a_file_are_explained_and_no_missing_file(run, capsys, tmp_path):
    (tmp_path / "in.txt").write_text("ein hund läuft.\n\nkatze schläft.\n")
    main(["explain", str(run.path), str(tmp_path / "in.txt")])
    page = (run.path / "explain.html").read_text()
    assert "“ein hund läuft.”" in page
    assert "“katze schläft.”" in page
    assert "in.txt" not in page
    with pytest.raises(DataError, match=r"Did you mean 'in\.txt'"):
        run.explain([str(tmp_path / "inn.txt")])


def test_a_text_may_begin_as_an_option_does(run, capsys):
    main(["predict", str(run.path), "--json", "--", "-- hund", "--hund"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["input"] for row in rows] == ["-- hund", "--hund"]
    main(["predict", str(run.path), "-- hund"])
    assert capsys.readouterr().out.startswith("-- hund\t")
    with pytest.raises(SystemExit) as stopped:
        cli.main(["predict", str(run.path), "hund", "--jsn"])
    assert stopped.value.code == 2
    assert "Did you mean '--json'" in capsys.readouterr().err


@pytest.fixture(scope="module")
def of_columns(tmp_path_factory):
    """A run that learned from columns, whose words told which is which."""
    root = tmp_path_factory.mktemp("columns")
    draw = random.Random(1)
    rows = [[draw.choice(list(WORDS)) for _ in range(4)] for _ in range(60)]
    (root / "p.tsv").write_text(
        "".join(f"the {' '.join(WORDS[w] for w in r)}\tdas {' '.join(r)} ist\n" for r in rows)
    )
    settings = {
        "from": "de", "to": "en", "num_units": 8, "embedding_size": 8, "num_layers": 1,
        "quiet": True, "baselines": False, "report": False,
    }  # fmt: skip
    return samoyed.train(
        root / "p.tsv", model="seq2seq", out=root / "run", epochs=1, settings=settings
    )


def test_columns_that_do_not_tell_their_language_are_those_of_the_run(of_columns, tmp_path):
    assert of_columns.task.places == (1, 0)
    few = tmp_path / "few.tsv"
    few.write_text("cat house\tkatze haus\n" * 30)
    assert of_columns.evaluate(few)[0].num == 30
    assert [a.input for a in of_columns.predict(few)] == ["katze haus"] * 30
    few.write_text("cat house\tkatze haus\n")
    assert of_columns.evaluate(few)[0].num == 1


def test_other_languages_to_measure_on_are_named(of_columns, run, tmp_path):
    other = tmp_path / "few.tsv"
    other.write_text("fr\ten\n" + "chat maison\tcat house\n" * 30)
    for learned in (run, of_columns):
        with pytest.raises(DataError, match="sentences in de and en") as refused:
            learned.evaluate(other)
        assert "--from" not in str(refused.value)


@pytest.fixture(scope="module")
def without(pairs, tmp_path_factory):
    """A run of a system that does not look back."""
    out = tmp_path_factory.mktemp("runs") / "plain"
    settings = {
        "from": "de", "to": "en", "num_units": 32, "embedding_size": 32, "num_layers": 1,
        "batch_units": 400, "learning_rate": 1e-2, "quiet": True, "baselines": False,
    }  # fmt: skip
    return samoyed.train(pairs, model="seq2seq", out=out, epochs=2, settings=settings)


def test_explain_without_an_alignment_says_how_sure_it_was(without, capsys):
    sentences = [" ".join(GERMAN[k % 9] for k in range(n, 2 * n)) for n in range(2, 16)]
    main(["explain", str(without.path), *sentences])
    assert capsys.readouterr().out.count("nats a unit") == len(sentences)
    page = (without.path / "explain.html").read_text()
    assert "no alignment to draw" in page
    assert "A map of sentences" in page
    assert sentences[-1] in page


def test_doubts_are_those_of_the_written_units(without):
    parts, nats = without.task.doubts(without.model, "ein hund läuft.")
    answer = without.predict("ein hund läuft.")[0]
    assert "".join(parts[:-1]).removeprefix(" ") == answer.answer
    assert np.exp(-nats.mean()) == pytest.approx(answer.probability, rel=1e-3)


def test_compare_scores_by_length(run, without, capsys, tmp_path):
    main(["compare", str(run.path), str(without.path), "--out", str(tmp_path / "c.html")])
    out = capsys.readouterr().out
    assert "words in the source" in out
    assert out.count("BLEU of ") == 2
    kept = json.loads((run.path / "translations.json").read_text())
    assert len(kept["answers"]) == 20
    kept["answers"] = run.assembly().data.test.target  # a second time they are not made again
    (run.path / "translations.json").write_text(json.dumps(kept))
    main(["compare", str(run.path), str(without.path)])
    line = next(x for x in capsys.readouterr().out.splitlines() if "(attention)" in x)
    assert set(line.split()[-4:]) == {"100.0"}
    assert "BLEU and the length of sentences" in (tmp_path / "c.html").read_text()
    (run.path / "translations.json").unlink()


def test_sentences_near_each_other():
    drawn = np.random.default_rng(0).normal(size=(30, 5))
    drawn[7] = drawn[19] * 3 + 1e-6
    vectors = unit_length(drawn)
    for row, found in enumerate(nearest(vectors, 3)):
        cosines = [vectors[row] @ v if k != row else -2 for k, v in enumerate(vectors)]
        assert found.tolist() == sorted(range(30), key=lambda k: -cosines[k])[:3]


def test_unknown_units_are_counted():
    units = bpe.fit(["a b", "a b"], "word", 100)
    assert unknown_share(["a b c d"], units) == 0.5
    assert unknown_share([], units) == 0


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

"""Tagged words through their verbs: names of two kinds, told by a word before them."""

import gzip
import io
import json
import random

import pytest

import samoyed
from samoyed import cli
from samoyed.core.errors import DataError, RunError
from samoyed.core.spec import WordSpec
from samoyed.kinds.tagged_text import extra_sentences
from samoyed.runs.baselines.tagged_text import measure
from samoyed.tasks.tag import cut, scores_of, sentences_of

KINDS = {"in": "LOC", "with": "PER"}
NAMES = ["Ada", "York", "Lima", "Noor", "Troy", "Olga"]
OTHER = ["she", "runs", "sleeps", "today", ",", "often", "."]


def main(arguments):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert not stopped.value.code


def sentences(num, seed):
    draw = random.Random(seed)
    found = []
    for _ in range(num):
        held = []
        for _ in range(draw.randint(2, 4)):
            held.append((draw.choice(OTHER), "O"))
            before = draw.choice(list(KINDS))
            held.append((before, "O"))
            kind, num_words = KINDS[before], draw.randint(1, 2)
            for i in range(num_words):
                held.append((draw.choice(NAMES), ("B-" if i == 0 else "I-") + kind))
        held.append((".", "O"))
        found.append(held)
    return found


def written(held):
    return "\n".join("".join(f"{w} x {t}\n" for w, t in s) for s in held) + "\n"


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    root = tmp_path_factory.mktemp("names")
    (root / "train.txt").write_text(written(sentences(150, 0)))
    (root / "test.txt").write_text(written(sentences(30, 1)))
    return root


@pytest.fixture(scope="module")
def run(names, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "t"
    settings = {
        "word_width": 16,
        "num_hidden": 32,
        "dropout": 0.0,
        "learning_rate": 1e-2,
        "quiet": True,
    }
    return samoyed.train(names, out=out, epochs=16, settings=settings)


def test_it_learns_what_the_word_before_says(run):
    assert [s.name for s in run.scores] == [
        "chunk_f1", "chunk_precision", "chunk_recall", "token_accuracy"
    ]  # fmt: skip
    assert run.scores[0].value > 0.97
    baselines = dict(run.baselines)
    assert set(baselines) == {"each word's most frequent tag", "always the commonest tag"}
    assert all(score.value < 0.8 for score in baselines.values())


def test_predict_tags_sentences_files_and_standard_input(run, capsys, monkeypatch, tmp_path):
    [answer] = run.predict("She runs with Olga York today in Lima.")
    details = dict(answer.details)
    assert details["words"] == [
        "She", "runs", "with", "Olga", "York", "today", "in", "Lima", ".",
    ]  # fmt: skip
    assert details["tags"] == [
        "O", "O", "O", "B-PER", "I-PER", "O", "O", "B-LOC", "O",
    ]  # fmt: skip
    assert details["chunks"] == [["PER", "Olga York"], ["LOC", "Lima"]]
    assert 0 < answer.probability <= 1
    file = tmp_path / "in.txt"
    file.write_text("she with Olga\n\noften in Lima\n")
    assert len(run.predict([file, "in York"])) == 3
    monkeypatch.setattr("sys.stdin", io.StringIO("she with Olga\n\noften in Lima\n"))
    main(["predict", str(run.path)])
    assert capsys.readouterr().out == "she O\nwith O\nOlga B-PER\n\noften O\nin O\nLima B-LOC\n\n"
    main(["predict", str(run.path), str(file), "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["details"]["tags"] if "details" in row else row["tags"] for row in rows] == [
        ["O", "O", "B-PER"], ["O", "O", "B-LOC"],
    ]  # fmt: skip
    main(["explain", str(run.path), "--input", "she in Lima often with Ada"])
    assert "Lima/B-LOC" in capsys.readouterr().out


def test_answers_do_not_depend_on_what_is_asked_with_them(run):
    asked = ["in Lima", "she runs often , with Ada York today in Troy .", "with Noor"]
    together = run.predict(asked)
    assert [a.answer for a in together] == [run.predict(text)[0].answer for text in asked]


def test_the_report_shows_its_figures(run):
    report = (run.path / "report.html").read_text()
    for said in ("Chunk by chunk", "Most confident mistakes", "PER", "LOC"):
        assert said in report


@pytest.mark.parametrize("num", [1, 3])
def test_a_few_sentences_are_enough_to_measure_on(run, num, tmp_path):
    held = sentences(num, 7)
    file = tmp_path / "few.conll"
    file.write_text(written(held))
    scores = {score.name: score for score in run.evaluate(file)}
    assert scores["token_accuracy"].num == sum(map(len, held))
    answers = [run.predict(" ".join(w for w, _ in sentence))[0].details for sentence in held]
    told = [tag for details in answers for tag in dict(details)["tags"]]
    truth = [tag for sentence in held for _, tag in sentence]
    right = sum(map(str.__eq__, told, truth))
    assert scores["token_accuracy"].value == pytest.approx(right / len(truth))


def test_sentences_without_a_chunk_are_measured(run, tmp_path):
    file = tmp_path / "few.conll"
    file.write_text("she x O\nruns x O\n. x O\n\n")
    scores = {score.name: score.value for score in run.evaluate(file)}
    assert scores["token_accuracy"] == 1.0
    file.write_text("in x O\nLima x I-LOC\n\n")
    with pytest.raises(DataError, match=r"few\.conll:2\n.*BIO"):
        run.evaluate(file)
    file.write_text("in x O\nLima x B-ORG\n\n")
    with pytest.raises(RunError, match=r"B-ORG(.|\n)*--on-bad skip") as refused:
        run.evaluate(file)
    assert "Did you mean" not in str(refused.value)  # B-LOC is no misspelt B-ORG
    file.write_text("in x O\nLima x B-ORG\n\nshe x O\n. x O\n\n")
    said: list[str] = []
    scores = run.evaluate(file, on_bad="skip", say=said.append)
    assert {score.name: score for score in scores}["token_accuracy"].num == 2
    assert "few.conll:2: unknown tag 'B-ORG'" in said[0]


def test_the_same_data_is_measured_on_what_was_held_out(run, names):
    assert run.evaluate(names) == run.evaluate() == run.scores


def test_nothing_is_scored_where_nothing_is_left(run, tmp_path):
    file = tmp_path / "others.txt"
    file.write_text("in x O\nLima x I-LOC\n\n" * 3)
    with pytest.raises(
        DataError, match=r"that can be scored(.|\n)*left out as bad: .*, and 2 more"
    ):
        run.evaluate(file, on_bad="skip")


def test_data_of_another_kind_is_named(run, tmp_path):
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
        for i in range(9):
            (tmp_path / name / f"{i}.txt").write_text(f"a {name} film {i}")
    with pytest.raises(RunError, match=r"tagged words(.|\n)*texts with classes"):
        run.evaluate(tmp_path)
    with pytest.raises(DataError, match="nothing there"):
        run.evaluate(tmp_path / "gooood")
    table = tmp_path / "t.csv"
    table.write_text("id,day,what\n1,2024-01-01,he said so\n2,2024-01-02,she did\n")
    with pytest.raises(DataError, match="the columns id, day, what"):
        run.predict(table)


def test_scores_are_counted_by_hand():
    truth = [["B-X", "I-X", "O"], ["O", "B-Y"]]
    answers = [["B-X", "I-X", "B-Y"], ["O", "B-X"]]
    f1, precision, recall, accuracy = scores_of(truth, answers, "BIO")
    assert (precision.value, recall.value) == (pytest.approx(1 / 3), pytest.approx(1 / 2))
    assert f1.value == pytest.approx(2 / 5)
    assert accuracy.value == pytest.approx(3 / 5)
    assert (f1.num, accuracy.num) == (2, 5)


def test_the_most_frequent_tag_is_counted(run):
    by_word = dict(measure(run.assembly().data))["each word's most frequent tag"]
    assert 0 < by_word.value < run.scores[0].value


def test_files_of_words_are_taken_as_they_are_cut(tmp_path):
    none = WordSpec((), (), ())
    rows = tmp_path / "a.jsonl"
    rows.write_text('{"tokens": ["It", "left", "N.Y.", "."]}\n\n{"text": "We stay."}\n')
    expected = [["It", "left", "N.Y.", "."], ["We", "stay", "."]]
    assert sentences_of([str(rows)], none) == expected
    columns = tmp_path / "a.conll"
    columns.write_text("It PRP O\nleft VBD O\nN.Y. NNP B-LOC\n. . O\n\nWe PRP O\nstay. VB O\n\n")
    assert sentences_of([str(columns)], none) == [expected[0], ["We", "stay."]]
    for line, found in (('{"id": 3}', "fields id"), ("no", "no JSON object"), ("[1]", "'.1.'")):
        rows.write_text('{"text": "a"}\n' + line + "\n")
        with pytest.raises(DataError, match=rf"a.jsonl:2\n(.|\n)*{found}"):
            sentences_of([str(rows)], none)


def test_words_are_cut_as_training_knows_them():
    known = frozenset(["u.s.", "it", "'s"])
    assert cut("(It left the U.S.)", known) == ["(", "It", "left", "the", "U.S", ".", ")"]
    assert cut("It left the U.S.", known)[-1] == "U.S."
    assert sentences_of(["a b"], WordSpec((), (), ())) == [["a", "b"]]
    with pytest.raises(DataError, match="write a word"):
        sentences_of([" "], WordSpec((), (), ()))


def test_text_to_pre_train_on_is_cut_by_what_it_is(tmp_path):
    """Cut before, it is cut at spaces; with tags, these go; any other is cut at its marks."""
    spaced = tmp_path / "spaced.txt"
    spaced.write_text("the dog runs , and the cat .\nit sleeps .\n")
    assert extra_sentences(str(spaced))[1] == ["it", "sleeps", "."]
    plain = tmp_path / "plain.txt.gz"
    plain.write_bytes(gzip.compress(b"The dog runs, and the cat sleeps.\n\n"))
    assert extra_sentences(str(plain)) == [
        ["The", "dog", "runs", ",", "and", "the", "cat", "sleeps", "."]
    ]
    tagged = tmp_path / "tagged.txt"
    tagged.write_text("The/at dog/nn runs/vbz ./.\n\n" * 20)
    assert extra_sentences(str(tagged))[0] == ["The", "dog", "runs", "."]
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "Dogs run."}\n')
    assert extra_sentences(str(rows)) == [["Dogs", "run", "."]]
    with pytest.raises(DataError, match="nothing of that name"):
        extra_sentences(str(tmp_path / "missing"))


def test_pre_training_reads_the_text_it_is_given(names, tmp_path):
    text = tmp_path / "more.txt"
    text.write_text("Quito sleeps in Lima .\n" * 40)
    settings = {
        "pretrain_epochs": 1, "extra_text": str(text), "word_width": 8, "num_hidden": 8,
        "quiet": True, "report": False, "baselines": False,
    }  # fmt: skip
    run = samoyed.train(names, out=tmp_path / "run", epochs=1, settings=settings)
    assert "quito" in run.task.spec.words
    assert len(run.config["steps"]) == 2


@pytest.mark.parametrize(
    ("text", "known", "found"),
    [
        ("वह हिन्दी की किताब (है)।", [], ["वह", "हिन्दी", "की", "किताब", "(", "है", ")", "।"]),
        ("Un e\u0301te\u0301, passe\u0301.", [],
         ["Un", "e\u0301te\u0301", ",", "passe\u0301", "."]),
        ("我爱北京，GPS。", ["北京"], ["我", "爱", "北京", "，", "GPS", "。"]),
        ("我爱北京", [], ["我", "爱", "北", "京"]),
        ("“don't”", [], ["“", "don't", "”"]),
    ],
)  # fmt: skip
def test_typed_sentences_of_other_scripts_are_cut_into_words(text, known, found):
    assert cut(text, frozenset(known)) == found

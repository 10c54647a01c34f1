"""Labelled texts through their verbs: two classes that two words tell apart."""

import io
import json
import random

import numpy as np
import pytest
import torch

import samoyed
from samoyed import cli
from samoyed.core.errors import DataError, RunError
from samoyed.core.spec import WordSpec
from samoyed.data.asked_texts import texts_of
from samoyed.metrics import classification
from samoyed.models.since import sentence_convnet
from samoyed.runs.figures.words_that_matter import agreement, matter_figure, matter_of
from samoyed.tasks.classify_text import predict_probabilities

FILLING = ["the", "film", "was", "a", "story", "of", "old", "men", "and", "dogs"]


def main(arguments):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert not stopped.value.code


def texts(num, seed):
    draw = random.Random(seed)
    found = []
    for i in range(num):
        words = [draw.choice(FILLING) for _ in range(draw.randint(3, 9))]
        words.insert(draw.randrange(len(words)), ["dull", "lovely"][i % 2])
        found.append((["bad", "good"][i % 2], " ".join(words)))
    return found


def tabbed(pairs):
    return "".join(f"{label}\t{text}\n" for label, text in pairs)


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    root = tmp_path_factory.mktemp("reviews")
    (root / "train.tsv.txt").write_text(tabbed(texts(160, 0)))
    (root / "test.tsv.txt").write_text(tabbed(texts(40, 1)))
    return root


@pytest.fixture(scope="module")
def run(reviews, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "q"
    settings = {"width": 16, "num_maps": 8, "num_buckets": 1024, "quiet": True}
    return samoyed.train(reviews, out=out, epochs=8, settings=settings)


def test_it_learns_what_two_words_say(run):
    assert [s.name for s in run.scores] == [
        "accuracy", "macro_f1", "log_loss", "calibration_error"
    ]  # fmt: skip
    assert run.scores[0].value >= 0.95
    assert run.scores[0].num == 40
    assert {name for name, _ in run.baselines} == {
        "always the commonest class", "logistic regression on n-grams",
        "support vectors on n-grams",
    }  # fmt: skip
    assert dict(run.baselines)["always the commonest class"].value == pytest.approx(0.5)


def test_scores_are_those_of_the_probabilities(run):
    data = run.assembly().data
    found = predict_probabilities(run.model, data.test.rows)
    assert found.shape == (40, 2)
    assert np.allclose(found.sum(axis=1), 1)
    right = found.argmax(axis=1) == data.test.targets
    assert run.scores[0].value == pytest.approx(right.mean())
    loss = -np.log(found[np.arange(40), data.test.targets]).mean()
    assert run.scores[2].value == pytest.approx(loss)
    assert run.scores[3].value == pytest.approx(
        classification.calibration_error(found, data.test.targets)
    )


def test_the_report_shows_which_words_mattered(run):
    report = (run.path / "report.html").read_text()
    assert "Which words mattered: a right answer" in report
    assert "the two ways" in report
    assert "Calibration" in report


def test_taking_a_word_out_is_what_it_says(run):
    """Against the probability of the text without the word, asked one by one."""
    text = "the story was a lovely film of dogs"
    matter = matter_of(run.model, text, run.task.spec)
    assert run.task.labels.names[matter.answer] == "good"
    whole = run.predict(text)[0]
    assert matter.probability == pytest.approx(whole.probability, abs=1e-6)
    assert max(zip(matter.covered, matter.words, strict=True))[1] == "lovely"
    assert max(zip(matter.gradients, matter.words, strict=True))[1] == "lovely"
    first = matter_of(run.model, "lovely film", run.task.spec)
    alone = run.predict("lovely")[0]
    assert first.covered[1] == pytest.approx(first.probability - alone.probability, abs=1e-6)


@pytest.mark.parametrize("num", [201, 330, 700])
def test_of_a_long_text_every_word_that_is_read_is_asked_about(run, num):
    """The answer is that of `predict`; of the words those at either end are taken out."""
    text = "lovely " + "dogs " * (num - 9) + "dull " * 8
    matter = matter_of(run.model, text, run.task.spec)
    [whole] = run.predict(text)
    assert run.task.labels.names[matter.answer] == whole.answer == "bad"
    assert matter.probability == pytest.approx(whole.probability, abs=1e-6)
    read = min(num, 500)
    assert len(matter.words) == len(matter.covered) == len(matter.gradients) == read
    assert np.all(matter.covered[100 : read - 100] == 0)
    without_last = run.predict(text.removesuffix("dull "))[0].probability
    if num <= 500:
        fall = matter.probability - without_last
        assert matter.covered[-1] == pytest.approx(fall, abs=1e-6)
    said = f"Of the {read} words that are read the first 100 and the last 100 are taken out"
    assert said in matter_figure(matter, "bad", "a text").caption
    short = matter_of(run.model, "lovely dogs", run.task.spec)
    assert "words that are read" not in matter_figure(short, "good", "a text").caption


def test_the_gradient_of_a_linear_model_is_its_weights():
    """Of a bag of words alone: score minus the classes' mean is a sum over the words."""
    spec = WordSpec(tuple("abcd"), (), ())
    torch.manual_seed(0)
    config = sentence_convnet.Config(width=4, num_maps=2, ngram=1, num_buckets=64)
    model = sentence_convnet.SentenceConvNet(config, spec, 2).eval()
    torch.nn.init.normal_(model.bag.weights.weight)
    torch.nn.init.zeros_(model.classes.weight)
    torch.nn.init.zeros_(model.classes.bias)
    matter = matter_of(model, "a b d", spec)
    values = model.bag(torch.tensor([[2, 3, 5]]))[0].double()
    expected = values[matter.answer] - values.mean()
    assert matter.gradients.sum() == pytest.approx(expected.item(), abs=1e-5)


@pytest.mark.parametrize(
    ("value", "said"),
    [(float("nan"), "too few words"), (0.9, "agree (0.90)"), (0.3, "in part"), (0, "DISAGREE")],
)
def test_whether_two_ways_agree_is_said(value, said):
    assert said in agreement(value)


def test_predict_takes_texts_files_and_standard_input(run, capsys, monkeypatch, tmp_path):
    file = tmp_path / "in.txt"
    file.write_text("a lovely story\n\ndull men\n")
    answers = run.predict([file, "old dull dogs"])
    assert [a.answer for a in answers] == ["good", "bad", "bad"]
    monkeypatch.setattr("sys.stdin", io.StringIO("a lovely story\n\ndull men\n"))
    main(["predict", str(run.path), "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["answer"] for row in rows] == ["good", "bad"]
    assert rows[0]["probability"] == pytest.approx(answers[0].probability, abs=1e-6)
    main(["explain", str(run.path), "--input", "a lovely story"])
    assert "most for it: lovely" in capsys.readouterr().out


def test_the_label_of_a_labelled_line_is_no_part_of_its_text(run, capsys, monkeypatch, tmp_path):
    file, lines = tmp_path / "in.txt", "good\ta dull story\n\nbad\tlovely men\n"
    file.write_text(lines)
    answers = run.predict([file, "good\ta dull story", "good dull men"])
    assert [a.input for a in answers] == [
        "a dull story", "lovely men", "a dull story", "good dull men"
    ]  # fmt: skip
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    main(["predict", str(run.path), "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["input"], row["answer"]) for row in rows] == [
        ("a dull story", "bad"), ("lovely men", "good")
    ]  # fmt: skip


def test_the_one_column_of_texts_is_asked_about(run, tmp_path, capsys, monkeypatch):
    lines = "kind,said\ngood,a dull story\nbad,lovely men\n"
    (tmp_path / "t.csv").write_text(lines)
    answers = run.predict(tmp_path / "t.csv")
    assert [a.input for a in answers] == ["a dull story", "lovely men"]
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    main(["predict", str(run.path), "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["input"] for row in rows] == ["a dull story", "lovely men"]
    (tmp_path / "t.csv").write_text("one,two\nso good,so bad\nso dull,so fine\n")
    with pytest.raises(DataError, match="a column 'text'"):
        run.predict(tmp_path / "t.csv")


def test_an_answer_about_unknown_words_alone_says_so(run, capsys):
    unknown, half = run.predict(["qwxz vbnk", "lovely qwxz"])
    assert ("note", "no known word") in unknown.details
    assert "note" not in dict(half.details)
    main(["predict", str(run.path), "qwxz vbnk"])
    assert capsys.readouterr().out.strip().endswith("note: no known word")


@pytest.mark.parametrize("given", ["", "   ", "<br />"])
def test_a_text_without_a_word_is_refused(given):
    with pytest.raises(DataError, match="write a word"):
        texts_of([given])


def test_a_file_without_a_text_is_refused(tmp_path):
    file = tmp_path / "empty.txt"
    file.write_text("\n \n")
    with pytest.raises(DataError, match="empty lines alone"):
        texts_of([str(file)])


FEW = {
    "one line with a tab": "good\ta lovely film\n",
    "one class": "good\ta lovely film\ngood\tlovely dogs\n",
    "the label last": "a lovely film\tgood\ndull men\tbad\n",
    "fasttext": "__label__good a lovely film\n",
    "a space": "good a lovely film\nbad dull men\nbad lovely men\n",
}


@pytest.mark.parametrize("name", FEW)
def test_a_few_texts_are_enough_to_measure_on(run, name, tmp_path):
    file = tmp_path / "few.txt"
    file.write_text(FEW[name])
    scores = run.evaluate(file)
    assert scores[0].num == FEW[name].count("\n")
    assert scores[0].value == pytest.approx(2 / 3 if name == "a space" else 1.0)
    assert 0 <= scores[0].low <= scores[0].value <= scores[0].high <= 1


def test_folders_and_tables_to_measure_on(run, tmp_path):
    (tmp_path / "r" / "good").mkdir(parents=True)
    (tmp_path / "r" / "good" / "1.txt").write_text("a lovely film")
    assert [s.value for s in run.evaluate(tmp_path / "r")[:2]] == [1.0, 1.0]
    table = tmp_path / "t.csv"
    table.write_text("id,kind,said\n1,good,a lovely film\n2,bad,lovely men\n")
    assert run.evaluate(table)[0].value == 0.5
    table.write_text("id,said\n1,a lovely film\n2,lovely men\n")
    with pytest.raises(DataError, match="a column with the run's classes") as refused:
        run.evaluate(table)
    assert "--target" not in str(refused.value)
    (tmp_path / "r" / "bad").mkdir()
    (tmp_path / "r" / "bad" / "1.txt").write_text("a lovely film")
    assert run.evaluate(tmp_path / "r")[0].value == 0.5


def test_what_cannot_be_measured_on_is_said(run, tmp_path):
    file = tmp_path / "strange.txt"
    file.write_text("good\ta lovely film\nugly\ta dull film\n")
    with pytest.raises(RunError, match=r"ugly(.|\n)*--on-bad skip"):
        run.evaluate(file)
    said: list[str] = []
    assert run.evaluate(file, on_bad="skip", say=said.append)[0].num == 1
    assert "strange.txt:2: unknown class 'ugly'" in said[0]
    file.write_text("ugly\ta lovely film\n")
    with pytest.raises(DataError, match=r"none; left out: .*:1: unknown class 'ugly'"):
        run.evaluate(file, on_bad="skip")
    file.write_text("\n\n")
    with pytest.raises(DataError):
        run.evaluate(file)


def test_the_folder_of_a_run_is_no_data(run):
    for ask in (run.evaluate, samoyed.check, samoyed.train):
        with pytest.raises(DataError, match="the folder of a run"):
            ask(run.path)


def test_the_same_data_is_measured_on_what_was_held_out(run, reviews):
    assert run.evaluate(reviews) == run.evaluate() == run.scores


def test_a_table_is_measured_on_too(tmp_path):
    rows = "".join(f'"{t} and so on until it ends, at last",{a}\n' for a, t in texts(60, 3))
    table = tmp_path / "t.csv"
    table.write_text("review,liked\n" + rows)
    settings = {
        "width": 8, "num_maps": 4, "num_buckets": 256, "quiet": True, "report": False,
        "baselines": False,
    }  # fmt: skip
    run = samoyed.train(table, target="liked", out=tmp_path / "run", epochs=4, settings=settings)
    few = tmp_path / "few.csv"
    few.write_text("liked,review\ngood,lovely dogs\n")
    assert run.evaluate(few)[0].num == 1
    assert [a.input for a in run.predict(few)] == ["lovely dogs"]
    other = tmp_path / "other.csv"
    other.write_text("liked,comment\ngood,lovely dogs\n")
    with pytest.raises(DataError, match="a column 'review' of texts, as in the table"):
        run.predict(other)


def test_a_folder_of_files_is_asked_as_it_was_learned_from(tmp_path):
    for k, (label, text) in enumerate(texts(40, 5)):
        (tmp_path / "data" / label).mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / label / f"{k}.txt").write_text(f"{text}\n\nA story.\n")
    settings = {
        "width": 8, "num_maps": 4, "num_buckets": 256, "quiet": True, "report": False,
        "baselines": False,
    }  # fmt: skip
    run = samoyed.train(tmp_path / "data", out=tmp_path / "run", epochs=2, settings=settings)
    answers = run.predict(tmp_path / "data" / "good")
    assert [a.input for a in answers] == sorted(map(str, tmp_path.glob("data/good/*.txt")))
    one = tmp_path / "one.txt"
    one.write_text("a lovely film\nof dogs\n")
    [answer], [same] = run.predict(one), run.predict("a lovely film of dogs")
    assert (answer.input, same.input) == (str(one), "a lovely film of dogs")
    assert answer.probability == pytest.approx(same.probability, abs=1e-6)
    assert dict(answer.details)["note"] == "read as one text of 2 lines"
    assert "note" not in dict(same.details)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"a folder with \.txt files"):
        run.predict(tmp_path / "empty")

"""Word vectors as a user meets them: trained, asked, measured, taken away, and refused."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import samoyed
from samoyed import cli
from samoyed.core.errors import DataError, OptionError, RunError, SamoyedError
from samoyed.core.spec import TextSpec
from samoyed.data import text_pieces
from samoyed.data.near_words import REACH, near_pairs, unit_length
from samoyed.data.numbered_words import Words
from samoyed.models.language.skip_gram import Config, SkipGram
from samoyed.runs.baselines import near_words as baselines
from samoyed.tasks.embed import Embed, nearest, surprise_of_middles, surprise_of_near

FOODS, DAYS = ("bread", "cheese", "Soup", "fish"), ("monday", "tuesday", "friday", "sunday")
QUIET = {"baselines": False, "report": False, "quiet": True}


def write_text(path: Path, num: int = 400) -> Path:
    """Write sentences in which foods stand among foods' words and days among days'."""
    rng = np.random.default_rng(0)
    lines = []
    for _ in range(num):
        food, day = rng.choice(FOODS), rng.choice(DAYS)
        eats = f"we eat {food} with {rng.choice(['salt', 'butter'])} now"
        comes = f"on {day} {rng.choice(['morning', 'evening'])} they come late"
        lines.append(eats if rng.random() < 0.5 else comes)
    lines[0] = "it was so"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("embed")
    write_text(root / "text.txt")
    (root / "alike.txt").write_text(
        "one\ttwo\tscore\nbread\tcheese\t9\nbread\tmonday\t1\nsoup\tfish\t8\nmonday\tfriday\t9.5\n"
        "fish\tsunday\t2\nbread\tnowhere\t5\n"
    )
    (root / "asked.txt").write_text(": days\nbread cheese bread Soup\nmonday x tuesday y\n")
    return root


@pytest.fixture(scope="module")
def run(folder: Path) -> samoyed.Run:
    return samoyed.train(
        folder / "text.txt", task="embed", out=folder / "w", epochs=100,
        settings={
            **QUIET, "size": 12, "batch_size": 512, "threshold": 0,
            "similarity": str(folder / "alike.txt"), "analogies": str(folder / "asked.txt"),
        },
    )  # fmt: skip


def test_words_that_stand_alike_are_near_and_scores_say_so(run: samoyed.Run):
    near = dict(run.predict("Monday")[0].details)["nearest"]
    assert set(list(near)[:3]) == set(DAYS) - {"monday"}
    assert list(near.values()) == sorted(near.values(), reverse=True)
    first, alike, asked = run.scores
    assert first.name == run.task.headline == "near_perplexity"
    assert first.value < 0.7 * len(run.task.words)
    assert (alike.name, alike.num) == ("alike_rank_correlation", 5)
    assert alike.value > 0.3
    assert (asked.name, asked.num) == ("asked_accuracy", 1)
    assert run.evaluate() == run.scores


def test_an_analogy_is_the_sum_of_three_unit_vectors(run: samoyed.Run):
    [answer] = run.predict("bread cheese monday")
    unit = torch.nn.functional.normalize(run.model.given.weight.detach(), dim=1)
    a, b, c = (run.task.words.index(word) for word in ("bread", "cheese", "monday"))
    cosines = torch.nn.functional.cosine_similarity(unit, (unit[a] - unit[b] + unit[c])[None])
    cosines[[a, b, c]] = -2
    assert answer.answer == run.task.words[int(cosines.argmax())]
    assert dict(answer.details)["nearest"][answer.answer] == pytest.approx(
        float(cosines.max()), abs=1e-4
    )


def test_the_command_line_asks_the_same(run: samoyed.Run, capsys):
    def said(*arguments: str) -> str:
        cli.app(["predict", str(run.path), *arguments], result_action="return_value")
        return capsys.readouterr().out

    [told] = [json.loads(line) for line in said("--near", "monday", "--json").splitlines()]
    assert told["answer"] == next(iter(told["nearest"])) == run.predict("monday")[0].answer
    line = said("--analogy", "bread", "cheese", "monday")
    assert line.startswith(f"bread cheese monday\t{run.predict('bread cheese monday')[0].answer}\t")
    assert re.search(r"\t\w+ 0\.\d{3}, ", line)


def test_explain_draws_a_map_that_can_be_searched(run: samoyed.Run):
    page = run.explain("soup").read_text()
    [data] = re.findall(r'<script type="application/json">(.*?)</script>', page)
    rows = json.loads(data)
    assert {row[0] for row in rows} == set(run.task.words)
    counts = [row[3] for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert max(abs(place) for row in rows for place in row[1:3]) <= 5000
    [monday] = [row for row in rows if row[0] == "monday"]
    assert [word for word, _ in monday[4]][:3] == list(
        dict(run.predict("monday")[0].details)["nearest"]
    )[:3]


def read_independently(path: Path) -> dict[str, np.ndarray]:
    """Read a word2vec file as its format is described, byte by byte."""
    content = path.read_bytes()
    head, _, rest = content.partition(b"\n")
    num, size = map(int, head.split())
    found = {}
    for _ in range(num):
        word, _, rest = rest.partition(b" ")
        if path.suffix == ".bin":
            found[word.decode()] = np.frombuffer(rest[: 4 * size], "<f4")
            assert rest[4 * size : 4 * size + 1] == b"\n"
            rest = rest[4 * size + 1 :]
        else:
            line, _, rest = rest.partition(b"\n")
            found[word.decode()] = np.array([np.float32(x) for x in line.split(b" ")])
            assert len(found[word.decode()]) == size
    assert not rest
    return found


@pytest.mark.parametrize("name", ["v.txt", "v.bin", "v.vec"])
def test_vectors_leave_as_word2vec_writes_them(run: samoyed.Run, folder: Path, name: str):
    written = samoyed.export(run, "word2vec", folder / name)
    found = read_independently(written.path)
    assert tuple(found) == run.task.words
    np.testing.assert_array_equal(np.stack(list(found.values())), run.model.given.weight.detach())


def test_other_text_is_measured_in_the_run_own_words(run: samoyed.Run, folder: Path):
    other = write_text(folder / "other.txt", 300)
    [first, *_] = run.evaluate(other)
    assert first.value == pytest.approx(run.scores[0].value, rel=0.2)


def test_of_a_text_that_memory_does_not_hold_the_same_is_learned(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(text_pieces, "LARGE_BYTES", 5_000)
    monkeypatch.setattr(text_pieces, "PIECE_BYTES", 1_000)
    large = samoyed.train(
        folder / "text.txt", task="embed", out=tmp_path / "w", epochs=50,
        settings={
            "size": 12, "batch_size": 512, "threshold": 0, "report": False, "quiet": True,
            "phrase_passes": 1, "phrase_threshold": 6, "phrase_delta": 60,
        },
    )  # fmt: skip
    near = dict(large.predict("Monday")[0].details)["nearest"]
    assert set(list(near)[:3]) == set(DAYS) - {"monday"}
    assert {"they_come", "we_eat"} <= set(large.task.words)
    assert large.scores[0].value < 0.8 * large.baselines[0][1].value
    assert large.evaluate() == large.scores
    assert large.evaluate(folder / "text.txt")[0] == large.scores[0]
    [other, *_] = large.evaluate(write_text(tmp_path / "other.txt", 500))
    assert other.value == pytest.approx(large.scores[0].value, rel=0.3)


@pytest.mark.parametrize("objective", ["negative_sampling", "hierarchical_softmax"])
@pytest.mark.parametrize("architecture", ["skip_gram", "cbow"])
def test_every_way_learns(folder: Path, tmp_path: Path, architecture: str, objective: str):
    run = samoyed.train(
        folder / "text.txt", task="embed", out=tmp_path / "run", epochs=100,
        settings={
            **QUIET, "size": 12, "batch_size": 512, "threshold": 0,
            "architecture": architecture, "objective": objective, "baselines": True,
        },
    )  # fmt: skip
    score, (_, frequent) = run.scores[0], run.baselines[0]
    assert score.name == frequent.name
    assert score.num == frequent.num
    assert score.value < 0.8 * frequent.value
    assert run.predict("tuesday")[0].answer in DAYS


def drawn_words(num: int = 300, num_words: int = 9) -> Words:
    rng = np.random.default_rng(3)
    return Words(rng.integers(0, num_words, num), np.sort(rng.integers(0, 40, num)))


def drawn_model(**changes) -> SkipGram:
    torch.manual_seed(0)
    model = SkipGram(Config(size=4, threshold=0.05, **changes), np.bincount(drawn_words().codes))
    torch.nn.init.normal_(model.given.weight)
    torch.nn.init.normal_(model.foretold.weight)
    return model


def test_pairs_are_those_of_a_loop():
    words = drawn_words()
    given, near = near_pairs(words)
    assert len(given) == len(near) > 600
    allowed = {
        (int(words.codes[i]), int(words.codes[j])) for i in range(300) for j in range(300)
        if 0 < abs(i - j) <= REACH and words.sentences[i] == words.sentences[j]
    }  # fmt: skip
    assert set(zip(given.tolist(), near.tolist(), strict=True)) <= allowed


@pytest.mark.parametrize("objective", ["negative_sampling", "hierarchical_softmax"])
def test_surprise_is_of_a_distribution(objective: str):
    model, words = drawn_model(objective=objective), drawn_words()
    given, near = near_pairs(words)
    nats = surprise_of_near(model, words, "cpu")
    with torch.no_grad():
        chances = torch.softmax(model(torch.arange(9)).values, dim=1).numpy()
    np.testing.assert_allclose(nats, -np.log(chances[given, near]), rtol=1e-5)
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)


def test_the_middle_is_foretold_by_the_mean_of_its_neighbours():
    model, words = drawn_model(architecture="cbow", window=2), drawn_words(60)
    nats = surprise_of_middles(model, words, "cpu")
    expected = []
    with torch.no_grad():
        for i in range(60):
            near = [
                j for j in range(max(0, i - 2), min(60, i + 3))
                if j != i and words.sentences[j] == words.sentences[i]
            ]  # fmt: skip
            if near:
                mean = model.given.weight[words.codes[near]].mean(dim=0)
                told = torch.log_softmax(model.foretell(mean[None])[0].double(), dim=0)
                expected.append(-float(told[words.codes[i]]))
    np.testing.assert_allclose(nats, expected, rtol=1e-5)


def test_counted_pairs_are_a_distribution():
    words, shares = drawn_words(), np.full(9, 1 / 9)
    counted = baselines._counted(near_pairs(words), 9)
    every = np.arange(9)
    for given in range(9):
        nats = baselines._surprise(counted, shares, (np.full(9, given), every), 30.0)
        assert math.fsum(np.exp(-nats)) == pytest.approx(1)
    alone = baselines._surprise(counted, shares, (every, every), 1e12)
    np.testing.assert_allclose(np.exp(-alone), shares, rtol=1e-6)


def wrong(run: samoyed.Run, name: str, folder: Path) -> None:
    """Do what a user should be told about."""
    text, bad = folder / "text.txt", folder / "bad.txt"
    settings = {**QUIET}
    match name:
        case "unknown word":
            run.predict("mondya")
        case "two words":
            run.predict("monday tuesday")
        case "explain unknown":
            run.explain("nowhere")
        case "another export":
            samoyed.export(run, "onnx", folder / "x.onnx")
        case "export ending":
            samoyed.export(run, "word2vec", folder / "x.onnx")
        case "export int8":
            samoyed.export(run, "word2vec", int8=True)
        case "unit":
            samoyed.train(text, task="embed", out=folder / "x", settings={"unit": "byte"})
        case "optimizer":
            samoyed.train(
                text, task="embed", out=folder / "x", settings={**settings, "optimizer": "adam"}
            )
        case "few words":
            bad.write_text("a b c " * 600)
            samoyed.train(bad, task="embed", out=folder / "x", settings=settings)
        case "likeness line":
            bad.write_text("bread cheese 3\nbread fish\n")
            samoyed.train(
                text, task="embed", out=folder / "x", settings={**settings, "similarity": str(bad)}
            )
        case "analogy line":
            bad.write_text("bread cheese monday\n")
            samoyed.train(
                text, task="embed", out=folder / "x", settings={**settings, "analogies": str(bad)}
            )
        case "no file":
            samoyed.train(
                text, task="embed", out=folder / "x", settings={**settings, "similarity": "none"}
            )
        case "one word a line":
            bad.write_text("\n".join(f"w{k % 30}" for k in range(3_000)))
            samoyed.train(bad, task="embed", out=folder / "x", settings=settings)
        case "one word a line, measured":
            bad.write_text("\n".join([*DAYS, *FOODS] * 100))
            run.evaluate(bad)
        case "wrong data":
            samoyed.train("digits", task="embed", out=folder / "x", settings=settings)


WRONG: dict[str, tuple[type[SamoyedError], str]] = {
    "unknown word": (OptionError, "Did you mean 'monday'"),
    "two words": (OptionError, "a word, or three"),
    "explain unknown": (OptionError, "'nowhere'"),
    "another export": (RunError, "--to word2vec"),
    "export ending": (OptionError, r"\.txt or \.vec"),
    "export int8": (OptionError, "--to onnx"),
    "unit": (OptionError, "vectors are of words"),
    "optimizer": (OptionError, "plain descent"),
    "few words": (DataError, "at least 10 different words"),
    "likeness line": (DataError, r"bad\.txt:2"),
    "analogy line": (DataError, r"bad\.txt:1"),
    "no file": (DataError, "no such file"),
    "one word a line": (DataError, "one known word in every line"),
    "one word a line, measured": (DataError, "one known word in every line"),
    "wrong data": (OptionError, "--task"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(run: samoyed.Run, folder: Path, name: str):
    kind, said = WRONG[name]
    with pytest.raises(kind, match=said):
        wrong(run, name, folder)


def test_small_texts_are_not_sent_to_characters(folder: Path, tmp_path: Path):
    said = samoyed.check(folder / "text.txt", task="embed")
    assert any("vectors are of words" in line for line in said)
    assert any("words to learn from" in line for line in said)
    assert not any("unit=character" in line for line in said)


def test_another_run_is_not_asked_for_words(capsys):
    from samoyed.standard_input import about_words

    with pytest.raises(OptionError, match="--near"):
        about_words("monday", None, "classify")
    with pytest.raises(OptionError, match="single words"):
        about_words(None, ("new york", "a", "b"), "embed")


def test_a_word_is_found_but_for_its_capitals():
    task = Embed(TextSpec(("US", "us", "Them", "<eos>", "<unk>"), "word"), (3, 2, 1), False)
    assert [task.code_of(word) for word in ("US", "us", "them", "THEM")] == [0, 1, 2, 2]


def test_a_phrase_is_found_as_its_script_writes_it():
    words = ("命", "命_令", "new_york", "a_b", "ab", "<eos>", "<unk>")
    task = Embed(TextSpec(words, "word"), (5, 4, 3, 2, 1))
    assert [task.code_of(w) for w in ("命令", "命_令", "newyork", "ab", "AB")] == [1, 1, 2, 4, 4]
    with pytest.raises(OptionError):
        task.code_of("令")


def test_the_nearest_leave_out_the_question():
    vectors = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    found = nearest(unit_length(vectors), 3 * vectors[0], 5, [0])
    assert [word for word, _ in found] == [1, 2]
    assert found[0][1] == pytest.approx(0.9 / np.hypot(0.9, 0.1))


def test_words_that_were_seldom_seen_are_no_neighbours():
    words = ("a", "b", "c", "d", "e")
    task = Embed(TextSpec((*words, "<eos>", "<unk>"), "word"), (30, 9, 10, 5, 12), seen_at_least=10)
    angles = np.array([0.0, 0.1, 0.2, 0.3, 0.45])
    unit = np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def found_near(code, num):
        return nearest(unit, unit[code], num, [code], task.often_seen(num + 1))

    found = found_near(0, 2)
    assert [words[code] for code, _ in found] == ["c", "e"]
    assert [cosine for _, cosine in found] == pytest.approx(np.cos([0.2, 0.45]))
    rare = found_near(3, 2)  # it may be asked for all the same
    assert [words[code] for code, _ in rare] == ["c", "e"]
    all_asked = found_near(0, 3)  # three words are too few for three answers
    assert [words[code] for code, _ in all_asked] == ["b", "c", "d"]

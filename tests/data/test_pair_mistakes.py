"""Mistakes in pairs, tags and questions that once passed in silence, or under a wrong name."""

import json
import re

import pytest

import samoyed
from command_line import refused_by_check
from samoyed.core.errors import DataError, OptionError, Undirected
from samoyed.data.pair_files import PairAsk, direction
from samoyed.data.pair_guess import are_pairs
from samoyed.data.pairs import scan_pairs
from samoyed.data.tagged_text import scan_tagged_text
from samoyed.misunderstood import refuse_prompt
from samoyed.opening import open_source
from samoyed.standard_input import all_asked

ASK = PairAsk("fr", "en")
LINES = [f"le chien numéro {k} court\tthe dog number {k} runs" for k in range(60)]


@pytest.mark.parametrize("line", ["un\tdeux mots\tone two words", "seul"])
def test_a_line_with_another_number_of_columns_is_named(tmp_path, line):
    file = tmp_path / "pairs.tsv"
    file.write_text("\n".join(["fr\ten", *LINES[:30], line, *LINES[30:]]) + "\n")
    with pytest.raises(DataError, match="2 columns with a tab") as error:
        scan_pairs(file, ASK)
    assert error.value.place.endswith("pairs.tsv:32")
    source = scan_pairs(file, ASK, on_bad="skip")
    assert len(source.train) + len(source.test) == 60
    assert len(source.skipped) == 1


def test_a_test_part_alone_is_not_learned_from(tmp_path):
    for name, column in (("test.fr", 0), ("test.en", 1)):
        (tmp_path / name).write_text("\n".join(line.split("\t")[column] for line in LINES))
    with pytest.raises(DataError, match=r"train.fr and train.en"):
        scan_pairs(tmp_path, ASK)
    for name in ("fr", "en"):
        (tmp_path / f"test.{name}").rename(tmp_path / f"corpus.{name}")
    assert len(scan_pairs(tmp_path, ASK).train) > 0


@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_of_pairs_is_told_how_to_become_lines(tmp_path, indent):
    file = tmp_path / "pairs.json"
    rows = [dict(zip(("fr", "en"), line.split("\t"), strict=True)) for line in LINES]
    file.write_text(json.dumps(rows, indent=indent))
    for on_bad in ("stop", "skip"):
        with pytest.raises(DataError, match=r"an array in brackets(.|\n)*jq"):
            scan_pairs(file, ASK, on_bad=on_bad)


def test_a_language_in_capitals_means_the_same_language(tmp_path):
    with pytest.raises(OptionError, match="Did you mean 'fr'"):
        direction(tmp_path, ["en", "fr"], PairAsk("FR", "en"))


def test_columns_without_names_have_none(tmp_path):
    file = tmp_path / "a.conll"
    file.write_text("".join(f"He PRP _ B-NP\nruns{k} VBZ _ B-VP\n\n" for k in range(40)))
    with pytest.raises(OptionError, match="only those of CoNLL-U have names"):
        scan_tagged_text(file, tag="upos")
    assert scan_tagged_text(file, tag="2").tags.names


@pytest.mark.parametrize("task", ["classify_text", "tag", "translate"])
def test_a_name_of_no_file_is_no_text(tmp_path, monkeypatch, task):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lines.txt").write_text("a text\n")
    assert all_asked(["lines.txt", "It ends in .txt", "a.b"], None, None, task)
    with pytest.raises(DataError, match=r"no such file(.|\n)*Did you mean 'lines.txt'"):
        all_asked(["line.txt"], None, None, task)
    with pytest.raises(DataError, match="quotation marks"):
        all_asked([" "], None, None, task)


def test_a_prompt_is_for_runs_that_continue(tmp_path):
    refuse_prompt(tmp_path, "ROMEO:", "continue_text")
    refuse_prompt(tmp_path, None, "tag")
    for task in ("classify_text", "tag", "classify", "regress_table"):
        with pytest.raises(OptionError, match="--prompt"):
            refuse_prompt(tmp_path, "ROMEO:", task)


@pytest.mark.parametrize("way", ["as it should be", "exchanged", "copied"])
def test_sides_of_the_test_part_are_compared_with_training(tmp_path, way):
    test = [f"le chien numéro {k} dort\tthe dog number {k} sleeps" for k in range(100, 110)]
    for part, lines in (("train", LINES), ("test", test)):
        sides = list(zip(*(line.split("\t") for line in lines), strict=True))
        if part == "test" and way == "exchanged":
            sides.reverse()
        if part == "test" and way == "copied":
            sides[1] = sides[0]
        for name, side in zip(("fr", "en"), sides, strict=True):
            (tmp_path / f"{part}.{name}").write_text("\n".join(side) + "\n")
    said = " ".join(scan_pairs(tmp_path, ASK).warnings)
    assert ("sides exchanged" in said) == (way == "exchanged")
    assert ("held-out pairs are the same on both sides" in said) == (way == "copied")


@pytest.mark.parametrize("kind", ["bpe", "character"])
def test_sentences_without_blanks_are_as_long_as_their_characters(tmp_path, kind):
    chinese = [
        f"我{'们很高兴'[k % 4]}看见{'他她你狗猫'[k % 5]}在这里第{k}次了" * 2 for k in range(60)
    ]
    (tmp_path / "train.zh").write_text("\n".join(chinese))
    (tmp_path / "train.en").write_text("\n".join(
        f"we see the dog number {k} here again and again ." for k in range(60)))  # fmt: skip
    source = scan_pairs(tmp_path, PairAsk("zh", "en"))
    assert len(source.train) + len(source.test) == 60
    assert not source.skipped
    assert "words: 24.0 in zh, 11.0 in en" in source.describe()[1]
    assert len(source.fit_units(kind, None).source) > 10


def test_wildly_unequal_sentences_without_blanks_are_left_out(tmp_path):
    lines = [f"{k}我们很高兴\twe are glad {k}" for k in range(40)]
    file = tmp_path / "pairs.tsv"
    file.write_text("\n".join(["zh\ten", *lines, f"{'我们很高兴' * 9}\tyes"]))
    assert len(scan_pairs(file, PairAsk("zh", "en")).skipped) == 1


def test_a_testament_is_no_test_part(tmp_path):
    for name, column in (("fr", 0), ("en", 1)):
        lines = [line.split("\t")[column] for line in LINES]
        (tmp_path / f"testament.{name}").write_text("\n".join(lines))
    source = scan_pairs(tmp_path, ASK)
    assert not source.has_official_test
    assert len(source.train) == 54


def test_a_field_that_numbers_the_lines_is_no_language(tmp_path):
    rows = [
        {"id": f"s{i}", "en": f"the dog number {i} is here", "de": f"der Hund Nummer {i} ist da"}
        for i in range(30)
    ]
    file = tmp_path / "p.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(OptionError) as refused:
        open_source(str(file))
    assert refused.value.hint.count("samoyed train") == 2
    assert "id" not in re.findall(r"--(?:from|to) (\S+)", refused.value.hint)
    for row in rows:
        row["id"] = "anjing nomor ini ada di sini"  # Indonesian, of which id is the code
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(OptionError) as refused:
        open_source(str(file))
    assert "id" in re.findall(r"--(?:from|to) (\S+)", refused.value.hint)


def test_one_text_with_a_number_beside_it_is_no_pair(tmp_path):
    file = tmp_path / "p.jsonl"
    rows = [{"id": f"s{i}", "en": f"the dog number {i}", "label": "ab"[i % 2]} for i in range(30)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert not are_pairs(file)


def numbered(lines):
    return "".join(f"{k}\t{line}\n" for k, line in enumerate(lines))


@pytest.mark.parametrize(
    ("text", "places"),
    [("\n".join(LINES), (1, 2)), ("id\tfr\ten\n" + numbered(LINES), (2, 3))],
)
def test_a_direction_that_nobody_said_is_a_finding_of_check(tmp_path, text, places):
    file = tmp_path / "pairs.tsv"
    file.write_text(text)
    said = samoyed.check(file)
    sides = [
        f"column {place}, {name} “{sentence}”"
        for place, name, sentence in zip(
            places, ("fr", "en"), ("le chien numéro 0 court", "the dog number 0 runs"), strict=True
        )
    ]
    assert said[:2] == [f"side: {side}" for side in sides]
    assert said[2].startswith("sentence pairs: fr to en, 54 to learn from, 6 held out")
    assert "--from and --to; above, the first was taken" in said[-3]
    commands = [
        f"samoyed train {file} --from {a} --to {b}" for a, b in (("fr", "en"), ("en", "fr"))
    ]
    assert said[-2:] == [f"to train: {commands[0]}", f"      or: {commands[1]}"]
    with pytest.raises(Undirected) as refused:  # and train says the same
        open_source(str(file))
    assert all(side in refused.value.found for side in sides)
    assert all(command in refused.value.hint for command in commands)


def test_check_of_an_unsaid_direction_stops_at_what_is_bad(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text("\n".join([*LINES, "seul", "seule"]))
    assert "2 problems" in refused_by_check(file)


def test_more_than_two_sides_are_listed(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text("fr\ten\tde\n" + "".join(f"{line}\tder Hund läuft\n" for line in LINES))
    said = samoyed.check(file)
    assert [line.split(" “")[0] for line in said[:3]] == [
        "side: column 1, fr", "side: column 2, en", "side: column 3, de",
    ]  # fmt: skip
    assert sum(f" {file} --from " in line for line in said) == 6


def test_sentences_without_blanks_are_a_side(tmp_path):
    file = tmp_path / "pairs.tsv"
    rows = [f"{k}\t我们很高兴{k}\twe are glad {k}\n" for k in range(40)]
    file.write_text("".join(["id\tsource\ttarget\n", *rows]))
    with pytest.raises(Undirected) as refused:
        scan_pairs(file, PairAsk())
    assert refused.value.known == ("source", "target")


def test_two_columns_of_unknown_languages_may_be_pairs(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text("".join(f"tovo lin{k} ka\tmi be{k} susu\n" for k in range(60)))
    command = f"samoyed train {file} --from 1 --to 2  # if column 2 translates column 1"
    assert samoyed.check(file)[-1] == f"      or: {command}"
    with pytest.raises(OptionError) as refused:
        open_source(str(file))
    assert refused.value.hint.endswith(f"or {command}")
    said = samoyed.check(file, task="translate")
    assert said[0] == "side: column 1 “tovo lin0 ka”"


def test_one_column_has_no_direction(tmp_path):
    with pytest.raises(DataError, match="in two languages"):
        direction(tmp_path, ["text"], PairAsk())

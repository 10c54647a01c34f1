"""Sentence pairs: every way they come, and every way to spoil them."""

import gzip
import json

import numpy as np
import pytest

from samoyed.assembly import open_again
from samoyed.core.errors import DataError, OptionError
from samoyed.data import pair_guess
from samoyed.data.pair_feed import PairFeed, encoded
from samoyed.data.pair_files import PairAsk
from samoyed.data.pairs import scan_pairs
from samoyed.data.tables import TableAsk
from samoyed.opening import is_unasked_table, open_source

ASK = PairAsk("fr", "en")
FRENCH = [f"le chien numéro {k} est dans la maison {k % 7}" for k in range(60)]
ENGLISH = [f"the dog number {k} is in the house {k % 7}" for k in range(60)]


def put(path, lines):
    text = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(text) if path.name.endswith(".gz") else text)


def columns(path, rows):
    put(path, ["\t".join(row) for row in rows])


@pytest.mark.parametrize("names", ["train.{}", "corpus.fr-en.{}", "train.{}.gz"])
def test_two_files(tmp_path, names):
    put(tmp_path / names.format("fr"), FRENCH)
    put(tmp_path / names.format("en"), ENGLISH)
    source = open_source(str(tmp_path), pairs=ASK)
    assert source.kind == "pairs"
    assert source.names == ("fr", "en")
    assert len(source.test) == 6
    assert set(source.train.source) | set(source.test.source) == set(FRENCH)
    assert not set(source.train.source) & set(source.test.source)
    assert dict(zip(FRENCH, ENGLISH, strict=True))[source.test.source[0]] == source.test.target[0]


def test_parts_by_name(tmp_path):
    for part in ("train", "dev", "newstest2014"):
        put(tmp_path / f"{part}.fr", [f"{part} {s}" for s in FRENCH])
        put(tmp_path / f"{part}.en", ENGLISH)
    source = scan_pairs(tmp_path, ASK)
    assert [len(p) for p in (source.train, source.val, source.test)] == [60] * 3
    assert source.test.source[0].startswith("newstest2014")
    back = scan_pairs(tmp_path, PairAsk("en"))
    assert back.names == ("en", "fr")
    assert back.fingerprint != source.fingerprint


@pytest.mark.parametrize(
    ("name", "head", "ask"),
    [
        ("fra.txt", None, ASK),
        ("pairs.tsv", ("en", "fr", "note"), ASK),
        ("x.tsv", None, PairAsk("2", "1")),
        ("numbers.txt", None, PairAsk("french", "english")),
    ],
)
def test_columns(tmp_path, name, head, ask):
    rows = [(e, f, "CC-BY") for e, f in zip(ENGLISH, FRENCH, strict=True)]
    columns(tmp_path / name, [head, *rows] if head else rows)
    source = open_source(str(tmp_path / name), pairs=ask)
    assert len(source.train) + len(source.test) == 60
    assert source.train.source[0].startswith("le chien")


@pytest.mark.parametrize("is_nested", [True, False])
def test_json_lines(tmp_path, is_nested):
    rows = [{"fr": f, "en": e} for f, e in zip(FRENCH, ENGLISH, strict=True)]
    put(tmp_path / "a.jsonl",
        [json.dumps({"translation": r} if is_nested else r) for r in rows])  # fmt: skip
    source = open_source(str(tmp_path / "a.jsonl"), pairs=ASK)
    assert source.train.target[0].startswith("the dog")


def test_what_is_suspicious_is_counted_and_listed(tmp_path):
    french, english = [*FRENCH, "", "un", FRENCH[0]], [*ENGLISH, "x", "word " * 30, ENGLISH[0]]
    put(tmp_path / "train.fr", french)
    put(tmp_path / "train.en", english)
    put(tmp_path / "test.fr", FRENCH[:3])
    put(tmp_path / "test.en", ENGLISH[:3])
    source = scan_pairs(tmp_path, ASK)
    assert f"{tmp_path / 'train.fr'}:61: a side is empty" in source.skipped
    assert f"{tmp_path / 'train.fr'}:62: the sides' lengths differ wildly" in source.skipped
    said = " ".join(source.warnings)
    assert "1 of 63 pairs left out, a side is empty (line 61)" in said
    assert "3 of 3 held-out sentences are in the training part too" in said


def spoil_short(root):
    put(root / "train.en", ENGLISH[:-2])


def spoil_bytes(root):
    (root / "train.en").write_bytes(("\n".join(ENGLISH)).encode() + b"\nna\xefve\n")


def spoil_few(root):
    put(root / "train.fr", FRENCH[:9])
    put(root / "train.en", ENGLISH[:9])


def spoil_empty(root):
    (root / "train.en").write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_short, r"train\.fr:59\n  expected: 58 lines, as train\.en has\n  found: +60 lines: "
         "line 59"),
        (spoil_bytes, r"train\.en:61(?s:.*)0xEF 0x76"),
        (spoil_few, "at least 20"),
        (spoil_empty, "an empty file"),
    ],
)  # fmt: skip
def test_spoiled_files(tmp_path, spoil, message):
    put(tmp_path / "train.fr", FRENCH)
    put(tmp_path / "train.en", ENGLISH)
    spoil(tmp_path)
    with pytest.raises(DataError, match=message):
        scan_pairs(tmp_path, ASK)


@pytest.mark.parametrize(
    ("line", "message"),
    [("no tab here", r"a\.tsv:4\n  expected: 2 columns(?s:.*)1 column in “no tab here”")],
)
def test_spoiled_columns(tmp_path, line, message):
    lines = [f"{f}\t{e}" for f, e in zip(FRENCH, ENGLISH, strict=True)]
    put(tmp_path / "a.tsv", [*lines[:3], line, *lines[3:]])
    with pytest.raises(DataError, match=message):
        scan_pairs(tmp_path / "a.tsv", ASK)
    source = scan_pairs(tmp_path / "a.tsv", ASK, on_bad="skip")
    assert source.skipped[0].startswith(f"{tmp_path / 'a.tsv'}:4: 1 column in")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"a\.jsonl:3\n  expected: a JSON object"),
        ('{"fr": "x"}', "the field 'en'"),
        ("7", "a JSON object"),
    ],
)
def test_spoiled_json(tmp_path, line, message):
    rows = [json.dumps({"fr": f, "en": e}) for f, e in zip(FRENCH, ENGLISH, strict=True)]
    put(tmp_path / "a.jsonl", [*rows[:2], line, *rows[2:]])
    with pytest.raises(DataError, match=message):
        scan_pairs(tmp_path / "a.jsonl", ASK)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (PairAsk(), r"--from en --to fr\n\s+or samoyed train \S+ --from fr --to en"),
        (PairAsk("de", "en"), "--from\n  expected: one of en, fr"),
        (PairAsk("en", "en"), "another language"),
    ],
)
def test_directions(tmp_path, ask, message):
    put(tmp_path / "train.fr", FRENCH)
    put(tmp_path / "train.en", ENGLISH)
    with pytest.raises(OptionError, match=message):
        open_source(str(tmp_path), pairs=ask)


def test_columns_of_unknown_languages_are_asked_for(tmp_path):
    columns(tmp_path / "a.tsv", [("ka", "mu")] * 30)
    with pytest.raises(OptionError, match=r"a column's number(?s:.*)1 “ka”; 2 “mu”"):
        scan_pairs(tmp_path / "a.tsv", PairAsk("xx", "yy"))


TATOEBA = "CC-BY 2.0 (France) Attribution: tatoeba.org #{} (CM) & #{} (Wittydev)"


@pytest.mark.parametrize("name", ["fra.txt", "fra.tsv", "pairs.tab", "fra.txt.gz"])
def test_pairs_that_nobody_announced_are_not_taken_for_a_text_or_a_table(tmp_path, name):
    rows = [(e, f, TATOEBA.format(k, 2 * k))
            for k, (e, f) in enumerate(zip(ENGLISH, FRENCH, strict=True))]  # fmt: skip
    columns(tmp_path / name, rows)
    place = str(tmp_path / name)
    with pytest.raises(OptionError, match=r"--from en --to fr\n\s+or samoyed train \S+ --from fr"):
        open_source(place)
    assert not is_unasked_table(place, TableAsk())
    assert open_source(place, pairs=PairAsk("fr", "en")).train.source[0].startswith("le chien")
    source = open_source(place, pairs=PairAsk("en"))
    assert source.names == ("en", "fr")
    assert source.train.target[0].startswith("le chien")


def test_a_text_of_two_columns_may_be_asked_for_and_its_run_remembers(tmp_path):
    columns(tmp_path / "a.txt", list(zip(ENGLISH, FRENCH, strict=True)) * 9)
    place = str(tmp_path / "a.txt")
    assert open_source(place, ask=TableAsk(task="continue_text")).kind == "text"
    config = {
        "request": {"on_bad": "stop"}, "data": place, "split_seed": 0,
        "task": {"name": "continue_text", "spec": {"symbols": ["a"], "unit": "character"}},
        "data_settings": {},
    }  # fmt: skip
    assert open_again(config).kind == "text"


def test_columns_that_are_named_as_languages_need_no_announcing(tmp_path):
    columns(tmp_path / "a.tsv", [("xx", "fr"), *zip(["ka mu li"] * 60, FRENCH, strict=True)])
    assert not pair_guess.are_pairs(tmp_path / "a.tsv")
    columns(tmp_path / "a.tsv", [("source", "target"), *zip(FRENCH, FRENCH, strict=True)])
    with pytest.raises(OptionError, match="--from source --to target"):
        open_source(str(tmp_path / "a.tsv"))
    put(tmp_path / "b.jsonl", [json.dumps({"fr": f, "en": e})
                               for f, e in zip(FRENCH, ENGLISH, strict=True)])  # fmt: skip
    with pytest.raises(OptionError, match="--from fr --to en"):
        open_source(str(tmp_path / "b.jsonl"))


@pytest.mark.parametrize(
    "rows",
    [
        [(str(k % 2), s) for k, s in enumerate(FRENCH)],  # labelled texts
        [(word, "NN") for s in FRENCH for word in s.split()],  # tagged words
        [(s, s.upper()) for s in ENGLISH],  # one language
        [(s,) for s in ENGLISH],
        [(s, str(k)) for k, s in enumerate(ENGLISH)],
    ],
)
def test_other_columns_are_not_taken_for_pairs(tmp_path, rows):
    columns(tmp_path / "a.txt", rows)
    assert not pair_guess.are_pairs(tmp_path / "a.txt")


def test_what_is_asked_of_a_table_goes_before(tmp_path):
    columns(tmp_path / "a.tsv", [("en", "fr"), *zip(ENGLISH, FRENCH, strict=True)])
    assert is_unasked_table(str(tmp_path / "a.tsv"), TableAsk(task="classify"))
    assert open_source(str(tmp_path / "a.tsv"), ask=TableAsk(target="fr")).kind != "pairs"


def test_columns_with_commas(tmp_path):
    rows = [f'"{e}, ""he"" said","{f}"' for e, f in zip(ENGLISH, FRENCH, strict=True)]
    put(tmp_path / "a.csv", ["en,fr", *rows[:3], '"over two', 'lines",deux', *rows[3:], "x"])
    with pytest.raises(DataError, match=r"a\.csv:64\n  expected: 2 columns with a comma"):
        scan_pairs(tmp_path / "a.csv", ASK)
    source = scan_pairs(tmp_path / "a.csv", ASK, on_bad="skip")
    assert source.skipped[-1].startswith(f"{tmp_path / 'a.csv'}:64: 1 column in “x”")
    targets = {*source.train.target, *source.test.target}
    assert "over two lines" in targets
    assert 'the dog number 0 is in the house 0, "he" said' in targets


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", 'en,fr\na,b\n"c"d,e\n', r"a\.csv:3\n  expected: cells with commas"),
        ("a.csv", "one\ntwo\n", "no comma"),
        ("a.tsv", "", "an empty file"),
        ("a.txt", "a\tb\n\n" * 30, r"a\.txt:2\n  expected: 2 columns(?s:.*)1 column in “”"),
        ("a.txt", "a\t\n" * 30, "0 usable ones|at least 20 different sentences"),
        ("a.jsonl", "", "an empty file"),
        ("a.jsonl", '{"fr": 1, "en": 2}\n', "one of|--from"),
    ],
)
def test_more_ways_to_spoil_one_file(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises((DataError, OptionError), match=message):
        open_source(str(tmp_path / name), pairs=PairAsk("1", "2") if name == "a.txt" else ASK)


def spoil_no_other_side(root):
    (root / "train.en").unlink()


def spoil_truncated(root):
    (root / "train.en").unlink()
    whole = gzip.compress("\n".join(ENGLISH).encode())
    (root / "train.en.gz").write_bytes(whole[: len(whole) // 2])


def spoil_empty_sides(root):
    put(root / "train.en", [""] * 60)


def spoil_two_trainings(root):
    put(root / "train2.fr", FRENCH)
    put(root / "train2.en", ENGLISH)


def spoil_no_training(root):
    for side, lines in (("fr", FRENCH), ("en", ENGLISH)):
        (root / f"train.{side}").unlink()
        put(root / f"test.{side}", lines)
        put(root / f"dev.{side}", lines)


def spoil_lengths(root):
    put(root / "train.en", ["a" for _ in ENGLISH])
    put(root / "train.fr", ["mot " * 40 for _ in FRENCH])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_no_other_side, "--from and --to|beside each other"),
        (spoil_truncated, r"train\.en\.gz"),
        (spoil_empty_sides, "at least 20 different sentences"),
        (spoil_two_trainings, "one pair of files to learn from"),
        (spoil_no_training, r"train\.fr and train\.en"),
        (spoil_lengths, "at least 20 different sentences"),
    ],
)
def test_more_ways_to_spoil_two_files(tmp_path, spoil, message):
    put(tmp_path / "train.fr", FRENCH)
    put(tmp_path / "train.en", ENGLISH)
    spoil(tmp_path)
    with pytest.raises((DataError, OptionError), match=message):
        open_source(str(tmp_path), pairs=ASK)


def feed(batch_units=150):
    random = np.random.default_rng(0)
    rows = [np.ones(random.integers(2, 20), dtype=np.int64) * (k + 4) for k in range(300)]
    others = [np.ones(len(r) + random.integers(0, 3), dtype=np.int64) for r in rows]
    return PairFeed(rows, others, batch_units, 64, seed=3)


def test_batches_are_a_pure_function_of_the_step():
    one, two = feed(), feed()
    steps = list(range(2 * one.steps_per_epoch))
    forwards = [one.batch(k).inputs for k in steps]
    for k in reversed(steps):
        assert (two.batch(k).inputs == forwards[k]).all()


def test_every_pass_sees_every_pair_within_the_budget():
    one = feed()
    seen = [np.concatenate([one.places(e * one.steps_per_epoch + k)
                            for k in range(one.steps_per_epoch)]) for e in range(2)]  # fmt: skip
    assert sorted(seen[0]) == sorted(seen[1]) == list(range(300))
    assert seen[0].tolist() != seen[1].tolist()
    for k in range(one.steps_per_epoch):
        batch = one.batch(k)
        assert batch.targets is not None
        assert batch.inputs.numel() + batch.targets.numel() <= 150
    assert one.waste() < 0.1


def test_sentences_become_units_between_marks(tmp_path):
    put(tmp_path / "train.fr", FRENCH)
    put(tmp_path / "train.en", ENGLISH)
    source = scan_pairs(tmp_path, ASK)
    spec = source.fit_units("bpe", None)
    one, two = encoded(source.test, spec)
    assert all(row[-1] == 2 and 2 not in row[:-1] for row in one)
    assert all(row[0] == 1 and row[-1] == 2 for row in two)

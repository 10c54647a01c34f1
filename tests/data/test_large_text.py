"""Texts that memory does not hold: cut, counted and numbered as those that it holds."""

import gzip
import json
import random

import numpy as np
import pytest

from samoyed.core.errors import DataError, OptionError
from samoyed.data import large_text, text_pieces, units
from samoyed.data.corpora import TextAsk, find_corpus, refuse_units
from samoyed.data.large_text import LargeTextSource
from samoyed.kinds import text as kinds_text
from samoyed.models.recurrent import lstm_language_model
from samoyed.runs.baselines import text as baselines
from samoyed.tasks.continue_text import ContinueText, StretchFeed
from samoyed.tasks.foreseeing import foresee


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch, tmp_path):
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(text_pieces, "PIECE_BYTES", 1_000)
    monkeypatch.setattr(text_pieces, "LARGE_BYTES", 5_000)
    monkeypatch.setattr(large_text, "HELD_OUT_BYTES", 3_000)


def written(num_lines=900, seed=0):
    drawn = random.Random(seed)
    words = ["the", "dog", "saw", "a", "cät", "and", "ran", "home", "…", "<unk>"]
    return "".join(
        " ".join(drawn.choices(words, k=drawn.randint(3, 9))) + "\n" for _ in range(num_lines)
    )


def make(path, content):
    data = content.encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_the_pieces_are_the_text(tmp_path, name):
    text = written()
    corpus = find_corpus(make(tmp_path / name, text))
    found = list(text_pieces.pieces(corpus))
    assert len(found) > 10
    assert "".join(piece.text for piece in found) == text
    starts = np.cumsum([0, *(len(piece.text.encode()) for piece in found)])
    assert [piece.start for piece in found] == starts[:-1].tolist()
    assert text_pieces.survey(corpus).sizes == {"": len(text.encode())}


def test_a_line_longer_than_a_piece_is_cut_between_characters(tmp_path):
    text = "ä€😀x" * 900
    found = [p.text for p in text_pieces.pieces(find_corpus(make(tmp_path / "a.txt", text)))]
    assert "".join(found) == text + "\n"
    assert max(map(len, found)) < 1_500


def test_windows_line_ends_and_a_byte_order_mark(tmp_path):
    text = written()
    path = make(tmp_path / "a.txt", "\ufeff" + text.replace("\n", "\r\n"))
    assert "".join(p.text for p in text_pieces.pieces(find_corpus(path))) == text


@pytest.mark.parametrize("unit", ["character", "byte", "word"])
def test_numbers_and_symbols_are_those_of_the_text_held_in_memory(tmp_path, unit, monkeypatch):
    path = make(tmp_path / "a.txt", written())
    large = units.scan_units(path, TextAsk(unit))
    assert isinstance(large, LargeTextSource)
    data = large.load()
    codes = np.concatenate([data.train, data.valid, data.test])
    monkeypatch.setattr(text_pieces, "LARGE_BYTES", 1 << 30)
    small = units.scan_units(path, TextAsk(unit))
    whole = units.encode(path.read_text(), small.spec)
    assert set(large.spec.symbols) == set(small.spec.symbols)
    shown = units.decode(codes, large.spec)
    assert shown == units.decode(whole, small.spec)
    assert data.train.dtype == (np.uint8 if unit == "byte" else np.uint16)
    assert len(data.test) == large.num_test
    assert 1_000 < len(units.decode(data.test, large.spec).encode()) < 3_100
    assert any(f"{large.num_train:,}" in line for line in large.describe())


def test_official_parts_stay_and_choices_come_from_the_end_of_training(tmp_path):
    train, test = written(), written(50, seed=1)
    make(tmp_path / "p.train.txt", train)
    make(tmp_path / "p.test.txt", test)
    data = (source := units.scan_units(tmp_path)).load()
    assert source.spec.unit == "word"
    assert units.decode(data.test, source.spec) == test
    both = np.concatenate([data.train, data.valid])
    assert units.decode(both, source.spec) == train
    assert len(data.valid) > 100


def test_parts_of_several_files_stay_too(tmp_path):
    train, test = [written(), written(seed=2)], [written(50, seed=1), written(50, seed=3)]
    for name, one, two in zip("ab", train, test, strict=True):
        make(tmp_path / f"{name}_train.txt", one)
        make(tmp_path / f"{name}_test.txt", two)
    data = (source := units.scan_units(tmp_path)).load()
    assert isinstance(source, LargeTextSource)
    assert units.decode(data.test, source.spec) == "".join(test)
    both = np.concatenate([data.train, data.valid])
    assert units.decode(both, source.spec) == "".join(train)
    (tmp_path / "b_train.txt").rename(tmp_path / "b_valid.txt")
    again = (divided := units.scan_units(tmp_path)).load()
    assert divided.fingerprint != source.fingerprint
    assert units.decode(again.valid, divided.spec) == train[1]


def test_it_is_read_once_and_again_when_it_changed(tmp_path, monkeypatch):
    path = make(tmp_path / "a.txt", written())
    first = units.scan_units(path)

    def refuse(*_):
        raise RuntimeError("counted again")

    monkeypatch.setattr(large_text, "_counted", refuse)
    assert units.scan_units(path) == first
    with pytest.raises(RuntimeError, match="counted again"):
        units.scan_units(make(path, written(seed=2)))


def test_without_a_cache_rare_words_are_as_rare(tmp_path, monkeypatch):
    path = make(tmp_path / "a.txt", written())
    kept = units.scan_units(path, TextAsk("word", 440)).load()
    (tmp_path / "file").touch()
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="not kept"):
        source = units.scan_units(path, TextAsk("word", 440))
    with pytest.warns(UserWarning, match="not kept"):
        held = source.load()
    assert np.array_equal(held.train, kept.train)
    assert held.train.dtype == kept.train.dtype
    assert 3 < len(source.spec) < 11


def test_another_text_is_measured_by_the_first_ones_words(tmp_path):
    one = units.scan_units(make(tmp_path / "a.txt", written()))
    other = units.scan_units(make(tmp_path / "b.txt", written(seed=3) + "zebra dog\n"))
    held = other.load_to_measure(one.spec)
    assert units.decode(held.test, one.spec).endswith("<unk> dog\n")
    assert len(held.test) < 1_200


@pytest.mark.parametrize("unit", ["character", "word"])
def test_the_lead_of_another_text_is_a_line_end_and_all_of_its_end_is_scored(tmp_path, unit):
    source = units.scan_units(make(tmp_path / "a.txt", written()), TextAsk(unit))
    data, which = kinds_text.to_measure_on(ContinueText(source.spec), source)
    assert units.decode(data.train, source.spec) == "\n"
    assert which == f"its last {len(data.test):,} {unit}s"
    assert not source.has_test
    config = lstm_language_model.Config(num_units=4, embedding_size=4)
    model = lstm_language_model.build(config, source.spec)
    score, *_ = ContinueText(source.spec).score(model, data)
    assert score.num == len(data.test) > 200
    with pytest.raises(AssertionError, match="nothing can be foreseen"):
        foresee(model, data.test, 0)


@pytest.mark.parametrize("beyond", [0, 1, 10, 500, 999])
@pytest.mark.parametrize("unit", ["character", "byte", "word"])
def test_what_is_held_out_does_not_depend_on_where_pieces_end(tmp_path, unit, beyond, monkeypatch):
    """Of k pieces and 10 bytes only those 10 were held out, and of k pieces nothing."""
    monkeypatch.setattr(large_text, "HELD_OUT_BYTES", 1_000)
    size = 30_000 + beyond
    text = written(1_600).encode()[:size].decode(errors="ignore").rstrip("\n")
    text += "." * (size - 1 - len(text.encode())) + "\n"
    source = units.scan_units(make(tmp_path / "a.txt", text), TextAsk(unit))
    data = source.load()
    parts = [units.decode(part, source.spec) for part in (data.train, data.valid, data.test)]
    assert 900 < len(parts[2].encode()) <= 1_000
    assert len(parts[1].encode()) > 900 or unit != "word"
    assert all(part.endswith("\n") for part in parts if part)
    assert "".join(parts).encode()[: size // 2] == text.encode()[: size // 2]
    held = source.load_to_measure(source.spec)
    assert np.array_equal(held.test, data.test)


def test_a_text_of_one_line_is_cut_between_words(tmp_path):
    text = " ".join(written().split())
    source = units.scan_units(make(tmp_path / "a.txt", text), TextAsk("word", 1))
    data = source.load()
    codes = np.concatenate([data.train, data.valid, data.test])
    assert units.decode(codes, source.spec) == f"{text} <unk>"  # training has no line's end
    assert 200 < len(data.test) < 800


def test_a_long_record_of_json_is_read_whole(tmp_path):
    lines = [json.dumps({"text": written(n, seed=n)}) for n in (400, 300, 900)]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines))
    found = "".join(piece.text for piece in text_pieces.pieces(find_corpus(path)))
    assert found == "".join(json.loads(line)["text"] for line in lines)


SPOILT = [
    (b"\xff caf\xe9", ":901", "0xFF"),
    (b"zero\x00", ":901", "NUL byte at byte"),
]


@pytest.mark.parametrize(("spoilt", "line", "found"), SPOILT)
def test_a_bad_place_is_named_by_line_and_byte(tmp_path, spoilt, line, found):
    good = written().encode()
    (tmp_path / "a.txt").write_bytes(good + spoilt + b"\n" + good)
    with pytest.raises(DataError) as caught:
        units.scan_units(tmp_path / "a.txt")
    assert line in str(caught.value)
    assert found in str(caught.value)
    assert f"{len(good) + max(0, spoilt.find(0)):,}" in str(caught.value)


def test_a_damaged_gz_and_bad_json_are_named(tmp_path):
    packed = gzip.compress(random.Random(0).randbytes(60_000).hex().encode())
    (tmp_path / "a.txt.gz").write_bytes(packed[:-4_000])
    with pytest.raises(DataError, match="breaks off"):
        units.scan_units(tmp_path / "a.txt.gz")
    lines = ['{"text": "a cat"}'] * 900
    lines[700] = '{"txt": 1}'
    (tmp_path / "b.jsonl").write_text("\n".join(lines))
    with pytest.raises(DataError, match="jsonl:701"):
        units.scan_units(tmp_path / "b.jsonl", TextAsk("word"))


def test_baselines_learn_from_the_end_of_a_huge_text_and_say_so(tmp_path, monkeypatch):
    data = units.scan_units(make(tmp_path / "a.txt", written()), TextAsk("word")).load()
    monkeypatch.setattr(baselines, "HUGE", 2_000)
    monkeypatch.setattr(baselines, "HUGE_LIMIT", 1_500)
    names = [name for name, _ in baselines.measure(data)]
    assert len(names) == 2
    assert all("last 1,500 words" in name for name in names)


def test_batches_are_read_from_the_disk(tmp_path, monkeypatch):
    source = units.scan_units(make(tmp_path / "a.txt", written()), TextAsk("character"))
    mapped = source.load().train
    held = np.array(mapped, dtype=np.int64)
    for step in (0, 5, 40):
        one, two = (StretchFeed(codes, 4, 8, seed=1).batch(step) for codes in (mapped, held))
        assert (one.inputs == two.inputs).all()
        assert (one.targets == two.targets).all()


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("images", {"unit": "word"}), ("table", {"unit": "byte"}), ("labelled_text", {"min_count": 3}),
     ("pairs", {"min_count": 2}), ("text", {"unit": "bpe"}), ("world", {"unit": "word"})],
)  # fmt: skip
def test_units_of_what_has_none_are_refused(kind, settings):
    with pytest.raises(OptionError, match=f"--set {next(iter(settings))}"):
        refuse_units(kind, settings)
    refuse_units("text", {"unit": "word", "min_count": 2})
    refuse_units("pairs", {"unit": "bpe"})

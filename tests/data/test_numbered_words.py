"""Words on the disk: the same as in memory, wherever the text is cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from samoyed.core.spec import TextSpec
from samoyed.data import numbered_words, phrases, text_pieces
from samoyed.data.corpora import TextAsk
from samoyed.data.large_text import LargeTextSource
from samoyed.data.near_words import near_data_on_disk, small_spec, with_phrases, words_in
from samoyed.data.numbered_words import Renumbered, renumbering
from samoyed.data.phrases import find_phrases
from samoyed.data.text import TextData
from samoyed.data.units import scan_units
from samoyed.data.word_stretches import StretchesOfWords


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LargeTextSource:
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(text_pieces, "PIECE_BYTES", 1_000)
    monkeypatch.setattr(text_pieces, "LARGE_BYTES", 5_000)
    monkeypatch.setattr(numbered_words, "AT_ONCE", 97)
    drawn = np.random.default_rng(0)
    words = ["The", "the", "New York", "dog", "Rex", "ran", "home", "and", "far", "zebra"]
    shares = np.array([9, 9, 9, 9, 1, 9, 9, 9, 9, 0.2]) / 73.2
    lines = [" ".join(drawn.choice(words, drawn.integers(1, 9), p=shares)) for _ in range(900)]
    long = drawn.choice(words, (15, 40), p=shares)  # no sentence ends in many pieces
    lines[300] = " ".join(f"{' '.join(row)} rare{k}" for k, row in enumerate(long))
    (tmp_path / "text.txt").write_text("\n".join(lines) + "\n")
    source = scan_units(tmp_path / "text.txt", TextAsk("word", 20))
    assert isinstance(source, LargeTextSource)
    return source


def in_memory(source: LargeTextSource, spec: TextSpec) -> np.ndarray:
    """Look up the training part's words one by one."""
    names = [source.spec.symbols[code] for code in source.load().train]
    known = {symbol: code for code, symbol in enumerate(spec.symbols)}
    return np.array([known.get(name.lower(), len(spec) - 1) for name in names])


@pytest.mark.parametrize("num_passes", [0, 1, 2])
def test_the_disk_holds_the_words_of_memory(source: LargeTextSource, num_passes: int):
    spec = small_spec(source, True)
    assert {"the", "rex"} <= set(spec.symbols)
    assert "The" not in spec.symbols
    assert "zebra" not in spec.symbols
    train = in_memory(source, spec)
    dials = {"delta": 2.0, "threshold": 3.0}
    pieces = Renumbered(source.load().train, renumbering(source.spec, spec), len(spec) - 2)
    assert np.array_equal(np.concatenate(list(pieces)), train)
    whole = with_phrases(spec, [train], num_passes, **dials)
    assert with_phrases(spec, pieces, num_passes, **dials) == whole
    assert ("new_york" in whole.symbols) == (num_passes > 0)
    code = np.where(train < len(spec) - 2, train, train + len(whole) - len(spec))
    wanted = words_in(code, whole, num_passes)
    found = near_data_on_disk(source, whole, num_passes).train
    assert found.part(0, 10**9).codes.tolist() == wanted.codes.tolist()
    assert found.counts(len(whole) - 2).tolist() == np.bincount(wanted.codes).tolist()
    for start, stop in ((0, len(wanted)), (5, 60), (333, 1_000), (len(wanted) - 3, 10**9)):
        part = found.part(start, stop)
        assert np.array_equal(part.codes, wanted.codes[start:stop])
        is_border = np.diff(wanted.sentences[start:stop]) != 0
        assert np.array_equal(np.diff(part.sentences) != 0, is_border)


def test_batches_from_the_disk_are_those_from_memory(source: LargeTextSource):
    spec = small_spec(source, True)
    data = near_data_on_disk(source, spec, 0)
    held = words_in(in_memory(source, spec), spec)
    dials = {"num_words": 130, "stretch": 8, "window": 3, "threshold": 0.05, "seed": 5}
    one, two = (StretchesOfWords(words, data.counts, **dials) for words in (data.train, held))
    assert one.steps_per_epoch == two.steps_per_epoch > 10
    for step in (0, 7, one.steps_per_epoch + 3):
        ours, theirs = one.batch(step), two.batch(step)
        assert (ours.inputs == theirs.inputs).all()
        assert (ours.noise == theirs.noise).all()
        assert (ours.is_pair == theirs.is_pair).all()


def test_the_held_out_parts_are_renumbered_too(source: LargeTextSource):
    spec, text = small_spec(source, True), source.load()
    data = near_data_on_disk(source, spec, 0)
    assert isinstance(text, TextData)
    shown = [source.spec.symbols[code].lower() for code in text.test]
    wanted = [word for word in shown if word in spec.symbols[:-2]]
    assert [spec.symbols[code] for code in data.test.codes] == wanted
    assert len(wanted) > 100


def test_phrases_counted_in_pieces_forget_the_rarest_alone(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(1)
    codes = np.where(rng.random(9_000) < 0.1, 60, rng.zipf(1.3, 9_000) % 60)
    often = np.flatnonzero(rng.random(8_999) < 0.3)
    codes[often + 1] = np.where(codes[often] < 60, codes[often] * 7 % 60, codes[often + 1])
    ends = np.flatnonzero(codes == 60)[::70] + 1
    whole = find_phrases([codes], 60, delta=5, threshold=1.2)
    parts = find_phrases(np.split(codes, ends), 60, delta=5, threshold=1.2)
    assert 10 < len(whole) == len(parts)
    assert np.array_equal(whole, parts)
    monkeypatch.setattr(phrases, "MOST_PAIRS", 150)
    fewer = find_phrases(np.split(codes, ends), 60, delta=5, threshold=1.2)
    assert fewer.tolist()[:5] == whole.tolist()[:5]
    assert 5 < len(fewer) < len(whole)

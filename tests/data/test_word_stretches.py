"""Windows, subsampling and noise beside loops and counts."""

from __future__ import annotations

import numpy as np
import torch

from samoyed.data import word_stretches
from samoyed.data.numbered_words import Words
from samoyed.data.word_stretches import StretchesOfWords, keep_shares, noise_bounds

RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 20, 400)
SENTENCES = np.sort(RNG.integers(0, 40, 400))
COUNTS = np.bincount(CODES, minlength=20)


def feed(**changes) -> StretchesOfWords:
    dials = {"num_words": 100, "stretch": 8, "window": 3, "threshold": 0.0, "seed": 5, **changes}
    return StretchesOfWords(Words(CODES, SENTENCES), COUNTS, **dials)


def test_a_pass_reads_every_word_once():
    made = feed()
    seen = np.concatenate([b.inputs[b.is_pair.any(2)] for b in map(made.batch, range(4))])
    lonely = [np.sum(s == SENTENCES) == 1 for s in SENTENCES]
    cut = 8  # words that a border between pieces left alone, at most
    assert len(CODES) - sum(lonely) - cut <= len(seen) <= len(CODES)


def test_a_pass_reads_the_text_in_its_order():
    codes = np.arange(400)
    made = StretchesOfWords(
        Words(codes, np.zeros(400, np.int64)), np.ones(400, np.int64), num_words=100, stretch=20,
        window=3, threshold=0.0, seed=5,
    )  # fmt: skip
    for epoch in range(2):
        seen = torch.cat([made.batch(4 * epoch + step).inputs.flatten() for step in range(4)])
        assert seen.tolist() == codes.tolist()


def test_pairs_are_near_in_one_sentence_and_not_the_word_itself():
    made = feed(num_words=400, window=3)
    batch = made.batch(0)
    widths = []
    for g, s, m in batch.is_pair.nonzero().tolist():
        here, there = 8 * g + s, 8 * g + m - 3
        assert here != there
        assert SENTENCES[here] == SENTENCES[there]
        assert (CODES[here], CODES[there]) == (batch.inputs[g, s], batch.outputs[g, m])
        widths.append(abs(here - there))
    for here in range(400):  # whoever is next to it in its sentence is always a pair
        g, s = divmod(here, 8)
        for there in (here - 1, here + 1):
            is_inside = 0 <= there < 400 and SENTENCES[there] == SENTENCES[here]
            assert bool(batch.is_pair[g, s, there - 8 * g + 3]) == is_inside
    counts = np.bincount(widths, minlength=4)
    assert counts[1] > counts[2] > counts[3] > 0
    assert len(counts) == 4


def test_a_batch_is_a_function_of_the_seed_and_the_step():
    one, two, other = feed().batch(3), feed().batch(3), feed(seed=6).batch(3)
    assert torch.equal(one.is_pair, two.is_pair)
    assert torch.equal(one.noise, two.noise)
    assert not torch.equal(one.noise, other.noise)


def test_frequent_words_are_left_out_as_often_as_said():
    codes = np.repeat([0, 1], [9_000, 1_000])
    counts = np.array([9_000, 1_000])
    made = StretchesOfWords(
        Words(codes, np.zeros(10_000, np.int64)), counts, num_words=10_000, stretch=16,
        window=2, threshold=0.05, seed=0,
    )  # fmt: skip
    batch = made.batch(0)
    kept = np.bincount(batch.inputs[batch.is_pair.any(2)], minlength=2)
    expected = counts * keep_shares(counts, 0.05)
    assert np.all(np.abs(kept - expected) < 4 * np.sqrt(expected) + 2)


def test_noise_follows_the_counts_to_the_three_quarters():
    wanted = COUNTS**0.75 / (COUNTS**0.75).sum()
    np.testing.assert_allclose(np.diff(noise_bounds(COUNTS), prepend=0), wanted)
    made = feed(num_words=400)
    drawn = np.concatenate([made.batch(step).noise.flatten() for step in range(100)])
    shares = np.bincount(drawn, minlength=20) / len(drawn)
    assert np.abs(shares - wanted).max() < 5 * np.sqrt(wanted.max() / len(drawn))


def test_a_single_stretch_is_no_read_only_view():
    """Torch warns of a tensor over one, but only the first time in a process."""
    for num in (1, 2):
        pieces = word_stretches._windows(np.arange(28), num, 8, 3)
        assert pieces.flags.writeable
        assert pieces[-1].tolist() == list(range(8 * num - 8, 8 * num + 6))

"""A net and n-grams averaged: the share comes from the validation part alone."""

import numpy as np
import pytest

from samoyed.core.spec import SENTENCE_END, TextSpec
from samoyed.data.text import TextData
from samoyed.layers.kneser_ney import KneserNey
from samoyed.tasks.mixing import best_share, mixed_perplexity

SPEC = TextSpec(("a", "b", "c", SENTENCE_END, "<unk>"), "word")


def text(num, seed):
    random = np.random.default_rng(seed)
    return np.where(np.arange(num) % 7 == 6, 3, random.integers(0, 3, num)).astype(np.int64)


def test_em_finds_what_a_search_over_all_shares_finds():
    random = np.random.default_rng(0)
    ours, theirs = random.uniform(0.01, 1, 400) ** 3, random.uniform(0.01, 1, 400) ** 2
    shares = np.linspace(0, 1, 1001)
    likely = [np.log(share * ours + (1 - share) * theirs).sum() for share in shares]
    assert best_share(ours, theirs) == pytest.approx(shares[int(np.argmax(likely))], abs=0.01)
    assert best_share(ours, ours / 2) > 0.99
    assert best_share(ours / 2, ours) < 0.01


def test_the_average_is_scored_on_the_test_part_with_the_share_of_the_validation_part():
    data = TextData(SPEC, text(2_000, 0), text(500, 1), text(400, 2))
    generator = np.random.default_rng(3)
    valid, test = generator.uniform(1, 3, 400), generator.uniform(1, 3, 500)
    ngrams = KneserNey.learn(data.train, 5, 3, SPEC.end)
    before = data.train[-3:]
    share = best_share(2.0**-valid, ngrams.probabilities(before, data.valid))
    between = data.valid[-3:]  # what the test part follows
    likely = share * 2.0**-test + (1 - share) * ngrams.probabilities(between, data.test)
    score = mixed_perplexity(valid, test, data, 3)
    assert score.value == pytest.approx(np.exp(-np.log(likely).mean()))
    assert score.name == "mixed_perplexity"

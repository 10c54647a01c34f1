"""A net and n-grams mixed: the weight comes from the validation part alone."""

import numpy as np
import pytest

from samoyed.core.spec import SENTENCE_END, TextSpec
from samoyed.data.text import TextData
from samoyed.runs.baselines.text import KneserNey
from samoyed.runs.baselines.text_mixture import best_weight, mixed_with_ngrams, mixture

SPEC = TextSpec(("a", "b", "c", SENTENCE_END, "<unk>"), "word")


def text(num, seed):
    random = np.random.default_rng(seed)
    return np.where(np.arange(num) % 7 == 6, 3, random.integers(0, 3, num)).astype(np.int64)


def test_em_finds_what_a_search_over_all_weights_finds():
    random = np.random.default_rng(0)
    ours, theirs = random.uniform(0.01, 1, 400) ** 3, random.uniform(0.01, 1, 400) ** 2
    weights = np.linspace(0, 1, 1001)
    likely = [np.log(mixture(w, ours, theirs)).sum() for w in weights]
    assert best_weight(ours, theirs) == pytest.approx(weights[int(np.argmax(likely))], abs=0.01)
    assert best_weight(ours, ours / 2) > 0.99
    assert best_weight(ours / 2, ours) < 0.01


def test_the_mixture_is_scored_on_the_test_part_with_the_weight_of_the_validation_part():
    data = TextData(SPEC, text(2_000, 0), text(500, 1), text(400, 2))
    calls = []

    def foresee(codes, num_lead):
        calls.append(codes[num_lead:])
        return np.full(len(codes) - num_lead, np.log2(5))

    score, weight = mixed_with_ngrams(foresee, data)
    assert [len(part) for part in calls] == [400, 500]
    assert np.array_equal(calls[0], data.valid)
    ngrams = KneserNey.learn(data.train, 5, 5, SPEC.end)
    theirs = ngrams.probabilities(data.train[-5:], data.test)
    expected = np.exp(-np.log(weight / 5 + (1 - weight) * theirs).mean())
    assert score.value == pytest.approx(expected)
    assert score.name == "perplexity_mixed_with_5-grams"
    other = TextData(SPEC, data.train, text(500, 9), data.valid)
    assert mixed_with_ngrams(foresee, other)[1] == weight


def test_where_nothing_is_there_to_choose_on_nothing_is_mixed():
    data = TextData(SPEC, text(2_000, 0), text(500, 1))
    assert mixed_with_ngrams(lambda codes, lead: codes, data) is None

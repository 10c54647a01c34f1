"""Scores of translations, beside what sacreBLEU is known to give."""

from __future__ import annotations

import pytest

from samoyed.metrics.translation import bleu, chrf


def test_a_perfect_translation_scores_a_hundred_and_nothing_alike_nothing():
    truth = ["the cat sat on the mat", "two dogs ran to the house"]
    assert bleu(truth, truth).value == pytest.approx(100)
    assert chrf(truth, truth).value == pytest.approx(100)
    assert chrf(["xx", "yy"], truth).value == 0.0


def test_resamples_without_one_letter_in_common_have_a_mean_too():
    """Of a net that has learned next to nothing some resamples score 0, others a little."""
    truth = [*["ein hund"] * 11, "zq"]
    score = chrf([*["xx yy"] * 11, "zq"], truth)
    assert 0 < score.value < 5
    assert score.low <= score.value <= score.high

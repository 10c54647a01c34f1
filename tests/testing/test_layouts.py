"""The facts about layouts hold for t-SNE, and each can fail."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from samoyed.catalog import METHODS, find
from samoyed.core.errors import OptionError
from samoyed.models.language import tsne
from samoyed.testing.conformance import checks_of
from samoyed.testing.layouts import facts_of


def spoilt(**changes) -> SimpleNamespace:
    return SimpleNamespace(**{**vars(tsne), **changes})


WRONG = {
    "every row has the perplexity": spoilt(calibrated=lambda d, p: 1.01 * tsne.calibrated(d, p)),
    "affinities are scikit-learn's": spoilt(affinities=lambda x, p: 1.02 * tsne.affinities(x, p)),
    "divergence is scikit-learn's": spoilt(divergence=lambda p, y: 1.01 * tsne.divergence(p, y)),
    "gradient is scikit-learn's": spoilt(gradient=lambda p, y: 1.01 * tsne.gradient(p, y)),
    "gradient is the finite difference": spoilt(gradient=lambda p, y: 2 * tsne.gradient(p, y)),
    "the descent goes down": spoilt(lay_out=lambda x, c, start: (start, 9.0)),
    "the map is centred": spoilt(
        lay_out=lambda x, c, start: (tsne.lay_out(x, c, start=start)[0] + 1, 0.1)
    ),
}


def test_t_sne_holds_every_fact():
    [row] = [row for row in METHODS if row.name == "tsne"]
    failed = [f"{check.name}: {check.found}" for check in checks_of(row) if not check.is_passed]
    assert not failed


@pytest.mark.parametrize("fact", WRONG)
def test_what_is_wrong_in_one_way_fails_that_fact(fact: str):
    assert fact in {name for name, holds, _ in facts_of(WRONG[fact]) if not holds}


def test_every_fact_is_tried():
    assert {name for name, _, _ in facts_of(tsne)} == set(WRONG)


def test_what_trains_nothing_is_no_model():
    with pytest.raises(OptionError, match="--model"):
        find("tsne", "--model")
    assert find("t_sne", rows=METHODS).name == "tsne"

"""Which columns go with the answers is what a correlation, or an analysis of variance, says."""

import numpy as np
import pytest
from scipy.stats import f_oneway

from samoyed.core.spec import Column, TableSpec
from samoyed.runs.figures.table_screen import _between, most_telling

NUM = 400


def spec_of(*kinds):
    columns = [
        Column(f"c{i}", "category", categories=("a", "b", "c"))
        if kind == "category"
        else Column(f"c{i}", "number", edges=(-1.0, 0.0, 1.0))
        for i, kind in enumerate(kinds)
    ]
    return TableSpec(tuple(columns))


def test_the_columns_with_the_largest_correlations_are_found_in_their_order():
    random = np.random.default_rng(0)
    inputs = random.normal(size=(NUM, 8)).astype(np.float32)
    answers = np.stack([inputs[:, 6] + random.normal(size=NUM), inputs[:, 2] - inputs[:, 4]], 1)
    spec = spec_of(*["number"] * 8)
    wanted = [
        max(np.corrcoef(inputs[:, i], answers[:, a])[0, 1] ** 2 for a in range(2)) for i in range(8)
    ]
    names = [f"c{i}" for i in sorted(np.argsort(wanted)[-3:])]
    assert names == ["c2", "c4", "c6"]
    assert [column.name for column in most_telling(answers, inputs, spec, 3)] == names


def test_few_columns_are_all_of_them():
    spec = spec_of("number", "category")
    assert most_telling(np.zeros((3, 1)), np.zeros((3, 2)), spec, 2) == list(spec.columns)


def test_a_category_is_judged_by_its_groups_and_not_by_their_numbers():
    random = np.random.default_rng(1)
    group = random.integers(1, 4, NUM)
    told = np.array([0.0, 1.0, -1.0, 1.0])[group] + random.normal(size=NUM)
    told = (told - told.mean()) / told.std()
    statistic = f_oneway(*(told[group == g] for g in (1, 2, 3))).statistic
    share = 1 / (1 + (NUM - 3) / 2 / statistic)  # of the variance that is between groups
    assert _between(group.astype(np.float32), told[:, None]) == pytest.approx(share)
    inputs = np.stack([random.normal(size=NUM), 0.2 * told + random.normal(size=NUM), group], 1)
    spec = spec_of("number", "number", "category")
    assert [c.name for c in most_telling(told[:, None], inputs, spec, 1)] == ["c2"]


def test_answers_and_columns_that_never_vary_say_nothing():
    inputs = np.stack([np.ones(NUM), np.arange(NUM), np.zeros(NUM)], 1)
    answers = np.stack([np.arange(NUM), np.full(NUM, 5.0)], 1)
    spec = spec_of(*["number"] * 3)
    assert [c.name for c in most_telling(answers, inputs, spec, 1)] == ["c1"]
    assert len(most_telling(np.full((NUM, 1), 5.0), inputs, spec, 2)) == 2

"""Forests answer as scikit-learn's trees do, and see only the rows that they may."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from samoyed.core.spec import Column, TableSpec
from samoyed.layers.forest import LEAST_CHANCE, MOST_CHOSEN, MOST_LEVELS, Forest, _no_larger

SPEC = TableSpec(
    (
        Column("x", "number", edges=(-1.0, 0.0, 0.5, 2.0)),
        Column("y", "number", edges=(0.0, 1.0)),
        Column("k", "category", categories=("a", "b", "c")),
    )
)
LEAVES, TREES = 16, 5


def rows(num, seed=0):
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(num, 2)).round(1)
    return torch.from_numpy(np.c_[numbers, random.integers(0, 4, num)]).float()


def seen(given):
    one_hot = given[:, 2:] == torch.arange(4.0)
    return torch.cat([given[:, :2], one_hot.float()], dim=1)


def grown(kind, targets, is_learned, num_outputs):
    forest = Forest(SPEC, is_learned.shape[1], num_outputs, TREES, LEAVES, kind)
    forest.fit(rows(len(targets)), targets, is_learned, seed=3)
    return forest


def dials(seed):
    return {
        "n_estimators": TREES, "max_leaf_nodes": LEAVES, "max_depth": MOST_LEVELS,
        "random_state": seed,
    }  # fmt: skip


def test_classes_are_as_likely_as_scikit_learns_forest_says():
    targets = (rows(80)[:, 0] > 0).long() + (rows(80)[:, 2] == 1).long()
    is_learned = torch.rand(80, 2, generator=torch.Generator().manual_seed(0)) < 0.8
    forest, new = grown("classes", targets, is_learned, 3), rows(50, seed=1)
    found = forest.members(new)
    assert found.shape == (50, 2, 3)
    for member in range(2):
        learned = is_learned[:, member]
        peer = RandomForestClassifier(max_features="sqrt", **dials(3_000 + member))
        peer.fit(seen(rows(80))[learned].numpy(), targets[learned].numpy())
        wanted = peer.predict_proba(seen(new).numpy())
        np.testing.assert_allclose(found[:, member].exp() - LEAST_CHANCE, wanted, atol=1e-6)


def test_the_time_that_growing_takes_is_foretold(monkeypatch):
    clock = iter([10.0, 10.5])
    monkeypatch.setattr("samoyed.layers.forest.time.perf_counter", lambda: next(clock))
    forest = Forest(SPEC, 3, 3, TREES, LEAVES, "classes")
    before = {name: kept.clone() for name, kept in forest.state_dict().items()}
    found = forest.fit_s(rows(80), torch.arange(80) % 3, torch.ones(80, 3, dtype=torch.bool))
    assert found == pytest.approx(0.5 * 3)  # one member's took half a second
    assert all(torch.equal(kept, before[name]) for name, kept in forest.state_dict().items())


def test_numbers_are_scikit_learns():
    targets = rows(80)[:, 0] ** 2 + rows(80)[:, 1]
    is_learned = torch.ones(80, 1, dtype=torch.bool)
    forest, new = grown("number", targets, is_learned, 1), rows(50, seed=1)
    peer = RandomForestRegressor(max_features=1 / 3, **dials(3_000))
    peer.fit(seen(rows(80)).numpy(), targets.numpy())
    wanted = peer.predict(seen(new).numpy())
    np.testing.assert_allclose(forest.members(new)[:, 0, 0], wanted, rtol=1e-5, atol=1e-6)


def test_each_question_has_trees_that_learn_from_its_known_answers():
    answers = torch.stack([(rows(80)[:, 0] > 0).float(), (rows(80)[:, 1] > 0.5).float()], dim=1)
    answers[::3, 1] = torch.nan
    is_learned = torch.ones(80, 1, dtype=torch.bool)
    forest = grown("binaries", answers, is_learned, 2)
    new = rows(50, seed=1)
    found = forest.members(new)[:, 0]
    assert forest.num_trees == 8  # four for each question
    for question in range(2):
        known = ~answers[:, question].isnan()
        peer = RandomForestClassifier(max_features="sqrt", **{**dials(3_000), "n_estimators": 4})
        peer.fit(seen(rows(80))[known].numpy(), answers[known, question].numpy())
        p = peer.predict_proba(seen(new).numpy())[:, 1] + LEAST_CHANCE
        wanted = np.log(p / (1 + 2 * LEAST_CHANCE - p))
        np.testing.assert_allclose(found[:, question], wanted, rtol=1e-4, atol=1e-4)


def test_a_class_that_a_member_does_not_see_and_a_question_of_one_answer():
    targets = torch.arange(80) % 3
    is_learned = (targets != 1)[:, None]
    likely = grown("classes", targets, is_learned, 3).members(rows(9, seed=2))[:, 0].exp()
    torch.testing.assert_close(likely[:, 1], torch.full((9,), LEAST_CHANCE))
    answers = torch.ones(80, 2)
    answers[:, 1] = 0.0
    forest = grown("binaries", answers, torch.ones(80, 1, dtype=torch.bool), 2)
    found = forest.members(rows(9, seed=2))[:, 0]
    assert (found[:, 0] > 6).all()
    assert (found[:, 1] < -6).all()


@pytest.mark.parametrize("kind", ["classes", "number"])
def test_rows_that_a_member_does_not_learn_from_change_nothing(kind):
    targets = torch.arange(80) % 3
    is_learned = torch.arange(80)[:, None] % 5 != torch.tensor([0, 1])
    one = grown(kind, targets, is_learned, 3 if kind == "classes" else 1)
    other = targets.clone()
    other[::5] = 2  # member 0 does not learn from these
    two = grown(kind, other, is_learned, 3 if kind == "classes" else 1)
    a, b = (forest.members(rows(50, seed=1)) for forest in (one, two))
    assert torch.equal(a[:, 0], b[:, 0])
    assert not torch.equal(a[:, 1], b[:, 1])


def test_of_wide_tables_a_node_chooses_among_some_columns():
    forest = Forest(SPEC, 1, 1, TREES, LEAVES, "number")
    chosen = [forest._grower(0, num).max_features for num in (1, 6, 60, 5_000)]
    assert chosen == [1, 2, 20, MOST_CHOSEN]
    forest = Forest(SPEC, 1, 3, TREES, LEAVES, "classes")
    chosen = [forest._grower(0, num).max_features for num in (1, 6, 100, 5_000)]
    assert chosen == [1, 2, 10, MOST_CHOSEN]


def test_members_answer_rows_of_their_own():
    is_learned = torch.arange(80)[:, None] % 5 != torch.tensor([0, 1])
    forest, new = grown("classes", torch.arange(80) % 3, is_learned, 3), rows(10, seed=1)
    own = torch.stack([forest.features(new), forest.features(new.flip(0))])
    found, whole = forest.of_features(own), forest.members(new)
    assert torch.equal(found[:, 0], whole[:, 0])
    assert torch.equal(found[:, 1].flip(0), whole[:, 1])


def test_bounds_are_rounded_down_so_that_comparisons_stay():
    random = np.random.default_rng(0)
    bounds = np.concatenate([random.normal(size=1_000), [0.1, -0.1, 0.0, 1e-46]])
    found = _no_larger(bounds)
    assert found.dtype == np.float32
    assert (found <= bounds).all()
    assert (np.nextafter(found, np.float32(np.inf)) > bounds).all()

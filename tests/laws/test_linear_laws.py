"""Laws of linear classifiers: how many dichotomies they can make, and one that they cannot.

Cover, T. M. (1965). Geometrical and statistical properties of systems of linear inequalities with
applications in pattern recognition. IEEE Transactions on Electronic Computers 14, 326-334.
Minsky, M. & Papert, S. (1969). Perceptrons. MIT Press.
"""

from itertools import product
from math import comb

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from samoyed.core.batch import Batch
from samoyed.core.spec import Column, TableSpec, TargetSpec
from samoyed.core.stage import Stage
from samoyed.data.table_feed import TableFeed
from samoyed.models.supervised import linear_classifier, perceptron
from samoyed.training.loop import train

CORNERS = np.array(list(product([0.0, 1.0], repeat=2)), np.float32)
XOR = np.array([0, 1, 1, 0])
PLANE = TableSpec((Column("x", "number"), Column("y", "number")))
CLASSES = TargetSpec("classes", ("t",), ("even", "odd"))


def is_separable(points: np.ndarray, signs: np.ndarray) -> bool:
    """Tell by a linear program whether w'x_i s_i >= 1 for some w."""
    found = linprog(
        np.zeros(points.shape[1]), A_ub=-signs[:, None] * points, b_ub=-np.ones(len(points)),
        bounds=(None, None),
    )  # fmt: skip
    return found.status == 0


@pytest.mark.parametrize(("num", "dim"), [(4, 2), (5, 3), (6, 3), (7, 2)])
def test_covers_count_of_separable_dichotomies(num: int, dim: int):
    """2 sum_{k<d} C(N-1, k) of the 2^N dichotomies of N points in general position."""
    points = np.random.default_rng(num).normal(size=(num, dim))
    signs = np.array(list(product([-1, 1], repeat=num)))
    count = sum(is_separable(points, row) for row in signs)
    assert count == 2 * sum(comb(num - 1, k) for k in range(dim))
    if num == 2 * dim:
        assert count == len(signs) / 2  # the capacity: two points for each weight


def test_the_exclusive_or_has_a_certificate_that_nothing_separates_it():
    """Farkas: either some w answers all right, or some mix of the signed points is zero."""
    signs = XOR * 2.0 - 1
    points = np.c_[CORNERS, np.ones(4)]
    assert not is_separable(points, signs)
    certificate = np.full(4, 0.25)
    np.testing.assert_array_equal(certificate @ (signs[:, None] * points), np.zeros(3))
    separable = np.array([-1.0, -1, -1, 1])  # the conjunction has none
    assert is_separable(points, separable)
    mixed = linprog(
        np.zeros(4), A_eq=np.r_[(separable[:, None] * points).T, np.ones((1, 4))],
        b_eq=[0, 0, 0, 1],
    )  # fmt: skip
    assert mixed.status == 2  # infeasible


def learned(system, config, targets: np.ndarray, steps: int, rate: float):
    """Train on the corners of a square by the system's own rule; return model and moments."""
    model = system.build(config, PLANE, CLASSES)
    feed = TableFeed(CORNERS, targets, 1, seed=0)

    def cross_entropy(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(model(batch.inputs).values, batch.targets)

    own = Stage(
        "train", feed, cross_entropy, lambda m: torch.optim.SGD(m.parameters(), lr=rate), steps
    )
    moments = [float(m.loss) for m in train(model, system.stages(model, config, None, own, 0))]
    answers = model.eval()(torch.from_numpy(CORNERS)).values.argmax(1).numpy()
    return answers, moments


@pytest.mark.parametrize("rule", ["softmax", "lms", "least_squares", "fisher"])
def test_no_rule_learns_the_exclusive_or_and_all_learn_a_half_plane(rule: str):
    config = linear_classifier.Config(rule=rule)
    answers, _ = learned(linear_classifier, config, XOR, steps=200, rate=0.3)
    assert (answers == XOR).sum() <= 3
    answers, _ = learned(linear_classifier, config, np.array([0, 0, 1, 1]), steps=200, rate=0.3)
    assert (answers == [0, 0, 1, 1]).all()


def test_the_perceptron_cycles_on_the_exclusive_or_and_stops_on_the_conjunction():
    config = perceptron.Config(num_units=0, is_averaged=False)
    answers, losses = learned(perceptron, config, np.array([0, 0, 0, 1]), steps=200, rate=1.0)
    assert (answers == [0, 0, 0, 1]).all()
    assert not any(losses[100:])  # no mistake any more, so nothing changed

    visited = {}
    model = perceptron.build(config, PLANE, CLASSES)
    weights = dict(model.named_parameters())
    for sweep in range(200):  # the corners in a fixed order
        state = tuple(torch.cat([w.detach().flatten() for w in weights.values()]).tolist())
        if state in visited:
            break
        visited[state] = sweep
        for corner, target in zip(CORNERS, XOR, strict=True):
            batch = Batch(torch.from_numpy(corner)[None], torch.tensor([target]))
            model.zero_grad()
            perceptron.correct(model.train(), batch).backward()
            with torch.no_grad():
                for weight in weights.values():
                    weight -= weight.grad
    assert state in visited, "weights come back to what they were"
    assert sweep > visited[state], "and move in between"


def test_novikoffs_bound_holds_on_a_hundred_separable_sets():
    """Mistakes number at most (R / margin)^2, whatever the order, however many the sweeps."""
    generator = torch.Generator().manual_seed(0)
    tightest = 0.0
    for trial in range(100):
        dim = 2 + trial % 5
        teacher = torch.randn(dim + 1, generator=generator)
        points = torch.randn(200, dim, generator=generator)
        with_constant = torch.cat([points, torch.ones(200, 1)], 1)
        sums = with_constant @ teacher
        far = sums.abs() > 0.3 * teacher.norm()
        points, with_constant, signs = points[far][:40], with_constant[far][:40], sums[far][:40]
        targets = (signs > 0).float()[:, None]
        bound = perceptron.mistake_bound(with_constant, signs.sign(), teacher)
        model = perceptron.build(
            perceptron.Config(num_units=0),
            TableSpec(tuple(Column(str(i), "number") for i in range(dim))),
            TargetSpec("binaries", ("t",), ("0", "1")),
        )
        count = 0
        while True:
            sums = model.train()(points).values
            wrong = ((sums * (targets * 2 - 1)) <= 0).flatten().nonzero().flatten()
            if len(wrong) == 0:
                break
            shown = wrong[count % len(wrong)][None]
            model.zero_grad()
            perceptron.correct(model, Batch(points[shown], targets[shown])).backward()
            with torch.no_grad():
                for p in model.parameters():
                    p -= p.grad
            count += 1
            assert count <= bound
        tightest = max(tightest, count / bound)
    assert tightest > 0.02, "the bound says something"

"""The perceptron: hand counts, the error-correction rule by hand, fixed connections, averages."""

import itertools

import numpy as np
import pytest
import torch

from samoyed.core.spec import Column, ImageSpec, LabelSpec, TableSpec, TargetSpec
from samoyed.core.stage import Stage
from samoyed.data.table_feed import TableFeed
from samoyed.models.supervised.perceptron import (
    Association,
    Config,
    accepts,
    build,
    correct,
    mistake_bound,
    mistakes,
    stages,
)
from samoyed.training.checkpoint import own_tensors
from samoyed.training.loop import train

TABLE = TableSpec(tuple(Column(name, "number") for name in "abcde"))
CLASSES = TargetSpec("classes", ("t",), ("p", "q", "r"))
QUESTIONS = TargetSpec("binaries", ("s", "t"), ("0", "1"))
DIGITS = LabelSpec(tuple("0123456789"))
SMALL = Config(num_units=30, num_origins=4)


def rows(num=16, seed=0):
    return torch.randn(num, 5, generator=torch.Generator().manual_seed(seed))


def trained(config=SMALL, steps=60, batch_size=1, target=CLASSES):
    model = build(config, TABLE, target)
    feed = TableFeed(rows().numpy(), np.arange(16) % 3, batch_size, seed=0)
    own = Stage("t", feed, correct, lambda m: torch.optim.SGD(m.parameters(), lr=1.0), steps)
    history = []
    for _ in train(model, stages(model, config, None, own, 0)):
        weights = (model.responses.weight, model.responses.bias)
        history.append([w.detach().clone() for w in weights])
    return model, history


def test_as_many_parameters_as_counted_by_hand():
    model = build(Config(), ImageSpec(1, 28, 28), DIGITS)
    assert sum(p.numel() for p in model.parameters()) == 10 * 2001 == 20_010


@pytest.mark.parametrize("num", [1, 5])
@pytest.mark.parametrize("num_units", [0, 30])
def test_shapes_for_pictures_and_tables(num, num_units):
    config = Config(num_units=num_units)
    assert accepts(config, ImageSpec(4, 100, 200)) == ImageSpec(1, 16, 32)
    pictures = build(config, ImageSpec(3, 6, 5), DIGITS)
    assert pictures(torch.rand(num, 3, 6, 5)).values.shape == (num, 10)
    for target, width in ((CLASSES, 3), (QUESTIONS, 2)):
        assert build(config, TABLE, target)(torch.randn(num, 5)).values.shape == (num, width)


@pytest.mark.parametrize("unit", ["threshold", "rectifier"])
def test_association_units_by_hand(unit):
    config = Config(num_units=20, num_origins=6, threshold=0.4, unit=unit, wiring_seed=3)
    units = Association(config, 5)
    generator = torch.Generator().manual_seed(3)
    origins = torch.randint(5, (20, 6), generator=generator).tolist()
    for row, found in zip(rows(), units(rows()), strict=True):
        for origin, activity in zip(origins, found.tolist(), strict=True):
            exciting = sum(row[i].item() for i in origin[:3])
            above = exciting - sum(row[i].item() for i in origin[3:]) - 0.4
            wanted = float(above > 0) if unit == "threshold" else max(0.0, above)
            assert activity == pytest.approx(wanted, abs=1e-5)


def test_connections_do_not_learn_and_are_the_same_for_the_same_seed():
    model, _ = trained()
    assert torch.equal(model.associate.wiring, build(SMALL, TABLE, CLASSES).associate.wiring)
    other = build(Config(num_units=30, num_origins=4, wiring_seed=1), TABLE, CLASSES)
    assert not torch.equal(model.associate.wiring, other.associate.wiring)
    assert {name for name, _ in model.named_parameters()} == {"responses.weight", "responses.bias"}


def test_training_one_by_one_is_rosenblatts_rule():
    """At a mistake add the activities to the right response, take them from the wrong one."""
    model, history = trained()
    feed = TableFeed(rows().numpy(), np.arange(16) % 3, 1, seed=0)
    weight, bias = np.zeros((3, 30)), np.zeros(3)
    num_mistakes = 0
    for step, (found_weight, found_bias) in enumerate(history):
        batch = feed.batch(step)
        x, right = model.features(batch.inputs)[0].numpy(), int(batch.targets[0])
        sums = weight @ x + bias
        rivals = [k for k in range(3) if k != right]
        rival = max(rivals, key=lambda k: sums[k])
        if sums[rival] >= sums[right]:
            num_mistakes += 1
            weight[right] += x
            bias[right] += 1
            others = [k for k in rivals if sums[k] == sums[rival]]
            for k in others:  # tied rivals share the correction
                weight[k] -= x / len(others)
                bias[k] -= 1 / len(others)
        np.testing.assert_allclose(found_weight, weight, atol=1e-4)
        np.testing.assert_allclose(found_bias, bias, atol=1e-4)
    assert 5 < num_mistakes < 60


def test_the_gradient_agrees_with_finite_differences_and_unknown_answers_count_nothing():
    torch.manual_seed(0)
    sums = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    classes = torch.arange(6) % 3
    answers = torch.tensor([[1.0, 0.0, float("nan")]] * 6, dtype=torch.float64)
    for targets in (classes, answers):
        assert torch.autograd.gradcheck(lambda s, t=targets: mistakes(s, t), sums)
    (gradient,) = torch.autograd.grad(mistakes(sums, answers), sums)
    assert not gradient[:, 2].any()
    assert set(gradient[:, 0].tolist()) == {0.0, -1.0}
    assert set(gradient[:, 1].tolist()) == {0.0, 1.0}


def test_it_answers_with_the_mean_of_the_weights_after_every_step():
    model, history = trained()
    mean_weight = torch.stack([weight for weight, _ in history]).mean(0)
    mean_bias = torch.stack([bias for _, bias in history]).mean(0)
    x = model.features(rows())
    wanted = x @ mean_weight.T + mean_bias
    torch.testing.assert_close(model.eval()(rows()).values, wanted, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(model.train()(rows()).values, model.responses(x))
    last, _ = trained(Config(num_units=30, num_origins=4, is_averaged=False))
    torch.testing.assert_close(last.eval()(rows()).values, last.responses(x))


def test_the_rate_changes_the_scale_and_not_the_answers():
    values = []
    for rate in (1.0, 0.125):
        model = build(SMALL, TABLE, CLASSES)
        feed = TableFeed(rows().numpy(), np.arange(16) % 3, 1, seed=0)
        own = Stage("t", feed, correct, lambda m, r=rate: torch.optim.SGD(m.parameters(), lr=r), 50)
        list(train(model, stages(model, SMALL, None, own, 0)))
        values.append(model.eval()(rows()).values / rate)
    torch.testing.assert_close(values[0], values[1])


def test_mistake_bound_of_a_set_whose_margin_is_known():
    """Four points of the square (+-3, +-4): R = 5; the axis x leaves a margin of 3."""
    points = torch.tensor(list(itertools.product([-3.0, 3.0], [-4.0, 4.0])))
    bound = mistake_bound(points, points[:, 0].sign(), torch.tensor([7.0, 0.0]))
    assert bound == pytest.approx((5 / 3) ** 2)


def test_learns_sixteen_rows_by_heart():
    config = Config(num_units=200, num_origins=4, is_averaged=False)
    model, _ = trained(config, steps=800, batch_size=2)
    assert (model.eval()(rows()).values.argmax(1) == torch.arange(16) % 3).all()


def test_saved_and_loaded_it_answers_bit_for_bit_the_same_and_rows_are_independent():
    model, _ = trained()
    other = build(SMALL, TABLE, CLASSES)
    other.load_state_dict(own_tensors(model.state_dict()))
    one, two = model.eval()(rows()).values, other.eval()(rows()).values
    assert torch.equal(one, two)
    torch.testing.assert_close(one[2:3], model(rows()[2:3]).values)
    assert other.num_seen == 60

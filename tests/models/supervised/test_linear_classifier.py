"""The linear classifier: hand counts, each rule against a slow reference, what it refuses."""

import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch import nn

from samoyed.core.batch import Batch
from samoyed.core.errors import OptionError
from samoyed.core.spec import Column, ImageSpec, LabelSpec, TableSpec, TargetSpec
from samoyed.core.stage import Stage
from samoyed.data.table_feed import TableFeed
from samoyed.models.supervised.linear_classifier import (
    PIXEL_GAIN,
    Config,
    OnePass,
    accepts,
    build,
    goals,
    lms,
    stages,
)
from samoyed.training.checkpoint import own_tensors
from samoyed.training.loop import train

TABLE = TableSpec(tuple(Column(name, "number") for name in "abcd"))
CLASSES = TargetSpec("classes", ("t",), ("p", "q", "r"))
NUMBER = TargetSpec("number", ("t",))
QUESTIONS = TargetSpec("binaries", ("s", "t"), ("0", "1"))
DIGITS = LabelSpec(tuple("0123456789"))


def examples(num=45, seed=0):
    """Three clouds that overlap, in four dimensions."""
    generator = np.random.default_rng(seed)
    targets = np.arange(num) % 3
    centres = generator.normal(size=(3, 4)) * 1.5
    inputs = centres[targets] + generator.normal(size=(num, 4))
    return inputs.astype(np.float32), targets


def cross_entropy(model, batch):
    return nn.functional.cross_entropy(model(batch.inputs).values, batch.targets)


def solved(rule, target, targets, inputs, *, batch_size=20, steps=100, ridge=0.0, rate=0.5):
    config = Config(rule=rule, ridge=ridge)
    model = build(config, TABLE, target)
    feed = TableFeed(inputs, targets, batch_size, seed=0)
    own = Stage(
        "train", feed, cross_entropy, lambda m: torch.optim.SGD(m.parameters(), lr=rate), steps
    )
    seen = list(train(model, stages(model, config, None, own, 0)))
    return model, seen


def weights_of(model):
    """Return the weights on unscaled inputs, and the bias."""
    weight, bias = model.answers.weight.detach(), model.answers.bias.detach()
    return weight.double().numpy() * model.scale, bias.double().numpy()


def test_as_many_parameters_as_counted_by_hand():
    model = build(Config(), ImageSpec(1, 28, 28), DIGITS)
    assert sum(p.numel() for p in model.parameters()) == 785 * 10 == 7_850


@pytest.mark.parametrize("num", [1, 5])
def test_shapes_for_pictures_and_tables(num):
    assert accepts(Config(), ImageSpec(4, 100, 200)) == ImageSpec(1, 16, 32)
    pictures = build(Config(), ImageSpec(3, 6, 5), DIGITS)
    assert pictures(torch.rand(num, 3, 6, 5)).values.shape == (num, 10)
    for target, width in ((CLASSES, 3), (NUMBER, 1), (QUESTIONS, 2)):
        assert build(Config(), TABLE, target)(torch.randn(num, 4)).values.shape == (num, width)


def test_the_forward_pass_by_hand():
    model = build(Config(), ImageSpec(1, 2, 2), LabelSpec(("a", "b")))
    nn.init.normal_(model.answers.weight)
    nn.init.normal_(model.answers.bias)
    picture = torch.rand(1, 1, 2, 2)
    weight, bias = model.answers.weight.tolist(), model.answers.bias.tolist()
    for k in range(2):
        total = bias[k]
        for i, pixel in enumerate(picture.flatten().tolist()):
            total += weight[k][i] * pixel * PIXEL_GAIN / 2
        assert model(picture).values[0, k].item() == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("target", [CLASSES, NUMBER, QUESTIONS])
def test_one_step_of_lms_is_widrow_and_hoffs_rule(target):
    """w <- w + a (t - w'x) x / |x|^2 for one example, x with its constant 1."""
    torch.manual_seed(0)
    model = build(Config("lms"), TABLE, target)
    nn.init.normal_(model.answers.weight)
    row = torch.randn(1, 4)
    given = {"classes": torch.tensor([1]), "number": torch.tensor([0.7]),
             "binaries": torch.tensor([[1.0, float("nan")]])}[target.kind]  # fmt: skip
    wanted = {"classes": [-1.0, 1.0, -1.0], "number": [0.7], "binaries": [1.0, None]}[target.kind]
    x = [*(row[0] * 0.5).tolist(), 1.0]  # divided by the square root of 4
    before = torch.cat([model.answers.weight, model.answers.bias[:, None]], 1).tolist()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    lms(model, Batch(row, given)).backward()
    optimizer.step()
    after = torch.cat([model.answers.weight, model.answers.bias[:, None]], 1).tolist()
    length = sum(value * value for value in x)
    for k, t in enumerate(wanted):
        error = 0.0 if t is None else t - sum(w * v for w, v in zip(before[k], x, strict=True))
        expected = [w + 0.3 * error * v / length for w, v in zip(before[k], x, strict=True)]
        np.testing.assert_allclose(after[k], expected, rtol=1e-5, atol=1e-6)


def test_the_gradient_of_lms_agrees_with_finite_differences():
    torch.manual_seed(0)
    model = build(Config("lms"), TABLE, CLASSES).double()
    model.features = lambda inputs: inputs
    x, targets = torch.randn(5, 4, dtype=torch.float64), torch.arange(5) % 3
    weight = torch.randn(3, 4, dtype=torch.float64)

    def loss(weight):
        errors = goals(targets, 3).double() - x @ weight.T
        return (errors.square().sum(1) / (1 + x.square().sum(1))).mean() / 2

    model.answers.weight.data.copy_(weight)
    lms(model, Batch(x, targets)).backward()
    for k in range(3):
        for i in range(4):
            shift = torch.zeros_like(weight)
            shift[k, i] = 1e-5
            slope = (loss(weight + shift) - loss(weight - shift)) / 2e-5
            assert model.answers.weight.grad[k, i] == pytest.approx(slope.item(), abs=1e-5)


@pytest.mark.parametrize("target", [CLASSES, NUMBER])
@pytest.mark.parametrize("batch_size", [20, 45, 64])
def test_least_squares_is_what_numpy_finds(target, batch_size):
    inputs, classes = examples()
    number = (inputs @ [1.0, -2.0, 0.5, 0.0] + 0.3 * np.sin(9 * inputs[:, 0])).astype(np.float32)
    targets = classes if target is CLASSES else number
    model, seen = solved("least_squares", target, targets, inputs, batch_size=batch_size)
    assert len(seen) == -(-45 // batch_size)  # one pass
    wanted = np.eye(3)[classes] * 2 - 1 if target is CLASSES else number[:, None]
    reference = np.linalg.lstsq(np.c_[inputs, np.ones(45)], wanted, rcond=None)[0]
    weight, bias = weights_of(model)
    np.testing.assert_allclose(weight, reference[:-1].T, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(bias, reference[-1], rtol=1e-4, atol=1e-5)


def test_fishers_rule_has_the_posteriors_of_scikit_learn():
    inputs, targets = examples(46)
    model, _ = solved("fisher", CLASSES, targets, inputs)
    reference = LinearDiscriminantAnalysis(solver="lsqr").fit(inputs.astype(np.float64), targets)
    found = model(torch.from_numpy(inputs)).values.softmax(1).detach().numpy()
    np.testing.assert_allclose(found, reference.predict_proba(inputs), rtol=1e-3, atol=1e-5)


def test_lms_in_small_steps_comes_near_its_own_least_squares():
    """The rule weighs examples by 1 / (1 + |x|^2); with those weights numpy finds its minimum."""
    inputs, targets = examples()
    model, _ = solved("lms", CLASSES, targets, inputs, batch_size=45, steps=2000, rate=1.0)
    x = np.c_[inputs / 2, np.ones(45)]
    root = np.linalg.norm(x, axis=1, keepdims=True) ** -1
    reference = np.linalg.lstsq(x * root, (np.eye(3)[targets] * 2 - 1) * root, rcond=None)[0]
    np.testing.assert_allclose(model.answers.weight.detach(), reference[:-1].T, atol=1e-3)


def test_pixels_that_never_change_do_not_make_the_equations_singular():
    inputs, targets = examples()
    inputs[:, 2] = 0.0
    for rule in ("least_squares", "fisher"):
        model, _ = solved(rule, CLASSES, targets, inputs, ridge=1e-3)
        assert model.answers.weight.isfinite().all()
        right = model(torch.from_numpy(inputs)).values.argmax(1).numpy() == targets
        assert right.mean() > 0.7


def test_one_pass_shows_every_example_once_and_then_nothing():
    inputs = np.arange(10, dtype=np.float32)[:, None]
    feed = OnePass(TableFeed(inputs, np.arange(10), 4, seed=3))
    seen = torch.cat([feed.batch(step).targets for step in range(5)])
    assert sorted(seen.tolist()) == list(range(10))
    assert [len(feed.batch(step)) for step in range(5)] == [4, 4, 2, 0, 0]


def test_sums_survive_a_checkpoint_in_the_middle_of_the_pass():
    inputs, targets = examples()
    config = Config("fisher")

    def moments_after(steps, held=None):
        model = build(config, TABLE, CLASSES)
        feed = TableFeed(inputs, targets, 20, seed=0)
        own = Stage("t", feed, cross_entropy, lambda m: torch.optim.SGD(m.parameters(), lr=1.0), 1)
        [stage] = stages(model, config, None, own, 0)
        if held is not None:
            stage.keeps["moments"].load_state_dict(held)
        for step in steps:
            stage.objective(model, stage.feed.batch(step))
        return stage.keeps["moments"].state_dict()

    whole = moments_after(range(3))
    halves = moments_after([2], moments_after([0, 1]))
    assert all(torch.equal(whole[name], halves[name]) for name in whole)


@pytest.mark.parametrize(
    ("rule", "target"),
    [("fisher", NUMBER), ("fisher", QUESTIONS), ("least_squares", QUESTIONS)],
)
def test_a_rule_that_does_not_fit_the_question_is_refused(rule, target):
    with pytest.raises(OptionError, match="softmax, lms"):
        build(Config(rule=rule), TABLE, target)


def test_learns_sixteen_rows_by_heart():
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(16, 4)).astype(np.float32)
    targets = (inputs @ generator.normal(size=(4, 3))).argmax(1)
    model, seen = solved("softmax", CLASSES, targets, inputs, batch_size=16, steps=1500, rate=20.0)
    assert (model(torch.from_numpy(inputs)).values.argmax(1).numpy() == targets).all()
    assert seen[-1].loss < 0.1


def test_saved_and_loaded_it_answers_bit_for_bit_the_same_and_rows_are_independent():
    inputs, targets = examples()
    model, _ = solved("fisher", CLASSES, targets, inputs)
    other = build(Config("fisher"), TABLE, CLASSES)
    other.load_state_dict(own_tensors(model.state_dict()))
    x = torch.from_numpy(inputs)
    assert torch.equal(model(x).values, other(x).values)
    torch.testing.assert_close(model(x).values[2:3], model(x[2:3]).values)

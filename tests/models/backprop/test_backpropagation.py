"""Back-propagation by hand: every equation against autograd, finite differences and plain loops."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.batch import Batch
from samoyed.core.spec import Column, ImageSpec, LabelSpec, TableSpec, TargetSpec
from samoyed.core.stage import Stage
from samoyed.data.table_feed import TableFeed
from samoyed.models.backprop.backpropagation import (
    ERRORS,
    FORMULAS,
    Config,
    Linear,
    Stack,
    Unit,
    accepts,
    build,
    descend,
    error_of,
    stages,
)
from samoyed.training.checkpoint import own_tensors
from samoyed.training.loop import train

TABLE = TableSpec((Column("x", "number"), Column("k", "category", categories=("a", "b"))))
CLASSES = TargetSpec("classes", ("t",), ("p", "q", "r"))
NUMBER = TargetSpec("number", ("t",))
DIGITS = LabelSpec(tuple("0123456789"))
TORCHS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "rectifier": torch.relu}


def rows(num=16):
    generator = torch.Generator().manual_seed(1)
    numbers = torch.randn(num, 1, generator=generator)
    return torch.cat([numbers, torch.randint(3, (num, 1), generator=generator).float()], dim=1)


def stack_of(unit, *, copies=(), output=None):
    torch.manual_seed(0)
    links = (torch.rand(6, 5) > 0.3).double()
    modules = [Linear(5, 6, links=links, copies=copies), Unit(unit),
               Linear(6, 4, spread=0.8, copies=copies), Unit(unit),
               Linear(4, 3, copies=copies)]  # fmt: skip
    if output is not None:
        modules.append(Unit(output))
    return Stack(*modules).double()


def by_autograd(stack, error, x, t):
    """Return dE/dx and dE/dw as torch's own differentiation finds them."""
    x = x.clone().requires_grad_()
    y = x
    for module in stack.row:
        if isinstance(module, Linear):
            y = nn.functional.linear(y, module.weight, module.bias)
        else:
            name = next(n for n, formulas in FORMULAS.items() if formulas[0] is module.function)
            y = TORCHS[name](y)
    if error == "squared":
        value = 0.5 * nn.functional.mse_loss(y, t, reduction="sum")
    else:
        value = nn.functional.cross_entropy(y, t, reduction="sum")
    return value, torch.autograd.grad(value, [x, *stack.parameters()])


@pytest.mark.parametrize("unit", FORMULAS)
@pytest.mark.parametrize("error", ERRORS)
def test_gradients_are_those_of_autograd(unit, error):
    stack = stack_of(unit, output="sigmoid" if error == "squared" else None)
    x = torch.randn(7, 5, dtype=torch.float64)
    t = torch.rand(7, 3, dtype=torch.float64).softmax(1)
    states = stack.states(x)
    dx, gradients = stack.back(states, ERRORS[error].gradient(states[-1], t))
    value, wanted = by_autograd(stack, error, x, t)
    found_value = ERRORS[error].value(states[-1], t).item()
    assert found_value == pytest.approx(value.item(), rel=1e-12)
    links = stack.row[0].links
    for found, reference in zip((dx, *gradients), wanted, strict=True):
        if reference.shape == links.shape:
            reference = reference * links
        assert (found - reference).abs().max() <= 1e-12

    inputs = x.clone().requires_grad_()
    error_of(error, stack(inputs), t).backward()  # the same through the loop's `backward`
    assert torch.equal(inputs.grad, dx)
    for parameter, found in zip(stack.parameters(), gradients, strict=True):
        assert torch.equal(parameter.grad, found)


@pytest.mark.parametrize("unit", FORMULAS)
@pytest.mark.parametrize("error", ERRORS)
def test_gradients_are_finite_differences(unit, error):
    stack = stack_of(unit, output="tanh" if error == "squared" else None)
    x = torch.randn(4, 5, dtype=torch.float64)
    t = torch.rand(4, 3, dtype=torch.float64).softmax(1)
    states = stack.states(x)
    _, gradients = stack.back(states, ERRORS[error].gradient(states[-1], t))
    step = 1e-6
    for parameter, found in zip(stack.parameters(), gradients, strict=True):
        flat = parameter.data.view(-1)
        links = stack.row[0].links.flatten() if parameter is stack.row[0].weight else None
        for i in range(0, len(flat), 5):
            if links is not None and not links[i]:
                assert found.flatten()[i] == 0
                continue
            values = []
            for shift in (step, -2 * step):
                flat[i] += shift
                values.append(ERRORS[error].value(stack.states(x)[-1], t).item())
            flat[i] += step
            slope = (values[0] - values[1]) / (2 * step)
            assert found.flatten()[i].item() == pytest.approx(slope, abs=1e-6)


def test_gradcheck_of_the_whole_stack_as_one_function():
    stack = stack_of("tanh", output="sigmoid")
    x = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(stack, x)
    y = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    t = torch.rand(3, 4, dtype=torch.float64).softmax(1)
    for error in ERRORS:
        assert torch.autograd.gradcheck(lambda y, e=error: error_of(e, y, t), y)


def test_two_units_by_plain_loops():
    """The review's figure 1, c and d, index by index."""
    torch.manual_seed(0)
    stack = Stack(Linear(2, 2), Unit("sigmoid"), Linear(2, 1), Unit("sigmoid")).double()
    x, t = [0.3, -0.7], 0.9
    w1, b1 = stack.row[0].weight.tolist(), stack.row[0].bias.tolist()
    w2, b2 = stack.row[2].weight.tolist(), stack.row[2].bias.tolist()
    z = [sum(w1[j][i] * x[i] for i in range(2)) + b1[j] for j in range(2)]
    h = [1 / (1 + math.exp(-value)) for value in z]
    y = 1 / (1 + math.exp(-(sum(w2[0][j] * h[j] for j in range(2)) + b2[0])))
    dy = y - t
    dz_out = dy * y * (1 - y)
    dh = [w2[0][j] * dz_out for j in range(2)]
    dz = [dh[j] * h[j] * (1 - h[j]) for j in range(2)]
    error_of("squared", stack(torch.tensor([x]).double()), torch.tensor([[t]]).double()).backward()
    first, last = stack.row[0], stack.row[2]
    np.testing.assert_allclose(last.weight.grad[0], [dz_out * h[0], dz_out * h[1]], rtol=1e-6)
    np.testing.assert_allclose(last.bias.grad, [dz_out], rtol=1e-6)
    for j in range(2):
        np.testing.assert_allclose(first.weight.grad[j], [dz[j] * x[0], dz[j] * x[1]], rtol=1e-6)
    np.testing.assert_allclose(first.bias.grad, dz, rtol=1e-6)


def test_stacks_side_by_side_do_not_see_each_other():
    many = stack_of("sigmoid", copies=(3,), output="sigmoid")
    x = torch.randn(3, 4, 5, dtype=torch.float64)
    t = torch.rand(3, 4, 3, dtype=torch.float64)
    error_of("squared", many(x), t).backward()
    for r in range(3):
        one = stack_of("sigmoid", output="sigmoid")
        mine = dict(many.named_parameters())
        one.load_state_dict(
            {k: mine[k][r].detach() if k in mine else v for k, v in one.state_dict().items()}
        )
        error_of("squared", one(x[r]), t[r]).backward()
        for name, parameter in one.named_parameters():
            torch.testing.assert_close(parameter.grad, mine[name].grad[r])


def test_large_sums_do_not_overflow():
    y = torch.tensor([[1000.0, 0.0, -1000.0]])
    t = torch.tensor([[1.0, 0.0, 0.0]])
    assert ERRORS["cross_entropy"].value(y, t) == 0
    assert not ERRORS["cross_entropy"].gradient(y, t).any()
    for function, slope in FORMULAS.values():
        z = torch.tensor([-200.0, 200.0])
        assert function(z).isfinite().all()
        assert slope(function(z)).isfinite().all()


def test_as_many_parameters_as_counted_by_hand():
    model = build(Config(), ImageSpec(1, 28, 28), DIGITS)
    assert sum(p.numel() for p in model.parameters()) == 785 * 100 + 101 * 10 == 79_510


@pytest.mark.parametrize("unit", FORMULAS)
@pytest.mark.parametrize("num", [1, 5])
def test_shapes_for_pictures_and_tables(unit, num):
    config = Config(hidden_sizes=(7, 6), unit=unit)
    assert accepts(config, ImageSpec(4, 100, 200)) == ImageSpec(1, 16, 32)
    pictures = build(config, ImageSpec(3, 6, 5), DIGITS)
    assert pictures(torch.rand(num, 3, 6, 5)).values.shape == (num, 10)
    assert build(config, TABLE, CLASSES)(rows(num)).values.shape == (num, 3)
    assert build(config, TABLE, NUMBER)(rows(num)).values.shape == (num, 1)


@pytest.mark.parametrize("error", ["cross_entropy", "squared"])
def test_what_training_descends_is_the_mean_error(error):
    torch.manual_seed(0)
    model = build(Config(hidden_sizes=(4,), error=error), TABLE, CLASSES)
    targets = torch.arange(16) % 3
    z = model(rows()).values
    if error == "squared":
        wanted = 0.5 * (z.sigmoid() - nn.functional.one_hot(targets, 3)).square().sum() / 16
    else:
        wanted = nn.functional.cross_entropy(z, targets)
    torch.testing.assert_close(descend(model, Batch(rows(), targets)), wanted)
    number = build(Config(hidden_sizes=(4,), error=error), TABLE, NUMBER)
    goals = torch.randn(16)
    wanted = 0.5 * (number(rows()).values[:, 0] - goals).square().mean()
    torch.testing.assert_close(descend(number, Batch(rows(), goals)), wanted)


@pytest.mark.parametrize("error", ["cross_entropy", "squared"])
def test_learns_sixteen_rows_by_heart(error):
    torch.manual_seed(0)
    config = Config(hidden_sizes=(40,), unit="tanh", error=error)
    inputs = torch.randn(16, 3)
    table = TableSpec(tuple(Column(name, "number") for name in "abc"))
    model = build(config, table, CLASSES)
    targets = np.arange(16) % 3
    feed = TableFeed(inputs.numpy(), targets, 16, seed=0)

    def not_descended(model, batch):
        raise AssertionError("the gradients by hand take the place of the task's own loss")

    own = Stage(
        "train", feed, not_descended,
        lambda m: torch.optim.SGD(m.parameters(), lr=0.5, momentum=0.9), 150,
    )  # fmt: skip
    for _ in train(model, stages(model, config, None, own, 0)):
        pass
    assert (model(inputs).values.argmax(1).numpy() == targets).all()


def test_saved_and_loaded_it_answers_bit_for_bit_the_same_and_rows_are_independent():
    model, other = build(Config(), TABLE, CLASSES), build(Config(), TABLE, CLASSES)
    other.load_state_dict(own_tensors(model.state_dict()))
    assert torch.equal(model(rows()).values, other(rows()).values)
    torch.testing.assert_close(model(rows()).values[2:3], model(rows()[2:3]).values)

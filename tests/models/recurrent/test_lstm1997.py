"""The LSTM of 1997: its printed counts, its equations unit by unit, its truncated gradient."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from samoyed.core.batch import Batch
from samoyed.core.spec import SequenceSpec
from samoyed.models.recurrent import lstm1997
from samoyed.models.recurrent.lstm1997 import Config, MemoryBlocks, build, descend
from samoyed.tasks.remember import Remember

ADDING = SequenceSpec("adding", 100, 2)
ORDER = SequenceSpec("temporal-order", 100, 8, ("XX", "XY", "YX", "YY"))


@pytest.mark.parametrize(
    ("config", "spec", "printed"),
    [
        (Config(), ADDING, 93),  # section 5.4
        (Config(), ORDER, 156),  # section 5.6, task 6a
        (Config(num_blocks=3), SequenceSpec("6b", 100, 8, tuple("12345678")), 308),  # task 6b
    ],
)
def test_there_are_as_many_weights_as_the_paper_prints(
    config: Config, spec: SequenceSpec, printed: int
):
    assert sum(p.numel() for p in build(config, spec).parameters()) == printed


def f(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def by_hand(net: lstm1997.LSTM1997, inputs: list[list[float]]) -> float:
    """Eqs. 3 to 9 unit by unit; units are two input gates, two output gates, four cells."""
    w, b = net.blocks.weight.tolist(), net.blocks.bias.tolist()
    before, s = [0.0] * 8, [0.0] * 4
    for given in inputs:
        z = [*given, *before]
        sums = [sum(a * v for a, v in zip(w[u], z, strict=True)) + b[u] for u in range(8)]
        y_in, y_out = [f(x) for x in sums[:2]], [f(x) for x in sums[2:4]]
        cells = []
        for c in range(4):
            s[c] += y_in[c // 2] * (4 * f(sums[4 + c]) - 2)
            cells.append(y_out[c // 2] * (2 * f(s[c]) - 1))
        before = [*y_in, *y_out, *cells]
    out = net.output
    weights, bias = out.weight[0].tolist(), out.bias.tolist()[0]
    return f(sum(weights[c] * before[4 + c] for c in range(4)) + bias)


def test_the_net_computes_the_equations():
    torch.manual_seed(0)
    net = build(Config(in_gate_bias=-0.5), ADDING).double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(8)
    inputs = torch.randn(3, 9, 2, dtype=torch.float64)
    found = net(inputs).values[:, 0].tolist()
    assert found == pytest.approx([by_hand(net, rows) for rows in inputs.tolist()])


def test_input_gates_are_nearly_shut_at_first_one_after_another():
    blocks = MemoryBlocks(Config(num_blocks=3), 2)
    assert blocks.bias[:3].tolist() == [-3, -6, -9]
    assert float(blocks.weight.detach().abs().max()) <= 0.1


def truncated(net: lstm1997.LSTM1997, inputs: Tensor) -> Tensor:
    """Return dy/dW of the blocks by appendix A.1's forward equations, for one sequence.

    ds_c/dw of a cell's or an input gate's weight is carried forward by a factor of one; the output
    gates' weights count in the last step alone.
    """
    S, C, N = 2, 2, 8
    w, b = net.blocks.weight.detach(), net.blocks.bias.detach()
    before, s = torch.zeros(N).double(), torch.zeros(S * C).double()
    carried = torch.zeros(S * C, *w.shape).double()
    direct = torch.zeros(S * C, *w.shape).double()
    for given in inputs:
        z = torch.cat([given, before])
        y = torch.sigmoid(w @ z + b)
        g = 4 * y[2 * S :] - 2
        direct.zero_()
        for c in range(S * C):
            block = c // C
            slope = 4 * y[2 * S + c] * (1 - y[2 * S + c])
            carried[c, 2 * S + c] += y[block] * slope * z
            carried[c, block] += y[block] * (1 - y[block]) * g[c] * z
        s = s + y[:S].repeat_interleave(C) * g
        h = 2 * torch.sigmoid(s) - 1
        for c in range(S * C):
            out = S + c // C
            direct[c, out] += y[out] * (1 - y[out]) * h[c] * z
        before = torch.cat([y[: 2 * S], y[S : 2 * S].repeat_interleave(C) * h])
    slopes = y[S : 2 * S].repeat_interleave(C) * (1 - h * h) / 2
    through = slopes[:, None, None] * carried + direct
    found = torch.sigmoid(
        net.output.weight.detach()[0] @ before[2 * S :] + net.output.bias.detach()
    )
    return found * (1 - found) * (net.output.weight.detach()[0][:, None, None] * through).sum(0)


def test_the_gradient_is_that_of_the_appendix():
    torch.manual_seed(0)
    net = build(Config(in_gate_bias=-0.5), ADDING).double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(8)
    inputs = torch.randn(1, 12, 2, dtype=torch.float64)
    [found] = torch.autograd.grad(net(inputs).values.sum(), net.blocks.weight)
    assert torch.allclose(found, truncated(net, inputs[0]), atol=1e-12)
    whole = build(Config(is_truncated=False), ADDING).double()
    whole.load_state_dict(net.state_dict())
    [full] = torch.autograd.grad(whole(inputs).values.sum(), whole.blocks.weight)
    assert not torch.allclose(full, found, rtol=1e-3)


def test_the_error_is_squared_and_summed_over_outputs():
    torch.manual_seed(0)
    net, inputs = build(Config(), ORDER), torch.randn(2, 5, 8)
    values = torch.sigmoid(net.output(net.blocks(inputs))).tolist()
    wanted = [1, 3]
    total = sum((values[row][k] - (wanted[row] == k)) ** 2 for row in range(2) for k in range(4))
    batch = Batch(inputs, torch.tensor(wanted))
    assert descend(net, batch).item() == pytest.approx(total / 2, rel=1e-5)


def test_an_answer_is_as_sure_as_its_output_unit():
    net = build(Config(), ORDER)
    given = [0.02, 0.01, 0.95, 0.02]  # what logistic units give: they sum to one by chance
    with torch.no_grad():
        net.output.weight.zero_()
        net.output.bias.copy_(torch.tensor([math.log(y / (1 - y)) for y in given]))
    answer = Remember(ORDER).answer(net, ["EaXbYB"])[0]
    assert answer.answer == "YX"
    assert answer.probability == pytest.approx(0.95, rel=1e-5)


def test_how_sure_it_is_comes_to_be_right_where_the_answer_is_drawn():
    """Three of four times the answer is the first: the squared error makes that its certainty."""
    torch.manual_seed(0)
    net, inputs = build(Config(), ORDER), torch.zeros(4, 3, 8)
    batch = Batch(inputs, torch.tensor([0, 0, 0, 2]))
    optimizer = torch.optim.SGD(net.parameters(), lr=10.0)
    for _ in range(400):
        optimizer.zero_grad()
        descend(net, batch).backward()
        optimizer.step()
    shares = net(inputs[:1]).values.softmax(1)[0].tolist()
    assert shares == pytest.approx([0.75, 0, 0.25, 0], abs=0.03)

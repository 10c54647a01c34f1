"""Nets that answer at the end of a sequence: counts, equations, and that they learn."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from samoyed import catalog
from samoyed.core.batch import Batch
from samoyed.core.spec import SequenceSpec
from samoyed.core.stage import Stage
from samoyed.layers.lstm import lstm_step
from samoyed.layers.recurrence import gradients_at, omega
from samoyed.models.recurrent import elman, hierarchical_rnn, lstm, regularised_rnn
from samoyed.tasks.remember import error_at_the_end
from samoyed.training.loop import train

ADDING = SequenceSpec("adding", 100, 2)
ORDER = SequenceSpec("temporal-order", 100, 8, ("XX", "XY", "YX", "YY"))
XOR = SequenceSpec("xor", 100, 1)


@pytest.mark.parametrize(
    ("net", "count"),
    [
        # 2 hidden x (1 input + 2 context + bias), 1 output x (2 + bias); Elman 1990, p. 186
        (elman.build(elman.Config(num_units=2), XOR), 2 * 4 + 3),
        (elman.build(elman.Config(), ADDING), 100 * 103 + 101),
        (regularised_rnn.build(regularised_rnn.Config(), ORDER), 50 * 59 + 4 * 51),
        (lstm.build(lstm.Config(), ADDING), 4 * 64 * 67 + 65),
        (
            hierarchical_rnn.build(hierarchical_rnn.Config(), ADDING),
            40 * 123 + 2 * 40 * 83 + 121,
        ),
    ],
)
def test_weights_are_as_many_as_a_hand_count(net: torch.nn.Module, count: int):
    assert sum(p.numel() for p in net.parameters()) == count


def test_lstm_answers_from_what_its_cells_give_at_the_end():
    torch.manual_seed(0)
    net, inputs = (
        lstm.build(lstm.Config(num_units=5), ORDER).double(),
        torch.randn(3, 6, 8).double(),
    )
    state = net.cells.start(3)
    for step in inputs.unbind(1):
        drive = F.linear(step, net.cells.weight_ih, net.cells.bias)
        state = lstm_step(drive, state, net.cells.weight_hh)
    assert torch.allclose(net(inputs).values, net.output(state[0]), atol=1e-12)
    assert net.cells.bias[5:10].tolist() == [5.0] * 5


def test_slow_levels_are_renewed_when_their_period_divides_the_step():
    """Eq. of the docstring, unit by unit of three levels, each by its own loop."""
    torch.manual_seed(0)
    config = hierarchical_rnn.Config(num_units=2, periods=(1, 2, 6))
    net = hierarchical_rnn.build(config, ADDING).double()
    inputs = torch.randn(1, 11, 2).double()
    held = [torch.zeros(2).double() for _ in range(3)]
    changed = [0, 0, 0]
    for t in range(11):
        for i, period in enumerate((1, 2, 6)):
            if t % period:
                continue
            level = net.levels[i]
            seen = [*held, inputs[0, t]] if i == 0 else [held[i], held[i - 1], inputs[0, t]]
            held[i] = torch.tanh(level.weight @ torch.cat(seen) + level.bias)
            changed[i] += 1
    assert changed == [11, 6, 2]
    assert torch.allclose(net(inputs).values[0], net.output(torch.cat(held)), atol=1e-12)
    with pytest.raises(ValueError, match="rise from 1"):
        hierarchical_rnn.Config(periods=(2, 4))


@pytest.mark.parametrize("spec", [ADDING, ORDER])
def test_the_regularised_net_descends_the_error_and_omega(spec: SequenceSpec):
    torch.manual_seed(0)
    config = regularised_rnn.Config(num_units=7)
    net = regularised_rnn.build(config, spec)
    inputs = torch.randn(4, 9, spec.width)
    targets = torch.randint(4, (4,)) if spec.names else torch.rand(4)
    course = net.hidden(inputs)
    values = net.output(course.outputs[-1])
    error = (
        F.cross_entropy(values, targets) if spec.names else (values[:, 0] - targets).square().mean()
    )
    penalty = omega(net.hidden.weight, course.outputs, gradients_at(error, course.sums), "tanh")
    found = regularised_rnn.descend(net, Batch(inputs, targets))
    assert found.item() == pytest.approx((error + 4 * penalty).item(), rel=1e-5)
    assert penalty.item() > 0
    radius = torch.linalg.eigvals(net.hidden.weight.detach()).abs().max()
    assert radius.item() == pytest.approx(0.95, rel=1e-3)


class Sixteen:
    def __init__(self, spec: SequenceSpec) -> None:
        generator = torch.Generator().manual_seed(0)
        inputs = torch.randn(16, 8, spec.width, generator=generator)
        targets = torch.randint(4, (16,), generator=generator)
        self.whole = Batch(inputs, targets)

    def batch(self, step: int) -> Batch:
        return self.whole


@pytest.mark.parametrize(
    ("name", "rate"),
    [("lstm", 0.02), ("lstm1997", 0.1), ("elman", 0.01), ("regularised_rnn", 0.01),
     ("hierarchical_rnn", 0.01)],
)  # fmt: skip
def test_sixteen_sequences_are_learned_by_heart(name: str, rate: float):
    row = catalog.find(name)
    module = row.load()
    torch.manual_seed(0)
    config = module.Config(num_blocks=8) if name == "lstm1997" else module.Config()
    net, feed = module.build(config, ORDER), Sixteen(ORDER)
    stage = Stage(
        "train", feed, error_at_the_end, lambda m: torch.optim.Adam(m.parameters(), rate), 200
    )
    stages = [stage] if row.stages is None else row.stages(net, config, feed, stage, 0)
    for _ in train(net, stages):
        pass
    assert (net(feed.whole.inputs).values.argmax(1) == feed.whole.targets).float().mean() >= 0.93

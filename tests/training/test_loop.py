"""The one loop: it descends, it resumes exactly, and it fits second-order optimizers too."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from samoyed.core.batch import Batch
from samoyed.core.seeding import torch_generator
from samoyed.core.stage import Stage
from samoyed.training.loop import Resume, train
from samoyed.training.schedules import cosine


class Line:
    """y = 2x - 1 with noise."""

    def batch(self, step: int) -> Batch:
        g = torch_generator(3, step)
        x = torch.randn(16, 1, generator=g)
        return Batch(x, 2 * x - 1)


def squared_error(model: nn.Module, batch: Batch) -> torch.Tensor:
    return (model(batch.inputs) - batch.targets).square().mean()


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def stage(steps: int = 60, **changes: object) -> Stage:
    return Stage("line", Line(), squared_error, sgd, steps, **changes)


def fresh(dropout: float = 0.0) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1))


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def by_hand(steps: int) -> torch.Tensor:
    model = fresh()
    optimizer = sgd(model)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 * cosine(step / steps)
        optimizer.zero_grad()
        squared_error(model, Line().batch(step)).backward()
        optimizer.step()
    return weights(model)


def test_equals_a_bare_loop_bit_for_bit():
    model = fresh()
    losses = [float(m.loss) for m in train(model, [stage(60, rate=cosine)])]
    assert torch.equal(weights(model), by_hand(60))
    assert len(losses) == 60
    assert losses[-1] < 0.1 * losses[0]


def test_accumulated_gradients_equal_one_large_batch():
    class Halves:
        def batch(self, step: int) -> Batch:
            whole = Line().batch(step // 2)
            half = slice(0, 8) if step % 2 == 0 else slice(8, 16)
            return Batch(whole.inputs[half], whole.targets[half])

    one, two = fresh(), fresh()
    list(train(one, [stage(10)]))
    list(train(two, [Stage("halves", Halves(), squared_error, sgd, 10, accumulate=2)]))
    torch.testing.assert_close(weights(one), weights(two))


@pytest.mark.parametrize("stopped_at", [1, 7, 29])
def test_resumes_to_identical_weights_with_dropout(stopped_at: int):
    whole = fresh(dropout=0.5)
    list(train(whole, [stage(30, rate=cosine)], seed=5))
    cut = fresh(dropout=0.5)
    for moment in train(cut, [stage(30, rate=cosine)], seed=5):
        if moment.step + 1 == stopped_at:
            break
    resume = Resume(0, stopped_at, moment.optimizer.state_dict(), {})
    torch.randn(17)  # whatever happens in between must not matter
    list(train(cut, [stage(30, rate=cosine)], seed=5, resume=resume))
    assert torch.equal(weights(whole), weights(cut))


def test_lazy_stages_train_their_own_parameters_only():
    model = fresh()
    seen: list[str] = []

    def first_layer(m: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD(m[0].parameters(), lr=0.1)

    def stages():
        seen.append("first asked for")
        yield Stage("first", Line(), squared_error, first_layer, 3)
        seen.append("second asked for")
        yield stage(2)

    last_layer = model[3].weight.detach().clone()
    for moment in train(model, stages()):
        if moment.stage.name == "first":
            assert seen == ["first asked for"]
            assert torch.equal(model[3].weight, last_layer)
            assert model[3].weight.grad is None
    assert not torch.equal(model[3].weight, last_layer)
    assert all(p.requires_grad for p in model.parameters())


def test_before_runs_once_and_not_when_resuming_inside_the_stage():
    calls: list[str] = []
    marked = stage(
        4, before=lambda m: calls.append("before"), after=lambda m: calls.append("after")
    )
    model = fresh()
    for moment in train(model, [marked]):
        if moment.step == 1:
            break
    resume = Resume(0, 2, moment.optimizer.state_dict(), {})
    list(train(model, [marked], resume=resume))
    assert calls == ["before", "after"]


def test_resuming_at_the_end_of_a_stage_still_runs_what_follows():
    calls: list[str] = []
    model = fresh()
    marked = stage(3, after=lambda m: calls.append("after"))
    last = list(train(model, [marked]))[-1]
    steps = [
        m.step for m in train(model, [marked], resume=Resume(0, 3, last.optimizer.state_dict(), {}))
    ]
    assert steps == []
    assert calls == ["after", "after"]


def test_closure_serves_lbfgs():
    model = nn.Linear(1, 1)

    class Whole:
        def batch(self, step: int) -> Batch:
            x = torch.linspace(-1, 1, 32)[:, None]
            return Batch(x, 2 * x - 1)

    def lbfgs(m: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.LBFGS(m.parameters(), line_search_fn="strong_wolfe")

    list(train(model, [Stage("lbfgs", Whole(), squared_error, lbfgs, 5)]))
    assert model.weight.item() == pytest.approx(2.0, abs=1e-3)
    assert model.bias.item() == pytest.approx(-1.0, abs=1e-3)


def test_gradient_is_clipped_to_its_norm():
    model = nn.Linear(1, 1)
    before = weights(model)

    def plain(m: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD(m.parameters(), lr=1.0)

    def steep(m: nn.Module, batch: Batch) -> torch.Tensor:
        return 1e4 * squared_error(m, batch)

    list(train(model, [Stage("steep", Line(), steep, plain, 1, clip_norm=0.25)]))
    assert (weights(model) - before).norm().item() == pytest.approx(0.25, rel=1e-3)


def test_different_seeds_differ_and_same_seeds_agree():
    def trained(seed: int) -> torch.Tensor:
        model = fresh(dropout=0.5)
        list(train(model, [stage(5)], seed=seed))
        return weights(model)

    assert torch.equal(trained(1), trained(1))
    assert not torch.equal(trained(1), trained(2))

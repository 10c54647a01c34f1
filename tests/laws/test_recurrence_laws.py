"""What makes recurrent nets hard to train, and what helps.

Bengio, Simard & Frasconi (1994); Pascanu, Mikolov & Bengio (2013); Hochreiter & Schmidhuber (1997);
El Hihi & Bengio (1996).
"""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from samoyed import catalog
from samoyed.core.seeding import seed_everything
from samoyed.core.spec import SequenceSpec
from samoyed.core.stage import Recipe
from samoyed.layers.recurrence import Recurrence, decay_rate, set_spectral_radius
from samoyed.models.recurrent import hierarchical_rnn, lstm1997
from samoyed.tasks.remember import Remember
from samoyed.training.loop import train
from samoyed.worlds.sequences import scan_sequences

T = 60


def norms_back(radius: float, is_normal: bool = False) -> list[float]:
    """Return norm(dE/dx_t) from the last step to the first, of a net that stays near zero."""
    torch.manual_seed(0)
    layer = Recurrence(1, 50).double()
    with torch.no_grad():
        if is_normal:  # a rotation: every direction is kept
            layer.weight.copy_(torch.linalg.qr(layer.weight).Q)
        set_spectral_radius(layer.weight, radius)
    course = layer(torch.zeros(1, T, 1, dtype=torch.float64))
    error = (course.outputs[-1] * torch.randn(50, dtype=torch.float64)).sum()
    return [float(g.norm()) for g in reversed(torch.autograd.grad(error, course.sums))]


@pytest.mark.parametrize("radius", [0.5, 0.9, 1.0, 1.1, 1.5])
def test_a_gradient_shrinks_or_grows_by_the_spectral_radius_in_every_step(radius: float):
    """Exactly so for a rotation that is scaled; for a random matrix once the largest wins."""
    exact = norms_back(radius, is_normal=True)
    for before, after in itertools.pairwise(exact):
        assert after / before == pytest.approx(radius, rel=1e-9)
    assert decay_rate(norms_back(radius)[20:]) == pytest.approx(radius, rel=0.05)


def test_what_is_latched_is_not_learned_from():
    """A bit that a tanh unit holds firmly, w = 3 and h near 1, sends no gradient back."""
    layer = Recurrence(1, 1).double()
    with torch.no_grad():
        layer.weight.fill_(3.0)
        layer.weight_in.fill_(3.0)
    inputs = torch.zeros(1, T, 1, dtype=torch.float64)
    inputs[0, 0] = 1
    course = layer(inputs)
    assert float(course.outputs[-1].detach()) > 0.99, "it remembers"
    slopes = [float(g) for g in torch.autograd.grad(course.outputs[-1].sum(), course.sums)]
    assert abs(slopes[0]) < 1e-60, "and cannot learn what"


def far(system: str, length: int, steps: int, seed: int = 0, **settings: object) -> float:
    """Train on a problem and return its headline score."""
    row = catalog.find(system)
    module = row.load()
    problem = "temporal-order" if settings.pop("order", False) else "adding"
    source = scan_sequences(f"{problem}-{length}")
    chosen = {k: v for k, v in settings.items() if k in Recipe.__dataclass_fields__}
    dials = {k: v for k, v in settings.items() if k not in chosen}
    config = module.Config(**dials)
    recipe = Recipe(
        **{**vars(module.RECIPE), **chosen, "epochs": steps * module.RECIPE.batch_size / 1e4}
    )  # type: ignore[arg-type]
    seed_everything(seed, "initial weights")
    model = module.build(config, source.spec)
    task = Remember(source.spec)
    for stage in task.stages(recipe, seed):
        stages = [stage] if row.stages is None else row.stages(model, config, None, stage, seed)
        for _ in train(model, stages, seed=seed):
            pass
    return task.score(model, source.load())[0].value


@pytest.mark.slow
def test_lstm_adds_over_thirty_steps_and_a_simple_net_does_not():
    assert far("lstm", 30, 2500, num_units=32) > 0.9
    assert far("elman", 30, 2500, num_units=64) < 0.5


@pytest.mark.slow
def test_lstm_adds_over_a_hundred_steps_and_a_simple_net_does_not():
    """The paper's test: 2,560 sequences, wrong where off by more than 0.04 (section 5.4)."""
    assert far("lstm", 100, 5000) > 0.99
    assert far("elman", 100, 5000) < 0.3


@pytest.mark.slow
def test_slow_units_bridge_what_a_flat_net_does_not():
    """About equal numbers of weights; temporal order over 100 steps."""
    slow = far("hierarchical_rnn", 100, 2500, order=True)
    flat = far("elman", 100, 2500, order=True, clip_norm=1.0)
    assert slow > 0.8, (slow, flat)
    assert slow - flat > 0.3, (slow, flat)


def first_step_gradient(model: nn.Module, length: int) -> Tensor:
    """Return the norm of the gradient of the answer by the first input."""
    torch.manual_seed(1)
    inputs = torch.randn(1, length, 2, dtype=torch.float64, requires_grad=True)
    [slope] = torch.autograd.grad(model(inputs).values.sum(), inputs)
    return slope[0, 0].norm()


def test_a_slow_level_slows_the_vanishing():
    """Levels that are renewed every 16 steps lose per step about what one loses in 16."""
    spec = SequenceSpec("drawn", 100, 2)
    rates = []
    for periods in ((1,), (1, 4, 16)):
        torch.manual_seed(0)
        config = hierarchical_rnn.Config(num_units=30, periods=periods)
        model = hierarchical_rnn.build(config, spec).double()
        for level in model.levels:
            assert isinstance(level, hierarchical_rnn.Level)
            with torch.no_grad():
                level.weight *= 0.7
        near, distant = first_step_gradient(model, 33), first_step_gradient(model, 97)
        rates.append(float((distant / near) ** (1 / 64)))
    flat, slow = rates
    assert flat < 0.8
    assert slow > flat**0.5
    assert slow < 1


def test_an_error_stays_in_a_cell_unchanged():
    """The constant error carousel: ds_c(t) / ds_c(t - k) is one, exactly, under truncation."""
    torch.manual_seed(0)
    blocks = lstm1997.MemoryBlocks(lstm1997.Config(), 2).double()
    s0 = torch.zeros(1, blocks.num_cells, dtype=torch.float64, requires_grad=True)
    before, s = torch.zeros(1, blocks.num_units, dtype=torch.float64), s0
    for _ in range(1000):
        before, s = blocks.step(torch.randn(1, 2, dtype=torch.float64), before, s)
    for k in range(blocks.num_cells):
        [slope] = torch.autograd.grad(s[0, k], s0, retain_graph=True)
        assert torch.equal(slope[0], torch.eye(blocks.num_cells, dtype=torch.float64)[k])

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from samoyed.core.batch import Transitions, Values
from samoyed.core.seeding import seed_everything
from samoyed.core.spec import WorldSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.models.future import deep_q_network as dqn
from samoyed.models.future.deep_q_network import Config, TargetNetwork, build, fit
from samoyed.training import checkpoint
from samoyed.training.loop import Moment, train
from samoyed.worlds.scan import scan_world

ATARI = WorldSpec("breakout", (1, 84, 84), True, 4, ("noop", "fire", "right", "left"))
NUMBERS = WorldSpec("numbers", (6,), False, 3, ("a", "b", "c"))
SCREEN = WorldSpec("screen", (1, 24, 24), True, 3, ("a", "b", "c"))
TINY = Config(
    filters=((4, 4, 4),), hidden_sizes=(16,), stack=2, replay_size=600, learning_starts=40,
    update_every=4, target_update=7, epsilon_final=0.2, exploration_moves=200, num_worlds=2,
)  # fmt: skip
TINY_RECIPE = Recipe(optimizer="adam", learning_rate=1e-3, batch_size=8, epochs=0.02)


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_the_network_of_the_paper_has_these_parameters() -> None:
    layers = [
        (4 * 8 * 8 + 1) * 32,
        (32 * 4 * 4 + 1) * 64,
        (64 * 3 * 3 + 1) * 64,
        (64 * 7 * 7 + 1) * 512,
        (512 + 1) * 4,
    ]
    assert layers == [8_224, 32_832, 36_928, 1_606_144, 2_052]
    model = build(Config(), ATARI)
    assert count(model) == sum(layers) == 1_686_180
    assert count(build(Config(), replace(ATARI, num_actions=18))) == 1_693_362


def test_the_defaults_are_those_of_extended_data_table_1() -> None:
    config, recipe = fit(ATARI)
    assert config == Config()
    assert (recipe.batch_size, recipe.learning_rate, recipe.optimizer) == (32, 2.5e-4, "rmsprop")
    assert (config.replay_size, config.stack, config.target_update) == (1_000_000, 4, 10_000)
    assert (config.discount, config.update_every, config.learning_starts) == (0.99, 4, 50_000)
    assert (config.epsilon_first, config.epsilon_final) == (1.0, 0.1)
    assert config.exploration_moves == 1_000_000
    assert recipe.epochs * dqn.MOVES_PER_EPOCH == 50_000_000  # 200 million frames


@pytest.mark.parametrize("spec", [ATARI, SCREEN, NUMBERS])
@pytest.mark.parametrize("num", [1, 5])
def test_shapes(spec: WorldSpec, num: int) -> None:
    config, _ = fit(spec)
    model = build(config, spec)
    channels, *rest = spec.observation_shape
    shape = (num, channels * config.stack, *rest)
    seen = torch.randint(0, 256, shape, dtype=torch.uint8) if spec.is_pixels else torch.rand(shape)
    out = model(seen)
    assert isinstance(out, Values)
    assert out.values.shape == (num, spec.num_actions)
    assert out.values.dtype == torch.float32


def test_rows_are_independent() -> None:
    model = build(TINY, SCREEN)
    seen = torch.randint(0, 256, (6, 2, 24, 24), dtype=torch.uint8)
    assert torch.allclose(model(seen).values[2:4], model(seen[2:4]).values, atol=1e-6)


def test_pixels_are_scaled_to_one() -> None:
    model = build(TINY, SCREEN)
    white = torch.full((1, 2, 24, 24), 255, dtype=torch.uint8)
    hidden = model.convolutions(torch.ones(1, 2, 24, 24)).flatten(1)
    assert torch.equal(model(white).values, model.fully_connected(hidden))


def test_the_exploration_rate_by_hand() -> None:
    config = Config(learning_starts=10, exploration_moves=100)
    rates = [dqn.exploration_rate(config, move) for move in (0, 9, 10, 50, 100, 1000)]
    assert rates == pytest.approx([1.0, 1.0, 0.91, 0.55, 0.1, 0.1])


@pytest.mark.parametrize(
    "wrong",
    [
        {"update_every": 4, "num_worlds": 3}, {"discount": 1.0}, {"epsilon_final": 1.5},
        {"stack": 0}, {"target_update": 0},
    ],
)  # fmt: skip
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong)) + "|num_worlds"):
        Config(**wrong)


def test_filters_larger_than_the_screen_are_refused() -> None:
    with pytest.raises(ValueError, match="leave nothing of a screen of 24 x 24"):
        build(Config(), SCREEN)


def make_batch(num: int = 16) -> Transitions:
    generator = torch.Generator().manual_seed(0)
    return Transitions(
        torch.randn(num, 6, generator=generator),
        torch.randint(3, (num,), generator=generator),
        torch.randn(num, generator=generator) * 3,
        torch.randn(num, 6, generator=generator),
        torch.rand(num, generator=generator) < 0.3,
    )


@pytest.mark.parametrize("is_clipped", [True, False])
def test_the_objective_against_a_loop(is_clipped: bool) -> None:
    config = Config(hidden_sizes=(8,), stack=1, is_reward_clipped=is_clipped, discount=0.9)
    model, batch = build(config, NUMBERS), make_batch()
    target = TargetNetwork(build(config, NUMBERS), 5)
    total = 0.0
    for b in range(16):
        reward = float(batch.rewards[b])
        y = min(max(reward, -1.0), 1.0) if is_clipped else reward
        if not batch.is_terminal[b]:
            y += 0.9 * float(target.network(batch.next_observations[b : b + 1]).values.max())
        values = model(batch.observations[b : b + 1]).values.detach()
        error = float(values[0, batch.actions[b]]) - y
        total += min(abs(error), 1.0) * (abs(error) - min(abs(error), 1.0) / 2)
    found = dqn.objective(model, batch, target=target, config=config)
    assert float(found.detach()) == pytest.approx(total / 16, rel=1e-4)
    found.backward()
    assert all(p.grad is not None for p in model.parameters())
    assert all(p.grad is None for p in target.network.parameters())


def test_it_fits_sixteen_moves() -> None:
    config = Config(hidden_sizes=(64,), stack=1, is_reward_clipped=False)
    torch.manual_seed(0)
    model, batch = build(config, NUMBERS), make_batch()
    target = TargetNetwork(build(config, NUMBERS), 5)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(200):
        optimizer.zero_grad()
        loss = dqn.objective(model, batch, target=target, config=config)
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 1e-4


def test_the_target_is_renewed_every_so_many_updates() -> None:
    model = build(TINY, SCREEN)
    target = TargetNetwork(model, 7)
    for step in range(20):
        with torch.no_grad():
            for p in model.parameters():
                p.add_(1.0)
        target.after_step(model, step)
        behind = next(model.parameters()) - next(target.network.parameters())
        assert torch.allclose(behind, torch.full_like(behind, float((step + 1) % 7)), atol=1e-4)


def moments(name: str, model: nn.Module, recipe: Recipe, resume: Any = None) -> Iterator[Moment]:
    source = scan_world(name)
    config = TINY if source.spec.is_pixels else replace(TINY, stack=1)
    return train(model, dqn.stages(model, config, source, recipe, 5), seed=5, resume=resume)


def fresh(name: str) -> nn.Module:
    seed_everything(5, "model")
    spec = scan_world(name).spec
    return build(TINY if spec.is_pixels else replace(TINY, stack=1), spec)


def same(a: nn.Module, b: nn.Module) -> bool:
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


@pytest.mark.parametrize("name", ["catch", "CartPole-v1"])
@pytest.mark.parametrize("average", [None, 0.9])
def test_resuming_from_the_disk_ends_in_the_same_weights(
    name: str, average: float | None, tmp_path: Path
) -> None:
    recipe = replace(TINY_RECIPE, average=average, epochs=0.05)
    whole = fresh(name)
    *_, last = moments(name, whole, recipe)
    assert last.step == 114
    model = fresh(name)
    for cut in (1, 60, 61, 110):  # killed again and again
        kept = checkpoint.newest(tmp_path)
        if kept is not None:
            model = fresh(name)
            model.load_state_dict(kept.model)
        for moment in moments(name, model, recipe, kept and kept.resume):
            if moment.step + 1 == cut:
                checkpoint.save(tmp_path, model, moment)
            if moment.step + 1 == cut + 3:
                break
    kept = checkpoint.newest(tmp_path)
    assert kept is not None
    model = fresh(name)
    model.load_state_dict(kept.model)
    *_, end = moments(name, model, recipe, kept.resume)
    assert same(model, whole)
    assert end.stage.feed.returns == last.stage.feed.returns  # type: ignore[attr-defined]
    assert not same(model, fresh(name))


def test_the_same_seed_gives_the_same_weights() -> None:
    models = [fresh("catch"), fresh("catch")]
    for model in models:
        for _ in moments("catch", model, TINY_RECIPE):
            pass
    assert same(*models)


def test_the_stage_counts_moves() -> None:
    model = fresh("catch")
    source = scan_world("catch")
    [stage] = dqn.stages(model, TINY, source, replace(TINY_RECIPE, epochs=0.05), 0)
    assert isinstance(stage, Stage)
    assert stage.steps == (500 - 40) // 4
    for step in range(stage.steps):
        stage.feed.batch(step)
    assert stage.feed.worlds.num_moves == 500  # type: ignore[attr-defined]


def test_values_are_plain_numbers() -> None:
    model = fresh("catch")
    seen = np.zeros((3, 2, 24, 24), dtype=np.uint8)
    values = dqn.values_of(model, seen)
    assert isinstance(values, np.ndarray)
    assert values.shape == (3, 3)


@pytest.mark.parametrize("spec", [SCREEN, NUMBERS])
def test_saved_and_loaded_it_answers_bit_for_bit_the_same(spec: WorldSpec, tmp_path: Path) -> None:
    config = TINY if spec.is_pixels else replace(TINY, stack=1)
    one, two = build(config, spec), build(config, spec)
    channels, *rest = spec.observation_shape
    shape = (9, channels * config.stack, *rest)
    seen = torch.randint(0, 256, shape, dtype=torch.uint8) if spec.is_pixels else torch.rand(shape)
    assert not torch.equal(one(seen).values, two(seen).values)
    save_file(checkpoint.own_tensors(one.state_dict()), tmp_path / "model.safetensors")
    two.load_state_dict(checkpoint.read_tensors(tmp_path / "model.safetensors"))
    assert torch.equal(one(seen).values, two(seen).values)

"""What Q-learning promises, at the size of a toy."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from samoyed.core.seeding import seed_everything
from samoyed.core.spec import WorldSpec
from samoyed.core.stage import Recipe
from samoyed.models.future import deep_q_network as dqn
from samoyed.training.loop import train
from samoyed.worlds.world import Step

NUM_STATES, NUM_ACTIONS, DISCOUNT, LIMIT = 6, 2, 0.8, 5


@dataclass(frozen=True)
class Tables:
    """A Markov decision process with certain moves: next state, reward, whether it ends."""

    next_state: np.ndarray
    reward: np.ndarray
    is_terminal: np.ndarray


def random_tables(seed: int) -> Tables:
    generator = np.random.default_rng(seed)
    shape = (NUM_STATES, NUM_ACTIONS)
    return Tables(
        generator.integers(0, NUM_STATES, shape),
        generator.uniform(-1, 1, shape),
        generator.random(shape) < 0.15,
    )


def value_iteration(tables: Tables) -> np.ndarray:
    """Bellman's optimal values, (S, A)."""
    values = np.zeros((NUM_STATES, NUM_ACTIONS))
    for _ in range(500):
        best = values.max(axis=1)
        values = tables.reward + DISCOUNT * ~tables.is_terminal * best[tables.next_state]
    return values


class TableWorld:
    """The process as a world of one-hot observations; cut short after LIMIT moves."""

    spec = WorldSpec("tables", (NUM_STATES,), False, NUM_ACTIONS, ("a", "b"))

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def reset(self, seed: int) -> np.ndarray:
        self.state, self.moves = seed % NUM_STATES, 0
        return self.see()

    def see(self) -> np.ndarray:
        return np.eye(NUM_STATES, dtype=np.float32)[self.state]

    def step(self, action: int) -> Step:
        here = (self.state, action)
        self.state = int(self.tables.next_state[here])
        self.moves += 1
        is_terminal = bool(self.tables.is_terminal[here])
        reward = float(self.tables.reward[here])
        return Step(self.see(), reward, is_terminal, self.moves >= LIMIT and not is_terminal)

    def render(self) -> None:
        return None


@dataclass(frozen=True)
class TableSource:
    tables: Tables
    spec: WorldSpec = TableWorld.spec

    def make(self) -> TableWorld:
        return TableWorld(self.tables)


CONFIG = dqn.Config(
    hidden_sizes=(), stack=1, discount=DISCOUNT, replay_size=4000, learning_starts=1000,
    update_every=4, num_worlds=4, target_update=20, epsilon_final=1.0, is_reward_clipped=False,
)  # fmt: skip
RECIPE = Recipe(
    optimizer="sgd",
    momentum=0.0,
    learning_rate=1.5,
    batch_size=64,
    epochs=0.6,
    schedule="constant",
)


def learn(tables: Tables, config: dqn.Config = CONFIG) -> np.ndarray:
    seed_everything(0)
    model = dqn.build(config, TableWorld.spec)
    source = TableSource(tables)
    for _ in train(model, dqn.stages(model, config, source, RECIPE, 0)):
        pass
    with torch.no_grad():
        return model(torch.eye(NUM_STATES)).values.numpy()


def test_a_table_of_weights_learns_the_values_of_value_iteration() -> None:
    for seed in range(1):
        tables = random_tables(seed)
        exact = value_iteration(tables)
        assert np.abs(exact).max() > 1
        assert np.abs(learn(tables) - exact).max() < 1e-2


def test_taking_cut_short_for_terminal_learns_something_else() -> None:
    """The law above can fail: count the end by the time limit as an end, and the values differ."""

    class Wrong(TableWorld):
        def step(self, action: int) -> Step:
            step = super().step(action)
            return step._replace(is_terminal=step.is_terminal or step.is_truncated)

    @dataclass(frozen=True)
    class WrongSource(TableSource):
        def make(self) -> TableWorld:
            return Wrong(self.tables)

    tables = replace(random_tables(0), is_terminal=np.zeros((NUM_STATES, NUM_ACTIONS), dtype=bool))
    seed_everything(0)
    model = dqn.build(CONFIG, TableWorld.spec)
    for _ in train(model, dqn.stages(model, CONFIG, WrongSource(tables), RECIPE, 0)):  # type: ignore[arg-type]
        pass
    with torch.no_grad():
        found = model(torch.eye(NUM_STATES)).values.numpy()
    assert np.abs(learn(tables) - value_iteration(tables)).max() < 1e-2
    assert np.abs(found - value_iteration(tables)).max() > 5e-2

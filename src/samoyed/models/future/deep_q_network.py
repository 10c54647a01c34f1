"""The deep Q-network: a ConvNet learns from pixels and a score alone what each action is worth.

Mnih, V. et al. (2015). Human-level control through deep reinforcement learning.
Nature 518, 529-533.

What was new: one network, one set of hyperparameters and nothing but the screen and the score, for
49 games. Q-learning with a nonlinear function had been unstable; here it is made stable by drawing
past moves from a replay memory, and by targets from a copy of the network that is only renewed
now and then.

Algorithm 1                          here
    initialise D, Q, Q^              `ReplayMemory`, `build`, `stages`
    select a_t, epsilon-greedy       `decoding.epsilon_greedy`, with `exploration_rate`
    execute, store in D              `worlds.play.PlayFeed`
    y_j = r_j + gamma max Q^         `losses.temporal_difference.one_step_target`
    descend (y_j - Q)^2, clipped     `losses.temporal_difference.q_learning_loss`
    every C steps reset Q^ = Q       `TargetNetwork.after_step`

Extended Data Table 1                here (paper's value, the default)
    minibatch size                   `Recipe.batch_size` (32)
    replay memory size               `Config.replay_size` (1,000,000)
    agent history length             `Config.stack` (4)
    target network update frequency  `Config.target_update` (10,000)
    discount factor                  `Config.discount` (0.99)
    action repeat                    `worlds.atari.FRAME_SKIP` (4)
    update frequency                 `Config.update_every` (4)
    learning rate                    `Recipe.learning_rate` (0.00025)
    initial, final exploration       `Config.epsilon_first` (1), `Config.epsilon_final` (0.1)
    final exploration frame          `Config.exploration_moves` (1,000,000)
    replay start size                `Config.learning_starts` (50,000)
    no-op max                        `worlds.atari.MAX_NO_OPS` (30)

Details of the Methods               ours | paper
 1. layers                           as `Config.filters`, `Config.hidden_sizes` | the same
 2. observations                     84 x 84 luminance, maximum of two frames | the same
 3. frames stored                    once, as 8 bits | not said
 4. before an episode                stacks are filled with zeros | not said
 5. rewards                          clipped to [-1, 1] while learning, counted whole | same
 6. error term                       clipped to [-1, 1]: Huber's loss; see departure 5 | same
 7. target of a last move            r alone | same
 8. target network                   renewed every C updates | same
 9. action repeat                    4, on Atari only | 4
10. evaluation                       epsilon from the task, 100 episodes | 0.05, 30 episodes
11. time limit                       an episode cut short goes on in the target | does not arise
12. initialisation                   torch's default | not said

**Departures**
1. The loss is the mean over the mini-batch, the published code descends the sum; so the same rate
   takes smaller steps where RMSProp's eps matters.
2. RMSProp adds eps outside the root (torch), the published code inside.
3. The loss of a life does not end an episode in training (Methods, Training details: it did).
   Observations in the replay are those of whole games.
4. `Config.num_worlds` worlds are played side by side, one move each, to act faster; the paper
   plays one. The number of moves per update is what `update_every` says in both cases.
5. Vectors of numbers are observed as well: an MLP takes the ConvNet's place. For these, and for
   small screens, `fit` gives a Config and a Recipe of our own, with Adam. For vectors the error is
   squared, not clipped: where every move earns 1 until the last one earns nothing more, clipping
   makes the many small errors outweigh the few large ones, and all values drift to 1 / (1 - gamma).
6. A training shorter than the paper's also explores for a shorter time (`shortened`).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from samoyed.core.batch import Transitions, Values
from samoyed.core.reference import Reference
from samoyed.core.spec import WorldSpec
from samoyed.core.stage import Recipe, Stage, Stateful
from samoyed.decoding.epsilon_greedy import epsilon_at
from samoyed.losses.temporal_difference import clipped_rewards, q_learning_loss
from samoyed.training import optimizers, schedules
from samoyed.training.averaging import WeightAverage
from samoyed.worlds.play import PlayedWorlds, PlayFeed
from samoyed.worlds.replay import ReplayMemory
from samoyed.worlds.world import World

REFERENCE = Reference(
    title="Human-level control through deep reinforcement learning",
    authors="Mnih, V., Kavukcuoglu, K., Silver, D. et al.",
    year=2015,
    venue="Nature 518, 529-533",
    review=100,
    url="https://doi.org/10.1038/nature14236",
)

MOVES_PER_EPOCH = 10_000
"""What `Recipe.epochs` counts: a world has no end, so an epoch is this many moves."""


@dataclass(frozen=True)
class Config:
    """Sizes and constants; the defaults are those of Extended Data Table 1 and of the Methods.

    Args:
        filters: (maps, size, stride) of each convolutional layer; not used for vectors.
        hidden_sizes: units of each fully connected hidden layer.
        stack: how many observations the network sees at once.
        discount: worth of a reward one move later.
        replay_size: how many observations are remembered.
        learning_starts: moves before the first update.
        update_every: moves between updates.
        target_update: updates between renewals of the target network.
        epsilon_first: exploration rate at the first move.
        epsilon_final: exploration rate after `exploration_moves`.
        exploration_moves: how long the rate falls.
        num_worlds: how many worlds are played side by side; divides `update_every`.
        is_reward_clipped: whether rewards are clipped to [-1, 1] while learning.
        error_limit: largest size of a temporal-difference error; beyond it only the sign counts.
    """

    filters: tuple[tuple[int, int, int], ...] = ((32, 8, 4), (64, 4, 2), (64, 3, 1))
    hidden_sizes: tuple[int, ...] = (512,)
    stack: int = 4
    discount: float = 0.99
    replay_size: int = 1_000_000
    learning_starts: int = 50_000
    update_every: int = 4
    target_update: int = 10_000
    epsilon_first: float = 1.0
    epsilon_final: float = 0.1
    exploration_moves: int = 1_000_000
    num_worlds: int = 1
    is_reward_clipped: bool = True
    error_limit: float = 1.0

    def __post_init__(self) -> None:
        for name in ("stack", "replay_size", "update_every", "target_update", "num_worlds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.update_every % self.num_worlds:
            raise ValueError("num_worlds must divide update_every")
        if not 0 <= self.discount < 1:
            raise ValueError("discount must be at least 0 and less than 1")
        for name in ("epsilon_first", "epsilon_final"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1]")


RECIPE = Recipe(
    optimizer="rmsprop", learning_rate=2.5e-4, batch_size=32, epochs=5000, schedule="constant",
    precision="float32",
)  # fmt: skip
"""The paper's: 50 million moves (200 million frames)."""

VECTOR_CONFIG = Config(
    filters=(), hidden_sizes=(120, 84), stack=1, replay_size=10_000, learning_starts=10_000,
    update_every=10, target_update=50, epsilon_final=0.05, exploration_moves=250_000,
    num_worlds=10, is_reward_clipped=False, error_limit=1000.0,
)  # fmt: skip
VECTOR_RECIPE = Recipe(
    optimizer="adam", learning_rate=2.5e-4, batch_size=128, epochs=50, schedule="constant",
    precision="float32",
)  # fmt: skip
SMALL_SCREEN = 48  # pixels; below, the paper's first layer would leave too little
SMALL_SCREEN_CONFIG = Config(
    filters=((16, 4, 2), (32, 3, 1)), hidden_sizes=(128,), stack=2, replay_size=50_000,
    learning_starts=5_000, update_every=4, target_update=200, epsilon_final=0.05,
    exploration_moves=100_000, num_worlds=4,
)  # fmt: skip
SMALL_SCREEN_RECIPE = Recipe(
    optimizer="adam", learning_rate=5e-4, batch_size=32, epochs=30, schedule="linear",
    precision="float32",
)  # fmt: skip


@runtime_checkable
class Makes(Protocol):
    """A world that can be made any number of times."""

    @property
    def spec(self) -> WorldSpec:
        """Return what is seen and what can be done."""
        ...

    def make(self) -> World:
        """Return one more of it."""
        ...


def fit(spec: WorldSpec) -> tuple[Config, Recipe]:
    """Return the Config and Recipe for a world: the paper's own for screens of Atari's kind."""
    if not spec.is_pixels:
        return VECTOR_CONFIG, VECTOR_RECIPE
    if min(spec.observation_shape[1:]) < SMALL_SCREEN:
        return SMALL_SCREEN_CONFIG, SMALL_SCREEN_RECIPE
    return Config(), RECIPE


def shortened(config: Config, num_moves: float) -> Config:
    """Return constants for a training of so many moves: where it is short, so is exploring.

    Exploration falls within the first half, and an eighth at most is played before learning; the
    paper's 50 million moves leave its own constants as they are.

    >>> shortened(Config(exploration_moves=250_000), 100_000).exploration_moves
    50000
    """
    return replace(
        config,
        exploration_moves=min(config.exploration_moves, int(num_moves / 2)),
        learning_starts=min(config.learning_starts, int(num_moves / 8)),
    )


def exploration_rate(config: Config, move: int) -> float:
    """Return epsilon: 1 before learning starts, then falling linearly."""
    if move < config.learning_starts:
        return config.epsilon_first
    return epsilon_at(move, config.epsilon_first, config.epsilon_final, config.exploration_moves)


class PixelQNetwork(nn.Module):
    """Convolutions and fully connected layers with ReLU; one output per action (Methods).

    Args:
        config: sizes.
        spec: the world.
    """

    def __init__(self, config: Config, spec: WorldSpec) -> None:
        super().__init__()
        self.stack = config.stack
        channels, height, width = spec.observation_shape
        channels *= config.stack
        layers: list[nn.Module] = []
        for num_maps, size, stride in config.filters:
            layers += [nn.Conv2d(channels, num_maps, size, stride), nn.ReLU()]
            channels = num_maps
            height, width = (height - size) // stride + 1, (width - size) // stride + 1
        if height < 1 or width < 1:
            raise ValueError(
                f"filters {config.filters} leave nothing of a screen of "
                f"{spec.observation_shape[1]} x {spec.observation_shape[2]}"
            )
        self.convolutions = nn.Sequential(*layers)
        sizes = (channels * height * width, *config.hidden_sizes, spec.num_actions)
        self.fully_connected = _fully_connected(sizes)

    def forward(self, observations: Shaped[Tensor, "B C H W"]) -> Values:
        """Return the value of each action, (B, A), for stacked 8-bit screens."""
        pixels = observations.to(next(self.parameters()).dtype) / 255
        return Values(self.fully_connected(self.convolutions(pixels).flatten(1)))


class VectorQNetwork(nn.Module):
    """Fully connected layers with ReLU; one output per action.

    Args:
        config: sizes.
        spec: the world.
    """

    def __init__(self, config: Config, spec: WorldSpec) -> None:
        super().__init__()
        self.stack = config.stack
        num_inputs = config.stack * spec.observation_shape[0]
        self.fully_connected = _fully_connected(
            (num_inputs, *config.hidden_sizes, spec.num_actions)
        )

    def forward(self, observations: Float[Tensor, "B D"]) -> Values:
        """Return the value of each action, (B, A)."""
        return Values(self.fully_connected(observations))


def _fully_connected(sizes: tuple[int, ...]) -> nn.Sequential:
    """Return linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for num_in, num_out in pairwise(sizes):
        layers += [nn.Linear(num_in, num_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def build(config: Config, spec: WorldSpec) -> nn.Module:
    """Return the network for a world."""
    kind = PixelQNetwork if spec.is_pixels else VectorQNetwork
    return kind(config, spec)


class TargetNetwork:
    """Q^: a copy of the network, renewed every `target_update` updates.

    Args:
        model: the network to copy.
        target_update: updates between renewals.
    """

    def __init__(self, model: nn.Module, target_update: int) -> None:
        self.network = copy.deepcopy(model).eval().requires_grad_(False)
        self.target_update = target_update

    def renew(self, model: nn.Module) -> None:
        """Set Q^ = Q."""
        self.network.to(next(model.parameters()).device)
        self.network.load_state_dict(model.state_dict())

    def after_step(self, model: nn.Module, step: int) -> None:
        """Renew the copy when it is time."""
        if (step + 1) % self.target_update == 0:
            self.renew(model)

    def state_dict(self) -> Mapping[str, Any]:
        """Return the copy's weights."""
        return self.network.state_dict()

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Restore the copy's weights."""
        self.network.load_state_dict(dict(state))


def objective(
    model: nn.Module, batch: Transitions, *, target: TargetNetwork, config: Config
) -> Tensor:
    """Return the loss of a mini-batch (Algorithm 1), shape ()."""
    with torch.no_grad():
        next_values = target.network(batch.next_observations).values
    rewards = clipped_rewards(batch.rewards) if config.is_reward_clipped else batch.rewards
    values = model(batch.observations).values
    return q_learning_loss(
        values, next_values, batch.actions, rewards, batch.is_terminal, config.discount,
        config.error_limit,
    )  # fmt: skip


def values_of(model: nn.Module, observations: np.ndarray) -> np.ndarray:
    """Return the network's values as numbers, (B, A), for stacked observations (B, ...)."""
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.from_numpy(observations).to(device)).values.float().cpu().numpy()


def stages(
    model: nn.Module, config: Config, source: Makes, recipe: Recipe, seed: int
) -> Iterator[Stage]:
    """Yield the one stage of Algorithm 1.

    Args:
        model: the network Q.
        config: constants.
        source: the world to play.
        recipe: rates; `epochs` counts `MOVES_PER_EPOCH` moves each, `learning_starts` included.
        seed: of the worlds, the exploration and the drawing.
    """
    num_moves = recipe.epochs * MOVES_PER_EPOCH
    config = shortened(config, num_moves)
    num_worlds = config.num_worlds
    memory = ReplayMemory(source.spec, config.replay_size, config.stack, num_worlds)
    worlds = PlayedWorlds([source.make() for _ in range(num_worlds)], seed)
    target = TargetNetwork(model, config.target_update)
    average = None if recipe.average is None else WeightAverage(model, recipe.average)
    feed = PlayFeed(
        worlds, memory, partial(values_of, model),
        epsilon=partial(exploration_rate, config),
        batch_size=recipe.batch_size, moves_per_batch=config.update_every,
        learning_starts=config.learning_starts, seed=seed,
    )  # fmt: skip

    def after_step(trained: nn.Module, step: int) -> None:
        target.after_step(trained, step)
        if average is not None:
            average.after_step(trained, step)

    keeps: dict[str, Stateful] = {"replay": memory, "worlds": worlds, "target": target}
    num_moves -= config.learning_starts
    yield Stage(
        name="q-learning",
        feed=feed,
        objective=partial(objective, target=target, config=config),
        optimizer=optimizers.of(recipe),
        steps=max(1, round(num_moves / config.update_every / recipe.accumulate)),
        after_step=after_step,
        before=target.renew,
        after=None if average is None else average.after,
        rate=schedules.of(recipe),
        clip_norm=recipe.clip_norm,
        accumulate=recipe.accumulate,
        keeps=keeps if average is None else {**keeps, "average": average},
        tells=feed.tells,
    )

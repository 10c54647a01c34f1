"""Play: which action earns the most in the long run?

What a player is worth is the mean return of episodes it has never seen, played with the best
action of each move (and, rarely, a random one, so that a world that always begins alike cannot be
won by heart).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from samoyed.core.batch import Transitions
from samoyed.core.errors import DataError
from samoyed.core.numbers import Chance, Count
from samoyed.core.reference import Answer, Score
from samoyed.core.seeding import derive_seed
from samoyed.core.spec import WorldSpec
from samoyed.core.stage import Recipe, Stage
from samoyed.losses.temporal_difference import q_learning_loss
from samoyed.metrics.intervals import bootstrap, wilson
from samoyed.worlds.episodes import Episode, fresh_seeds, play_episodes
from samoyed.worlds.scan import WorldSource, scan_world

DISCOUNT = 0.99  # of `Play.loss` only; training discounts by the system's own Config
SHOWN_SEED = 0  # of the episode that `predict` and the figures play


@dataclass(frozen=True)
class Play:
    """The question: what to do?

    Args:
        spec: the world.
        test_epsilon: how often a random action is done while scoring (Mnih et al. 2015: 0.05).
        test_episodes: how many fresh episodes are played for the score (there: 30).
    """

    spec: WorldSpec
    test_epsilon: Chance = 0.001
    test_episodes: Count = 100
    name: ClassVar[str] = "play"
    headline: ClassVar[str] = "mean_return"

    @property
    def built_for(self) -> tuple[Any, ...]:
        """Return what a system's `build` is told of the data, after its Config."""
        return (self.spec,)

    def stages(
        self,
        model: nn.Module,
        system: Any,
        config: Any,
        data: WorldSource,
        recipe: Recipe,
        seed: int = 0,
        system_stages: Callable[..., Iterator[Stage]] | None = None,
    ) -> Iterator[Stage]:
        """Yield the system's own stages: a world has no examples of which a task could make any."""
        yield from (system_stages or system.stages)(model, config, data, recipe, seed)

    def loss(self, model: nn.Module, batch: Transitions) -> Tensor:
        """Return the clipped one-step error with the model as its own target, shape ()."""
        with torch.no_grad():
            next_values = model(batch.next_observations).values
        values = model(batch.observations).values
        return q_learning_loss(
            values, next_values, batch.actions, batch.rewards, batch.is_terminal, DISCOUNT
        )

    def score(
        self,
        model: nn.Module,
        data: WorldSource,
        device: torch.device | str = "cpu",
        limit: int | None = None,
        seed: int = 0,
    ) -> tuple[Score, ...]:
        """Play fresh episodes and measure what they earn.

        Args:
            model: gives values of actions.
            data: the world.
            device: where the model computes.
            limit: play at most this many episodes.
            seed: of the episodes, which training never plays.

        Returns:
            The mean return with its bootstrap interval, the share of balls caught where the world
            is Catch, and the mean length of an episode.
        """
        num = self.test_episodes if limit is None else max(1, min(limit, self.test_episodes))
        self._check_same(data)
        seeds = fresh_seeds(seed, "score", num)
        episodes = self.play(model, data, seeds, device, epsilon=self.test_epsilon, seed=seed)
        return scores_of(episodes, self.spec.name, seed)

    def play(
        self,
        model: Any,
        source: WorldSource,
        seeds: Sequence[int],
        device: torch.device | str = "cpu",
        *,
        epsilon: float = 0.0,
        seed: int = 0,
        is_recorded: bool = False,
    ) -> list[Episode]:
        """Play the episodes of these seeds with the model's best actions."""
        was_training = model.training
        model.to(device).eval()

        def values_of(observations: np.ndarray) -> np.ndarray:
            with torch.no_grad():
                values = model(torch.from_numpy(observations).to(device)).values
            return values.float().cpu().numpy()

        try:
            return play_episodes(
                source, seeds, values_of, stack=model.stack, epsilon=epsilon, seed=seed,
                is_recorded=is_recorded,
            )  # fmt: skip
        finally:
            model.train(was_training)

    def answer(
        self, model: nn.Module, inputs: Sequence[str] = (), device: torch.device | str = "cpu"
    ) -> list[Answer]:
        """Play one episode for each input and say how it went.

        Args:
            model: gives values of actions.
            inputs: names of worlds that look like the one learned in, or numbers, which are seeds
                of episodes in it; nothing plays one episode.
            device: where the model computes.

        Raises:
            DataError: when a world's observations or actions differ from those learned with.
        """
        answers = []
        for name in inputs or [self.spec.name]:
            episode = self.episode(model, name, device)
            num_moves = len(episode.actions)
            answers.append(
                Answer(
                    name, f"return {episode.earned:g} after {num_moves} moves",
                    details=(("return", episode.earned), ("moves", float(num_moves))),
                )
            )  # fmt: skip
        return answers

    def episode(self, model: nn.Module, name: str, device: torch.device | str = "cpu") -> Episode:
        """Play and record the episode that an input of `answer` stands for."""
        seed = int(name) if name.isdecimal() else SHOWN_SEED
        source = scan_world(self.spec.name if name.isdecimal() else name)
        self._check_same(source)
        shown = derive_seed(seed, "shown") % (1 << 31)
        return self.play(model, source, [shown], device, is_recorded=True)[0]

    def _check_same(self, source: WorldSource) -> None:
        """Check that a world looks like the one learned in."""
        ours, theirs = self.spec, source.spec
        same = (ours.observation_shape, ours.is_pixels, ours.num_actions) == (
            theirs.observation_shape, theirs.is_pixels, theirs.num_actions,
        )  # fmt: skip
        if not same:
            raise DataError(
                theirs.name,
                f"observations {ours.observation_shape} and {ours.num_actions} actions, "
                f"as in {ours.name}",
                f"observations {theirs.observation_shape} and {theirs.num_actions} actions",
                f"give a world like {ours.name}",
            )


def scores_of(episodes: Sequence[Episode], name: str, seed: int = 0) -> tuple[Score, ...]:
    """Measure episodes: mean return, share of balls caught in Catch, mean length."""
    returns = [episode.earned for episode in episodes]
    lengths = [float(len(episode.actions)) for episode in episodes]
    num = len(episodes)
    scores = [Score("mean_return", float(np.mean(returns)), *bootstrap(returns, seed), num)]
    if name == "catch":
        scores.append(Score("caught", float(np.mean(returns)), *wilson(sum(returns), num), num))
    return (*scores, Score("mean_length", float(np.mean(lengths)), *bootstrap(lengths, seed), num))

from typing import Any

import numpy as np
import pytest
import torch

from samoyed.core.errors import RunError
from samoyed.core.spec import WorldSpec
from samoyed.worlds.catch import Catch
from samoyed.worlds.episodes import fresh_seeds, play_episodes
from samoyed.worlds.play import PlayedWorlds, PlayFeed
from samoyed.worlds.replay import ReplayMemory
from samoyed.worlds.scan import scan_world
from samoyed.worlds.world import Step


class Corridor:
    """Observation: (seed, moves). Ends after 5 moves: by its rules if the seed is even."""

    spec = WorldSpec("corridor", (2,), False, 3, ("a", "b", "c"))

    def __init__(self, is_forgetful: bool = False) -> None:
        self.is_forgetful = is_forgetful
        self.lives = 0

    def reset(self, seed: int) -> np.ndarray:
        self.lives += 1
        self.seed, self.moves = seed % 1000, 0
        return self.see()

    def see(self) -> np.ndarray:
        extra = self.lives if self.is_forgetful else 0
        return np.array([self.seed + extra, self.moves], dtype=np.float32)

    def step(self, action: int) -> Step:
        self.moves += 1
        is_over = self.moves == 5
        even = self.seed % 2 == 0
        return Step(self.see(), float(action), is_over and even, is_over and not even)

    def render(self) -> None:
        return None


def favourite(action: int) -> Any:
    return lambda seen: np.tile(np.eye(3)[action], (len(seen), 1))


def make_feed(num_worlds: int = 2, seed: int = 0, **changes: Any) -> PlayFeed:
    world = changes.pop("world", Corridor)
    worlds = PlayedWorlds([world() for _ in range(num_worlds)], seed)
    memory = ReplayMemory(worlds.worlds[0].spec, 400, 1, num_worlds)
    settings: dict[str, Any] = {
        "epsilon": lambda move: 0.3, "batch_size": 8, "moves_per_batch": 4,
        "learning_starts": 20, "seed": seed,
    }  # fmt: skip
    return PlayFeed(worlds, memory, changes.pop("values_of", favourite(2)), **settings | changes)


def test_moves_are_counted_and_the_first_batch_fills_the_memory() -> None:
    feed = make_feed()
    feed.batch(0)
    assert feed.worlds.num_moves == feed.memory.num_moves == 24
    feed.batch(1)
    assert feed.worlds.num_moves == 28


def test_worlds_must_share_the_moves_evenly() -> None:
    with pytest.raises(ValueError, match=r"4 moves .* 3 worlds"):
        make_feed(num_worlds=3)


def test_finished_episodes_are_recorded() -> None:
    feed = make_feed(epsilon=lambda move: 0.0)
    for step in range(10):
        feed.batch(step)
    assert [length for _, _, length in feed.returns] == [5] * len(feed.returns)
    assert {earned for _, earned, _ in feed.returns} == {10.0}  # always action 2
    moves = [move for move, _, _ in feed.returns]
    assert moves == sorted(moves)
    assert len(feed.returns) == 60 // 5


def test_exploration_follows_its_rate() -> None:
    for rate in (0.0, 0.5, 1.0):
        feed = make_feed(epsilon=lambda move, rate=rate: rate)
        batches = [feed.batch(step) for step in range(400)]
        done = feed.memory.actions[feed.memory.is_playable]
        assert len(batches[0]) == 8
        others = float((done != 2).mean())
        assert others == pytest.approx(rate * 2 / 3, abs=0.06)


def test_the_rate_is_asked_with_the_number_of_moves() -> None:
    asked: list[int] = []
    feed = make_feed(epsilon=lambda move: asked.append(move) or 0.5)
    feed.batch(0)
    feed.batch(1)
    assert asked == list(range(0, 28, 2))


def test_cut_short_is_not_terminal() -> None:
    feed = make_feed()
    for step in range(50):
        feed.batch(step)
    drawn = feed.memory.sample(500, np.random.default_rng(0))
    is_last = drawn.next_observations[:, 1] == 5
    is_even = drawn.observations[:, 0] % 2 == 0
    assert torch.equal(drawn.is_terminal, is_last & is_even)
    assert (is_last & ~is_even).any()


@pytest.mark.parametrize("world", [Corridor, Catch])
@pytest.mark.parametrize("stop", [1, 7, 30])
def test_a_restored_feed_deals_the_same_batches(world: type, stop: int) -> None:
    feed = make_feed(world=world)
    for step in range(stop):
        feed.batch(step)
    states = [
        {k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in one.state_dict().items()}
        for one in (feed.memory, feed.worlds)
    ]
    other = make_feed(world=world)
    other.memory.load_state_dict(states[0])
    other.worlds.load_state_dict(states[1])
    assert other.returns == feed.returns
    for step in range(stop, stop + 40):
        a, b = feed.batch(step), other.batch(step)
        for name in ("observations", "actions", "rewards", "next_observations", "is_terminal"):
            assert torch.equal(getattr(a, name), getattr(b, name)), (step, name)
    assert other.returns == feed.returns


def test_a_world_that_does_not_repeat_itself_is_named_when_resuming() -> None:
    feed = make_feed(world=lambda: Corridor(is_forgetful=True))
    feed.batch(0)
    other = make_feed(world=lambda: Corridor(is_forgetful=True))
    with pytest.raises(RunError) as caught:
        other.worlds.load_state_dict(feed.worlds.state_dict())
    assert caught.value.place == "corridor"
    assert "not deterministic" in caught.value.found


def test_another_seed_is_another_play() -> None:
    assert not torch.equal(
        make_feed(seed=0).batch(0).observations, make_feed(seed=1).batch(0).observations
    )


def test_an_episode_does_not_depend_on_those_beside_it() -> None:
    source = scan_world("catch")
    generator = np.random.default_rng(0)
    weights = generator.normal(size=(2 * 576, 3))

    def values_of(seen: np.ndarray) -> np.ndarray:
        return seen.reshape(len(seen), -1) @ weights

    seeds = fresh_seeds(0, "test", 20)
    together = play_episodes(source, seeds, values_of, stack=2)
    for index in (0, 7, 19):
        [alone] = play_episodes(source, [seeds[index]], values_of, stack=2)
        assert alone.actions == together[index].actions
        assert alone.rewards == together[index].rewards
        assert together[index].seed == seeds[index]


def test_a_recorded_episode_holds_what_was_seen() -> None:
    source = scan_world("catch")
    [episode] = play_episodes(source, [3], favourite(1), is_recorded=True)
    assert len(episode.actions) == len(episode.values) == 23
    assert len(episode.observations) == len(episode.frames) == 24
    assert episode.actions == [1] * 23
    assert np.array_equal(episode.frames[4][:, :, 0], episode.observations[4][0])

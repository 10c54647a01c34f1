import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from samoyed.core.spec import WorldSpec
from samoyed.worlds.replay import ReplayMemory

PIXELS = WorldSpec("screen", (1, 2, 2), True, 4, ("a", "b", "c", "d"))
NUMBERS = WorldSpec("numbers", (3,), False, 4, ("a", "b", "c", "d"))


class Diary:
    """The slow reference: every episode in full, every frame with a number of its own."""

    def __init__(self, spec: WorldSpec, stack: int) -> None:
        self.spec, self.stack = spec, stack
        self.count = 0
        self.moves: dict[int, tuple] = {}  # number of the frame -> its transition

    def frame(self) -> np.ndarray:
        self.count += 1
        if self.spec.is_pixels:
            number = [self.count % 250 + 1, self.count // 250 % 250, 0, 7]
            return np.array(number, dtype=np.uint8).reshape(1, 2, 2)
        return np.array([self.count, -self.count, 0.5], dtype=np.float32)

    def stacked(self, frames: list[np.ndarray]) -> np.ndarray:
        shown = frames[-self.stack :]
        missing = [np.zeros_like(frames[0])] * (self.stack - len(shown))
        return np.concatenate([*missing, *shown])


def fill(memory: ReplayMemory, diary: Diary, lengths: list[int], seed: int = 0) -> list[int]:
    """Write episodes of these lengths, worlds in turn; return the numbers of the moves' frames."""
    generator = np.random.default_rng(seed)
    num_worlds = len(memory.newest)
    numbers = []
    for episode, length in enumerate(lengths):
        world = episode % num_worlds
        frames = [diary.frame()]
        memory.begin(world, frames[0])
        for move in range(length):
            number = diary.count
            action, reward = int(generator.integers(4)), float(generator.normal())
            is_terminal = move == length - 1 and episode % 3 != 0
            before = diary.stacked(frames)
            frames.append(diary.frame())
            memory.add(world, action, reward, is_terminal, frames[-1])
            after = diary.stacked(frames)
            diary.moves[number] = (before, action, np.float32(reward), after, is_terminal)
            numbers.append(number)
    return numbers


def number_of(observation: np.ndarray, spec: WorldSpec) -> int:
    if spec.is_pixels:
        newest = observation[-1].astype(int)
        return newest[0, 0] - 1 + 250 * newest[0, 1]
    return int(observation[-3])


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=25),
    stack=st.integers(1, 4),
    num_worlds=st.integers(1, 3),
    size=st.integers(6, 60),
    is_pixels=st.booleans(),
)
def test_every_drawn_move_is_one_that_was_made(
    lengths: list[int], stack: int, num_worlds: int, size: int, is_pixels: bool
) -> None:
    spec = PIXELS if is_pixels else NUMBERS
    memory = ReplayMemory(spec, size, stack, num_worlds)
    diary = Diary(spec, stack)
    fill(memory, diary, lengths)
    if memory.num_moves == 0:
        return
    drawn = memory.sample(40, np.random.default_rng(1))
    for row in range(40):
        seen = drawn.observations[row].numpy()
        before, action, reward, after, is_terminal = diary.moves[number_of(seen, spec)]
        assert np.array_equal(seen, before)
        assert np.array_equal(drawn.next_observations[row].numpy(), after)
        assert drawn.actions[row] == action
        assert drawn.rewards[row] == reward
        assert bool(drawn.is_terminal[row]) == is_terminal


def test_no_move_leads_from_one_episode_into_the_next() -> None:
    memory = ReplayMemory(NUMBERS, 100)
    for episode in range(10):
        mark = np.full(3, episode, dtype=np.float32)
        memory.begin(0, mark)
        for _ in range(4):
            memory.add(0, 0, 0.0, False, mark)  # all cut short: no terminal to warn of the border
    drawn = memory.sample(2000, np.random.default_rng(0))
    assert torch.equal(drawn.observations, drawn.next_observations)
    assert len(drawn.observations[:, 0].unique()) == 10


def test_drawing_is_uniform_over_the_moves() -> None:
    memory, diary = ReplayMemory(NUMBERS, 200, 1, 2), Diary(NUMBERS, 1)
    numbers = fill(memory, diary, [5, 1, 1, 30, 2, 3])
    drawn = memory.sample(42_000, np.random.default_rng(0))
    found, counts = drawn.observations[:, 0].long().unique(return_counts=True)
    assert found.tolist() == sorted(numbers)  # 42 moves, about 1000 times each
    assert counts.min() > 850
    assert counts.max() < 1150


def test_the_oldest_moves_are_forgotten_first() -> None:
    memory, diary = ReplayMemory(NUMBERS, 10), Diary(NUMBERS, 1)
    numbers = fill(memory, diary, [50])
    drawn = memory.sample(500, np.random.default_rng(0))
    assert drawn.observations[:, 0].unique().tolist() == numbers[-9:]
    assert memory.num_moves == 9


def test_stacks_are_not_made_of_overwritten_frames() -> None:
    memory, diary = ReplayMemory(PIXELS, 10, 4), Diary(PIXELS, 4)
    fill(memory, diary, [50])
    drawn = memory.sample(300, np.random.default_rng(0))
    assert (drawn.observations[:, :, 0, 0] > 0).all()
    steps = drawn.observations[:, 1:, 0, 0].int() - drawn.observations[:, :-1, 0, 0].int()
    assert (steps == 1).all()


def test_latest_is_what_would_be_seen_in_training() -> None:
    memory, diary = ReplayMemory(PIXELS, 40, 3, 1), Diary(PIXELS, 3)
    numbers = fill(memory, diary, [6, 2])
    assert np.array_equal(memory.latest()[0], diary.moves[numbers[-1]][3])
    memory.begin(0, diary.frame())
    assert np.array_equal(memory.latest()[0, :2], np.zeros((2, 2, 2)))


@pytest.mark.parametrize("lengths", [[3], [7, 2, 4], [30, 30, 30]])
@pytest.mark.parametrize("num_worlds", [1, 2])
def test_a_restored_memory_goes_on_as_if_nothing_had_happened(
    lengths: list[int], num_worlds: int
) -> None:
    memory, diary = ReplayMemory(PIXELS, 30, 2, num_worlds), Diary(PIXELS, 2)
    fill(memory, diary, lengths)
    saved = {name: tensor.clone() for name, tensor in memory.state_dict().items()}
    other = ReplayMemory(PIXELS, 30, 2, num_worlds)
    other.load_state_dict(saved)
    count = diary.count
    for one in (memory, other):
        diary.count = count
        fill(one, diary, [5, 4], seed=9)
    a = memory.sample(64, np.random.default_rng(2))
    b = other.sample(64, np.random.default_rng(2))
    for name in ("observations", "actions", "rewards", "next_observations", "is_terminal"):
        assert torch.equal(getattr(a, name), getattr(b, name)), name


def test_only_the_filled_part_is_saved() -> None:
    memory, diary = ReplayMemory(PIXELS, 100_000), Diary(PIXELS, 1)
    fill(memory, diary, [20])
    assert memory.state_dict()["observations"].shape == (1, 21, 1, 2, 2)


def test_a_frame_is_stored_once_in_8_bits() -> None:
    memory = ReplayMemory(WorldSpec("atari", (1, 84, 84), True, 4, tuple("abcd")), 1000, 4)
    assert memory.observations.nbytes == 1000 * 84 * 84


def test_a_memory_of_another_size_cannot_be_restored() -> None:
    memory, diary = ReplayMemory(NUMBERS, 10), Diary(NUMBERS, 1)
    fill(memory, diary, [50])
    with pytest.raises(ValueError, match="1 x 20 entries cannot hold one of 1 x 10"):
        ReplayMemory(NUMBERS, 20).load_state_dict(memory.state_dict())
    with pytest.raises(ValueError, match="2 x 5 entries"):
        ReplayMemory(NUMBERS, 10, 1, 2).load_state_dict(memory.state_dict())


def test_an_empty_memory_has_nothing_to_draw() -> None:
    memory = ReplayMemory(NUMBERS, 10)
    with pytest.raises(ValueError, match="no moves"):
        memory.sample(1, np.random.default_rng(0))

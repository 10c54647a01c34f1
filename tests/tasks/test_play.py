import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.batch import Transitions, Values
from samoyed.core.errors import DataError, OptionError
from samoyed.core.settings import apply, from_json, to_json
from samoyed.models.future import deep_q_network as dqn
from samoyed.runs.baselines import worlds as baselines
from samoyed.runs.figures import play as figures
from samoyed.tasks.play import Play
from samoyed.worlds.catch import PADDLE_WIDTH, SIZE
from samoyed.worlds.scan import scan_world

CATCH = scan_world("catch")
CART = scan_world("CartPole-v1")


class Catcher(nn.Module):
    """Sees ball and paddle in the newest screen and the ball in the one before; never misses."""

    stack = 2

    def __init__(self, is_lazy: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.is_lazy = is_lazy

    def forward(self, seen: torch.Tensor) -> Values:
        return Values(torch.stack([self.one(s.numpy()) for s in seen]) + self.weight)

    def one(self, screens: np.ndarray) -> torch.Tensor:
        before, now = (screens[i, : SIZE - 1] for i in (0, 1))
        row, column = (int(x[0]) for x in np.nonzero(now))
        goal = column
        if row > 0:
            slope = column - int(np.nonzero(before)[1][0])
            for _ in range(SIZE - 1 - row):
                slope = slope if 0 <= goal + slope < SIZE else -slope
                goal += slope
        left = int(np.flatnonzero(screens[1, SIZE - 1])[0])
        action = 0 if goal < left else 2 if goal > left + PADDLE_WIDTH - 1 else 1
        return torch.eye(3)[0 if self.is_lazy else action]


class Balancer(nn.Module):
    """Pushes the cart to where the pole falls: holds it up for the whole 500 moves."""

    stack = 1

    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Linear(4, 2, bias=False)
        with torch.no_grad():
            self.line.weight[1] = torch.tensor([0.1, 0.5, 1.0, 1.0])
            self.line.weight[0] = -self.line.weight[1]

    def forward(self, seen: torch.Tensor) -> Values:
        return Values(self.line(seen))


def test_the_task_is_plain_json() -> None:
    task = Play(CATCH.spec, test_episodes=5)
    assert from_json(Play, json.loads(json.dumps(to_json(task)))) == task


@pytest.mark.parametrize("wrong", [{"test_epsilon": 2.0}, {"test_episodes": 0}])
def test_impossible_settings_are_refused(wrong: Any) -> None:
    with pytest.raises(OptionError, match=next(iter(wrong))):
        apply(wrong, [Play(CATCH.spec)])


def test_a_perfect_player_scores_one() -> None:
    scores = Play(CATCH.spec, test_epsilon=0.0).score(Catcher(), CATCH, limit=40)
    assert [s.name for s in scores] == ["mean_return", "caught", "mean_length"]
    assert scores[0].value == scores[1].value == 1.0
    assert scores[1].low < 1.0  # Wilson: 40 of 40 is no certainty
    assert scores[2].value == 23
    assert scores[0].num == 40


def test_a_lazy_player_scores_little_and_the_interval_holds_it() -> None:
    mean, caught, _ = Play(CATCH.spec).score(Catcher(is_lazy=True), CATCH)
    assert 0 < mean.value < 0.35
    assert mean.low < mean.value < mean.high
    assert caught.low < caught.value < caught.high
    assert mean.num == 100


def test_the_score_is_that_of_gymnasium() -> None:
    import gymnasium

    model = Balancer()
    scores = Play(CART.spec, test_epsilon=0.0, test_episodes=4).score(model, CART)
    from samoyed.worlds.episodes import fresh_seeds

    returns = []
    for seed in fresh_seeds(0, "score", 4):
        env = gymnasium.make("CartPole-v1")
        seen, _ = env.reset(seed=seed)
        total, is_over = 0.0, False
        while not is_over:
            action = int(model(torch.from_numpy(seen)[None]).values.argmax())
            seen, reward, terminal, truncated, _ = env.step(action)
            total += float(reward)
            is_over = terminal or truncated
        returns.append(total)
    assert scores[0].value == np.mean(returns)
    assert scores[0].name == "mean_return"


def test_scoring_is_pure() -> None:
    task, model = Play(CATCH.spec), Catcher(is_lazy=True)
    model.train()
    before = torch.random.get_rng_state()
    first = task.score(model, CATCH, limit=10)
    assert task.score(model, CATCH, limit=10) == first
    assert model.training
    assert torch.equal(before, torch.random.get_rng_state())


def test_an_answer_tells_of_one_episode() -> None:
    task, model = Play(CATCH.spec), Catcher()
    [answer] = task.answer(model)
    assert answer.input == "catch"
    assert dict(answer.details) == {"return": 1.0, "moves": 23.0}
    assert "return 1" in answer.answer
    assert task.answer(model, ["catch"]) == [answer]
    assert [a.input for a in task.answer(model, ["7", "8"])] == ["7", "8"]


def test_another_kind_of_world_is_refused() -> None:
    with pytest.raises(DataError, match=r"\(1, 24, 24\) and 3 actions"):
        Play(CATCH.spec).answer(Catcher(), ["CartPole-v1"])
    with pytest.raises(DataError, match="CartPole"):
        Play(CATCH.spec).score(Catcher(), CART)


def test_the_loss_is_the_error_of_the_model_against_itself() -> None:
    model = Balancer()
    batch = Transitions(
        torch.randn(6, 4), torch.tensor([0, 1, 0, 1, 0, 1]), torch.ones(6), torch.randn(6, 4),
        torch.tensor([True, False] * 3),
    )  # fmt: skip
    with torch.no_grad():
        best = model(batch.next_observations).values.max(dim=1).values
    targets = 1 + 0.99 * best * (~batch.is_terminal)
    chosen = model(batch.observations).values[torch.arange(6), batch.actions]
    expected = nn.functional.smooth_l1_loss(chosen, targets)
    assert torch.allclose(Play(CART.spec).loss(model, batch), expected)


def test_the_stages_are_the_systems() -> None:
    config, recipe = dqn.fit(CATCH.spec)
    model = dqn.build(config, CATCH.spec)
    [stage] = Play(CATCH.spec).stages(model, dqn, config, CATCH, recipe, 0)
    assert stage.name == "q-learning"
    assert set(stage.keeps) == {"replay", "worlds", "target"}


def test_baselines_of_catch() -> None:
    rows = dict(baselines.measure(CATCH))
    assert next(iter(rows)) == "random play"
    assert any(name.startswith("always ") for name in rows)
    assert all(score.num == 100 and score.name == "mean_return" for score in rows.values())
    assert rows["random play"].value < 0.35


def test_a_line_is_enough_for_cart_pole_and_a_stubborn_player_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(baselines, "MAX_CANDIDATES", 30)
    rows = {name.partition(" ")[0]: score for name, score in baselines.measure(CART)}
    assert 15 < rows["random"].value < 30
    assert rows["always"].value < 12
    assert rows["best"].value > 50


def test_figures_of_catch() -> None:
    history = [
        {"step": i, "loss": 1.0, "training_return": i / 10, "epsilon": 1 - i / 10} for i in range(5)
    ]
    drawn = figures.draw(Play(CATCH.spec), Catcher(), CATCH, history)
    titles = [figure.title for figure in drawn]
    assert titles == [
        "Return while learning", "Exploration", "A played episode", "What each action seemed worth",
    ]  # fmt: skip
    assert "return 1 after 23 moves" in drawn[2].caption
    assert drawn[2].html.count("<img") >= 1


def test_figures_of_cart_pole() -> None:
    drawn = figures.explain(Play(CART.spec), Balancer(), ["3"])
    assert [figure.title for figure in drawn] == [
        "A played episode", "What each action seemed worth", "What was seen",
    ]  # fmt: skip
    assert all("<" in figure.html for figure in drawn)


def test_the_pole_is_drawn_where_it_leans() -> None:
    def tip(angle: float) -> float:
        picture = figures.draw_cart_pole(np.array([0.0, 0.0, angle, 0.0])).astype(int)
        is_pole = (picture[:, :, 0] > 150) & (picture[:, :, 2] < 100)
        top = np.nonzero(is_pole)[0].min()
        return float(np.nonzero(is_pole[top])[0].mean())

    assert tip(-0.2) < tip(0.0) - 5 < tip(0.2) - 10
    left, right = (figures.draw_cart_pole(np.array([x, 0, 0, 0])) for x in (-2.0, 2.0))
    assert np.argmin(left[64].sum(axis=1)) < 60 < np.argmin(right[64].sum(axis=1))


@pytest.mark.parametrize(("num", "expected"), [(1, [0]), (12, list(range(12)))])
def test_short_strips_show_every_frame(num: int, expected: list[int]) -> None:
    assert figures.strip_places(num) == expected


def test_long_strips_show_the_first_and_the_last() -> None:
    places = figures.strip_places(501)
    assert (places[0], places[-1], len(places)) == (0, 500, 12)

"""Figures of a player: its returns while learning, and one episode, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from samoyed.runs.drawing import Figure, image_grid, line_chart
from samoyed.tasks.play import Play
from samoyed.worlds.episodes import Episode

NUM_FRAMES = 12
CART_POLE = "CartPole-v"
_HEIGHT, _WIDTH = 80, 120  # pixels of a drawn CartPole
_HALF_TRACK = 2.4  # metres from the middle to where the episode ends
_CART_POLE_NUMBERS = ("position, m", "velocity, m/s", "angle, rad", "angular velocity, rad/s")
_MAX_CURVES = 8


def draw(
    task: Play, model: nn.Module, data: Any, history: Sequence[Mapping[str, Any]]
) -> list[Figure]:
    """Draw the returns while learning and a played episode.

    Args:
        task: what was asked.
        model: what was learned.
        data: the world.
        history: logged events; of each, those of "step", "mean_return" (greedy, a quick look),
            "training_return" (mean of the last 100 episodes) and "epsilon" that it has.
    """
    return [*_learning(history), *explain(task, model, [])]


def explain(task: Play, model: nn.Module, inputs: Sequence[str]) -> list[Figure]:
    """Draw one episode for each input: what was seen, and what each action seemed worth."""
    figures: list[Figure] = []
    for name in inputs or [task.spec.name]:
        figures += _episode_figures(task, task.episode(model, name), name)
    return figures


def _learning(history: Sequence[Mapping[str, Any]]) -> list[Figure]:
    names = {"training_return": "while learning (last 100)", "mean_return": "best actions"}
    series = {shown: _points(history, key) for key, shown in names.items()}
    series = {shown: points for shown, points in series.items() if len(points) > 1}
    figures = []
    if series:
        both = ", and in a quick look with the best ones" if len(series) > 1 else ""
        figures.append(
            Figure(
                "Return while learning",
                "What an episode earned, on average, over the updates of the network: while "
                f"learning, with random actions mixed in{both}.",
                line_chart(series, x_label="update", y_label="return"),
            )
        )
    exploration = _points(history, "epsilon")
    if len(exploration) > 1:
        figures.append(
            Figure(
                "Exploration",
                "How often an action was drawn at random instead of chosen by the network.",
                line_chart({"epsilon": exploration}, x_label="update", y_label="share", height=160),
            )
        )
    return figures


def _points(history: Sequence[Mapping[str, Any]], key: str) -> list[tuple[float, float]]:
    return [(float(e["step"]), float(e[key])) for e in history if "step" in e and key in e]


def _episode_figures(task: Play, episode: Episode, name: str) -> list[Figure]:
    """Draw the film strip, the values and, for vectors, the numbers seen."""
    summary = f"{name}: return {episode.earned:g} after {len(episode.actions)} moves."
    frames = frames_of(task, episode)
    figures = []
    if frames:
        places = strip_places(len(frames))
        pictures = np.stack([frames[place] for place in places])
        labels = [_frame_label(task, episode, place) for place in places]
        scale = max(1, round(96 / pictures.shape[1]))
        figures.append(
            Figure(
                "A played episode",
                f"{summary} Under each frame: the number of the move and the action chosen.",
                image_grid(pictures, labels, scale=scale),
            )
        )
    values = np.stack(episode.values)
    curves = {
        action: [(float(t), float(row[a])) for t, row in enumerate(values)]
        for a, action in enumerate(task.spec.action_names[:_MAX_CURVES])
    }
    figures.append(
        Figure(
            "What each action seemed worth",
            f"{summary} The network's value of each action, the discounted return it expects, "
            "move by move. The highest is the one that was done.",
            line_chart(curves, x_label="move", y_label="value"),
        )
    )
    if not task.spec.is_pixels:
        figures.append(_numbers_seen(task, episode, summary))
    return figures


def _numbers_seen(task: Play, episode: Episode, summary: str) -> Figure:
    seen = np.stack(episode.observations)
    num = min(seen.shape[1], _MAX_CURVES)
    is_cart_pole = task.spec.name.startswith(CART_POLE)
    names = _CART_POLE_NUMBERS if is_cart_pole else [f"number {i}" for i in range(num)]
    curves = {
        names[i]: [(float(t), float(row[i])) for t, row in enumerate(seen)] for i in range(num)
    }
    title = "What was seen"
    return Figure(title, summary, line_chart(curves, x_label="move", y_label="observation"))


def frames_of(task: Play, episode: Episode) -> Sequence[np.ndarray]:
    """Return pictures of an episode, (H, W, 3) each: the world's own, or CartPole drawn here."""
    if episode.frames:
        return episode.frames
    if task.spec.name.startswith(CART_POLE):
        return [draw_cart_pole(state) for state in episode.observations]
    return []


def strip_places(num: int) -> list[int]:
    """Choose at most `NUM_FRAMES` of `num` frames, evenly, the first and the last among them.

    >>> strip_places(3)
    [0, 1, 2]
    """
    chosen = np.linspace(0, num - 1, min(num, NUM_FRAMES))
    return [int(place) for place in np.rint(chosen)]


def _frame_label(task: Play, episode: Episode, place: int) -> str:
    if place >= len(episode.actions):
        return f"{place}: end"
    return f"{place}: {task.spec.action_names[episode.actions[place]]}"


def draw_cart_pole(state: np.ndarray) -> np.ndarray:
    """Draw a cart with its pole, uint8 (80, 120, 3).

    Args:
        state: (4,) position in m, velocity, angle in rad (positive: to the right), its velocity.
    """
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (_WIDTH, _HEIGHT), (246, 246, 244))
    pen = ImageDraw.Draw(picture)
    ground = _HEIGHT - 12
    pen.line((0, ground, _WIDTH, ground), fill=(170, 170, 165))
    x = _WIDTH / 2 + float(state[0]) / _HALF_TRACK * (_WIDTH / 2 - 10)
    pen.rectangle((x - 9, ground - 8, x + 9, ground - 1), fill=(40, 60, 90))
    length = 46
    tip_x = x + length * float(np.sin(state[2]))
    tip_y = ground - 8 - length * float(np.cos(state[2]))
    pen.line((x, ground - 8, tip_x, tip_y), fill=(200, 110, 40), width=4)
    return np.asarray(picture)

"""How hidden units fold the plane: the review's Figure 1, for tables of two columns of numbers.

LeCun, Y., Bengio, Y. & Hinton, G. (2015). Deep learning. Nature 521, 436-444, figure 1a: a regular
grid over the two inputs is bent by the hidden units until a straight line can part the classes.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import nn

from samoyed.core.spec import TableSpec
from samoyed.data.tables import TableData
from samoyed.models.backprop.dropout_network import DropoutNetwork
from samoyed.models.backprop.multilayer_perceptron import MultilayerPerceptron
from samoyed.models.since.tabular_network import TabularNetwork
from samoyed.runs.drawing import Figure
from samoyed.runs.drawing_planes import Plane, planes
from samoyed.tasks.table_training import predict_values

NUM_LINES = 13  # of the grid, each way
NUM_PLACES = 97  # along a line
NUM_POINTS = 400  # held-out rows that are drawn
NUM_CHOSEN_ON = 600  # training rows that pairs of units are chosen by
MOST_UNITS = 24  # whose pairs are tried
MOST_LAYERS = 3
NUM_GROUND = 48  # places each way of the answers' ground
MOST_KINDS = 6

# Legend for shapes: N rows, U units of a layer, K kinds.


def fold_figure(model: nn.Module, data: TableData) -> Figure | None:
    """Draw the grid of inputs as it was, as pairs of units bend it, and as whole layers do.

    Args:
        model: the trained model.
        data: the rows it learned from and was tested on.

    Returns:
        None where the columns are not two numbers, the classes too many, or the model is none
        whose hidden layers are known.
    """
    kinds, names = kinds_of(data)
    if not is_plane(data.spec) or not has_layers(model) or len(names) > MOST_KINDS:
        return None
    learned = data.train.inputs[:NUM_CHOSEN_ON]
    learned_kinds = kinds[0][:NUM_CHOSEN_ON]
    rows, shown = data.test.inputs, min(NUM_POINTS, len(data.test))
    grid = grid_of(np.concatenate([data.train.inputs, rows]))
    plain = straight_line_share(learned, learned_kinds, rows, kinds[1])
    first, second = (column.name for column in data.spec.columns)
    panels = [
        Plane(f"The plane: {first}, {second}", f"a straight line sorts {_percent(plain)}",
              rows[:shown], grid.reshape(-1, NUM_PLACES, 2)),
    ]  # fmt: skip
    if data.target.kind == "classes":
        panels.append(_answers(model, rows[:shown], grid))
    states = [hidden(model, x)[:MOST_LAYERS] for x in (learned, rows, grid)]
    for depth, (on_learned, on_rows, on_grid) in enumerate(zip(*states, strict=True), start=1):
        panels += _of_layer(depth, on_learned, on_rows, on_grid, learned_kinds, kinds[1], shown)
    whose = " of the first of its members" if isinstance(model, TabularNetwork) else ""
    best = panels[-1].note.removeprefix("a straight cut sorts ")
    caption = (
        f"A regular grid over the two columns, and where the hidden units{whose} take it, as in "
        "figure 1 of the 2015 review; the dots are held-out rows. Units fold the plane along lines "
        f"until a straight cut can part the classes: it sorts {_percent(plain)} of the rows as "
        f"they come, {best} behind the last layer shown. Pairs of units, and the side a whole "
        "layer is seen from, were chosen on training rows; the shares are those of held-out rows."
    )
    return Figure(
        "How hidden units fold the plane", caption, planes(panels, kinds[1][:shown], names)
    )


def is_plane(spec: TableSpec) -> bool:
    """Tell whether a row is two numbers and nothing else."""
    return len(spec.columns) == 2 and len(spec.numbers) == 2 and spec.width == 2


def kinds_of(data: TableData) -> tuple[tuple[np.ndarray, np.ndarray], tuple[str, ...]]:
    """Return what colours training and held-out rows: the class, or the side of the median."""
    train, test = data.train.targets, data.test.targets
    if data.target.kind == "classes":
        return (train, test), data.target.names
    if data.target.kind == "binaries":
        return (np.zeros(len(train), int), np.zeros(len(test), int)), ("row",) * (MOST_KINDS + 1)
    middle, name = float(np.median(train)), data.target.columns[0]
    sides = (f"{name} up to the median", f"{name} above it")
    return ((train > middle).astype(int), (test > middle).astype(int)), sides


def has_layers(model: nn.Module) -> bool:
    """Tell whether the hidden layers of this model are known."""
    return isinstance(model, (MultilayerPerceptron, DropoutNetwork, TabularNetwork))


def hidden(model: nn.Module, inputs: np.ndarray) -> list[Float[np.ndarray, "N U"]]:
    """Return the states of every hidden layer, of the first member where there are several."""
    assert isinstance(model, (MultilayerPerceptron, DropoutNetwork, TabularNetwork))
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        rows = torch.from_numpy(np.ascontiguousarray(inputs, dtype=np.float32))
        states = model.activations(rows.to(next(model.parameters()).device))
    model.train(was_training)
    return [(s[0] if s.ndim == 3 else s).double().cpu().numpy() for s in states]


def grid_of(inputs: np.ndarray) -> Float[np.ndarray, "N 2"]:
    """Return the places of a regular grid over the rows: lines down, then lines across."""
    low, high = inputs.min(axis=0), inputs.max(axis=0)
    x, y = (np.linspace(low[i], high[i], NUM_LINES) for i in (0, 1))
    along = [np.linspace(low[i], high[i], NUM_PLACES) for i in (0, 1)]
    down = np.stack(np.broadcast_arrays(x[:, None], along[1][None, :]), axis=-1)
    across = np.stack(np.broadcast_arrays(along[0][None, :], y[:, None]), axis=-1)
    return np.concatenate([down, across]).reshape(-1, 2).astype(np.float32)


def discriminant(
    states: Float[np.ndarray, "N U"], kinds: Int[np.ndarray, " N"]
) -> tuple[np.ndarray, Float[np.ndarray, "U1 K"]]:
    """Fit one line per kind by least squares, with a touch of ridge; return (kinds, weights)."""
    found = np.unique(kinds)
    wide = np.concatenate([states, np.ones((len(states), 1))], axis=1)
    targets = (kinds[:, None] == found) * 1.0
    ridge = 1e-6 * len(states) * np.eye(wide.shape[1]) * max(float(states.var()), 1e-12)
    return found, np.linalg.solve(wide.T @ wide + ridge, wide.T @ targets)


def straight_line_share(
    learned: np.ndarray, learned_kinds: np.ndarray, states: np.ndarray, kinds: np.ndarray
) -> float:
    """Return which share of the rows straight cuts sort rightly, drawn by the learned ones."""
    found, weights = discriminant(learned.astype(np.float64), learned_kinds)
    answers = np.concatenate([states, np.ones((len(states), 1))], axis=1) @ weights
    return float((found[answers.argmax(axis=1)] == kinds).mean())


def best_pairs(
    states: Float[np.ndarray, "N U"], kinds: Int[np.ndarray, " N"], num: int
) -> list[tuple[int, int]]:
    """Return the pairs of units, each unit once, in whose plane straight cuts sort best.

    Only the pairs of the `MOST_UNITS` units that vary most are tried.
    """
    widest = np.argsort(-states.std(axis=0), kind="stable")[:MOST_UNITS]
    active = sorted(int(u) for u in widest if states[:, u].std() > 0)
    ranked = sorted(
        combinations(active, 2),
        key=lambda p: -straight_line_share(states[:, p], kinds, states[:, p], kinds),
    )
    chosen: list[tuple[int, int]] = []
    for pair in ranked:
        if len(chosen) < num and not set(pair) & {u for other in chosen for u in other}:
            chosen.append(pair)
    return chosen


def best_side(states: np.ndarray, kinds: np.ndarray) -> Float[np.ndarray, "U 2"]:
    """Return two directions at right angles: the one that parts the kinds, and the widest other."""
    _, weights = discriminant(states, kinds)
    across = weights[:-1] - weights[:-1].mean(axis=1, keepdims=True)
    first = np.linalg.svd(across, full_matrices=False)[0][:, 0]
    centred = states - states.mean(axis=0)
    rest = centred - np.outer(centred @ first, first)
    second = np.linalg.svd(rest, full_matrices=False)[2][0]
    return np.stack([first, second], axis=1)


def _of_layer(
    depth: int, learned: np.ndarray, rows: np.ndarray, grid: np.ndarray,
    learned_kinds: np.ndarray, kinds: np.ndarray, shown: int,
) -> list[Plane]:  # fmt: skip
    """Return two pairs of units of a layer, and the whole layer from its best side."""
    panels = []
    for pair in best_pairs(learned, learned_kinds, 2):
        share = straight_line_share(learned[:, pair], learned_kinds, rows[:, pair], kinds)
        bent = grid[:, pair].reshape(-1, NUM_PLACES, 2)
        title = f"Layer {depth}: units {pair[0]}, {pair[1]}"
        panels.append(
            Plane(title, f"a straight line sorts {_percent(share)}", rows[:shown, pair], bent)
        )
    side = best_side(learned, learned_kinds)
    share = straight_line_share(learned, learned_kinds, rows, kinds)
    title, note = f"Layer {depth}: all {rows.shape[1]} units", "a straight cut sorts "
    turned = (grid @ side).reshape(-1, NUM_PLACES, 2)
    panels.append(Plane(title, note + _percent(share), rows[:shown] @ side, turned))
    return panels


def _answers(model: nn.Module, rows: np.ndarray, grid: np.ndarray) -> Plane:
    """Return the plane with the answer at every place as its ground."""
    low, high = grid.min(axis=0), grid.max(axis=0)
    x = np.linspace(low[0], high[0], NUM_GROUND)
    y = np.linspace(high[1], low[1], NUM_GROUND)
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)
    values = predict_values(model, places, next(model.parameters()).device)
    shares = np.exp(values - values.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    num = shares.shape[1]
    sure = (shares.max(axis=1) - 1 / num) / (1 - 1 / num)
    corners = np.stack([low, high])[:, None, :]  # lines of one place hold the frame
    return Plane(
        "What it answers", "the stronger the colour, the surer",
        rows, corners, shares.argmax(axis=1).reshape(NUM_GROUND, NUM_GROUND),
        0.5 * sure.reshape(NUM_GROUND, NUM_GROUND),
    )  # fmt: skip


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"

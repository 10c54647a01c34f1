"""A map of what was learned: held-out pictures, laid out by what the last hidden layer sees.

van der Maaten, L. & Hinton, G. (2008). Visualizing data using t-SNE. JMLR 9, 2579-2605; by openTSNE
where it is installed (the extra `map`), else by scikit-learn. The plane it gives is then laid on a
grid of thumbnails, one cell a picture, so that the sum of squared ways is least (a linear
assignment); nothing hides anything.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from samoyed.data.cache import rows_of
from samoyed.data.feeds import made_of
from samoyed.data.image_source import Pictures
from samoyed.runs.drawing import Figure
from samoyed.runs.drawing_thumbnails import Cell, picture_map

COLUMNS, ROWS = 25, 16
THUMBNAIL = 44  # pixels
FRAME = 3  # pixels around a thumbnail, in the colour of its class
FEWEST = 40  # pictures; below, there is nothing to lay out
NEIGHBOURS = 10
BATCH = 64
LARGEST_COMPARED = 32  # pixels of the shorter side that neighbours by pixels need, about
PERPLEXITY = 30.0
COLOURS = (
    (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189),
    (140, 86, 75), (227, 119, 194), (127, 127, 127), (188, 189, 34), (23, 190, 207),
)  # fmt: skip

# Legend for shapes: N pictures, C channels, H rows, W columns, D hidden units.


def representation_figure(
    model: nn.Module, pictures: Pictures, probabilities: np.ndarray, names: Sequence[str]
) -> Figure | None:
    """Draw the map, and say how many neighbours share their class, before and after the layers.

    Args:
        model: ends in a linear layer somewhere behind its hidden layers.
        pictures: N of them, held out.
        probabilities: (N, K) of their classes.
        names: of the classes.

    Returns:
        None where the pictures are few or the model has no linear layer.
    """
    num = min(len(pictures), COLUMNS * ROWS)
    if num < FEWEST or last_linear(model) is None:
        return None
    columns = min(COLUMNS, round(float(np.sqrt(num * COLUMNS / ROWS))))
    num -= num % columns
    rows = np.unique(np.linspace(0, len(pictures) - 1, num).astype(np.int64))
    images, classes = rows_of(pictures.images, rows), np.asarray(pictures.labels[rows])
    hidden = hidden_states(model, images)
    pixels = small_pixels(images)
    cells = grid_places(plane(hidden), columns, len(rows) // columns)
    usual = int(np.median(np.unique(classes, return_counts=True)[1]))
    near = max(1, min(NEIGHBOURS, usual - 1))  # no more than there are of a class
    shares = (100 * neighbour_share(each, classes, near) for each in (pixels, hidden))
    before, after = (f"{share:.0f} %" for share in shares)
    means = (
        f"Of a picture's {near} nearest neighbours, {before} share its class when pixels are "
        "compared, "
    )
    if near == 1:
        means = f"A picture's nearest neighbour is of its class for {before} by pixels, "
    caption = (
        f"{len(rows)} held-out pictures, placed by t-SNE of the last hidden layer (van der Maaten "
        f"& Hinton 2008): what is alike to the network is near. {means}{after} "
        f"{'when hidden units are' if near > 1 else 'by hidden units'}. Touch a picture to see it "
        "larger."
    )
    is_coloured = len(names) <= len(COLOURS)
    drawn = mosaic(images, classes if is_coloured else None, cells, columns)
    answers = probabilities[rows].argmax(axis=1)
    facts = [
        Cell(int(classes[i]), int(answers[i]), round(100 * float(probabilities[rows[i]].max())),
             pictures.names[rows[i]])
        for i in np.argsort(cells)
    ]  # fmt: skip
    colours = [f"rgb{colour}" for colour in COLOURS] if is_coloured else []
    return Figure(
        "What is near to what", caption, picture_map(drawn, columns, facts, names, colours)
    )


def small_pixels(images: np.ndarray) -> Float[np.ndarray, "N D"]:
    """Return (N, C, H, W) uint8 pictures as rows in [0, 1], averaged down where they are large."""
    step = max(1, min(images.shape[2:]) // LARGEST_COMPARED)
    return made_of(images, lambda pictures: F.avg_pool2d(pictures, step).flatten(1)).numpy()


def last_linear(model: nn.Module) -> nn.Linear | None:
    """Return the last linear layer: what reads the last hidden units."""
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    return layers[-1] if layers else None


def hidden_states(model: nn.Module, images: np.ndarray) -> Float[np.ndarray, "N D"]:
    """Return what the last linear layer reads of every (N, C, H, W) uint8 picture."""
    layer = last_linear(model)
    assert layer is not None
    held: list[Tensor] = []
    handle = layer.register_forward_pre_hook(
        lambda module, inputs: held.append(inputs[0].flatten(1).float().cpu())
    )
    device = next(model.parameters()).device

    def run(pictures: Tensor) -> Tensor:
        model(pictures.to(device))
        return held.pop()

    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            return made_of(images, run, at_most=BATCH).numpy()
    finally:
        handle.remove()
        model.train(was_training)


def plane(hidden: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N 2"]:
    """Lay hidden states out in the plane by t-SNE, the same way every time."""
    perplexity = min(PERPLEXITY, (len(hidden) - 1) / 3)
    if importlib.util.find_spec("openTSNE") is not None:
        from openTSNE import TSNE as OpenTSNE  # noqa: N811

        # Exact neighbours: few pictures, and no approximate index that a process may lack.
        found = OpenTSNE(
            perplexity=perplexity, initialization="pca", neighbors="exact", random_state=0, n_jobs=1
        ).fit(np.asarray(hidden, np.float64))
        return np.asarray(found, np.float32)
    from sklearn.manifold import TSNE

    return TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(hidden)


def grid_places(
    points: Float[np.ndarray, "N 2"], columns: int, rows: int
) -> Int[np.ndarray, " N"]:  # fmt: skip
    """Give every point a cell of its own with the least sum of squared distances.

    >>> grid_places(np.array([[9.0, 0.0], [0.0, 0.0], [5.0, 0.1]]), columns=3, rows=1).tolist()
    [2, 0, 1]
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - low) / np.maximum(high - low, 1e-12)
    down, across = np.divmod(np.arange(columns * rows), columns)
    places = np.stack([across / max(1, columns - 1), down / max(1, rows - 1)], axis=1)
    return linear_sum_assignment(cdist(scaled, places, "sqeuclidean"))[1]


def neighbour_share(features: np.ndarray, labels: np.ndarray, num: int = NEIGHBOURS) -> float:
    """Return which share of the nearest neighbours have the same class.

    Args:
        features: (N, D).
        labels: (N,).
        num: neighbours of each, itself left out.
    """
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=min(num, len(features) - 1)).fit(features)
    nearest = found.kneighbors(return_distance=False)
    return float((labels[nearest] == labels[:, None]).mean())


def mosaic(
    images: np.ndarray, classes: np.ndarray | None, cells: np.ndarray, columns: int
) -> np.ndarray:
    """Paint thumbnails into their cells, framed in the colour of their class.

    Args:
        images: (N, C, H, W) uint8.
        classes: (N,), or None for no frames.
        cells: (N,) different numbers, counted row by row.
        columns: cells in a row.

    Returns:
        (rows, columns, 3) uint8, white where no picture is.
    """
    side = THUMBNAIL + 2 * FRAME
    rows = int(cells.max()) // columns + 1
    paper = np.full((rows * side, columns * side, 3), 255, np.uint8)

    def shrink(pictures: Tensor) -> Tensor:
        size = (THUMBNAIL, THUMBNAIL)
        small = F.interpolate(pictures, size, mode="bilinear", antialias=True)
        return (small.clamp(0, 1) * 255).round().byte()

    pixels = made_of(images, shrink).permute(0, 2, 3, 1).numpy()
    for index, cell in enumerate(cells):
        top, left = (place * side for place in divmod(int(cell), columns))
        if classes is not None:
            paper[top : top + side, left : left + side] = COLOURS[int(classes[index])]
        paper[top + FRAME : top + side - FRAME, left + FRAME : left + side - FRAME] = pixels[index]
    return paper

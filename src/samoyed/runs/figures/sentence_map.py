"""A map of sentences: what the encoder makes of them, and which are near each other.

As figure 4 of the review shows for phrases (Cho et al. 2014, Learning phrase representations using
RNN encoder-decoder, figures 4 and 5): vectors of sentences, laid out in the plane by t-SNE. Touch
a point to read its sentence.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from torch import nn

from samoyed.data.pairs import Pairs
from samoyed.runs.drawing import Figure, table
from samoyed.runs.figures.representation import plane
from samoyed.tasks.translate import Translate

FEWEST, MOST = 12, 400
NUM_ASKED, NUM_NEAR = 8, 3
_SIDE, _MARGIN, _DOT = 600, 14, 4.5  # units of the drawing

# Legend for shapes: N sentences, D numbers of a vector, K neighbours.


def sentence_figures(task: Translate, model: nn.Module, pairs: Pairs) -> list[Figure]:
    """Draw the map of held-out sentences, and list the nearest of some; none where they are few."""
    distinct = list(dict.fromkeys(pairs.source))
    if len(distinct) < FEWEST:
        return []
    places = np.unique(np.linspace(0, len(distinct) - 1, MOST).astype(np.int64))
    sentences = [distinct[k] for k in places]
    vectors = unit_length(task.summaries(model, sentences))
    near = nearest(vectors, NUM_NEAR)
    asked = [k for k, s in enumerate(sentences) if 4 <= len(s.split()) <= 12] or [0]
    rows = [
        (sentences[k], " · ".join(sentences[j] for j in near[k]))
        for k in asked[:: max(1, len(asked) // NUM_ASKED)][:NUM_ASKED]
    ]
    return [
        Figure(
            "A map of sentences",
            f"{len(sentences)} held-out sentences, placed by t-SNE of what the encoder makes of "
            "them: what is alike to the network is near. Touch a point to read its sentence; "
            "darker points are longer sentences.",
            scatter(plane(vectors), sentences),
        ),
        Figure(
            "The nearest sentences",
            f"For some held-out sentences the {NUM_NEAR} whose vectors point most nearly the same "
            "way.",
            table(("sentence", "nearest to it"), rows),
        ),
    ]


def unit_length(vectors: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N D"]:
    """Return the vectors less their mean, each of length one."""
    centred = vectors - vectors.mean(axis=0)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)


def nearest(vectors: Float[np.ndarray, "N D"], num: int) -> Int[np.ndarray, "N K"]:
    """Return each vector's neighbours by cosine, itself left out, the nearest first.

    >>> nearest(np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]), 1).tolist()
    [[2], [2], [1]]
    """
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    return np.argsort(-likeness, axis=1, kind="stable")[:, :num]


def scatter(points: Float[np.ndarray, "N 2"], sentences: Sequence[str]) -> str:
    """Draw points that say their sentence when they are touched."""
    low, high = points.min(axis=0), points.max(axis=0)
    places = _MARGIN + (points - low) / np.maximum(high - low, 1e-9) * (_SIDE - 2 * _MARGIN)
    lengths = np.array([len(sentence.split()) for sentence in sentences])
    strength = 0.3 + 0.6 * np.argsort(np.argsort(lengths, kind="stable")) / len(lengths)
    dots = "".join(
        f'<circle cx="{x:.0f}" cy="{_SIDE - y:.0f}" r="{_DOT}" fill="var(--series-1)" '
        f'fill-opacity="{s:.2f}" tabindex="0"><title>{html.escape(sentence)}</title></circle>'
        for (x, y), s, sentence in zip(places.tolist(), strength.tolist(), sentences, strict=True)
    )
    return (
        f'<svg viewBox="0 0 {_SIDE} {_SIDE}" role="group" aria-label="map of sentences">'
        f"{dots}</svg>"
    )

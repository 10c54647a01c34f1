"""The map of hidden states against brute force."""

from __future__ import annotations

import html
import importlib.util
import json
import re
from itertools import permutations

import numpy as np
import pytest
import torch
from torch import nn

from samoyed.core.batch import Logits
from samoyed.data.image_source import Pictures
from samoyed.runs.figures.representation import (
    COLOURS,
    FRAME,
    THUMBNAIL,
    grid_places,
    hidden_states,
    mosaic,
    neighbour_share,
    plane,
    representation_figure,
)

SIDE = THUMBNAIL + 2 * FRAME


class TwoLayers(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = nn.Linear(16, 5), nn.Linear(5, 3)

    def forward(self, pictures):
        return Logits(self.out(torch.relu(self.hidden(pictures.flatten(1)))))


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (150, 1, 4, 4), dtype=np.uint8)


def test_hidden_states_are_what_the_last_linear_layer_reads(images):
    model = TwoLayers().train()
    with torch.no_grad():
        inputs = torch.from_numpy(images).float().flatten(1) / 255
        wanted = torch.relu(model.hidden(inputs)).numpy()
    assert np.allclose(hidden_states(model, images), wanted, atol=1e-6)
    assert model.training
    assert not model.out._forward_pre_hooks


def test_the_grid_is_the_best_of_all_assignments():
    points = np.random.default_rng(1).random((6, 2))
    points = (points - points.min(0)) / np.ptp(points, axis=0)
    places = np.array([[x / 2, y] for y in (0, 1) for x in (0, 1, 2)])

    def cost(order):
        return sum(((points[i] - places[cell]) ** 2).sum() for i, cell in enumerate(order))

    assert cost(grid_places(points, 3, 2)) == pytest.approx(min(map(cost, permutations(range(6)))))


def test_neighbours_are_counted_as_by_hand():
    features, labels = np.random.default_rng(2).random((30, 3)), np.arange(30) % 3
    right = 0
    for i in range(30):
        order = sorted(range(30), key=lambda j: np.linalg.norm(features[i] - features[j]))
        right += sum(labels[j] == labels[i] for j in order[1:5])
    assert neighbour_share(features, labels, num=4) == pytest.approx(right / 120)


def test_thumbnails_stand_in_their_cells_and_frames():
    images = np.stack([np.zeros((1, 8, 8)), np.full((1, 8, 8), 255)]).astype(np.uint8)
    drawn = mosaic(images, np.array([0, 3]), np.array([2, 0]), columns=2)
    assert drawn.shape == (2 * SIDE, 2 * SIDE, 3)
    assert (drawn[0, 0] == COLOURS[3]).all()
    assert (drawn[SIDE // 2, SIDE // 2] == 255).all()
    assert (drawn[SIDE, 0] == COLOURS[0]).all()
    assert (drawn[SIDE + SIDE // 2, SIDE // 2] == 0).all()
    assert (drawn[:SIDE, SIDE:] == 255).all()


def test_the_figure_compares_pixels_with_hidden_units(images):
    labels = np.arange(150) % 3
    pictures = Pictures(images, labels, [f"{i}.png" for i in range(150)])
    sure = np.eye(3)[np.where(np.arange(150) < 5, (labels + 1) % 3, labels)]
    figure = representation_figure(TwoLayers(), pictures, sure, ("a", "<b>", "c"))
    assert "150 held-out pictures" in figure.caption
    assert "&lt;b&gt;" in figure.html
    assert "5 wrong answers" in figure.html
    told = json.loads(html.unescape(re.search(r'data-map="([^"]+)"', figure.html)[1]))
    assert sorted(cell[3] for cell in told["cells"]) == sorted(pictures.names)
    assert {cell[3] for cell in told["cells"] if cell[0] != cell[1]} == set(pictures.names[:5])
    few = Pictures(images[:10], labels[:10], pictures.names[:10])
    assert representation_figure(TwoLayers(), few, sure[:10], ("a", "b", "c")) is None
    assert representation_figure(nn.Conv2d(1, 1, 1), pictures, sure, ("a", "b", "c")) is None


def test_without_opentsne_scikit_learn_lays_out(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    hidden = np.random.default_rng(3).normal(size=(60, 4)) + np.repeat([[0], [20]], 30, axis=0)
    points = plane(hidden)
    near = np.linalg.norm(points[:, None] - points[None], axis=2) + 1e9 * np.eye(60)
    assert ((near.argmin(axis=1) < 30) == (np.arange(60) < 30)).all()

"""Heat maps against hand-computed gradients, SciPy's rank correlation and a covered corner."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from samoyed.core.batch import Logits
from samoyed.runs.figures.heat_maps import (
    agreement,
    chosen_rows,
    heat_figure,
    layer_cam,
    occlusion_map,
    overlaid,
    together,
    verdict,
)


class TwoMaps(nn.Module):
    """Two 1 x 1 maps of the picture; the first class wants the first map's upper left quarter."""

    def __init__(self):
        super().__init__()
        self.maps = nn.Conv2d(1, 2, 1, bias=False)
        with torch.no_grad():
            self.maps.weight.copy_(torch.tensor([1.0, -2.0]).view(2, 1, 1, 1))

    def forward(self, pictures):
        maps = self.maps(pictures)
        first = 3 * maps[:, 0, :4, :4].sum((1, 2)) - maps[:, 1].sum((1, 2))
        return Logits(torch.stack([first, -first], dim=1))


class Flat(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(64, 2)

    def forward(self, pictures):
        return Logits(self.linear(pictures.flatten(1)))


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(1, 256, (1, 8, 8), dtype=np.uint8)


def test_layer_cam_is_the_maps_times_their_positive_gradients(image):
    # d first / d map 0 is 3 in the quarter, 0 elsewhere; d first / d map 1 is -1, cut off.
    wanted = np.zeros((8, 8))
    wanted[:4, :4] = 3 * (image[0, :4, :4] / 255)
    assert np.allclose(layer_cam(TwoMaps(), image, 0), wanted, atol=1e-6)
    # For the other class the signs turn: only map 1, -2 x the picture, has a positive gradient.
    assert np.allclose(layer_cam(TwoMaps(), image, 1), 0)


def test_a_model_without_maps_has_no_layer_cam(image):
    assert layer_cam(Flat(), image, 0) is None
    figure = heat_figure(Flat(), image, 0, "one")
    assert "Gradients" not in figure.caption
    assert "no layer of maps" in figure.said


def test_looking_leaves_the_model_as_it_was(image):
    model = TwoMaps().train()
    layer_cam(model, image, 0)
    assert model.training
    assert all(p.grad is None for p in model.parameters())
    assert not model.maps._forward_hooks


def test_agreement_is_spearmans_rank_correlation_of_the_positive_parts():
    generator = np.random.default_rng(1)
    first, second = generator.normal(size=(6, 5)), generator.normal(size=(6, 5))
    second = np.round(second + first, 1)  # ties
    wanted = spearmanr(np.maximum(first, 0).ravel(), np.maximum(second, 0).ravel()).statistic
    assert agreement(first, second) == pytest.approx(wanted)


def test_a_finer_map_is_averaged_to_the_coarser_grid():
    coarse = np.arange(16.0).reshape(4, 4)
    fine = np.kron(coarse, np.ones((3, 3)))
    assert agreement(fine, coarse) == pytest.approx(1.0)
    assert agreement(coarse, np.zeros((4, 4))) == 0.0


def test_the_two_maps_agree_on_a_model_that_reads_one_corner(image):
    drop, gradient = occlusion_map(TwoMaps(), image // 128, 0), layer_cam(TwoMaps(), image, 0)
    assert drop.shape == (8, 8)
    assert gradient[:4, :4].min() > gradient[4:].max()


@pytest.mark.parametrize(
    ("correlation", "words"), [(0.9, "agree ("), (0.3, "in part"), (-0.4, "do not agree")]
)
def test_the_verdict_follows_the_correlation(correlation, words):
    assert words in verdict(correlation)


def test_heat_colours_the_picture_where_it_is_positive(image):
    heat = np.zeros((8, 8))
    heat[0, 0], heat[7, 7] = 2.0, -5.0
    shown = overlaid(image, heat)
    grey = np.repeat(image, 3, axis=0)
    assert shown.shape == (3, 8, 8)
    assert np.array_equal(shown[:, 1:, :], grey[:, 1:, :])
    wanted = np.rint(0.4 * image[0, 0, 0] + 0.6 * np.array([255, 210, 0]))
    assert np.array_equal(shown[:, 0, 0], wanted)


def test_both_maps_together_are_warm_only_where_both_are():
    first = np.array([[4.0, 0.0], [1.0, -3.0]])
    second = np.array([[1.0, 1.0], [0.25, 1.0]])
    assert np.allclose(together(first, second), [[1.0, 0.0], [0.25, 0.0]])


def test_the_report_shows_the_surest_right_of_each_class_then_the_surest_wrong():
    sure = np.array([[0.9, 0.1], [0.95, 0.05], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]])
    labels = np.array([0, 0, 1, 1, 0])
    assert chosen_rows(labels, sure) == [1, 2, 3, 4]

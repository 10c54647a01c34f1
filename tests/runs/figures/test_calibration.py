"""What the calibration figure says, against numbers counted by hand."""

import re

import numpy as np

from samoyed.metrics.intervals import wilson
from samoyed.runs.figures.classify import calibration_figure


def test_certainty_is_set_beside_the_share_that_is_right_with_its_interval():
    sure = np.array([0.95] * 20 + [0.65] * 10)
    probabilities = np.stack([sure, 1 - sure], axis=1)
    targets = np.array([0] * 16 + [1] * 4 + [0] * 9 + [1])
    figure = calibration_figure(probabilities, targets)
    # 16 of 20 at 95 %, 9 of 10 at 65 %: mean distance (20 x 15 + 10 x 25) / 30, leaning
    # (20 x 15 - 10 x 25) / 30.
    assert "The mean distance is 18.3 points" in figure.caption
    assert "surer than it is right by 1.7 points" in figure.caption
    assert "67 % of all answers are in the surest group" in figure.caption
    low, high = map(float, re.search(r'data-y="(\S+) (\S+)"', figure.html).groups())
    spans = re.search(r'class="upright" d="([^"]+)"', figure.html)[1]
    drawn = [tuple(map(float, pair)) for pair in re.findall(r" ([\d.]+)V([\d.]+)", spans)]
    wanted = [wilson(9, 10), wilson(16, 20)]
    for (first, last), interval in zip(drawn, wanted, strict=True):
        ends = [low + (1 - y / 1000) * (high - low) for y in (first, last)]
        assert np.allclose(ends, 100 * np.array(interval), atol=0.2)

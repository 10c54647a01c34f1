import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_fixtures import NASTY, curve_points, parse, pictures

from samoyed.runs.drawing import (
    bar_chart,
    heat_text,
    human_number,
    image_grid,
    line_chart,
    matrix,
    table,
)
from samoyed.runs.drawing_lines import running_mean
from samoyed.runs.drawing_numbers import log_ticks, nice_ticks, tick_labels
from samoyed.runs.drawing_scores import score_words
from samoyed.runs.drawing_style import DARK, LIGHT, stylesheet


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(2, 8))
def test_nice_ticks_are_inside_even_and_few(low, span, num):
    ticks = nice_ticks(low, low + span, num)
    if span < 1e-6 * abs(low):
        return
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)
    assert 1 <= len(ticks) <= num + 1
    steps = np.diff(ticks)
    assert np.allclose(steps, steps[:1], rtol=1e-3)


@given(st.floats(1e-8, 1e6), st.floats(1.01, 1e9))
def test_log_ticks_are_inside_and_rise(low, factor):
    ticks = log_ticks(low, low * factor)
    assert all(low * 0.999 <= tick <= low * factor * 1.001 for tick in ticks)
    assert ticks == sorted(set(ticks))
    assert len(ticks) <= 14


@given(st.floats(-1e7, 1e7), st.floats(1e-4, 1e7))
def test_no_two_ticks_read_the_same(low, span):
    ticks = nice_ticks(low, low + span)
    assert len(set(tick_labels(ticks))) == len(set(ticks))


@given(st.integers(-5000, 5000), st.integers(1, 100_000))
def test_a_tick_says_exactly_where_it_is(low, span):
    ticks = nice_ticks(low / 10, (low + span) / 10)
    for tick, label in zip(ticks, tick_labels(ticks), strict=True):
        scale = 1000 if label.endswith("k") else 1
        said = float(label.rstrip("k").replace(",", "").replace("−", "-")) * scale
        assert said == pytest.approx(tick, abs=1e-6)


@pytest.mark.parametrize(
    ("value", "text"),
    [(61706, "61.7k"), (1.2e6, "1.2M"), (999_999, "1M"), (-0.5, "−0.5"), (123.4, "123"),
     (60_965_128, "61M"), (0.00012, "0.00012"), (1000, "1,000"), (math.inf, "∞")],
)  # fmt: skip
def test_numbers_as_people_write_them(value, text):
    assert human_number(value) == text


def test_line_chart_puts_points_where_they_belong():
    drawn = line_chart({"a": [(0, 0.0), (5, 1.0), (10, 4.0)]}, x_label="x", y_label="y")
    ((first, middle, last),) = curve_points(drawn)
    assert (first[0], middle[0], last[0]) == (0, 500, 1000)
    # Heights are linear: the middle point lies a quarter of the way up.
    assert (first[1] - middle[1]) / (first[1] - last[1]) == pytest.approx(0.25, abs=1e-3)


def test_logarithmic_axis_puts_the_geometric_mean_in_the_middle():
    drawn = line_chart(
        {"a": [(0, 1.0), (1, 10.0), (2, 100.0)]}, x_label="x", y_label="y", log_y=True
    )
    ((first, middle, last),) = curve_points(drawn)
    assert middle[1] == pytest.approx((first[1] + last[1]) / 2, abs=0.1)


def test_hovering_can_recover_the_numbers():
    drawn = line_chart({"a": [(3, 2.0), (7, 8.0)]}, x_label="x", y_label="y")
    low, high = map(float, re.search(r'data-y="(\S+) (\S+)"', drawn).groups())
    ((first, last),) = curve_points(drawn)
    recovered = [low + (1 - y / 1000) * (high - low) for _, y in (first, last)]
    assert recovered == pytest.approx([2.0, 8.0], abs=0.01)


@pytest.mark.parametrize("points", [[], [(0, math.nan)], [(math.inf, 1.0)]])
def test_nothing_to_draw_is_said(points):
    assert "No curve was recorded" in parse(line_chart({"a": points}, x_label="", y_label="")).text


def test_numbers_that_are_none_are_counted():
    points = [(0, 1.0), (1, math.nan), (2, math.inf), (3, 2.0)]
    assert "2 points are left out" in line_chart({"a": points}, x_label="", y_label="")
    points = [(0, 1.0), (1, 0.0), (2, 2.0)]
    drawn = line_chart({"a": points}, x_label="", y_label="", log_y=True)
    assert "1 point is left out: not a positive number" in drawn


def test_one_point_is_a_dot():
    drawn = line_chart({"a": [(3, 0.5)]}, x_label="x", y_label="y")
    assert re.search(r'class="dot" d="M500.0 \d+\.\dh0"', drawn)


def test_an_axis_ends_where_no_number_can_be():
    def upper(**limits):
        drawn = line_chart({"a": [(1, 90.0), (2, 100.0)]}, x_label="", y_label="", **limits)
        return float(re.search(r'data-y="\S+ (\S+)"', drawn).group(1))

    assert upper() > 100
    assert upper(y_most=100.0) == 100


def test_days_are_written_as_dates():
    points = [(19_358.0, 1.0), (19_722.0, 2.0)]  # 2023-01-01 to 2023-12-31
    drawn = line_chart({"a": points}, x_label="day", y_label="", is_dated=True)
    dates = re.findall(r'class="tick-x"[^>]*>(\d{4}-\d{2}-\d{2})<', drawn)
    assert len(dates) >= 2
    assert all(date.startswith("2023-") for date in dates)
    assert drawn.count('class="tick-x"') == len(dates)
    assert 'data-dated="1"' in drawn


def test_smoothing_keeps_the_raw_curve_faint_and_calms_the_strong_one():
    noise = np.random.default_rng(0).normal(size=400)
    points = [(i, 3 + float(n)) for i, n in enumerate(noise)]
    drawn = line_chart({"a": points}, x_label="x", y_label="y", smooth=True)
    (raw,), (strong,) = curve_points(drawn, "faint"), curve_points(drawn)
    assert np.std([y for _, y in strong]) < 0.4 * np.std([y for _, y in raw])


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=200))
def test_running_mean_equals_brute_force(values):
    reach = max(1, len(values) // 40)
    for i, mean in enumerate(running_mean(values)):
        side = min(reach, i, len(values) - 1 - i)
        assert mean == pytest.approx(np.mean(values[i - side : i + side + 1]), abs=1e-9)


def test_thinning_keeps_a_spike():
    points = [(i, 1.0) for i in range(50_000)]
    points[31_337] = (31_337, 9.0)
    ((*drawn,),) = curve_points(line_chart({"a": points}, x_label="x", y_label="y"))
    assert len(drawn) <= 400
    spike = min(drawn, key=lambda p: p[1])
    assert spike[0] == pytest.approx(1000 * 31_337 / 49_999, abs=0.1)


def test_bars_are_as_long_as_their_numbers():
    drawn = bar_chart([("a", 10.0, 9.0, 11.0), ("b", 40.0, 38.0, 42.0)])
    widths = [float(w) for w in re.findall(r'class="bar" style="left:0.00%;width:([\d.]+)%', drawn)]
    assert widths[1] / widths[0] == pytest.approx(4, rel=0.01)
    whiskers = re.findall(r'class="whisker" style="left:([\d.]+)%;width:([\d.]+)%', drawn)
    assert float(whiskers[1][1]) / float(whiskers[0][1]) == pytest.approx(2, rel=0.01)


def test_close_bars_are_shown_on_a_cut_axis_that_looks_cut():
    drawn = bar_chart([("a", 99.2, 99.0, 99.4), ("b", 98.1, 97.9, 98.3)], unit="%")
    assert drawn.count('class="bar cut"') == 2
    assert ">0</span>" not in drawn
    assert "99.00 to 99.40 %" in drawn


def test_negative_bars_and_unknown_intervals():
    drawn = bar_chart([("a", -5.0, math.nan, math.nan), ("b", 5.0, 4.0, 6.0)], highlight="b")
    assert drawn.count("whisker") == 1
    (left, width), (left_b, _) = re.findall(
        r'class="bar" style="left:([\d.]+)%;width:([\d.]+)', drawn
    )
    assert float(left) + float(width) == pytest.approx(float(left_b), abs=0.02)
    assert drawn.count('class="bar-row highlight"') == 1
    assert "not measured" in bar_chart([("a", math.nan, 0.0, 1.0)])
    tiny = bar_chart([("a", -1e-9, math.nan, math.nan), ("b", 1.0, 1.0, 1.0)], axis="growth")
    assert ">0.00<" in tiny
    assert "−0" not in tiny
    assert "no interval" in tiny
    assert "Nothing was measured" in bar_chart([])


def test_image_grid_keeps_bytes_and_stretches_floats():
    generator = np.random.default_rng(0)
    grey = generator.integers(0, 256, (3, 5, 4), dtype=np.uint8)
    colour = generator.integers(0, 256, (2, 5, 4, 3), dtype=np.uint8)
    for images in (grey, colour):
        for shown, image in zip(pictures(image_grid(images)), images, strict=True):
            np.testing.assert_array_equal(shown, image)
    (ramp,) = pictures(image_grid(np.linspace(-3, 7, 6).reshape(1, 2, 3)))
    np.testing.assert_array_equal(ramp.ravel(), [0, 51, 102, 153, 204, 255])
    (fixed,) = pictures(image_grid(np.array([[[0.0, 2.0]]]), value_range=(0, 4)))
    np.testing.assert_array_equal(fixed, [[0, 128]])


def test_diverging_colours_are_blue_white_and_red():
    (shown,) = pictures(image_grid(np.array([[[-2.0, 0.0, 2.0]]]), diverging=True))
    blue, white, red = shown[0].astype(int)
    assert blue[2] > blue[0] + 80
    assert red[0] > red[2] + 80
    assert tuple(white) == (255, 255, 255)


@pytest.mark.parametrize("value", [0.0, 3.0, math.nan])
def test_flat_and_broken_pictures_are_drawn(value):
    (shown,) = pictures(image_grid(np.full((1, 2, 2), value)))
    assert shown.shape == (2, 2)


def test_image_grid_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="2 labels for 3 images"):
        image_grid(np.zeros((3, 2, 2)), ["a", "b"])
    with pytest.raises(ValueError, match=r"not \(2, 2\)"):
        image_grid(np.zeros((2, 2)))
    assert "No picture" in image_grid(np.zeros((0, 2, 2)))


def test_heat_text_shows_every_character_once_with_its_level():
    drawn = heat_text("a<\nb", [0.0, 5.0, 10.0, math.nan], low=0, high=10)
    text = re.search(r'<div class="heat" dir="auto">(.*?)</div>', drawn, re.S).group(1)
    assert parse(text).text == "a<↵\nb"
    assert re.findall(r'class="(h\d+)" title', drawn) == ["h0", "h5", "h10"]
    with pytest.raises(ValueError, match="1 values for 2 characters"):
        heat_text("ab", [1.0], low=0, high=1)


def test_matrix_writes_the_numbers_and_marks_right_and_wrong():
    drawn = matrix(
        np.array([[8, 2], [0, 5]]), ["x", "y"], ["x", "y"], row_title="r", column_title="c"
    )
    cells = re.findall(r'<td class="(\w+)" style="--d:([\d.]+)">([^<]+)</td>', drawn)
    assert [(k, t) for k, _, t in cells] == [
        ("right", "8"), ("wrong", "2"), ("wrong", "·"), ("right", "5"),
    ]  # fmt: skip
    assert float(cells[0][1]) == pytest.approx(0.8)
    other = matrix(np.ones((1, 2)), ["x"], ["p", "q"], row_title="r", column_title="c")
    assert other.count('class="plain"') == 2


def test_a_thousand_classes_become_a_small_picture_and_the_largest_confusions():
    names = [f"class {i}" for i in range(1000)]
    counts = np.eye(1000) * 50
    counts[7, 990] = 33
    counts[12, 13] = 21
    drawn = matrix(counts, names, names, row_title="true", column_title="answer")
    assert len(drawn) < 100_000
    (shown,) = pictures(drawn)
    assert max(shown.shape[:2]) <= 400
    rows = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td><td class=\"number\">(.*?)</td>", drawn)
    assert rows == [("class 7", "class 990", "33"), ("class 12", "class 13", "21")]
    assert shown[7 // 3, 990 // 3, 3] > 100


def test_table_sets_numbers_right_and_refuses_ragged_rows():
    drawn = table(["name", "score"], [["a", "99.2 %"], ["b", "1,204"]])
    assert drawn.count('class="number"') == 3
    with pytest.raises(ValueError, match="1 cells under 2 titles"):
        table(["a", "b"], [["only one"]])


def test_everything_that_comes_from_data_is_escaped():
    fragments = [
        line_chart({NASTY: [(0, 1), (1, 2)], "b": [(0, 1)]}, x_label=NASTY, y_label=NASTY),
        bar_chart([(NASTY, 1.0, 0.5, 2.0)], unit=NASTY, highlight=NASTY),
        image_grid(np.zeros((1, 2, 2)), [NASTY]),
        heat_text(NASTY, [1.0] * len(NASTY), low=0, high=2),
        matrix(np.ones((2, 2)), [NASTY, "x"], [NASTY, "x"], row_title=NASTY, column_title=NASTY),
        matrix(np.ones((30, 30)), [NASTY] * 30, ["y"] * 30, row_title=NASTY, column_title="c"),
        table([NASTY], [[NASTY]]),
    ]
    for fragment in fragments:
        tags = parse(fragment)
        assert "<b>&" not in fragment
        assert "<b>&\"'" in tags.text
        assert "</script>" not in fragment


def variables(block):
    return dict(re.findall(r"--([\w-]+):(#[0-9a-f]{6});", block))


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("block", [LIGHT, DARK])
@pytest.mark.parametrize("paper", ["paper", "panel", "sunk"])
def test_text_has_the_contrast_that_wcag_asks_for(block, paper):
    colours = variables(block)
    for name in ("ink", "muted", "accent", "good", "bad", *(f"series-{i}" for i in range(1, 7))):
        pair = sorted([luminance(colours[name]), luminance(colours[paper])])
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (name, paper)


def test_both_papers_define_the_same_variables_and_every_used_one_is_defined():
    names = [set(re.findall(r"--([\w-]+):", block)) for block in (LIGHT, DARK)]
    assert names[0] == names[1]
    assert set(re.findall(r"var\(--([\w-]+)\)", stylesheet())) <= names[0] | {"d"}


def test_score_names_in_words():
    assert score_words("mean_return") == "mean return"

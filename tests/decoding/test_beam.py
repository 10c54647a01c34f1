"""Beam search against enumeration, and against one sentence and one hypothesis after another."""

import itertools
import math

import pytest
import torch

from samoyed.core.batch import DecoderState
from samoyed.core.spec import END, START
from samoyed.decoding.beam import beam_search

V = 7  # three of them text


class Chain:
    """Foresee the next unit from the last one, the place and the sentence."""

    def __init__(self, seed=0):
        generator = torch.Generator().manual_seed(seed)
        self.table = 1.5 * torch.randn(9, 12, V, V, generator=generator)

    def start(self, inputs):
        return DecoderState((inputs[:, 0],), (torch.zeros(len(inputs), dtype=torch.long),))

    def step(self, state, token):
        rows = state.memory[0].repeat_interleave(len(token) // len(state.memory[0]))
        (place,) = state.moving
        return self.table[rows, place, token], DecoderState(state.memory, (place + 1,))

    def log_probability(self, sentence, units):
        total, last = 0.0, START
        for place, unit in enumerate((*units, END)):
            total += float(torch.log_softmax(self.table[sentence, place, last], 0)[unit])
            last = unit
        return total


def enumerated(model, sentence, most, alpha):
    found = []
    for length in range(most + 1):
        for units in itertools.product(range(3, V), repeat=length):
            value = model.log_probability(sentence, units)
            found.append((value / (length + 1) ** alpha, units))
    return sorted(found, reverse=True)


def slowly(model, sentence, width, alpha, most):
    """The same search for one sentence, hypothesis by hypothesis, in plain Python."""
    live, done = [(0.0, ())], []
    for length in range(1, most + 2):
        grown = []
        for value, units in live:
            last = units[-1] if units else START
            likely = torch.log_softmax(model.table[sentence, length - 1, last], 0).tolist()
            for unit in range(2, V):
                if length <= most or unit == END:
                    grown.append((value + likely[unit], units, unit))
        grown = sorted(grown, key=lambda row: -row[0])[: 2 * width]
        for value, units, unit in grown[:width]:
            if unit == END and len(done) < width:
                done.append((value / length**alpha, units))
        live = [(v, (*units, unit)) for v, units, unit in grown if unit != END][:width]
        if len(done) == width or not live:
            break
    return sorted(done, reverse=True)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
def test_a_wide_beam_finds_what_enumeration_finds(alpha):
    model = Chain()
    inputs = torch.tensor([[3], [5]])
    found = beam_search(model, inputs, width=400, alpha=alpha, most=3)
    for sentence, hypotheses in zip((3, 5), found, strict=True):
        expected = enumerated(model, sentence, 3, alpha)
        assert len(hypotheses) == len(expected) == 1 + 4 + 16 + 64
        for one, (score, _) in zip(hypotheses, expected, strict=True):
            assert one.score == pytest.approx(score, abs=1e-4)
            assert one.log_probability == pytest.approx(
                model.log_probability(sentence, one.units), abs=1e-4
            )
        assert hypotheses[0].units == expected[0][1]


@pytest.mark.parametrize("width", [1, 2, 5])
def test_all_at_once_is_one_after_another(width):
    model = Chain(seed=1)
    inputs = torch.arange(9)[:, None]
    found = beam_search(model, inputs, width=width, alpha=0.7, most=8)
    for sentence, hypotheses in enumerate(found):
        expected = slowly(model, sentence, width, 0.7, 8)
        assert [h.units for h in hypotheses] == [units for _, units in expected]
        assert [h.score for h in hypotheses] == pytest.approx([s for s, _ in expected], abs=1e-4)


def test_width_one_takes_the_likeliest_unit_each_time():
    model = Chain(seed=2)
    (best,) = beam_search(model, torch.tensor([[4]]), width=1, alpha=1.0, most=6)[0]
    last, units = START, []
    while len(units) < 6:
        likely = torch.log_softmax(model.table[4, len(units), last], 0)
        likely[:2] = -math.inf
        last = int(likely.argmax())
        if last == END:
            break
        units.append(last)
    assert list(best.units) == units

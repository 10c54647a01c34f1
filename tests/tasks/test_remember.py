"""The question at the end of a sequence: scores, answers, inputs that are none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from samoyed.core.batch import Logits
from samoyed.core.errors import DataError
from samoyed.runs.figures import remember as figures
from samoyed.tasks.remember import Remember, scores_of
from samoyed.worlds.sequences import scan_sequences

ADDING, ORDER = (scan_sequences(name) for name in ("adding-20", "temporal-order-20"))


class Adder(nn.Module):
    """The answer to the adding problem itself, with one weight so that it has a device."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, inputs: Tensor) -> Logits:
        is_marked = inputs[..., 1] == 1
        return Logits((0.5 + self.scale * (inputs[..., 0] * is_marked).sum(1) / 4)[:, None])


def test_a_perfect_answer_scores_one_and_the_mean_nearly_nothing():
    data, task = ADDING.load(), Remember(ADDING.spec)
    solved, error = task.score(Adder(), data)
    assert (solved.name, solved.value, solved.num) == ("solved_share", 1.0, 2560)
    assert error.value < 1e-12
    assert not error.is_higher_better
    solved, error = scores_of(np.full((2560, 1), 0.5), data.answers)
    # The variance of (X1 + X2) / 4; one of the nine places that is marked twice is set to 0.
    assert error.value == pytest.approx((2 - 2 / 9) / 48, rel=0.06)
    assert solved.value == pytest.approx(0.15, abs=0.03)


def test_an_answer_is_right_within_a_twenty_fifth():
    values = np.array([[0.5], [0.5], [0.5]])
    [solved, _] = scores_of(values, np.array([0.539, 0.461, 0.541], dtype=np.float32))
    assert solved.value == pytest.approx(2 / 3)


def test_sequences_are_drawn_by_number_or_given():
    task = Remember(ADDING.spec)
    answers = task.answer(Adder(), ["7", "[[0.5,-1],[0.25,1],[0.75,1],[0.1,-1]]"])
    assert dict(answers[0].details)["right"] == answers[0].answer
    assert answers[1].answer == "0.7500"
    net = nn.Sequential(nn.Flatten(), nn.LazyLinear(4))

    class Letters(nn.Module):
        def forward(self, inputs: Tensor) -> Logits:
            return Logits(net(inputs))

    [answer] = Remember(ORDER.spec).answer(Letters(), ["E aXbY B"])
    assert answer.answer in ("XX", "XY", "YX", "YY")
    assert answer.details == (("steps", 6),)


@pytest.mark.parametrize(
    ("source", "given", "said"),
    [
        (ADDING, "[[0.5]]", "step 1"),
        (ADDING, "[[1,2],[1,null]]", "step 2"),
        (ADDING, "[[1,2],[1,true]]", "step 2"),
        (ADDING, "[]", "JSON list"),
        (ADDING, "{}", "JSON list"),
        (ADDING, "half", "JSON list"),
        (ADDING, f"[[1,2],[1,{10**400}]]", "step 2"),
        (ADDING, "[[1,2],[1,-1e30]]", "nearer to 0 than 1e+30"),
        (ADDING, "[[1,2],[NaN,1]]", "step 2"),
        (ADDING, "[" * 100_000, "JSON list"),
        (ADDING, "9" * 19, "18 digits"),
        (ORDER, "9" * 5000, "5,000 digits"),
        (ORDER, "EaXbQ", "letter 5"),
        (ORDER, " ", "nothing"),
    ],
)
def test_what_is_no_sequence_is_refused_with_its_place(source: object, given: str, said: str):
    with pytest.raises(DataError) as caught:
        Remember(source.spec).sequence(given)  # type: ignore[attr-defined]
    assert said in str(caught.value)


def test_the_gradient_by_steps_is_seen_where_the_marks_are():
    task = Remember(ADDING.spec)
    sequence, _ = task.sequence("5")
    strength = figures.dependence(Adder(), sequence)[:, 0]
    marked = (sequence[0, :, 1] == 1).numpy()
    assert (strength[marked] == 0.25).all()
    assert (strength[~marked] == 0).all()
    [figure] = figures.explain(task, Adder(), ["5"])
    assert str(int(np.flatnonzero(marked)[0]) + 1) in figure.said
    data = ADDING.load()
    history = [{"step": 1, "solved_share": 0.1}, {"step": 2, "solved_share": 0.2}]
    titles = [figure.title for figure in figures.draw(task, Adder(), data, history)]
    assert titles == [
        "Held-out sequences while learning", "How far back the gradient reaches", "Largest errors",
    ]  # fmt: skip


def test_large_numbers_and_seeds_are_read_up_to_their_bounds():
    task = Remember(ADDING.spec)
    sequence, _ = task.sequence(f"[[1,{10**29}],[0,1]]")
    assert sequence.isfinite().all()
    assert task.sequence("9" * 18)[0].shape[2] == 2

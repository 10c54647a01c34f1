import pytest
import torch

from samoyed.losses.temporal_difference import (
    clipped_error,
    clipped_rewards,
    one_step_target,
    q_learning_loss,
)


def test_the_gradient_is_the_error_clipped_to_one() -> None:
    errors = torch.tensor([-30.0, -1.5, -1.0, -0.999, -0.2, 0.0, 0.3, 1.0, 1.0001, 7.0])
    predictions = torch.zeros(10, dtype=torch.float64, requires_grad=True)
    clipped_error(predictions, -errors.double()).backward()
    assert predictions.grad is not None
    assert torch.allclose(predictions.grad * 10, errors.double().clamp(-1, 1), atol=1e-12)


def test_the_loss_is_half_the_square_inside_and_a_line_outside() -> None:
    def loss(error: float) -> float:
        return float(clipped_error(torch.tensor([error]), torch.zeros(1)))

    assert loss(0.6) == pytest.approx(0.18)
    assert loss(-4.0) == pytest.approx(3.5)
    assert loss(3.0) - loss(2.0) == pytest.approx(1.0)


def test_targets_by_hand() -> None:
    targets = one_step_target(
        torch.tensor([1.0, 2.0, -1.0]),
        torch.tensor([[3.0, 5.0], [10.0, 9.0], [-4.0, -2.0]]),
        torch.tensor([False, True, False]),
        0.5,
    )
    assert targets.tolist() == [3.5, 2.0, -2.0]


def test_the_whole_loss_against_a_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(20, 4, generator=generator, dtype=torch.float64) * 2
    next_values = torch.randn(20, 4, generator=generator, dtype=torch.float64)
    actions = torch.randint(4, (20,), generator=generator)
    rewards = torch.randn(20, generator=generator, dtype=torch.float64)
    is_terminal = torch.rand(20, generator=generator) < 0.3
    total = 0.0
    for b in range(20):
        y = float(rewards[b])
        if not is_terminal[b]:
            y += 0.9 * max(float(v) for v in next_values[b])
        error = abs(float(values[b, actions[b]]) - y)
        total += error**2 / 2 if error < 1 else error - 0.5
    found = q_learning_loss(values, next_values, actions, rewards, is_terminal, 0.9)
    assert float(found) == pytest.approx(total / 20, rel=1e-12)


def test_no_gradient_reaches_the_target_or_the_other_actions() -> None:
    values = torch.randn(5, 3, requires_grad=True)
    next_values = torch.randn(5, 3, requires_grad=True)
    actions = torch.tensor([0, 1, 2, 0, 1])
    q_learning_loss(
        values, next_values, actions, torch.ones(5), torch.zeros(5, dtype=torch.bool), 0.9
    ).backward()
    assert next_values.grad is None
    assert values.grad is not None
    touched = values.grad != 0
    assert torch.equal(touched.nonzero()[:, 1], actions)


def test_rewards_are_clipped() -> None:
    assert clipped_rewards(torch.tensor([-7.0, -0.5, 0.0, 200.0])).tolist() == [-1, -0.5, 0, 1]

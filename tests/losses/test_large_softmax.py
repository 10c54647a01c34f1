"""The surprise over many symbols: torch's, and its gradient."""

import pytest
import torch
import torch.nn.functional as F

from samoyed.losses import large_softmax
from samoyed.losses.large_softmax import large_cross_entropy


@pytest.mark.parametrize("rows", [1, 7, 80])
@pytest.mark.parametrize(("number", "tolerance"), [(torch.float32, 1e-6), (torch.bfloat16, 8e-3)])
def test_value_and_gradient_are_torchs(rows, number, tolerance, monkeypatch):
    monkeypatch.setattr(large_softmax, "_IN_CACHE", 1 << 14)
    generator = torch.Generator().manual_seed(rows)
    logits = (5 * torch.randn(rows, 1_500, generator=generator)).to(number)
    targets = torch.randint(1_500, (rows,), generator=generator)
    ours, theirs = (logits.clone().requires_grad_() for _ in range(2))
    found = large_cross_entropy(ours, targets)
    expected = F.cross_entropy(theirs.float(), targets)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    (3 * found).backward()
    (3 * expected).backward()
    difference = (ours.grad - theirs.grad).abs().max() / theirs.grad.abs().max()
    assert difference < tolerance


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(("number", "tolerance"), [(torch.float32, 3e-6), (torch.bfloat16, 8e-3)])
def test_rows_that_do_not_count_and_smoothed_targets_are_torchs(
    smoothing, number, tolerance, monkeypatch
):
    monkeypatch.setattr(large_softmax, "_IN_CACHE", 1 << 14)
    generator = torch.Generator().manual_seed(5)
    logits = (5 * torch.randn(40, 1_500, generator=generator)).to(number)
    targets = torch.randint(1_500, (40,), generator=generator)
    targets[::3] = 7
    dials = {"ignore_index": 7, "label_smoothing": smoothing}
    ours, theirs = (logits.clone().requires_grad_() for _ in range(2))
    found = large_cross_entropy(ours, targets, **dials)
    expected = F.cross_entropy(theirs.float(), targets, **dials)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    found.backward()
    expected.backward()
    difference = (ours.grad - theirs.grad).abs().max() / theirs.grad.abs().max()
    assert difference < tolerance
    assert not ours.grad[::3].any()


def test_where_no_row_counts_it_is_torchs_too():
    logits, targets = torch.randn(3, 2_000, requires_grad=True), torch.full((3,), 7)
    found = large_cross_entropy(logits, targets, ignore_index=7)
    assert found.isnan()
    assert F.cross_entropy(logits, targets, ignore_index=7).isnan()


def test_what_is_certain_costs_nothing_and_what_is_impossible_much():
    logits = torch.full((2, 2_000), -200.0)
    logits[:, 3] = 200.0
    assert large_cross_entropy(logits, torch.tensor([3, 3])).item() == 0.0
    assert large_cross_entropy(logits, torch.tensor([3, 4])).item() == 200.0


def test_without_gradients_nothing_is_kept():
    logits, targets = torch.randn(4, 2_000), torch.tensor([0, 1, 2, 3])
    with torch.no_grad():
        found = large_cross_entropy(logits, targets)
    assert not found.requires_grad
    torch.testing.assert_close(found, F.cross_entropy(logits, targets))

"""Local response normalisation against section 3.3's formula written out in loops."""

import numpy as np
import pytest
import torch

from samoyed.layers.local_response import LocalResponse, normalise_responses


def by_loops(a, n, k, alpha, beta):
    """b_i = a_i / (k + alpha sum of a_j^2 from max(0, i - n/2) to min(N - 1, i + n/2))^beta."""
    num_rows, num_maps, height, width = a.shape
    b = np.empty_like(a)
    for row, i, y, x in np.ndindex(num_rows, num_maps, height, width):
        total = 0.0
        for j in range(max(0, i - n // 2), min(num_maps - 1, i + n // 2) + 1):
            total += a[row, j, y, x] ** 2
        b[row, i, y, x] = a[row, i, y, x] / (k + alpha * total) ** beta
    return b


def maps(num_maps=7, scale=1.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(2, num_maps, 3, 2, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize(
    ("num_maps", "n", "k", "alpha", "beta"),
    [(7, 5, 2.0, 1e-4, 0.75), (3, 5, 2.0, 0.3, 0.75), (8, 3, 1.0, 0.5, 0.5), (4, 1, 0.1, 2.0, 1.0)],
)
def test_equals_loops(num_maps, n, k, alpha, beta):
    a = maps(num_maps, scale=3.0)
    found = normalise_responses(a, num_neighbours=n, k=k, alpha=alpha, beta=beta)
    np.testing.assert_allclose(found, by_loops(a.numpy(), n, k, alpha, beta), rtol=1e-12)


def test_the_constants_are_the_papers():
    a = maps(96, scale=100.0)
    expected = by_loops(a.numpy(), 5, 2.0, 1e-4, 0.75)
    np.testing.assert_allclose(LocalResponse()(a), expected, rtol=1e-12)


def test_torch_divides_alpha_by_the_number_of_neighbours():
    a = maps(scale=10.0)
    theirs = torch.nn.functional.local_response_norm(a, 5, alpha=5e-4, beta=0.75, k=2.0)
    torch.testing.assert_close(normalise_responses(a), theirs)


def test_its_gradient():
    a = maps(4).requires_grad_()
    assert torch.autograd.gradcheck(lambda a: normalise_responses(a, alpha=0.7), (a,))


def test_only_near_neighbours_inhibit():
    a = torch.ones(1, 9, 1, 1)
    before = normalise_responses(a, alpha=1.0)
    a[:, 4] = 10.0
    after = normalise_responses(a, alpha=1.0)
    is_lower = (after < before).flatten().tolist()
    assert is_lower == [i in (2, 3, 5, 6) for i in range(9)]


def test_order_in_memory_and_inputs_are_kept():
    a = torch.rand(2, 8, 6, 6).contiguous(memory_format=torch.channels_last)
    before = a.clone()
    assert normalise_responses(a).is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(a, before)

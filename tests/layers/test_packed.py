"""Products with a packed matrix equal plain ones."""

from __future__ import annotations

import pytest
import torch

from samoyed.layers.packed import is_packable, product_with


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize(("rows", "inner", "columns"), [(1, 3, 5), (64, 96, 33), (7, 128, 256)])
def test_it_is_the_product(dtype, rows, inner, columns):
    torch.manual_seed(rows)
    weight = torch.randn(inner, columns).to(dtype)
    x = torch.randn(rows, inner).to(dtype)
    expected = x.double() @ weight.double()
    found = product_with(weight, rows)(x)
    assert found.dtype == dtype
    tolerance = 2e-2 if dtype == torch.bfloat16 else 1e-5
    scale = expected.abs().max()
    assert ((found.double() - expected).abs().max() / scale).item() < tolerance


def test_another_number_of_rows_gives_the_same():
    weight = torch.randn(40, 30)
    product = product_with(weight, 8)
    x = torch.randn(19, 40)
    torch.testing.assert_close(product(x), x @ weight, rtol=1e-5, atol=1e-5)


def test_double_precision_is_left_to_torch():
    assert not is_packable(torch.zeros(2, 2, dtype=torch.float64))

"""Which number format is chosen, and by which library float32 matrices are multiplied."""

import pytest
import torch

from samoyed.training import precision
from samoyed.training.precision import has_bfloat16_cpu, products_of

AMD = "vendor_id : AuthenticAMD\nflags : avx2 avx512f avx512_bf16"
PLAIN_AMD = "vendor_id : AuthenticAMD\nflags : avx2"
XEON = "vendor_id : GenuineIntel\nflags : avx512f avx512_bf16"
TILES = "vendor_id : GenuineIntel\nflags : avx512f avx512_bf16 amx_bf16"


@pytest.mark.parametrize(
    ("flags", "is_fast"), [(AMD, True), (PLAIN_AMD, False), (XEON, False), (TILES, True)]
)
def test_bfloat16_is_for_tiles_and_for_amd(flags, is_fast, monkeypatch):
    monkeypatch.setattr(precision, "_processor", lambda: flags)
    assert has_bfloat16_cpu() == is_fast


@pytest.mark.parametrize(
    ("flags", "num_rows", "device", "wanted"),
    [
        (AMD, 500, "cpu", "medium"),
        (AMD, 5, "cpu", "highest"),
        (AMD, 500, "cuda", "highest"),
        (PLAIN_AMD, 500, "cpu", "highest"),
        (XEON, 500, "cpu", "highest"),
        (TILES, 500, "cpu", "highest"),
    ],
)
def test_only_many_rows_on_amd_without_tiles_are_multiplied_by_onednn(
    flags, num_rows, device, wanted, monkeypatch
):
    monkeypatch.setattr(precision, "_processor", lambda: flags)
    before = torch.get_float32_matmul_precision()
    with products_of(num_rows, device):
        assert torch.get_float32_matmul_precision() == wanted
    assert torch.get_float32_matmul_precision() == before


def test_the_setting_is_put_back_after_an_error(monkeypatch):
    monkeypatch.setattr(precision, "_processor", lambda: AMD)
    before = torch.get_float32_matmul_precision()
    with pytest.raises(RuntimeError, match="stop"), products_of(500, "cpu"):
        raise RuntimeError("stop")
    assert torch.get_float32_matmul_precision() == before


def test_many_rows_are_multiplied_in_float32_here():
    generator = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(n, 640, generator=generator) for n in (512, 960))
    exact = x.double() @ weight.double().t()
    with products_of(len(x), "cpu"):
        found = torch.nn.functional.linear(x, weight)
    assert float((found - exact).abs().max()) < 1e-3  # 0.3 if rounded to bfloat16

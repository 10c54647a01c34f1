"""A padded convolution, by whichever arithmetic is fastest while training."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from samoyed.layers.small_maps import convolve_densely, convolve_gathered, number_format
from samoyed.layers.winograd import TAPS, convolve_in_tiles, pays

MOST_GATHERED = 16  # places: with more, gathering costs more than it saves


class Convolution(nn.Conv2d):
    """A convolution with an odd kernel and half of it as padding; its weights are `nn.Conv2d`'s.

    While training, maps of few places are convolved by one product (`samoyed.layers.small_maps`),
    and many maps in float32 on a processor by tiles (`samoyed.layers.winograd`).

    Args:
        num_before: C.
        num_after: O.
        kernel: side of the square kernel, odd.
        stride: places from one to the next; above 1 sums stay plain.
        bias: whether a number is added to each map.
    """

    def __init__(
        self, num_before: int, num_after: int, kernel: int, *, stride: int = 1, bias: bool = True
    ) -> None:
        super().__init__(num_before, num_after, kernel, stride, padding=kernel // 2, bias=bias)

    def forward(self, maps: Float[Tensor, "B C H W"]) -> Float[Tensor, "B O I J"]:
        """Convolve."""
        if not self.training or self.stride != (1, 1):
            return super().forward(maps)
        num_places, num_taps = maps.shape[-2:].numel(), self.weight.shape[-2:].numel()
        if self._is_in_tiles(maps):
            return convolve_in_tiles(maps, self.weight, self.bias)
        if num_places > MOST_GATHERED:
            return super().forward(maps)
        convolve = convolve_densely if num_places < num_taps else convolve_gathered
        return convolve(maps, self.weight, self.bias)

    def _is_in_tiles(self, maps: Float[Tensor, "B C H W"]) -> bool:
        """Return whether tiles are the fastest; half numbers are not exact enough for them."""
        batch, num_before, height, width = maps.shape
        return (
            self.kernel_size == (TAPS, TAPS)
            and maps.device.type == "cpu"
            and number_format(self.weight).itemsize >= 4
            and pays(batch, height, width, num_before, self.out_channels)
        )

"""Scale many small pictures of one size at once: one matrix product for each axis."""

from __future__ import annotations

import numpy as np

from samoyed.core.spec import ImageSpec

_GRAY_OF_COLOUR = (0.299, 0.587, 0.114)  # ITU-R BT.601, section 2.5.1


def fit_arrays(images: np.ndarray, size: ImageSpec) -> np.ndarray:
    """Scale pictures until they cover a size, and cut them around the centre.

    Args:
        images: (N, C, H, W) uint8, C 1 or 3.
        size: what is wanted.

    Returns:
        (N, *size) uint8.
    """
    channels, height, width = images.shape[1:]
    values = images.astype(np.float32)
    if channels == 3 and size.channels == 1:
        weights = np.array(_GRAY_OF_COLOUR, np.float32)
        values = np.rint(np.tensordot(values, weights, axes=(1, 0)))[:, None]
    scale = max(size.width / width, size.height / height)
    if (height, width) != (size.height, size.width):
        rows = _weights(height, size.height, scale)
        columns = _weights(width, size.width, scale)
        values = np.matmul(rows.T, np.matmul(values, columns))
    fitted = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return np.broadcast_to(fitted, (len(images), *size.shape)).copy()


def _weights(num_in: int, num_out: int, scale: float) -> np.ndarray:
    """Return how much each input pixel adds to each output pixel of one axis: (num_in, num_out).

    The weights are Pillow's own: what its resampling makes of the identity matrix.
    """
    from PIL import Image

    margin = max(0.0, (num_in - num_out / scale) / 2)
    box = (margin, 0.0, num_in - margin, float(num_in))
    method = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    identity = Image.fromarray(np.eye(num_in, dtype=np.float32))
    return np.asarray(identity.resize((num_out, num_in), method, box=box))

"""One picture file: what it is, why it cannot be read, and its pixels at a wanted size.

**Fitting.** A picture whose sides have another ratio than the wanted size is scaled until it
covers that size and cut to it around the centre: nothing is distorted and no border is invented;
what is lost are the outer strips. Shrinking averages (Pillow's block reduction, then Lanczos),
growing is bicubic. A JPEG's decoder leaves out frequencies the wanted size cannot show.

**Converting.** Rotation noted by the camera is applied, transparency is laid on white, an
animation gives its first frame, 16-bit gray is divided by 257 (12-bit gray of a TIFF file, and of a
set of pictures in which no value is larger, by 4095 / 255; so with 8, 10 and 14 bits),
floating-point gray is scaled so that its largest value is white unless it lies in [0, 1] or
[0, 255] already.

**Size.** A picture of more pixels than Pillow's limit (89 million) may be a bomb and is refused,
except a JPEG of at most twice that, which is decoded small; a phone may take such pictures.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from samoyed.core.spec import ImageSpec
from samoyed.data.image_reasons import BadPicture, explain, refuse_special

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset([
    ".bmp", ".dib", ".gif", ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".pbm", ".pgm",
    ".ppm", ".pnm", ".tif", ".tiff", ".webp", ".avif", ".jp2", ".tga", ".pcx", ".ico",
])  # fmt: skip

_PLUGINS = (
    "BMP", "DIB", "GIF", "JPEG", "MPO", "PNG", "PPM", "TIFF", "WEBP", "AVIF", "JPEG2000", "TGA",
    "PCX", "ICO",
)  # fmt: skip
_GRAY_MODES = frozenset(["1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"])
_ORIENTATION = 274  # EXIF tag; values 5 to 8 exchange width and height
_BITS = 258  # TIFF tag
_WHITE = 65535  # of 16 bits
_SMALLEST_SIDE = 2  # pixels
_AT_ONCE = 4096  # pictures handed to the threads at once

Item = TypeVar("Item")
Result = TypeVar("Result")


class Inspection(NamedTuple):
    """What a file says: the content's hash, the upright size in pixels, gray or not.

    `top` is the largest of its grays of 16 bits, 0 where it has none.
    """

    digest: str
    width: int
    height: int
    is_gray: bool
    top: int = 0


def inspect(path: str | Path) -> Inspection:
    """Hash a file and read its header; pixels are decoded of grays of 16 bits alone.

    Raises:
        BadPicture: it cannot be opened, is no picture, is far too large or hardly a pixel.
    """
    data = _bytes_of(path)
    with _opened(BytesIO(data), path) as picture:
        width, height = picture.size
        if _orientation(picture) >= 5:
            width, height = height, width
        is_gray = picture.mode in _GRAY_MODES or _has_gray_palette(picture)
        top = _top_of(picture)
    if min(width, height) < _SMALLEST_SIDE:
        raise BadPicture(
            f"{width} x {height} pixels", "Remove it, or bring the picture it stands for.",
            f"a picture of at least {_SMALLEST_SIDE} x {_SMALLEST_SIDE} pixels",
        )  # fmt: skip
    digest = hashlib.blake2b(data, digest_size=16).hexdigest()
    return Inspection(digest, width, height, is_gray, top)


def _top_of(picture: Image) -> int:
    """Return the largest gray of a picture with 16 bits each, 0 for others and damaged ones."""
    if picture.mode[0] != "I" or _bits_of(picture) == 12:
        return 0
    try:
        top = int(np.asarray(picture).max(initial=0))
    except Exception:  # whoever decodes it says what is wrong
        return 0
    return top if top <= _WHITE else 0


def decode(path: str | Path, size: ImageSpec) -> np.ndarray:
    """Return a picture's pixels, upright and fitted to `size`.

    Returns:
        (C, H, W) uint8.

    Raises:
        BadPicture: it cannot be decoded to the end.
    """
    from PIL import ImageOps

    try:
        refuse_special(path)
        with _opened(path, path) as picture:
            _shrink_while_decoding(picture, size)
            picture.load()
            upright = ImageOps.exif_transpose(picture) if _orientation(picture) > 1 else picture
            flat = flatten(upright, size.channels, size.gray_bits)
            return _channels_first(fit(flat, size.width, size.height))
    except BadPicture:
        raise
    except Exception as error:  # decoders of foreign bytes raise anything
        raise explain(path, error) from error


def decode_all(
    paths: Sequence[str | Path], size: ImageSpec
) -> tuple[np.ndarray, list[tuple[int, BadPicture]]]:
    """Decode pictures on all cores.

    Returns:
        (N, C, H, W) uint8, zeros where decoding failed; and which ones failed, with the reason.
    """
    images = np.zeros((len(paths), *size.shape), np.uint8)

    def decode_one(i: int) -> None:
        images[i] = decode(paths[i], size)

    results = in_parallel(decode_one, range(len(paths)))
    return images, [(i, bad) for i, bad in enumerate(results) if isinstance(bad, BadPicture)]


def in_parallel(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result | BadPicture]:
    """Do `work` for every item in threads; a picture that is bad becomes its own result."""

    def guarded(item: Item) -> Result | BadPicture:
        try:
            return work(item)
        except BadPicture as bad:
            return bad

    results: list[Result | BadPicture] = []
    with _pillow_warnings(), ThreadPoolExecutor(_num_threads()) as pool:
        for first in range(0, len(items), _AT_ONCE):  # a task waiting its turn costs a kilobyte
            results += pool.map(guarded, items[first : first + _AT_ONCE])
    return results


def fit(picture: Image, width: int, height: int) -> Image:
    """Scale a picture until it covers width x height and cut it around the centre."""
    from PIL import Image

    if picture.size == (width, height):
        return picture
    scale = max(width / picture.width, height / picture.height)
    left = max(0.0, (picture.width - width / scale) / 2)
    top = max(0.0, (picture.height - height / scale) / 2)
    box = (left, top, picture.width - left, picture.height - top)
    method = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    return picture.resize((width, height), method, box=box, reducing_gap=2.0)


def flatten(picture: Image, channels: int, gray_bits: int = 16) -> Image:
    """Return 8-bit gray (1 channel) or colour (3), whatever the mode; transparency on white."""
    from PIL import Image

    mode = "L" if channels == 1 else "RGB"
    if picture.mode == mode and "transparency" not in picture.info:
        return picture
    if picture.mode == "La":
        picture = picture.convert("LA")  # the only way out of it
    if picture.mode[0] in "IF":
        picture = _eight_bits(picture, gray_bits)
    elif picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, picture)
    elif picture.mode not in ("1", "L", "P", "RGB"):
        picture = picture.convert("RGB")  # CMYK, YCbCr, LAB and HSV know no way to gray
    return picture.convert(mode)


def _eight_bits(picture: Image, gray_bits: int) -> Image:
    """Return gray of 8 bits for whole numbers of 12, 16 or 32 bits, or floating-point numbers."""
    from PIL import Image

    values = np.nan_to_num(np.asarray(picture).astype(np.float64), posinf=0.0, neginf=0.0)
    clear = picture.info.get("transparency")  # the one gray of a PNG file that is not there
    is_clear = values == clear if isinstance(clear, int) else np.zeros(values.shape, bool)
    top = float(values.max(initial=0.0))
    if picture.mode == "F":
        factor = 255.0 if top <= 1 else 1.0 if top <= 255 else 255.0 / top
    elif _bits_of(picture) == 12:
        factor = 255 / 4095
    else:
        factor = 255.0 / (2**gray_bits - 1 if top <= _WHITE else top)
    gray = np.clip(np.rint(values * factor), 0, 255).astype(np.uint8)
    gray[is_clear] = 255
    return Image.fromarray(gray)


def _bits_of(picture: Image) -> int:
    """Return how many bits a TIFF file says that a gray has, or 0."""
    tags: Any = getattr(picture, "tag_v2", {})
    bits = tags.get(_BITS, (0,))
    return int(bits[0]) if isinstance(bits, tuple) else int(bits)


def _channels_first(picture: Image) -> np.ndarray:
    pixels = np.asarray(picture)
    return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)


def _shrink_while_decoding(picture: Image, size: ImageSpec) -> None:
    """Let a JPEG decoder halve the picture while that leaves it larger than wanted."""
    width, height = size.width, size.height
    if _orientation(picture) >= 5:
        width, height = height, width
    scale = max(width / picture.width, height / picture.height)
    wanted = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture.draft("L" if size.channels == 1 else "RGB", wanted)


def _orientation(picture: Image) -> int:
    """Return the EXIF orientation still to be undone; Pillow turns TIFF pictures itself."""
    if "exif" not in picture.info or picture.format == "TIFF":
        return 1
    try:
        value = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # a damaged note about the camera does not spoil the picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _has_gray_palette(picture: Image) -> bool:
    if picture.mode != "P" or picture.palette is None:
        return False
    colours = picture.palette.palette
    if not isinstance(colours, bytes | bytearray) or not colours:
        return False
    width = len(picture.palette.rawmode or picture.palette.mode)
    rows = np.frombuffer(bytes(colours), np.uint8)
    if width not in (3, 4) or len(rows) % width:
        return False
    rows = rows.reshape(-1, width)[:, :3]
    return bool((rows == rows[:, :1]).all())


def _opened(file: Any, path: str | Path) -> Image:
    from PIL import Image

    try:
        picture = Image.open(file, formats=_plugins())
    except Exception as error:  # decoders of foreign bytes raise anything
        raise explain(path, error) from error
    num, limit = picture.width * picture.height, Image.MAX_IMAGE_PIXELS
    if limit is not None and num > limit and picture.format not in ("JPEG", "MPO"):
        picture.close()
        said = f"Image size ({num} pixels) exceeds limit of {limit} pixels"
        raise explain(path, Image.DecompressionBombWarning(said))
    return picture


@functools.cache
def _plugins() -> tuple[str, ...]:
    """Return the formats this Pillow was built with, of those that are pixels and safe to open."""
    from PIL import Image

    Image.init()
    return tuple(name for name in _PLUGINS if name in Image.OPEN)


def _bytes_of(path: str | Path) -> bytes:
    try:
        refuse_special(path)
        return Path(path).read_bytes()
    except OSError as error:
        raise explain(path, error) from error


@contextmanager
def _pillow_warnings() -> Iterator[None]:
    """Keep Pillow's remarks to itself, in all threads; bombs are looked for when opening."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _num_threads() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from samoyed.core.spec import ImageSpec
from samoyed.data.image_resample import fit_arrays
from samoyed.data.pixels import decode, decode_all, fit, inspect


def smooth(width: int, height: int) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    planes = [128 + 100 * np.sin(x / 17 + k) * np.cos(y / 23 - k) for k in range(3)]
    return np.stack(planes, -1).astype(np.uint8)


def paint(path: Path, pixels: np.ndarray, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


# --- modes


GRAY = np.arange(0, 240, dtype=np.uint8).reshape(12, 20)
COLOUR = np.stack([GRAY, GRAY[::-1], GRAY[:, ::-1]], -1)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".ppm", ".tiff", ".webp", ".gif"])
def test_lossless_formats(tmp_path, suffix):
    options = {"lossless": True} if suffix == ".webp" else {}
    pixels = np.repeat(GRAY[..., None], 3, -1) if suffix == ".gif" else COLOUR
    path = paint(tmp_path / f"a{suffix}", pixels, **options)
    np.testing.assert_array_equal(decode(path, ImageSpec(3, 12, 20)), np.moveaxis(pixels, -1, 0))


def test_jpeg(tmp_path):
    pixels = smooth(64, 48)
    path = paint(tmp_path / "a.jpg", pixels, quality=95)
    decoded = np.moveaxis(decode(path, ImageSpec(3, 48, 64)), 0, -1).astype(int)
    assert np.abs(decoded - pixels).mean() < 2


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "LA", "RGBA", "CMYK", "I;16"])
def test_modes(tmp_path, mode, channels):
    picture = Image.fromarray(COLOUR)
    if mode == "I;16":
        saved = Image.fromarray(GRAY.astype(np.uint16) * 257)
        wanted = Image.fromarray(GRAY)
    else:
        saved = picture.convert(mode)
        wanted = saved
    path = tmp_path / ("a.tiff" if mode == "CMYK" else "a.png")
    saved.save(path)
    decoded = decode(path, ImageSpec(channels, 12, 20))
    if channels == 1 and mode in ("CMYK", "LA", "RGBA"):
        wanted = wanted.convert("RGB")
    oracle = np.asarray(wanted.convert("L" if channels == 1 else "RGB"))
    oracle = oracle[None] if channels == 1 else np.moveaxis(oracle, -1, 0)
    np.testing.assert_array_equal(decoded, oracle)
    assert inspect(path).is_gray == (mode in ("1", "L", "LA", "I;16"))


def test_gray_palette_is_gray(tmp_path):
    picture = Image.fromarray(GRAY).convert("P")
    picture.save(tmp_path / "a.png")
    assert inspect(tmp_path / "a.png").is_gray
    np.testing.assert_array_equal(decode(tmp_path / "a.png", ImageSpec(1, 12, 20))[0], GRAY)


def test_transparency_is_laid_on_white(tmp_path):
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[..., 0], pixels[:2, :, 3] = 200, 255
    pixels[2, :, 3] = 51  # a fifth
    decoded = decode(paint(tmp_path / "a.png", pixels), ImageSpec(3, 4, 4))
    assert decoded[:, 0, 0].tolist() == [200, 0, 0]
    assert decoded[:, 2, 0].tolist() == [244, 204, 204]
    assert decoded[:, 3, 0].tolist() == [255, 255, 255]


def test_transparent_palette_entry_is_white(tmp_path):
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.putpixel((0, 0), 0)
    picture.save(tmp_path / "a.gif", transparency=0)
    decoded = decode(tmp_path / "a.gif", ImageSpec(3, 4, 4))
    assert decoded[:, 0, 0].tolist() == [255, 255, 255]
    assert decoded[:, 1, 1].tolist() == [40, 50, 60]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tiff"])
def test_rotation_by_the_camera_is_undone(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[274] = orientation
    path = paint(tmp_path / f"a{suffix}", smooth(64, 32), exif=exif)
    upright = ImageOps.exif_transpose(Image.open(path))
    header = inspect(path)
    assert (header.width, header.height) == upright.size
    size = ImageSpec(3, upright.height, upright.width)
    np.testing.assert_array_equal(decode(path, size), np.moveaxis(np.asarray(upright), -1, 0))
    half = np.moveaxis(decode(path, ImageSpec(3, size.height // 2, size.width // 2)), 0, -1)
    blocks = np.asarray(upright).reshape(size.height // 2, 2, size.width // 2, 2, 3).mean((1, 3))
    assert np.abs(half - blocks).mean() < 3


def test_animation_gives_its_first_frame(tmp_path):
    frames = [Image.fromarray(np.full((8, 8), value, np.uint8)) for value in (10, 200, 90)]
    for suffix in (".gif", ".png", ".tiff"):
        frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
        assert (decode(tmp_path / f"a{suffix}", ImageSpec(1, 8, 8)) == 10).all()


def test_sixteen_bits_of_pgm_and_float_tiff(tmp_path):
    wide = GRAY.astype(">u2") * 257
    (tmp_path / "a.pgm").write_bytes(b"P5 20 12 65535\n" + wide.tobytes())
    Image.fromarray(GRAY.astype(np.float32) / 255).save(tmp_path / "b.tiff")
    Image.fromarray(GRAY.astype(np.float32) * 1000).save(tmp_path / "c.tiff")
    size = ImageSpec(1, 12, 20)
    np.testing.assert_array_equal(decode(tmp_path / "a.pgm", size)[0], GRAY)
    np.testing.assert_array_equal(decode(tmp_path / "b.tiff", size)[0], GRAY)
    np.testing.assert_array_equal(
        decode(tmp_path / "c.tiff", size)[0], np.rint(GRAY * (255 / 239)).astype(np.uint8)
    )


# --- fitting


@pytest.mark.parametrize(("width", "height"), [(64, 32), (32, 64), (96, 96), (17, 100), (5, 3)])
def test_fitting_covers_and_cuts_the_centre(width, height):
    picture = Image.fromarray(smooth(width, height))
    fitted = np.asarray(fit(picture, 24, 16)).astype(int)
    oracle = np.asarray(ImageOps.fit(picture, (24, 16), Image.Resampling.LANCZOS)).astype(int)
    assert fitted.shape == (16, 24, 3)
    assert np.abs(fitted - oracle).mean() < 2.5


@pytest.mark.parametrize("size", [(1, 32, 32), (1, 14, 14), (1, 20, 30), (3, 28, 28), (1, 56, 9)])
@pytest.mark.parametrize("channels", [1, 3])
def test_fitting_many_equals_fitting_each(channels, size):
    images = np.random.default_rng(0).integers(0, 256, (5, channels, 28, 28), np.uint8)
    spec = ImageSpec(*size)
    fitted = fit_arrays(images, spec)
    assert fitted.shape == (5, *size)
    for image, result in zip(images, fitted, strict=True):
        picture = Image.fromarray(image[0] if channels == 1 else np.moveaxis(image, 0, -1).copy())
        planes = picture.convert("L" if spec.channels == 1 else "RGB").split()
        limit = 1.51 if channels == 3 and spec.channels == 1 else 0.51  # gray is rounded down
        for plane, pixels in zip(planes, result, strict=True):  # floats are not cut between axes
            oracle = np.asarray(fit(plane.convert("F"), spec.width, spec.height))
            assert np.abs(np.clip(oracle, 0, 255) - pixels).max() <= limit


def test_large_jpeg_is_decoded_small(tmp_path):
    path = paint(tmp_path / "a.jpg", smooth(512, 384), quality=95)
    decoded = np.moveaxis(decode(path, ImageSpec(3, 48, 64)), 0, -1).astype(int)
    oracle = np.asarray(Image.open(path).resize((64, 48), Image.Resampling.BOX)).astype(int)
    assert np.abs(decoded - oracle).mean() < 2


# --- what is rare, against pixels made by hand


def test_one_bit_palette_and_cmyk_by_hand(tmp_path):
    board = (np.indices((6, 6)).sum(0) % 2).astype(bool)
    Image.fromarray(board).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == "1"
    np.testing.assert_array_equal(decode(tmp_path / "a.png", ImageSpec(1, 6, 6))[0], board * 255)
    Image.new("CMYK", (4, 4), (255, 0, 0, 51)).save(tmp_path / "b.tiff")
    cyan = decode(tmp_path / "b.tiff", ImageSpec(3, 4, 4))[:, 0, 0]
    np.testing.assert_allclose(cyan, [0, 204, 204], atol=1)  # no red, a fifth of black
    Image.new("CMYK", (16, 16), (255, 0, 0, 51)).save(tmp_path / "c.jpg", quality=100)
    found = decode(tmp_path / "c.jpg", ImageSpec(3, 16, 16))[:, 8, 8]
    np.testing.assert_allclose(found, [0, 204, 204], atol=3)


def png(colour_type: int, depth: int, width: int, rows: list[bytes], extra: bytes = b"") -> bytes:
    """Return a PNG file, written by hand (no filter)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour_type, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    clear = chunk(b"tRNS", extra) if extra else b""
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + clear + chunk(b"IDAT", body)
        + chunk(b"IEND", b"")
    )  # fmt: skip


def test_sixteen_bits_are_scaled_not_cut_off(tmp_path):
    values = np.array([[0, 257, 32_896, 65_535], [128, 129, 4_000, 60_000]], ">u2")
    gray = [row.tobytes() for row in values]
    (tmp_path / "gray.png").write_bytes(png(0, 16, 4, gray))
    expected = np.rint(values.astype(float) / 257)
    np.testing.assert_array_equal(decode(tmp_path / "gray.png", ImageSpec(1, 2, 4))[0], expected)
    colour = [np.repeat(row[:, None], 3, 1).astype(">u2").tobytes() for row in values]
    (tmp_path / "colour.png").write_bytes(png(2, 16, 4, colour))
    found = decode(tmp_path / "colour.png", ImageSpec(3, 2, 4))
    assert np.abs(found.astype(float) - expected).max() <= 1  # Pillow keeps the upper eight bits
    half = np.stack([values, np.full_like(values, 32_768)], -1).astype(">u2")
    (tmp_path / "alpha.png").write_bytes(png(4, 16, 4, [row.tobytes() for row in half]))
    found = decode(tmp_path / "alpha.png", ImageSpec(1, 2, 4))[0]
    assert np.abs(found - (expected + 255) / 2).max() <= 2


def test_sixteen_bits_with_one_gray_that_is_not_there(tmp_path):
    values = np.array([[0, 30_000, 65_535, 30_000]], ">u2")
    data = png(0, 16, 4, [values.tobytes()] * 2, extra=struct.pack(">H", 30_000))
    (tmp_path / "a.png").write_bytes(data)
    for channels in (1, 3):
        found = decode(tmp_path / "a.png", ImageSpec(channels, 2, 4))
        assert found[:, 0].tolist() == [[0, 255, 255, 255]] * channels


def test_twelve_bits_of_a_tiff_file(tmp_path):
    values = [0, 4095, 2048, 1365]  # two numbers of twelve bits in three bytes
    packed = bytes([0x00, 0x0F, 0xFF, 0x80, 0x05, 0x55])
    strips = 8 + 2 + 9 * 12 + 4
    entries = [
        (256, 4, 4), (257, 4, 1), (258, 3, 12), (259, 3, 1), (262, 3, 1), (273, 4, strips),
        (277, 3, 1), (278, 4, 1), (279, 4, len(packed)),
    ]  # fmt: skip
    data = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries))
    data += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    (tmp_path / "a.tiff").write_bytes(data + struct.pack("<I", 0) + packed)
    with Image.open(tmp_path / "a.tiff") as picture:
        assert np.asarray(picture).tolist() == [values]
    found = decode(tmp_path / "a.tiff", ImageSpec(1, 1, 4))[0, 0]
    assert found.tolist() == [round(value * 255 / 4095) for value in values]


def test_animated_webp_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (16, 16), (v, v, v)) for v in (10, 200)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert (decode(tmp_path / "a.webp", ImageSpec(1, 8, 8)) == 10).all()


def test_very_large_jpeg_is_read_and_other_formats_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    pixels = smooth(120, 100)
    large = paint(tmp_path / "a.jpg", pixels, quality=95)
    images, bad = decode_all([large, paint(tmp_path / "a.png", pixels)], ImageSpec(3, 20, 24))
    assert [i for i, _ in bad] == [1]
    assert "12,000 pixels" in bad[0][1].found
    blocks = pixels.reshape(20, 5, 24, 5, 3).mean((1, 3)).transpose(2, 0, 1)
    assert np.abs(images[0] - blocks).mean() < 3
    refused = paint(tmp_path / "b.jpg", smooth(220, 100))
    assert [i for i, _ in decode_all([refused], ImageSpec(3, 20, 24))[1]] == [0]


def test_very_small_and_very_narrow_pictures(tmp_path):
    tiny = np.array([[[10, 20, 30], [50, 60, 70]], [[90, 100, 110], [130, 140, 150]]], np.uint8)
    found = decode(paint(tmp_path / "a.png", tiny), ImageSpec(3, 16, 16))
    assert np.abs(found.mean((1, 2)) - tiny.mean((0, 1))).max() < 2
    assert found[0, 0, 0] <= found[0, -1, -1]
    stripe = np.zeros((2, 400, 3), np.uint8)
    stripe[:, 199:201] = 255
    found = decode(paint(tmp_path / "b.png", stripe), ImageSpec(3, 8, 8))
    assert found.min() > 150  # all is between the two columns in the middle

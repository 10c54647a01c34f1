"""Files of 16 bits whose grays use fewer are read as what they are, by every verb alike."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import samoyed
from samoyed.core.spec import ImageSpec
from samoyed.data.images import read_pictures, scan_images


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SAMOYED_CACHE", str(tmp_path_factory.mktemp("cache")))


def fill(root: Path, most: dict[str, int], num: int = 6) -> dict[str, np.ndarray]:
    """Write grays of 16 bits, from 0 to the most of each class; return them by name."""
    written = {}
    for name, top in most.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(num):
            generator = np.random.default_rng([top, i])
            pixels = generator.integers(0, top, (8, 8), np.uint16, endpoint=True)
            pixels[0, 0] = top
            Image.fromarray(pixels).save(root / name / f"{i}.png")
            written[f"{name}/{i}.png"] = pixels
    return written


@pytest.mark.parametrize(("most", "bits", "white"), [
    (255, 8, 255), (256, 10, 1023), (1023, 10, 1023), (1024, 12, 4095), (4095, 12, 4095),
    (4096, 14, 16383), (16384, 16, 65535), (65535, 16, 65535),
])  # fmt: skip
def test_the_largest_of_all_values_tells_the_bits(tmp_path: Path, most: int, bits: int, white: int):
    written = fill(tmp_path, {"dark": most // 2, "bright": most})
    source = scan_images(tmp_path)
    assert source.spec.gray_bits == bits
    data = source.load(source.spec)
    for part in (data.train, data.test):
        for image, name in zip(part.images, part.names, strict=True):
            expected = np.rint(written[name].astype(np.float64) * 255 / white)
            np.testing.assert_array_equal(image[0], expected)
    told = [line for line in source.warnings if "16-bit" in line]
    if bits == 16:
        assert [line for line in told if "taken for" in line] == []
    else:
        assert told[0].startswith(f"16-bit pictures with no value above {most:,}, 12: ")
        assert f"taken for {bits}-bit ones, {white:,} is white" in told[0]
        assert "bright/" in told[0]


def test_nearly_black_ones_among_bright_ones_are_named(tmp_path: Path):
    fill(tmp_path, {"dark": 900, "bright": 60000}, 3)
    [told] = [line for line in scan_images(tmp_path).warnings if "nearly black" in line]
    assert "3: nearly black, as others of the set go up to 60,000" in told
    assert "dark/" in told
    assert "bright" not in told


def test_what_was_learned_is_asked_in_the_same_way(tmp_path: Path):
    """A run keeps the rule: alone, no picture could tell how many bits its set has."""
    written = fill(tmp_path / "set", {"dark": 1000, "bright": 4000})
    run = samoyed.train(
        tmp_path / "set", epochs=1, size="small", out=tmp_path / "run", quiet=True,
        settings={"batch_size": 4, "baselines": False, "report": False},
    )  # fmt: skip
    assert run.task.spec.gray_bits == 12
    [image], _ = read_pictures([tmp_path / "set" / "dark" / "0.png"], run.task.spec)
    expected = np.rint(written["dark/0.png"].astype(float) * 255 / 4095)
    np.testing.assert_array_equal(image[0], expected)
    assert image.max() == 62  # 1000 of 4095
    assert run.evaluate()[0] == run.scores[0]


def test_plain_pictures_have_nothing_to_do_with_it(tmp_path: Path):
    for k, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        for i in range(4):
            pixels = np.random.default_rng([k, i]).integers(0, 9, (8, 8), np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    source = scan_images(tmp_path)
    assert source.spec == ImageSpec(1, 8, 8)
    assert source.spec.gray_bits == 16
    assert not [line for line in source.warnings if "bit" in line]

import os
from pathlib import Path

import numpy as np
import pytest

from samoyed.data import cache


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "deep" / "cache"
    monkeypatch.setenv("SAMOYED_CACHE", str(folder))
    return folder


ROWS = np.arange(60, dtype=np.uint8).reshape(20, 3)


class Maker:
    """Chunks of `ROWS` that count how often they were asked for."""

    def __init__(self):
        self.num_calls = 0

    def __call__(self, facts):
        self.num_calls += 1
        facts["bad"] = []
        yield ROWS[:8]
        facts["bad"].append([7, "why"])
        yield ROWS[8:]


def build(maker):
    return cache.build("entry", (3,), "uint8", maker)


def test_built_once_and_mapped_afterwards(folder):
    maker = Maker()
    for _ in range(3):
        array, facts = build(maker)
        np.testing.assert_array_equal(array, ROWS)
        assert facts == {"bad": [[7, "why"]]}
        assert not array.flags.writeable
    assert maker.num_calls == 1
    assert sorted(path.name for path in folder.iterdir()) == ["entry.json", "entry.npy"]


def test_rows_of_a_large_array_are_read_and_not_mapped(monkeypatch):
    def chunks(facts):
        yield np.arange(64 << 18, dtype=np.uint32).reshape(64, -1)

    def mapped_kib() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))

    monkeypatch.setattr(cache, "_LARGE", 1 << 20)
    array, _ = cache.build("large", (1 << 18,), "uint32", chunks)
    view, before = array[3:60], mapped_kib()
    some = cache.rows_of(view, np.array([50, 0, 7]))
    piece = cache.rows_of(view, slice(10, 100))
    assert mapped_kib() - before < 5_000
    expected = np.arange(64 << 18, dtype=np.uint32).reshape(64, -1)[3:60]
    np.testing.assert_array_equal(some, expected[[50, 0, 7]])
    np.testing.assert_array_equal(piece, expected[10:])
    np.testing.assert_array_equal(cache.rows_of(view[:, :5], slice(0, 2)), expected[:2, :5])


def test_rows_of_any_array_are_copies():
    for array in (build(Maker())[0], ROWS.copy()):
        for rows in (slice(2, 5), np.array([7, 2])):
            found = cache.rows_of(array, rows)
            np.testing.assert_array_equal(found, ROWS[rows])
            found[:] = 0
            np.testing.assert_array_equal(array, ROWS)


def test_number_of_rows_is_known_only_at_the_end():
    def chunks(facts):
        for _ in range(300):
            yield np.ones((7, 2, 2), np.uint8)

    assert cache.build("many", (2, 2), "uint8", chunks)[0].shape == (2100, 2, 2)


def test_nothing_is_an_array_too():
    assert cache.build("none", (2, 2), "uint8", lambda facts: iter(()))[0].shape == (0, 2, 2)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("name", ["entry.npy", "entry.json"])
@pytest.mark.parametrize(
    "spoil",
    [cut, flip, lambda p: p.write_bytes(b""), lambda p: p.write_bytes(b"[1]"), os.unlink],
    ids=["cut", "bit flipped", "emptied", "replaced", "removed"],
)
def test_damaged_entry_is_made_again(folder, name, spoil):
    build(Maker())
    spoil(folder / name)
    maker = Maker()
    array, facts = build(maker)
    assert maker.num_calls == 1
    np.testing.assert_array_equal(array, ROWS)
    assert facts == {"bad": [[7, "why"]]}
    assert cache.read("entry") is not None


def test_large_arrays_are_checked_at_spaced_blocks(monkeypatch):
    monkeypatch.setattr(cache, "_BLOCK", 4)
    monkeypatch.setattr(cache, "_NUM_BLOCKS", 3)
    first = cache._checksum(ROWS)
    for i, is_seen in ((0, True), (59, True), (15, False)):
        changed = ROWS.copy()
        changed.reshape(-1)[i] ^= 1
        assert (cache._checksum(changed) != first) == is_seen


@pytest.mark.parametrize("call", ["mkdir", "replace", "fsync"])
def test_works_without_a_place_to_write(folder, monkeypatch, call):
    def refuse(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.Path if call == "mkdir" else cache.os, call, refuse)
    with pytest.warns(UserWarning, match="not kept for the next time: No space left"):
        array, facts = build(Maker())
    np.testing.assert_array_equal(array, ROWS)
    assert facts == {"bad": [[7, "why"]]}
    assert not folder.exists() or not list(folder.iterdir())


def test_interrupted_writing_leaves_nothing(folder):
    def chunks(facts):
        yield ROWS
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(chunks)
    assert list(folder.iterdir()) == []


def test_keys_tell_parts_apart():
    keys = {
        cache.key_of("a", 1),
        cache.key_of("a1"),
        cache.key_of("a", 1, 1),
        cache.key_of("a", 11),
    }
    assert len(keys) == 4


def test_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("SAMOYED_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / "samoyed"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache.cache_folder() == tmp_path / "home" / ".cache" / "samoyed"

"""Picture files still to be decoded: all at once, in parallel, and only the first time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from samoyed.core.spec import ImageSpec
from samoyed.data import cache
from samoyed.data.image_reasons import Bad, BadPicture, error_of, lines_of
from samoyed.data.image_source import Decoded
from samoyed.data.pixels import decode_all

_CHUNK_BYTES = 32 << 20  # decoded pictures held at once

_Failure = tuple[int, str, str, str]  # which file; found, hint, expected


@dataclass(frozen=True)
class Files:
    """Pictures still to be decoded.

    Args:
        paths: the files, in the order of the source.
        fingerprint: hash of all their contents.
        on_bad: "stop" or "skip".
    """

    paths: tuple[str, ...]
    fingerprint: str
    on_bad: str

    def load(self, size: ImageSpec) -> Decoded:
        """Decode everything to this size, or find it decoded.

        Raises:
            DataError: something cannot be decoded, and was not to be skipped.
        """
        found, bad = self._found(size, self.on_bad == "stop")
        self._stop_if(bad)
        return found

    def look(self, size: ImageSpec) -> Decoded:
        """Decode everything to this size, or find it decoded; what cannot be is only listed."""
        return self._found(size, False)[0]

    def _found(self, size: ImageSpec, must_stop: bool) -> tuple[Decoded, list[_Failure]]:
        key = cache.key_of("files", self.fingerprint, *size.content_key)

        def chunks(facts: cache.Facts) -> Iterator[np.ndarray]:
            bad: list[_Failure] = []
            facts["bad"] = bad
            for first, images, failed in self._decoded(size):
                bad += [(first + i, b.found, b.hint, b.expected) for i, b in failed]
                yield np.delete(images, [i for i, _ in failed], axis=0) if failed else images
            if must_stop:
                self._stop_if(bad)

        images, facts = cache.build(key, size.shape, "uint8", chunks)
        known = [(i, found, hint, expected) for i, found, hint, expected in facts["bad"]]
        kept = np.delete(np.arange(len(self.paths)), [i for i, *_ in known])
        return Decoded(images, kept, lines_of(self._named(known))), known

    def _decoded(
        self, size: ImageSpec
    ) -> Iterator[tuple[int, np.ndarray, list[tuple[int, BadPicture]]]]:
        num_rows = max(1, _CHUNK_BYTES // int(np.prod(size.shape)))
        for first in range(0, len(self.paths), num_rows):
            yield first, *decode_all(self.paths[first : first + num_rows], size)

    def _named(self, bad: Sequence[_Failure]) -> list[Bad]:
        return [(self.paths[i], BadPicture(*reason)) for i, *reason in bad]

    def _stop_if(self, bad: Sequence[_Failure]) -> None:
        if bad and self.on_bad == "stop":
            raise error_of(self._named(bad))

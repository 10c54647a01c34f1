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
_SMALL = ImageSpec(1, 32, 32)  # the size at which pictures are decoded only to see whether they can

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
        """Decode everything to this size, or find it decoded."""
        key = cache.key_of("files", self.fingerprint, *size.shape)

        def chunks(facts: cache.Facts) -> Iterator[np.ndarray]:
            bad: list[_Failure] = []
            facts["bad"] = bad
            for first, images, failed in self._decoded(size):
                bad += [(first + i, b.found, b.hint, b.expected) for i, b in failed]
                yield np.delete(images, [i for i, _ in failed], axis=0) if failed else images
            self._stop_if(bad)

        images, facts = cache.build(key, size.shape, "uint8", chunks)
        known = [(i, found, hint, expected) for i, found, hint, expected in facts["bad"]]
        self._stop_if(known)
        gone = [i for i, *_ in known]
        kept = np.delete(np.arange(len(self.paths)), gone)
        return Decoded(images, kept, lines_of(self._named(known)))

    def problems(self) -> list[str]:
        """Decode everything at a small size and return "file: reason" for what cannot be."""
        bad: list[Bad] = []
        for first, _, failed in self._decoded(_SMALL):
            bad += [(self.paths[first + i], reason) for i, reason in failed]
        return list(lines_of(bad))

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

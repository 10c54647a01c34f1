"""The bundled sample: 1,797 handwritten digits of 8 x 8 pixels that scikit-learn carries.

Alpaydin, E. & Kaynak, C. (1998). Optical Recognition of Handwritten Digits. UCI Machine Learning
Repository, https://doi.org/10.24432/C50P49; the test part, gray values 0 to 16.
"""

from __future__ import annotations

import hashlib

import numpy as np

from samoyed.core.spec import ImageSpec, LabelSpec
from samoyed.data.image_source import ArrayContents, ImageSource
from samoyed.data.image_split import hold_out, suspicions
from samoyed.data.image_summary import describe

_WHITE = 16  # the largest gray value of the original


def scan_digits(*, seed: int = 0) -> ImageSource:
    """Return the sample as a source; a fifth of each digit is held out.

    Args:
        seed: which fifth.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / _WHITE)).astype(np.uint8)[:, None]
    targets = digits.target.astype(np.int64)
    digests = [hashlib.blake2b(image.tobytes(), digest_size=8).digest() for image in images]
    splits = hold_out(targets, digests, seed)
    names = [f"digits[{i}]" for i in range(len(targets))]
    classes = tuple(str(name) for name in digits.target_names)
    spec = ImageSpec(*images.shape[1:])
    fingerprint = hashlib.blake2b(images.tobytes() + targets.tobytes(), digest_size=20).hexdigest()
    return ImageSource(
        name="digits", path="digits", spec=spec, labels=LabelSpec(classes),
        has_official_test=False, targets=targets, splits=splits, names=names,
        lines=describe(targets, splits, classes, spec, False, seed),
        suspicions=tuple(suspicions(targets, splits, digests, names, classes)),
        left_out=(), fingerprint=fingerprint, contents=ArrayContents(images, fingerprint),
        digests=digests,
    )  # fmt: skip

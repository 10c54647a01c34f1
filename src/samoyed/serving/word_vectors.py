"""`samoyed export RUN --to word2vec`: word vectors in the format that every program reads.

The format is that of the program word2vec (Mikolov et al. 2013): a line with the number of words
and of dimensions, then for every word its name, a blank and its numbers: written out, or as 32-bit
floats of the little-endian kind and a line end.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from samoyed.core.errors import OptionError, RunError
from samoyed.runs.run import Run
from samoyed.tasks.embed import vectors_of

FORMAT = "word2vec"
ENDINGS = (".txt", ".vec", ".bin")
BINARY = ".bin"


def write_vectors(
    path: Path, words: Sequence[str], vectors: Float[np.ndarray, "V D"]
) -> None:  # fmt: skip
    """Write words and their vectors, as numbers in words or, where the name says .bin, in bytes.

    32-bit floats are written with nine digits: read back, they are the same bit for bit.
    """
    rows = np.ascontiguousarray(vectors, "<f4")
    with open(path, "wb") as file:
        file.write(f"{len(words)} {rows.shape[1]}\n".encode())
        for word, row in zip(words, rows, strict=True):
            if path.suffix.lower() == BINARY:
                file.write(word.encode() + b" " + row.tobytes() + b"\n")
            else:
                numbers = " ".join(f"{number:.9g}" for number in row.tolist())
                file.write(f"{word} {numbers}\n".encode())


def read_vectors(path: Path) -> tuple[list[str], Float[np.ndarray, "V D"]]:
    """Read what `write_vectors` wrote.

    Raises:
        RunError: for a file that ends too early.
    """
    with open(path, "rb") as file:
        num, size = map(int, file.readline().split())
        words, rows = [], np.zeros((num, size), "<f4")
        for index in range(num):
            if path.suffix.lower() == BINARY:
                name = b"".join(iter(lambda: file.read(1) or b" ", b" "))
                numbers = file.read(4 * size)
                file.read(1)
                if len(numbers) < 4 * size:
                    raise RunError(path, f"{num:,} words", f"{index:,}", "export it again")
                rows[index] = np.frombuffer(numbers, "<f4")
            else:
                name, _, told = file.readline().rstrip(b"\n").partition(b" ")
                rows[index] = np.array(told.split(), np.float32)
            words.append(name.decode())
    return words, rows


def export_vectors(
    run: Run, out: str | Path | None, *, is_int8: bool
) -> tuple[Path, tuple[str, ...]]:  # fmt: skip
    """Write a run's word vectors, read them back, and return the file and what there is to say.

    Args:
        run: a finished run about word vectors.
        out: the file; by default the run's name with `.txt`, beside the run folder.
        is_int8: refused: the format has none.

    Raises:
        OptionError: for int8, a name of another ending, or a file that cannot be written.
        RunError: for a run about something else, or a word that the format cannot hold.
    """
    if run.task.name != "embed":
        raise RunError(run.path, "a run about word vectors", f"one to {run.task.name}",
                       "samoyed train TEXT --task embed makes one")  # fmt: skip
    if is_int8:
        raise OptionError("--int8", "--to onnx", f"--to {FORMAT}", "leave --int8 out")
    path = _vectors_file(run, out)
    words, vectors = run.task.words, vectors_of(run.model)
    for word in words:
        if not word or any(character.isspace() for character in word):
            raise RunError(run.path, "words without blanks, as the format has it", repr(word))
    aside = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_vectors(aside, words, vectors)
        again = read_vectors(aside)
        if again[0] != list(words) or not np.array_equal(again[1], vectors):
            raise RunError(
                path, "the vectors that were written", "others",
                "no file was written; please report this run",
            )  # fmt: skip
        aside.replace(path)
    except OSError as error:
        raise OptionError("--out", "a file that can be written", f"{path}: {error}") from None
    finally:
        aside.unlink(missing_ok=True)
    size = f"{path.stat().st_size / 1e6:.2f} MB"
    return path, (
        f"written: {path} ({size}), {len(words):,} words of {vectors.shape[1]} dimensions",
        "  read back, every number is the same",
    )


def _vectors_file(run: Run, out: str | Path | None) -> Path:
    """Return where the vectors go.

    Raises:
        OptionError: for a folder, or an ending that the format does not have.
    """
    if out is None:
        return run.path.parent / (run.path.resolve().name + ENDINGS[0])
    path = Path(out)
    if path.is_dir():
        raise OptionError("--out", f"a file, such as {path / ('vectors' + ENDINGS[0])}", "a folder")
    if path.suffix.lower() not in ENDINGS:
        raise OptionError(
            "--out", "a name that ends in .txt or .vec (numbers in words) or .bin (in bytes)",
            repr(str(out)), f"--out {path.with_suffix(ENDINGS[0])}",
        )  # fmt: skip
    return path

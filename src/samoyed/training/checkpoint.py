"""Checkpoints: atomic on disk, exact in content, safetensors and JSON only.

A checkpoint is a folder `state/<stage>-<step>/` with `model.safetensors`, `training.safetensors`,
`training.json` and, written last, `manifest.json`. It is made under a temporary name, flushed to
the disk and renamed; a folder without a manifest is ignored. Whatever moment a process is killed
at, the newest complete checkpoint is found again.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from samoyed.core.errors import RunError
from samoyed.training.loop import Moment, Resume

FORMAT = 1
CHECKSUM = "crc32"  # its name in the header of a safetensors file
DAMAGED = "the file is damaged: put a copy back, or start over with --fresh"


@dataclass(frozen=True)
class Checkpoint:
    """A training state read back: the model's tensors and where to go on."""

    folder: Path
    model: dict[str, Tensor]
    resume: Resume


def save(state: Path, model: nn.Module, moment: Moment, *, keep: int = 1) -> Path:
    """Write the state after this moment and drop all but the newest `keep` checkpoints."""
    state.mkdir(parents=True, exist_ok=True)
    name = f"{moment.stage_index:03d}-{moment.step + 1:010d}"
    temporary = state / f".writing-{name}-{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    tensors: dict[str, Tensor] = {}
    tree = {
        "stage_index": moment.stage_index,
        "step": moment.step + 1,
        "optimizer": pack(moment.optimizer.state_dict(), "optimizer", tensors),
        "keeps": {
            key: pack(dict(keeper.state_dict()), f"keeps/{key}", tensors)
            for key, keeper in moment.stage.keeps.items()
        },
    }
    write_tensors(temporary / "model.safetensors", model.state_dict())
    write_tensors(temporary / "training.safetensors", tensors)
    (temporary / "training.json").write_text(json.dumps(tree))
    sizes = {file.name: file.stat().st_size for file in sorted(temporary.iterdir())}
    write_json(temporary / "manifest.json", {"format": FORMAT, "files": sizes})
    for file in temporary.iterdir():
        flush(file)
    final = state / name
    shutil.rmtree(final, ignore_errors=True)
    temporary.rename(final)
    flush(state)
    for old in complete(state)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def complete(state: Path) -> list[Path]:
    """List the complete checkpoints, oldest first; leftovers of a killed process are removed."""
    if not state.is_dir():
        return []
    for leftover in state.glob(".writing-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    return [folder for folder in sorted(state.iterdir()) if _is_complete(folder)]


def _is_complete(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        return all((folder / n).stat().st_size == size for n, size in manifest["files"].items())
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def newest(state: Path) -> Checkpoint | None:
    """Read the newest complete checkpoint, or return None.

    Raises:
        RunError: when it was written in a newer format or is damaged.
    """
    folders = complete(state)
    if not folders:
        return None
    folder = folders[-1]
    manifest = json.loads((folder / "manifest.json").read_text())
    refuse_newer(folder / "manifest.json", manifest.get("format"))
    tensors = read_tensors(folder / "training.safetensors")
    try:
        tree = json.loads((folder / "training.json").read_text())
        resume = Resume(
            tree["stage_index"],
            tree["step"],
            unpack(tree["optimizer"], tensors),
            {key: unpack(value, tensors) for key, value in tree["keeps"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            folder / "training.json", "the state samoyed wrote", f"{type(error).__name__}: {error}",
            DAMAGED,
        ) from None  # fmt: skip
    return Checkpoint(folder, read_tensors(folder / "model.safetensors"), resume)


def refuse_newer(path: Path, number: Any) -> None:
    """Raise where a file's format is newer than this version of samoyed, or is no number.

    Raises:
        RunError: naming the file.
    """
    if not isinstance(number, int) or number > FORMAT:
        raise RunError(
            path, f"format {FORMAT} or older", f"format {number}",
            "update samoyed, or start over with --fresh",
        )  # fmt: skip


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors to a safetensors file, with a checksum of them in its header."""
    own = own_tensors(tensors)
    save_file(own, path, metadata={CHECKSUM: _checksum(own)})


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file.

    Raises:
        RunError: when it is damaged, if only in one bit where the file has a checksum.
    """
    try:
        found = load_file(path)
        with safe_open(path, "pt") as file:
            known = (file.metadata() or {}).get(CHECKSUM)
    except (SafetensorError, OSError) as error:
        raise RunError(path, "tensors, whole as they were written", str(error), DAMAGED) from None
    if known is not None and known != (seen := _checksum(found)):
        raise RunError(
            path, f"tensors as they were written, with the checksum {known}", seen, DAMAGED
        )
    return found


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    """Return the CRC-32 of names and numbers, hexadecimal."""
    value = 0
    for name in sorted(tensors):
        value = zlib.crc32(name.encode(), value)
        value = zlib.crc32(tensors[name].reshape(-1).view(torch.uint8).numpy().data, value)
    return f"{value:08x}"


def pack(tree: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """Turn a nested state into JSON, moving its tensors to `tensors` under their paths."""
    if isinstance(tree, Tensor):
        tensors[path] = tree
        return {"tensor": path}
    if isinstance(tree, Mapping):
        pairs = [[key, pack(value, f"{path}/{key}", tensors)] for key, value in tree.items()]
        return {"pairs": pairs}
    if isinstance(tree, (list, tuple)):
        return {"list": [pack(value, f"{path}/{i}", tensors) for i, value in enumerate(tree)]}
    if tree is None or isinstance(tree, (bool, int, float, str)):
        return {"value": tree}
    raise TypeError(f"{path}: a checkpoint holds tensors and JSON values, not {type(tree)}")


def unpack(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Undo `pack`.

    >>> held = {}
    >>> unpack(pack({"a": [1, 2.5], 3: None}, "x", held), held)
    {'a': [1, 2.5], 3: None}
    """
    [(kind, content)] = tree.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "pairs":
        return {key: unpack(value, tensors) for key, value in content}
    if kind == "list":
        return [unpack(value, tensors) for value in content]
    return content


def own_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return contiguous copies on the CPU that share no memory, as safetensors asks for."""
    return {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically: a temporary file, flushed, renamed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    flush(temporary)
    temporary.rename(path)


def flush(path: Path) -> None:
    """Make sure that a file or a folder's entries are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

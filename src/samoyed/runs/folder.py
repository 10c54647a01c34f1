"""The run folder: what training leaves behind, written so that nothing half-done is ever read.

manifest.json      written last: the run is finished, with the sizes of its files
config.json        what was asked, the system, its configuration, the recipe and the plan
data.json          what the data was: fingerprint, counts, warnings, what was skipped
environment.json   versions, processor, threads
events.jsonl       one line per logged step
model.safetensors  the final weights
state/             the newest checkpoint: weights, optimizer, replay memory, step
scores.json        the scores with their intervals, and the baselines'
report.html, MODEL_CARD.md
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samoyed.core.errors import RunError
from samoyed.training.checkpoint import FORMAT, refuse_newer, write_json

OURS = (
    "manifest.json", "config.json", "data.json", "environment.json", "events.jsonl",
    "model.safetensors", "state", "scores.json", "report.html", "MODEL_CARD.md", "explain.html",
    ".lock",
)  # fmt: skip
NEEDED = {
    "config.json": (
        "format", "request", "data", "split_seed", "system", "size", "config", "recipe", "task",
        "data_settings", "seed", "precision", "num_threads", "steps", "step_s",
    ),
    "data.json": ("fingerprint",),
    "scores.json": ("scores", "baselines", "training_seconds"),
}  # fmt: skip
BEYOND_REPAIR = "the run is damaged: start over with `samoyed train --fresh`"


@dataclass(frozen=True)
class RunFolder:
    """A run folder on disk."""

    path: Path

    def file(self, name: str) -> Path:
        """Return the path of one of the folder's files."""
        return self.path / name

    @property
    def state(self) -> Path:
        """Return the folder of checkpoints."""
        return self.path / "state"

    @property
    def is_begun(self) -> bool:
        """Tell whether a run was begun here."""
        return self.file("config.json").exists()

    @property
    def is_finished(self) -> bool:
        """Tell whether the run was finished."""
        return self.file("manifest.json").exists()

    def read(self, name: str) -> Any:
        """Read one of the folder's JSON files.

        Raises:
            RunError: when it is missing or not JSON.
        """
        try:
            content = json.loads(self.file(name).read_text())
        except (FileNotFoundError, NotADirectoryError):
            raise RunError(
                self.path, "a run folder with " + name, *_missing(self.path),
            ) from None  # fmt: skip
        except (ValueError, OSError) as error:
            raise RunError(self.file(name), "readable JSON", str(error)) from None
        if isinstance(content, dict) and name == "config.json" and "format" in content:
            refuse_newer(self.file(name), content["format"])
        is_whole = isinstance(content, dict)
        missing = [key for key in NEEDED.get(name, ()) if is_whole and key not in content]
        if not is_whole or missing:
            found = f"no {missing[0]!r}" if missing else f"a {type(content).__name__}"
            raise RunError(self.file(name), "what samoyed wrote there", found, BEYOND_REPAIR)
        return content

    def write(self, name: str, content: Any) -> None:
        """Write one of the folder's JSON files atomically."""
        write_json(self.file(name), content)

    def prepare(self) -> None:
        """Make the folder.

        Raises:
            RunError: when something else is in the way.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RunError(self.path, "a folder to write the run to", "a file", "choose --out")
        if self.path.is_dir() and not self.is_begun:
            foreign = [p.name for p in self.path.iterdir() if not _is_ours(p.name)]
            if foreign:
                raise RunError(
                    self.path, "an empty folder, or an earlier run",
                    f"other files, such as {foreign[0]}", "choose another --out",
                )  # fmt: skip
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(self.path, "a folder that can be written", str(error)) from None

    def clear(self) -> None:
        """Remove everything samoyed wrote here, and nothing else; a lock that is held stays."""
        for target in list(self.path.iterdir()):
            if target.name == ".lock" or not _is_ours(target.name):
                continue
            if target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)

    def forget_unbegun(self) -> None:
        """Remove the folder again where nothing was begun in it, as when the data was bad."""
        if not self.is_begun and [p.name for p in self.path.iterdir()] == [".lock"]:
            self.file(".lock").unlink()
            self.path.rmdir()

    def finish(self) -> None:
        """Write the manifest, last of all."""
        sizes = {
            str(p.relative_to(self.path)): p.stat().st_size
            for p in sorted(self.path.rglob("*"))
            if p.is_file() and p.name not in ("manifest.json", ".lock")
        }
        self.write("manifest.json", {"format": FORMAT, "files": sizes})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process alone; the system lets go if the process dies.

        Raises:
            RunError: when another process is training here.
        """
        with open(self.file(".lock"), "w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RunError(
                    self.path, "a run folder no one else is writing",
                    "another process is training here", "wait for it, or choose another --out",
                ) from None  # fmt: skip
            yield


def _is_ours(name: str) -> bool:
    """Tell whether samoyed writes files of this name, the leftovers of a kill included.

    >>> _is_ours("config.json"), _is_ours(".config.json.4711"), _is_ours(".config.json.old")
    (True, True, False)
    """
    left = re.fullmatch(r"\.(.+?)(\.\d+)?", name)
    return name in OURS or (left is not None and left[1] in OURS)


class EventLog:
    """`events.jsonl`: one JSON object per logged step, kept in memory too.

    On resuming, the lines written after the checkpoint are dropped, so that the log tells one
    uninterrupted story.
    """

    def __init__(
        self, path: Path, stage_index: int = 0, step: int = 0, is_writing: bool = True
    ) -> None:
        self.path = path
        self.events = [e for e in read_events(path) if _is_before(e, stage_index, step)]
        self.is_writing = is_writing
        if not is_writing:
            return
        content = "".join(json.dumps(event) + "\n" for event in self.events)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(content)
        temporary.rename(path)

    @property
    def seconds(self) -> float:
        """Return the training seconds up to the last event."""
        return float(self.events[-1]["seconds"]) if self.events else 0.0

    def add(self, event: Mapping[str, Any]) -> None:
        """Append one event."""
        self.events.append(dict(event))
        if not self.is_writing:
            return
        with open(self.path, "a") as file:
            file.write(json.dumps(dict(event)) + "\n")


def read_events(path: Path) -> list[dict[str, Any]]:
    """Read the events up to the first line that is none: a kill can cut off the last one."""
    if not path.exists():
        return []
    events = []
    for line in path.read_bytes().splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            break
        if not isinstance(event, dict) or not {"stage_index", "step", "seconds"} <= event.keys():
            break
        events.append(event)
    return events


def _missing(path: Path) -> tuple[str, str]:
    """Say what there is in place of a run's folder, and what to do."""
    hint = "give the folder that `samoyed train --out` wrote"
    if not path.exists():
        return "no such folder", hint
    found = "a folder without that file" if path.is_dir() else "a file that is no run"
    return found, f"{hint}; if it is data, samoyed train {shlex.quote(str(path))} learns from it"


def _is_before(event: Mapping[str, Any], stage_index: int, step: int) -> bool:
    return (event["stage_index"], event["step"]) < (stage_index, step)

"""The run folder: locked, never half-read, its log one uninterrupted story."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from samoyed.core.errors import RunError
from samoyed.runs.folder import EventLog, RunFolder, read_events
from samoyed.runs.request import Request, another_run, stretch


def event(stage: int, step: int) -> dict[str, float]:
    return {"stage_index": stage, "step": step, "seconds": stage * 100.0 + step}


def test_resuming_drops_the_lines_after_the_checkpoint(tmp_path: Path):
    log = EventLog(tmp_path / "events.jsonl")
    for stage, step in ((0, 4), (0, 9), (1, 4), (1, 9), (1, 14)):
        log.add(event(stage, step))
    resumed = EventLog(tmp_path / "events.jsonl", stage_index=1, step=10)
    assert [(e["stage_index"], e["step"]) for e in resumed.events] == [
        (0, 4),
        (0, 9),
        (1, 4),
        (1, 9),
    ]
    assert resumed.seconds == 109.0
    resumed.add(event(1, 14))
    assert len(read_events(tmp_path / "events.jsonl")) == 5


def test_a_line_cut_off_by_a_kill_is_left_out(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    path.write_text(json.dumps(event(0, 1)) + "\n" + json.dumps(event(0, 2))[:9])
    assert [e["step"] for e in read_events(path)] == [1]


def test_two_processes_cannot_write_one_folder(tmp_path: Path):
    folder = RunFolder(tmp_path)
    with folder.locked(), pytest.raises(RunError, match="another process"), folder.locked():
        pass
    with folder.locked():
        pass


def test_clear_removes_only_what_is_ours(tmp_path: Path):
    folder = RunFolder(tmp_path)
    folder.write("config.json", {"format": 1})
    (tmp_path / "state").mkdir()
    (tmp_path / ".events.jsonl.4711").write_text("left by a kill")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".state-backup").mkdir()
    folder.clear()
    assert sorted(p.name for p in tmp_path.iterdir()) == [".state-backup", "notes.txt"]


def test_a_folder_of_a_newer_format_is_refused(tmp_path: Path):
    folder = RunFolder(tmp_path)
    folder.write("config.json", {"format": 99})
    with pytest.raises(RunError, match="format 99"):
        folder.read("config.json")


@pytest.mark.parametrize("text", ["", "{", "[1, 2"])
def test_broken_json_is_named(tmp_path: Path, text: str):
    (tmp_path / "scores.json").write_text(text)
    with pytest.raises(RunError, match=r"scores\.json"):
        RunFolder(tmp_path).read("scores.json")


def test_a_file_in_the_way_is_named(tmp_path: Path):
    (tmp_path / "run").write_text("")
    with pytest.raises(RunError, match="a file"):
        RunFolder(tmp_path / "run").prepare()


def asked(**changes: object) -> dict[str, object]:
    return Request("photos", **changes).as_json()  # type: ignore[arg-type]


def test_more_epochs_stretch_and_less_is_refused():
    assert stretch(asked(epochs=10), asked(epochs=10)) == 1.0
    assert stretch(asked(epochs=15), asked(epochs=10)) == 1.5
    assert stretch(asked(minutes=3.0), asked(minutes=2.0)) == 1.5
    with pytest.raises(RunError, match="at least 10"):
        stretch(asked(epochs=9), asked(epochs=10))
    with pytest.raises(RunError, match="no such option"):
        stretch(asked(epochs=9), asked(minutes=1))


def test_what_may_differ_and_what_may_not(tmp_path: Path):
    folder = RunFolder(tmp_path)
    assert another_run(folder, asked(epochs=3, device="cpu"), asked(epochs=2)) is None
    for now, then, said in (
        (asked(seed=1), asked(seed=0), "seed"),
        (asked(settings=(("depth", 2),)), asked(), "settings"),
        (asked(target="return"), asked(target="returned"), "did you mean --target returned"),
        (asked(target="age"), asked(target="returned"), "to do:    repeat that command"),
    ):
        assert said in str(another_run(folder, now, then))

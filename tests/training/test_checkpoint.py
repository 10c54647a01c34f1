"""Checkpoints: exact, atomic, and blind to whatever a killed process left behind."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from samoyed.core.batch import Batch
from samoyed.core.errors import RunError
from samoyed.core.stage import Stage
from samoyed.training import checkpoint
from samoyed.training.averaging import WeightAverage
from samoyed.training.loop import Moment, train


class Noise:
    def batch(self, step: int) -> Batch:
        return Batch(torch.randn(8, 3, generator=torch.Generator().manual_seed(step)))


def adam(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=0.01)


def moment_of(model: nn.Module, steps: int = 3, **changes: object) -> Moment:
    stage = Stage("s", Noise(), lambda m, b: m(b.inputs).square().mean(), adam, steps, **changes)
    return list(train(model, [stage]))[-1]


def test_what_is_saved_comes_back_bit_for_bit(tmp_path: Path):
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    average = WeightAverage(model, 0.9)
    moment = moment_of(model, after_step=average.after_step, keeps={"average": average})
    checkpoint.save(tmp_path, model, moment)
    found = checkpoint.newest(tmp_path)
    assert found is not None
    assert (found.resume.stage_index, found.resume.step) == (0, 3)
    for name, tensor in model.state_dict().items():
        assert torch.equal(found.model[name], tensor)
    state = moment.optimizer.state_dict()
    for index, entry in state["state"].items():
        for name, tensor in entry.items():
            assert torch.equal(found.resume.optimizer["state"][index][name], tensor)
    for group, saved in zip(
        state["param_groups"], found.resume.optimizer["param_groups"], strict=True
    ):
        assert saved["lr"] == group["lr"]
        assert saved["params"] == group["params"]
    for name, tensor in average.state_dict().items():
        assert torch.equal(found.resume.keeps["average"][name], tensor)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.bool])
def test_tensors_of_any_type_come_back_and_one_bit_is_noticed(tmp_path: Path, dtype: torch.dtype):
    tensors = {"a": torch.arange(6).reshape(2, 3).T.to(dtype), "b": torch.ones((), dtype=dtype)}
    path = tmp_path / "x.safetensors"
    checkpoint.write_tensors(path, tensors | {"none": torch.empty(0, 4)})
    found = checkpoint.read_tensors(path)
    assert torch.equal(found["a"], tensors["a"])
    assert torch.equal(found["b"], tensors["b"])
    assert found["none"].shape == (0, 4)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"checksum(.|\n)*damaged"):
        checkpoint.read_tensors(path)


def test_a_file_without_a_checksum_is_read(tmp_path: Path):
    save_file({"a": torch.ones(3)}, tmp_path / "x.safetensors")
    assert torch.equal(checkpoint.read_tensors(tmp_path / "x.safetensors")["a"], torch.ones(3))


@pytest.mark.parametrize("damage", ["no manifest", "short file", "missing file", "half manifest"])
def test_a_damaged_newest_checkpoint_is_passed_over(tmp_path: Path, damage: str):
    model = nn.Linear(3, 1)
    first = checkpoint.save(tmp_path, model, moment_of(model, 2), keep=2)
    second = checkpoint.save(tmp_path, model, moment_of(model, 5), keep=2)
    if damage == "no manifest":
        (second / "manifest.json").unlink()
    elif damage == "short file":
        file = second / "model.safetensors"
        file.write_bytes(file.read_bytes()[:-4])
    elif damage == "missing file":
        (second / "training.json").unlink()
    else:
        text = (second / "manifest.json").read_text()
        (second / "manifest.json").write_text(text[: len(text) // 2])
    found = checkpoint.newest(tmp_path)
    assert found is not None
    assert found.folder == first


def test_leftovers_of_a_killed_save_are_removed(tmp_path: Path):
    leftover = tmp_path / ".writing-000-0000000009-123"
    leftover.mkdir(parents=True)
    (leftover / "model.safetensors").write_bytes(b"half")
    assert checkpoint.newest(tmp_path) is None
    assert not leftover.exists()


def test_only_the_newest_is_kept(tmp_path: Path):
    model = nn.Linear(3, 1)
    for steps in (1, 2, 3):
        checkpoint.save(tmp_path, model, moment_of(model, steps))
    assert [p.name for p in checkpoint.complete(tmp_path)] == ["000-0000000003"]


def test_a_newer_format_is_refused_in_words(tmp_path: Path):
    model = nn.Linear(3, 1)
    folder = checkpoint.save(tmp_path, model, moment_of(model))
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(RunError, match="format 99"):
        checkpoint.newest(tmp_path)


def test_numbers_survive_json_exactly():
    held: dict[str, torch.Tensor] = {}
    tree = {"a": 0.1 + 0.2, "b": math.inf, 7: [1e-308, -0.0, True, None], "t": torch.arange(3)}
    back = checkpoint.unpack(json.loads(json.dumps(checkpoint.pack(tree, "x", held))), held)
    assert back["a"] == tree["a"]
    assert back["b"] == math.inf
    assert back[7] == tree[7]
    assert math.copysign(1, back[7][1]) == -1
    assert torch.equal(back["t"], tree["t"])


def test_what_is_neither_tensor_nor_json_is_refused():
    with pytest.raises(TypeError, match=r"keeps/x: .*set"):
        checkpoint.pack({1, 2}, "keeps/x", {})

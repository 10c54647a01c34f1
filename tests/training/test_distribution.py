"""Two processes with half a batch each reach what one process reaches with the whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

from samoyed.runs.folder import read_events

SCRIPT = """
import sys, torch
from torch import nn
from samoyed.core.batch import Batch
from samoyed.core.stage import Stage
from samoyed.training.distribution import join_if_launched, rank
from samoyed.training.loop import train

class Feed:
    def batch(self, step):
        g = torch.Generator().manual_seed(step)
        x = torch.randn(32, 5, generator=g)
        return Batch(x, x.sum(1, keepdim=True).sin())

join_if_launched()
torch.set_num_threads(1)
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 1))
stage = Stage("s", Feed(), lambda m, b: (m(b.inputs) - b.targets).square().mean(),
              lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9), 40, clip_norm=1.0)
for moment in train(model, [stage]):
    pass
if rank() == 0:
    torch.save([p.detach() for p in model.parameters()], sys.argv[1])
"""


def weights_after(tmp_path: Path, num_processes: int) -> list[torch.Tensor]:
    script, out = tmp_path / "job.py", tmp_path / f"{num_processes}.pt"
    script.write_text(SCRIPT)
    launch = [sys.executable]
    if num_processes > 1:
        launch += [
            "-m",
            "torch.distributed.run",
            "--standalone",
            f"--nproc-per-node={num_processes}",
        ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*launch, str(script), str(out)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return torch.load(out, weights_only=True)


def test_two_processes_equal_one(tmp_path: Path):
    one, two = weights_after(tmp_path, 1), weights_after(tmp_path, 2)
    for a, b in zip(one, two, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_the_command_line_trains_with_two_processes(tmp_path: Path):
    options = ["train", "digits", "--model", "lenet5", "--epochs", "1", "--quiet"]
    options += ["--set", "baselines=false", "--set", "report=false"]
    environment = {
        **os.environ, "OMP_NUM_THREADS": "1", "SAMOYED_CACHE": str(tmp_path / "cache"),
    }  # fmt: skip
    weights = []
    for num in (1, 2):
        out = tmp_path / str(num)
        launch = [sys.executable, "-m"]
        if num > 1:
            launch += ["torch.distributed.run", "--standalone", f"--nproc-per-node={num}", "-m"]
        done = subprocess.run(
            [*launch, "samoyed.cli", *options, "--out", str(out)],
            capture_output=True, text=True, env=environment, timeout=200,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert (out / "manifest.json").exists()
        assert len(read_events(out / "events.jsonl")) > 5
        weights.append(load_file(out / "model.safetensors"))
    for name, tensor in weights[0].items():
        torch.testing.assert_close(weights[1][name], tensor, rtol=1e-2, atol=1e-3)

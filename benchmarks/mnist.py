"""Seconds of training to 99.0 % and 99.2 % on MNIST's 10,000 test pictures, side by side.

* samoyed: `samoyed train mnist` as it comes; the plan is the shortest of 1, 2, 3 ... epochs that
  reaches the goal (the rate falls to zero at the end of a plan)
* PyTorch: the ConvNet and recipe of the well-known MNIST example, written by hand: Adadelta,
  batches of 64, a DataLoader that makes every picture a PIL image, a tensor, and normalises it
* Keras: the simple ConvNet of its documentation, where Keras is installed

Only training is timed; looking at the test pictures is not. Reading the files is not timed either.

    python -m benchmarks.mnist --data FOLDER_WITH_MNIST [--minutes 7] [--only samoyed,pytorch]
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from samoyed.assembly import assemble, open_source
from samoyed.catalog import choose
from samoyed.core.seeding import seed_everything
from samoyed.data.image_source import ImageData, Pictures
from samoyed.kinds.parts import Assembly
from samoyed.tasks.classify import predict_probabilities
from samoyed.training.loop import train
from samoyed.training.precision import autocast, resolve
from samoyed.training.processor import prepare_processor

GOALS = (0.990, 0.992)
MOST_EPOCHS = 14
Look = tuple[float, float]  # seconds of training so far, accuracy on the test pictures


def first_to(goal: float, looks: list[Look]) -> float | None:
    """Return the seconds of the first look that reached the goal."""
    return next((seconds for seconds, accuracy in looks if accuracy >= goal), None)


def samoyed_looks(assembly: Assembly, epochs: int) -> list[Look]:
    """Train for so many epochs and look once, at the end of the plan."""
    seed_everything(0, "initial weights")
    model = assembly.make_model()
    [stage] = assembly.make_stages(model)
    per_epoch = stage.steps / assembly.recipe.epochs
    precision = resolve(assembly.recipe.precision, "cpu")
    start = time.perf_counter()
    for _ in train(model, [stage.lasting(round(epochs * per_epoch))], precision=precision):
        pass
    seconds = time.perf_counter() - start
    return [(seconds, accuracy_of(model, assembly.data.test))]


def accuracy_of(model: nn.Module, test: Pictures) -> float:
    answers = predict_probabilities(model, test.images).argmax(axis=1)
    return float((answers == test.labels).mean())


def run_samoyed(assembly: Assembly, limit_s: float) -> dict[float, float]:
    """Return seconds by goal: those of the shortest plan that reaches it."""
    reached: dict[float, float] = {}
    for epochs in range(1, MOST_EPOCHS + 1):
        looks = samoyed_looks(assembly, epochs)
        print(f"  samoyed, a plan of {epochs} epochs: {looks[0][0]:.1f} s, "
              f"{100 * looks[0][1]:.2f} %", flush=True)  # fmt: skip
        for goal in GOALS:
            if goal not in reached and looks[0][1] >= goal:
                reached[goal] = looks[0][0]
        if len(reached) == len(GOALS) or looks[0][0] > limit_s:
            break
    return reached


class PicturesOneByOne(Dataset):
    """As torchvision's MNIST: a PIL image, then a tensor, then normalised."""

    def __init__(self, pictures: Pictures) -> None:
        self.images = torch.from_numpy(np.array(pictures.images[:, 0]))
        self.labels = torch.from_numpy(np.array(pictures.labels))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image = Image.fromarray(self.images[index].numpy())
        pixels = torch.from_numpy(np.array(image, np.uint8, copy=True)).view(28, 28, 1)
        tensor = pixels.permute(2, 0, 1).contiguous().to(torch.float32).div(255)
        return tensor.sub_(0.1307).div_(0.3081), int(self.labels[index])


class ExampleNet(nn.Module):
    """Two convolutions, pooling, dropout, two linear layers: 1,199,882 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Dropout(0.25), nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(128, 10),
        )  # fmt: skip

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return F.log_softmax(self.layers(pictures), dim=1)


def pytorch_looks(data: ImageData) -> Iterator[Look]:
    """Train by the example's recipe; look every 100 steps from the second half epoch on."""
    torch.manual_seed(1)
    model = ExampleNet()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    decay = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    loader = DataLoader(PicturesOneByOne(data.train), batch_size=64, shuffle=True)
    tested = torch.from_numpy(np.array(data.test.images)).float().div(255).sub(0.1307).div(0.3081)
    wanted = torch.from_numpy(np.array(data.test.labels))
    seconds, resumed = 0.0, time.perf_counter()
    for _ in range(MOST_EPOCHS):
        model.train()
        for step, (pictures, labels) in enumerate(loader, start=1):
            optimizer.zero_grad()
            F.nll_loss(model(pictures), labels).backward()
            optimizer.step()
            if step % 100 == 0 or step == len(loader):
                seconds += time.perf_counter() - resumed
                model.eval()
                with torch.no_grad():
                    answers = torch.cat([model(part).argmax(1) for part in tested.split(1000)])
                yield seconds, (answers == wanted).float().mean().item()
                model.train()
                resumed = time.perf_counter()
        decay.step()


def keras_looks(data: ImageData) -> Iterator[Look]:
    """Train the simple ConvNet of Keras' documentation; look after every epoch."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Flatten(), layers.Dropout(0.5), layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

    def arrays(pictures: Pictures) -> tuple[np.ndarray, np.ndarray]:
        return pictures.images.transpose(0, 2, 3, 1).astype("float32") / 255, pictures.labels

    x, y = arrays(data.train)
    x_test, y_test = arrays(data.test)
    seconds = 0.0
    for _ in range(2 * MOST_EPOCHS):
        start = time.perf_counter()
        model.fit(x, y, batch_size=128, epochs=1, verbose=0)
        seconds += time.perf_counter() - start
        yield seconds, float(model.evaluate(x_test, y_test, verbose=0)[1])


def run_peer(name: str, looks: Iterator[Look], limit_s: float) -> dict[float, float]:
    """Follow a peer until it reached all goals or its time is up."""
    reached: dict[float, float] = {}
    best = 0.0
    for seconds, accuracy in looks:
        best = max(best, accuracy)
        for goal in GOALS:
            if goal not in reached and accuracy >= goal:
                reached[goal] = seconds
                print(f"  {name}: {100 * accuracy:.2f} % after {seconds:.1f} s", flush=True)
        if len(reached) == len(GOALS) or seconds > limit_s:
            break
    print(f"  {name}: best look {100 * best:.2f} %, {seconds:.1f} s trained", flush=True)
    return reached


def matrix_product_gflops(dtype: torch.dtype, side: int = 1024, num: int = 15) -> float:
    a = torch.randn(side, side).to(dtype)
    return 2 * side**3 / median_s(lambda: a @ a, num) / 1e9


def median_s(work: Callable[[], object], num: int) -> float:
    times = []
    for _ in range(num):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def print_arithmetic(assembly: Assembly) -> None:
    """Say how much of the matrix-product ceiling a training step reaches."""
    model = assembly.make_model().train()
    [stage] = assembly.make_stages(model)
    batch = stage.feed.batch(0)
    precision = resolve(assembly.recipe.precision, "cpu")
    counter = FlopCounterMode(display=False)
    with counter:
        stage.objective(model, batch).backward()
    operations = counter.get_total_flops()
    optimizer = stage.optimizer(model)

    def step() -> None:
        optimizer.zero_grad()
        with autocast("cpu", precision):
            loss = stage.objective(model, stage.feed.batch(1))
        loss.backward()
        optimizer.step()

    step()
    gflops = operations / median_s(step, 15) / 1e9
    ceiling = matrix_product_gflops(getattr(torch, precision))
    print(f"arithmetic: {gflops:.0f} GFLOP/s in a training step of {len(batch)} pictures")
    print(f"  {100 * gflops / ceiling:.0f} % of a {precision} matrix product's {ceiling:.0f}")


def print_table(results: dict[str, dict[float, float]]) -> None:
    """Print seconds by goal and how many times faster samoyed is."""
    print(f"{'seconds of training to':<24}" + "".join(f"{100 * g:>10.1f} %" for g in GOALS))
    for name, reached in results.items():
        cells = (f"{reached[g]:>12.1f}" if g in reached else f"{'-':>12}" for g in GOALS)
        print(f"{name:<24}" + "".join(cells))
    ours = results.get("samoyed", {})
    for goal in GOALS:
        peers = {n: r[goal] for n, r in results.items() if n != "samoyed" and goal in r}
        if goal in ours and peers:
            fastest = min(peers, key=lambda name: peers[name])
            print(f"to {100 * goal:.1f} %: {peers[fastest] / ours[goal]:.1f} times as fast as "
                  f"{fastest}, the faster peer")  # fmt: skip


def mnist_folder(data: str) -> Path:
    folder = Path(data)
    return folder / "mnist" if (folder / "mnist").is_dir() else folder


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="the folder with MNIST's four files, or the one above it")
    parser.add_argument("--minutes", type=float, default=7.0, help="at most this long for each")
    parser.add_argument("--only", default="samoyed,pytorch,keras")
    options = parser.parse_args()
    prepare_processor()  # the peers profit from it too
    if options.data is None:
        print("not run: give --data FOLDER with MNIST's four IDX files")
        return
    source = open_source(str(mnist_folder(options.data)))
    row, _ = choose("images", "classify", None)
    assembly, _ = assemble(row, source, seconds=15.0)
    limit_s, chosen = 60 * options.minutes, options.only.split(",")
    print_arithmetic(assembly)
    results = {}
    if "samoyed" in chosen:
        results["samoyed"] = run_samoyed(assembly, limit_s)
    if "pytorch" in chosen:
        results["pytorch"] = run_peer("pytorch", pytorch_looks(assembly.data), limit_s)
    if "keras" in chosen:
        if importlib.util.find_spec("keras") is None:
            print("  keras: not installed, not run")
        else:
            results["keras"] = run_peer("keras", keras_looks(assembly.data), limit_s)
    print_table(results)


if __name__ == "__main__":
    main()

"""The default for pictures beside what people use: same pictures, same minutes, one run.

* samoyed: what `samoyed train FOLDER --minutes M` does, as it comes
* Keras' small ConvNet: that of its tutorial on image classification: pictures of 180 pixels, three
  convolutions, flips, turns and zooms drawn in the model, dropout, Adam, batches of 32
* Keras' ResNet recipe: that of its CIFAR-10 example: version 1 with 20 layers, Adam from 0.001,
  flips and shifts, batches of 32, on pictures of 32 pixels as printed and of 64
* PyTorch: ResNet-18 written by hand on pictures of 112 pixels that a DataLoader with two workers
  decodes, crops and flips one by one; SGD with momentum, batches of 64

A peer trains until its minutes are over, and is looked at after every pass: its best look counts,
which is generous, as nobody without the held-out pictures could choose it. Only training is timed
for the peers, looking and reading in advance is not; samoyed's whole run is timed as well.

    python -m benchmarks.pictures --data FOLDER_OF_CLASSES [--minutes 3] [--only samoyed,pytorch]
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset

import samoyed
from samoyed.core.spec import ImageSpec
from samoyed.data.image_source import TEST, TRAIN, ImageData, ImageSource, Pictures
from samoyed.opening import open_source
from samoyed.training.processor import prepare_processor

Look = tuple[float, float]  # seconds of training so far, accuracy on the held-out pictures
MEAN, DEVIATION = 0.45, 0.25


def samoyed_look(folder: str, minutes: float) -> tuple[str, float]:
    """Train the default and return what to print, and its accuracy."""
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        run = samoyed.train(folder, minutes=minutes, out=f"{out}/run", quiet=True)
        seconds = time.perf_counter() - start
        accuracy = next(float(score.value) for score in run.scores if score.name == "accuracy")
    return f"{seconds:.0f} s with reading, measuring and its report", accuracy


def keras_arrays(pictures: Pictures) -> tuple[np.ndarray, np.ndarray]:
    return pictures.images.transpose(0, 2, 3, 1).astype("float32"), pictures.labels


def keras_looks(model: Any, data: ImageData, batch: int, seconds_left: float) -> Iterator[Look]:
    """Fit pass after pass; look after each."""
    x, y = keras_arrays(data.train)
    tested, answers = keras_arrays(data.test)
    seconds = 0.0
    while seconds < seconds_left:
        start = time.perf_counter()
        model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
        seconds += time.perf_counter() - start
        yield seconds, float(model.evaluate(tested, answers, batch_size=64, verbose=0)[1])


def keras_convnet(data: ImageData, seconds: float) -> Iterator[Look]:
    """Train the tutorial's ConvNet."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    channels, height, width = data.spec.shape
    model = keras.Sequential([
        keras.Input((height, width, channels)),
        layers.RandomFlip("horizontal"), layers.RandomRotation(0.1), layers.RandomZoom(0.1),
        layers.Rescaling(1 / 255),
        layers.Conv2D(16, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
        layers.Dropout(0.2), layers.Flatten(), layers.Dense(128, activation="relu"),
        layers.Dense(len(data.labels), activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    yield from keras_looks(model, data, 32, seconds)


def keras_resnet(data: ImageData, seconds: float) -> Iterator[Look]:
    """Train the CIFAR-10 example's ResNet, version 1 with 20 layers."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    channels, height, width = data.spec.shape
    decay = keras.regularizers.l2(1e-4)

    def convolution(x: Any, width: int, kernel: int = 3, stride: int = 1) -> Any:
        return layers.Conv2D(
            width, kernel, stride, "same", kernel_initializer="he_normal", kernel_regularizer=decay
        )(x)

    inputs = keras.Input((height, width, channels))
    x = layers.RandomTranslation(0.1, 0.1)(layers.RandomFlip("horizontal")(inputs))
    x = convolution(layers.Rescaling(1 / 255, offset=-MEAN)(x), 16)
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            stride = 2 if stage and not block else 1
            y = layers.BatchNormalization()(convolution(x, filters, stride=stride))
            y = convolution(layers.Activation("relu")(y), filters)
            shortcut = convolution(x, filters, 1, 2) if stride == 2 else x
            x = layers.Activation("relu")(layers.add([shortcut, layers.BatchNormalization()(y)]))
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(len(data.labels), "softmax", kernel_initializer="he_normal")(x)
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    yield from keras_looks(model, data, 32, seconds)


class Files(Dataset):
    """Decode a picture, crop and flip it where it is to be learned from, make it a tensor."""

    def __init__(self, source: ImageSource, split: int, side: int) -> None:
        rows = np.flatnonzero(source.splits == split)
        self.paths = [Path(source.path) / source.names[int(row)] for row in rows]
        self.labels = source.targets[rows].tolist()
        self.side, self.is_varied = side, split == TRAIN

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image: Image.Image = Image.open(self.paths[index]).convert("RGB")
        width, height = image.size
        if self.is_varied:
            area = width * height * float(torch.empty(()).uniform_(0.35, 1.0))
            side = min(int(area**0.5), width, height)
            left = int(torch.randint(width - side + 1, ()))
            upper = int(torch.randint(height - side + 1, ()))
        else:
            side = min(width, height)
            left, upper = (width - side) // 2, (height - side) // 2
        image = image.resize(
            (self.side, self.side), Image.Resampling.BILINEAR,
            (left, upper, left + side, upper + side),
        )  # fmt: skip
        if self.is_varied and torch.rand(()) < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float().div(255)
        return pixels.sub(MEAN).div(DEVIATION), self.labels[index]


class Block(nn.Module):
    """Two convolutions with batch normalisation and a shortcut."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(before, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width),
        )  # fmt: skip
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or before != width:
            self.shortcut = nn.Sequential(
                nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.layers(x) + self.shortcut(x))


def resnet18(num_classes: int) -> nn.Sequential:
    """Return ResNet-18 as for large pictures."""
    layers: list[nn.Module] = [
        nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
    ]  # fmt: skip
    before = 64
    for width in (64, 128, 256, 512):
        layers += [Block(before, width, 1 + (width > 64)), Block(width, width, 1)]
        before = width
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, num_classes)]
    return nn.Sequential(*layers)


def pytorch_looks(source: ImageSource, side: int, limit_s: float) -> Iterator[Look]:
    """Train ResNet-18 with a DataLoader; the rate falls to zero over the passes.

    How many passes there is time for is measured on the first one.
    """
    torch.manual_seed(1)
    model = resnet18(len(source.labels))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    loaders = [
        DataLoader(Files(source, split, side), 64, shuffle=split == TRAIN, num_workers=2)
        for split in (TRAIN, TEST)
    ]
    seconds, passes, done = 0.0, 1, 0
    while done < passes:
        for group in optimizer.param_groups:
            group["lr"] = 0.05 * (1 + np.cos(np.pi * done / passes)) / 2 if done else 0.05
        model.train()
        start = time.perf_counter()
        for pictures, labels in loaders[0]:
            optimizer.zero_grad()
            F.cross_entropy(model(pictures), labels).backward()
            optimizer.step()
        seconds += time.perf_counter() - start
        done += 1
        if done == 1:
            passes = max(1, round(limit_s / seconds))
        model.eval()
        with torch.no_grad():
            right = [(model(x).argmax(1) == y).float() for x, y in loaders[1]]
        yield seconds, torch.cat(right).mean().item()


def best_look(name: str, looks: Iterator[Look]) -> tuple[str, float]:
    """Follow a peer to its end; return what to print, and its best accuracy."""
    seen = list(looks)
    seconds, last = seen[-1]
    best = max(accuracy for _, accuracy in seen)
    return f"{seconds:.0f} s, {len(seen)} passes; its last look {100 * last:.2f} %", best


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a folder per class, or the one above photos/flowers")
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--only", default="", help="names, separated by commas")
    options = parser.parse_args()
    if options.data is None:
        print("not run: give --data FOLDER with a folder of pictures per class")
        return
    folder = Path(options.data)
    folder = folder / "photos" / "flowers" if (folder / "photos" / "flowers").is_dir() else folder
    prepare_processor()
    source = open_source(str(folder), seed=0)
    seconds = 60 * options.minutes

    def decoded(side: int) -> ImageData:
        return source.load(ImageSpec(3, side, side))

    runs: dict[str, Callable[[], tuple[str, float]]] = {
        "samoyed": lambda: samoyed_look(str(folder), options.minutes),
        "pytorch": lambda: best_look("pytorch", pytorch_looks(source, 112, seconds)),
    }
    if importlib.util.find_spec("keras") is None:
        print("keras: not installed, not run")
    else:
        for name, peer, side in (
            ("keras-convnet", keras_convnet, 180),
            ("keras-resnet-32", keras_resnet, 32),
            ("keras-resnet-64", keras_resnet, 64),
        ):
            runs[name] = partial(
                lambda n, p, s: best_look(n, p(decoded(s), seconds)), name, peer, side
            )
    wanted = [name for name in options.only.split(",") if name] or list(runs)
    found: dict[str, float] = {}
    print(f"{source.num_train:,} pictures to learn from, {source.num_test:,} held out, "
          f"{options.minutes:g} minutes each", flush=True)  # fmt: skip
    for name in wanted:
        said, found[name] = runs[name]()
        print(f"{name:<16}{100 * found[name]:>8.2f} %  {said}", flush=True)
    others = {name: accuracy for name, accuracy in found.items() if name != "samoyed"}
    if "samoyed" in found and others:
        best = max(others, key=lambda name: others[name])
        print(f"samoyed is {100 * (found['samoyed'] - others[best]):+.2f} points from {best}")


if __name__ == "__main__":
    main()

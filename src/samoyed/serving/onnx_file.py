"""An ONNX file: written from a graph, made small, and asked, with onnxruntime.

Jacob, B. et al. (2018). Quantization and training of neural networks for efficient
integer-arithmetic-only inference. CVPR: 8-bit integers stand for numbers between two bounds, which
here are read off pictures of the training part (static quantization after training).
"""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from samoyed.core.errors import DataError, MissingExtra

METADATA_KEY = "samoyed"
OPSET = 20
QUANTIZED = ("Conv", "Gemm", "MatMul")


class OnnxModel:
    """An exported file, ready to answer.

    Args:
        path: of the file.
        num_threads: of the processor; 0 leaves it to onnxruntime.

    Raises:
        DataError: when it is no ONNX file, or not one of ours.
        MissingExtra: when onnxruntime is not installed.
    """

    def __init__(self, path: str | Path, num_threads: int = 0) -> None:
        runtime = import_runtime()
        options = runtime.SessionOptions()
        options.log_severity_level = 3  # errors
        options.intra_op_num_threads = num_threads
        try:
            session = runtime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the runtime's own exceptions share no base
            raise DataError(
                path, "an ONNX file", str(error).splitlines()[0][:200],
                "write it again: samoyed export RUN --to onnx",
            ) from None  # fmt: skip
        held = session.get_modelmeta().custom_metadata_map
        if METADATA_KEY not in held:
            raise DataError(
                path, "an ONNX file that `samoyed export` wrote", "one without its labels"
            )
        self.session = session
        self.description: dict[str, Any] = json.loads(held[METADATA_KEY])

    def __call__(self, pictures: Tensor) -> Tensor:
        """Return (B, K) probabilities for (B, C, H, W) 8-bit pictures."""
        return torch.from_numpy(self.answer(pictures.numpy()))

    def answer(self, pictures: np.ndarray) -> np.ndarray:
        """Return (B, K) float32 probabilities for (B, C, H, W) uint8 pictures."""
        return self.session.run(None, {"pictures": np.ascontiguousarray(pictures)})[0]


def write_onnx(
    graph: nn.Module, example: Tensor, described: dict[str, Any], path: Path
) -> None:  # fmt: skip
    """Write a graph whose batch may have any size.

    Args:
        graph: in evaluation mode.
        example: (B, C, H, W) 8-bit pictures, B at least 2.
        described: what the file says of itself.
        path: of the file.

    Raises:
        MissingExtra: when onnx or onnxscript is not installed.
    """
    onnx = import_onnx()
    with quiet_exporter():
        program = torch.onnx.export(
            graph, (example,), dynamo=True, opset_version=OPSET, verbose=False,
            input_names=["pictures"], output_names=["probabilities"],
            dynamic_shapes=({0: torch.export.Dim("number")},), external_data=False,
        )  # fmt: skip
    model = program.model_proto  # type: ignore[union-attr]
    describe(onnx, model, described)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def write_int8(source: Path, calibration: np.ndarray, path: Path) -> None:
    """Write the file `source` with 8-bit weights and activations.

    Args:
        source: an exported file with 32-bit numbers.
        calibration: (N, C, H, W) uint8 pictures of the training part.
        path: of the new file.
    """
    import_runtime()
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    onnx = import_onnx()
    held = {p.key: p.value for p in onnx.load(str(source)).metadata_props}
    with tempfile.TemporaryDirectory() as folder, quiet_exporter():
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(prepared), str(path), Calibration(calibration),
            quant_format=quantization.QuantFormat.QDQ, per_channel=True,
            op_types_to_quantize=list(QUANTIZED),
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )  # fmt: skip
    model = onnx.load(str(path))
    described = {**json.loads(held[METADATA_KEY]), "numbers": "int8"}
    describe(onnx, model, described)
    onnx.save(model, str(path))


class Calibration:
    """Feeds pictures to onnxruntime's quantizer, a batch at a time.

    Args:
        pictures: (N, C, H, W) uint8.
        batch_size: pictures at once.
    """

    def __init__(self, pictures: np.ndarray, batch_size: int = 32) -> None:
        parts = range(0, len(pictures), batch_size)
        self._batches: Iterator[np.ndarray] = (pictures[i : i + batch_size] for i in parts)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next batch by the input's name, or None at the end."""
        batch = next(self._batches, None)
        return None if batch is None else {"pictures": np.ascontiguousarray(batch)}


def describe(onnx: Any, model: Any, described: dict[str, Any]) -> None:
    """Put what the file says of itself into its metadata."""
    onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(described)})


def import_onnx() -> Any:
    """Import onnx and what torch needs to write it.

    Raises:
        MissingExtra: with the install line.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ImportError:
        raise MissingExtra.of("onnx and onnxscript", "export", "writing ONNX files") from None
    return onnx


def import_runtime() -> Any:
    """Import onnxruntime.

    Raises:
        MissingExtra: with the install line.
    """
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtra.of("onnxruntime", "export", "running ONNX files") from None
    return onnxruntime


@contextmanager
def quiet_exporter() -> Iterator[None]:
    """Keep the exporters' remarks about their own workings to themselves."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)

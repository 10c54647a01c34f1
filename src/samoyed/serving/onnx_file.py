"""An ONNX file: written from a graph, made small, and asked, with onnxruntime.

Jacob, B. et al. (2018). Quantization and training of neural networks for efficient
integer-arithmetic-only inference. CVPR: 8-bit integers stand for numbers between two bounds, which
here are read off examples of the training part (static quantization after training).
"""

from __future__ import annotations

import inspect
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
from samoyed.serving import describing
from samoyed.serving.packing import Inputs

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
                path, "an ONNX file", " ".join(str(error).split())[:200],
                "write it again: samoyed export RUN --to onnx",
            ) from None  # fmt: skip
        held = session.get_modelmeta().custom_metadata_map
        self.session = session
        self.described = describing.read(Path(path), held.get(describing.METADATA_KEY, ""))

    def answer(self, inputs: Inputs) -> np.ndarray:
        """Return (B, K) float32 answers for inputs by their names."""
        arrays = {name: np.ascontiguousarray(array) for name, array in inputs.items()}
        return self.session.run(None, arrays)[0]


def write_onnx(
    graph: nn.Module, example: Inputs, described: dict[str, Any], path: Path
) -> None:  # fmt: skip
    """Write a graph whose batch may have any size.

    Args:
        graph: in evaluation mode.
        example: inputs of at least 2 examples.
        described: what the file says of itself.
        path: of the file.

    Raises:
        MissingExtra: when onnx or onnxscript is not installed.
    """
    onnx = import_onnx()
    output = described["output"].partition(":")[0]
    with quiet_exporter():
        program = torch.onnx.export(
            graph, tensors(example), dynamo=True, opset_version=OPSET, verbose=False,
            input_names=list(example), output_names=[output],
            dynamic_shapes=any_number(graph, example), external_data=False,
        )  # fmt: skip
    model = program.model_proto  # type: ignore[union-attr]
    describe(onnx, model, described)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def tensors(inputs: Inputs) -> tuple[Tensor, ...]:
    """Return inputs as a graph takes them."""
    return tuple(torch.from_numpy(np.array(array)) for array in inputs.values())


def any_number(graph: nn.Module, example: Inputs) -> dict[str, Any]:
    """Return for `torch.export` that the first axis of every input may have any length."""
    number = torch.export.Dim("number")
    [(name, parameter)] = inspect.signature(graph.forward).parameters.items()
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return {name: tuple({0: number} for _ in example)}
    return {name: {0: number}}


def write_int8(source: Path, calibration: Inputs, path: Path) -> bool:
    """Write the file `source` with 8-bit weights and activations.

    Args:
        source: an exported file with 32-bit numbers.
        calibration: examples of the training part.
        path: of the new file.

    Returns:
        Whether there was anything to bring to 8 bits; if not, no file is written.
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
    if not any(weight.data_type == onnx.TensorProto.INT8 for weight in model.graph.initializer):
        path.unlink()
        return False
    described = {**json.loads(held[describing.METADATA_KEY]), "numbers": "int8"}
    describe(onnx, model, described)
    onnx.save(model, str(path))
    return True


class Calibration:
    """Feeds examples to onnxruntime's quantizer, a batch at a time.

    Args:
        inputs: the examples.
        batch_size: examples at once.
    """

    def __init__(self, inputs: Inputs, batch_size: int = 32) -> None:
        num = len(next(iter(inputs.values())))
        parts = (slice(i, i + batch_size) for i in range(0, num, batch_size))
        self._batches: Iterator[Inputs] = (
            {name: np.ascontiguousarray(array[part]) for name, array in inputs.items()}
            for part in parts
        )

    def get_next(self) -> Inputs | None:
        """Return the next batch by the inputs' names, or None at the end."""
        return next(self._batches, None)


def describe(onnx: Any, model: Any, described: dict[str, Any]) -> None:
    """Put what the file says of itself into its metadata."""
    text = json.dumps(described, ensure_ascii=False)
    onnx.helper.set_model_props(model, {describing.METADATA_KEY: text})


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
    onnxruntime.disable_telemetry_events()  # what is asked here stays here
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

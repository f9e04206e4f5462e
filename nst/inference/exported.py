"""A network as a file for another runtime, and such a file at work.

What `nst.export` checks before it leaves it alone; see there for what the file takes and gives.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nst.models import MIN_SIDE, TransformerNet

Format = Literal["onnx", "openvino"]
SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "openvino": ".xml"}

Runner = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class ExportError(RuntimeError):
    """A file that could not be made, or whose pictures are not those of the network."""


def clamped(network: TransformerNet) -> nn.Module:
    """(N, 3, H, W) RGB in [0, 1] -> the same, stylized, nowhere beyond."""
    return nn.Sequential(network, nn.Hardtanh(0, 1)).eval()


class _Bounded(nn.Module):
    """A network that looks up a pixel which smaller pictures do not have.

    ONNX has no other means of refusing a size; adding nothing keeps it in the graph.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        pixel = x[:, :, MIN_SIDE - 1, MIN_SIDE - 1]  # (N, 3)
        return self.network(x + 0 * pixel[..., None, None])


def export(
    network: TransformerNet, metadata: Mapping[str, str], path: Path, format: Format
) -> Path:
    """Write the network to `path`; OpenVINO's weights come beside it, as .bin.

    Raises:
        ExportError: a package that is needed is not installed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        (_export_onnx if format == "onnx" else _export_openvino)(network, metadata, path)
    except ImportError as error:
        raise ExportError(f"{format}: {error.name} is needed; pip install {error.name}") from None
    return path


def _export_onnx(network: TransformerNet, metadata: Mapping[str, str], path: Path) -> None:
    import onnx
    import onnxscript  # noqa: F401  PyTorch's exporter needs it and says so less clearly

    height, width = (torch.export.Dim(name, min=MIN_SIDE) for name in ("height", "width"))
    batch = torch.export.Dim("batch")
    module = _Bounded(clamped(network)).eval()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # about PyTorch's own internals
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            module,
            (torch.rand(2, 3, 65, 82),),
            input_names=["picture"],
            output_names=["stylized"],
            dynamic_shapes=({0: batch, 2: height, 3: width},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _export_openvino(network: TransformerNet, metadata: Mapping[str, str], path: Path) -> None:
    import openvino

    from nst.inference.openvino_graph import openvino_model

    model = openvino_model(clamped(network))
    side = openvino.Dimension(MIN_SIDE, -1)
    model.reshape({0: openvino.PartialShape([openvino.Dimension(-1), 3, side, side])})
    for key, value in metadata.items():
        model.set_rt_info(value, ["nst", key])
    openvino.save_model(model, path, compress_to_fp16=False)


def load_exported(path: Path, threads: int = 0) -> Runner:
    """The exported file in its own runtime, on the CPU: (N, 3, H, W) in [0, 1] -> the same.

    Args:
        threads: 0 for as many as the runtime likes.

    Raises:
        ExportError: the runtime is not installed.
    """
    try:
        if path.suffix == ".onnx":
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.log_severity_level = 4  # what it refuses it raises too
            options.intra_op_num_threads = threads
            providers = ["CPUExecutionProvider"]
            session = onnxruntime.InferenceSession(path, options, providers=providers)
            return lambda pixels: session.run(None, {"picture": pixels})[0]
        import openvino

        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
        compiled = openvino.Core().compile_model(path, "CPU", settings)
        return lambda pixels: compiled({"picture": pixels})["stylized"]
    except ImportError as error:
        raise ExportError(f"checking needs {error.name}: pip install {error.name}") from None

"""A trained network as a file for other runtimes, checked before it is left alone.

    python -m nst.export --variant v3 --format onnx                         -> v3.onnx
    python -m nst.export --variant all --format openvino -o exported/       -> exported/v3.xml, .bin

The file takes and gives RGB in [0, 1], (1, 3, H, W), of any height and width from 16 px; nothing
has to be normalised outside of it.  What the checkpoint says of itself is inside (ONNX: metadata
properties; OpenVINO: rt_info under "nst").  Before the command ends, the file is loaded anew and
its pictures are compared with eager PyTorch's on photos, each in two sizes; a file that fails is
deleted.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from nst.checkpoint import CheckpointError, load_checkpoint
from nst.examples import example_pictures
from nst.images import PictureError, limit_side, read_picture, to_tensor
from nst.models import MIN_SIDE, VARIANTS, TransformerNet
from nst.paths import CHECKPOINTS

Format = Literal["onnx", "openvino"]
SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "openvino": ".xml"}
SIDE = 333  # px, the longer side of a photo that is checked, whole and three quarters of it
TOLERANCE = 1 / 255

Runner = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class ExportError(RuntimeError):
    """A file that could not be made, or whose pictures are not those of the network."""


def clamped(network: TransformerNet) -> nn.Module:
    """(1, 3, H, W) RGB in [0, 1] -> the same, stylized, nowhere beyond."""
    return nn.Sequential(network, nn.Hardtanh(0, 1)).eval()


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
    module = clamped(network)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # about PyTorch's own internals
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            module,
            (torch.rand(1, 3, 65, 82),),
            input_names=["picture"],
            output_names=["stylized"],
            dynamic_shapes=({2: height, 3: width},),
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
    for key, value in metadata.items():
        model.set_rt_info(value, ["nst", key])
    openvino.save_model(model, path, compress_to_fp16=False)


def load_exported(path: Path) -> Runner:
    """The exported file in its own runtime, on the CPU: (1, 3, H, W) in [0, 1] -> the same.

    Raises:
        ExportError: the runtime is not installed.
    """
    try:
        if path.suffix == ".onnx":
            import onnxruntime

            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            return lambda pixels: session.run(None, {"picture": pixels})[0]
        import openvino

        settings = {"INFERENCE_PRECISION_HINT": "f32"}
        compiled = openvino.Core().compile_model(path, "CPU", settings)
        return lambda pixels: compiled({"picture": pixels})["stylized"]
    except ImportError as error:
        raise ExportError(f"checking needs {error.name}: pip install {error.name}") from None


def check(network: TransformerNet, run: Runner, photos: Sequence[Image.Image]) -> float:
    """The largest difference of the exported network's pictures to eager PyTorch's, in [0, 1].

    Raises:
        ExportError: it is larger than 1/255.
    """
    largest = 0.0
    for photo in photos:
        pixels = to_tensor(photo)[None]
        with torch.inference_mode():
            expected = clamped(network)(pixels).numpy()
        result = run(pixels.numpy())
        if result.shape != expected.shape:
            raise ExportError(f"{photo.width}×{photo.height} px came back as {result.shape}")
        largest = max(largest, float(abs(result - expected).max()))
    if not largest <= TOLERANCE:  # also where it is NaN
        raise ExportError(f"its pictures differ by {255 * largest:.1f}/255 from eager PyTorch's")
    return largest


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--variant", required=True, choices=[*VARIANTS, "all"])
    add("--format", required=True, choices=list(SUFFIXES))
    add("-o", "--out", type=Path, default=Path(), help="a folder; default: here")
    add("--checkpoints", type=Path, default=CHECKPOINTS)
    add(
        "--photos",
        nargs="+",
        type=Path,
        help="what the check looks at; default: the page's examples",
    )
    options = parser.parse_args()

    photos = []
    for path in options.photos or example_pictures()[1:]:
        photo = limit_side(read_picture(path), SIDE)
        photos += [photo, photo.crop((0, 0, photo.width * 3 // 4, photo.height * 3 // 4))]
    for variant in VARIANTS if options.variant == "all" else [options.variant]:
        network, metadata = load_checkpoint(options.checkpoints / f"{variant}.safetensors")
        path = options.out / f"{variant}{SUFFIXES[options.format]}"
        export(network, metadata, path, options.format)
        try:
            largest = check(network, load_exported(path), photos)
        except ExportError:
            for file in (path, path.with_suffix(".bin")):
                file.unlink(missing_ok=True)
            raise
        sizes = " and ".join(f"{photo.width}×{photo.height}" for photo in photos)
        print(f"{path}: differs from eager PyTorch by {255 * largest:.4f}/255 at most ({sizes} px)")


if __name__ == "__main__":
    try:
        main()
    except (CheckpointError, ExportError, PictureError, OSError) as error:
        sys.exit(f"nst.export: {error}")

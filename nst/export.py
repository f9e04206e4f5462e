"""A trained network as a file for other runtimes, checked before it is left alone.

    python -m nst.export --variant v3 --format onnx                         -> v3.onnx
    python -m nst.export --variant v3 --format onnx -o starry.onnx          -> starry.onnx
    python -m nst.export --variant all --format openvino -o exported/       -> exported/v3.xml, .bin

The file takes and gives RGB in [0, 1], (N, 3, H, W): any number of pictures of any height and
width from 16 px; nothing has to be normalised outside of it.  Smaller pictures are refused, as by
the network.  What the checkpoint says of itself is inside (ONNX: metadata properties; OpenVINO:
rt_info under "nst").

The file is written into a temporary folder and loaded from there, and its pictures are compared
with eager PyTorch's on photos, each in two sizes, alone and two at once.  Only then it takes its
place; whatever fails, what was there stays.
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.export")

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
from torch import Tensor, nn

from nst.checkpoint import CheckpointError, load_checkpoint
from nst.console import command_parser
from nst.files import names_folder, temporary_folder
from nst.models import MIN_SIDE, VARIANTS, TransformerNet
from nst.paths import CHECKPOINTS
from nst.pictures.examples import example_pictures
from nst.pictures.reading import PictureError, read_picture
from nst.pictures.tensors import to_tensor

SIDE = 333  # px, the longer side of a photo that is checked, whole and three quarters of it
TOLERANCE = 1 / 255

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


def check(network: TransformerNet, run: Runner, photos: Sequence[Image.Image]) -> float:
    """The largest difference of the exported network's pictures to eager PyTorch's, in [0, 1].

    Each photo goes through alone, and with its mirror image as a batch of two.

    Raises:
        ExportError: it is larger than 1/255 or no number, or pictures below 16 px are taken.
    """
    differences = []
    for photo in photos:
        alone = to_tensor(photo)[None]
        for pixels in (alone, torch.cat([alone, alone.flip(3)])):
            with torch.inference_mode():
                expected = clamped(network)(pixels).numpy()
            result = run(pixels.numpy())
            if result.shape != expected.shape:
                raise ExportError(f"{tuple(pixels.shape)} came back as {result.shape}")
            differences.append(abs(result - expected).max())
    largest = float(np.max(differences))  # NaN where one is, unlike Python's max
    if not np.isfinite(largest):
        raise ExportError("its pictures, or eager PyTorch's, hold values that are no numbers")
    if largest > TOLERANCE:
        raise ExportError(f"its pictures differ by {255 * largest:.1f}/255 from eager PyTorch's")
    for height, width in ((MIN_SIDE - 1, MIN_SIDE), (MIN_SIDE, MIN_SIDE - 1)):
        try:
            run(np.zeros((1, 3, height, width), np.float32))
        except Exception:  # each runtime has its own
            continue
        raise ExportError(f"it takes {width}×{height} px, which the network refuses")
    return largest


def export_checked(
    network: TransformerNet,
    metadata: Mapping[str, str],
    path: Path,
    format: Format,
    photos: Sequence[Image.Image],
) -> float:
    """`export`, `check`, and only then put the file in its place; the largest difference.

    Raises:
        ExportError: whatever failed but for the disk; nothing of the file is left.
        OSError: it could not be written.
    """
    path = path.resolve()  # a link stays one
    with temporary_folder(path.parent) as folder:
        made = folder / path.name
        try:
            largest = check(network, load_exported(export(network, metadata, made, format)), photos)
        except (ExportError, OSError):
            raise
        except Exception as error:  # exporters and runtimes raise everything
            reason = str(error).strip().partition("\n")[0]
            raise ExportError(f"{path.name}: {type(error).__name__}: {reason}") from error
        weights = made.with_suffix(".bin")
        if weights.exists():  # OpenVINO's: the .xml is there only with the .bin that it belongs to
            path.unlink(missing_ok=True)
            weights.replace(path.with_suffix(".bin"))
        made.replace(path)
    return largest


def check_photos(paths: Sequence[Path]) -> list[Image.Image]:
    """Each photo and the left upper part of it, of at most `SIDE` px.

    Raises:
        PictureError: one cannot be read.
    """
    photos = []
    for path in paths:
        try:
            photo = read_picture(path, SIDE)
        except PictureError as error:
            raise PictureError(f"{path}: {error}") from None
        part = (max(MIN_SIDE, side * 3 // 4) for side in photo.size)
        photos += [photo, photo.crop((0, 0, *part))]
    return photos


def plan(out: str, variants: Sequence[str], suffix: str) -> dict[str, Path]:
    """The file of each network: `out`, or in the folder `out`.

    Raises:
        ValueError: several networks for one file, or a suffix that is not the format's.
    """
    path = Path(out)
    if names_folder(out):
        return {variant: path / f"{variant}{suffix}" for variant in variants}
    if path.suffix != suffix:
        raise ValueError(f"-o {out}: the file of this format ends in {suffix}, a folder in a slash")
    if len(variants) > 1:
        raise ValueError(f"-o {out}: several networks need a folder")
    return {variants[0]: path}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = command_parser("nst.export", __doc__)
    add = parser.add_argument
    add("--variant", required=True, choices=[*VARIANTS, "all"])
    add("--format", required=True, choices=list(SUFFIXES))
    add("-o", "--out", default=".", help="a file, or a folder with a slash; default: here")
    add("--checkpoints", type=Path, default=CHECKPOINTS)
    photos = "what the check looks at; default: the page's examples"
    add("--photos", nargs="+", type=Path, help=photos)
    options = parser.parse_args(arguments)
    variants = list(VARIANTS) if options.variant == "all" else [options.variant]
    try:
        paths = plan(options.out, variants, SUFFIXES[options.format])
    except ValueError as error:
        parser.error(str(error))
    try:
        photos = check_photos(options.photos or example_pictures()[1:])
        sizes = " and ".join(f"{photo.width}×{photo.height}" for photo in photos)
        for variant, path in paths.items():
            network, metadata = load_checkpoint(options.checkpoints / f"{variant}.safetensors")
            largest = export_checked(network, metadata, path, options.format, photos)
            differs = f"differs from eager PyTorch by {255 * largest:.4f}/255 at most"
            print(f"{path}: {differs} ({sizes} px)")
    except (CheckpointError, ExportError, PictureError, OSError) as error:
        print(f"nst.export: {error}", file=sys.stderr)
        return 1
    return 0

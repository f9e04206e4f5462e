"""The paper's open question: what integers of 8 bits in place of fp32 do to the networks.

    python -m nst.study.quantize --photos a.tar b.tar          needs NNCF (pip install nncf)

writes assets/quantization.csv, one row for each network and form:

    fp32      as it was trained
    bf16      computed in bf16, as `--precision bf16` does elsewhere; where the CPU can
    int8      convolutions in int8, calibrated on photos of the training part; norms and the first
              and last convolution stay in fp32, as NNCF's users do where pictures come out
    weights   int8 weights that are made fp32 again before they are used: a smaller file only

and assets/figure-7-quantization.png, the page's first example at 8×.  PSNR is to the fp32 picture,
in dB over all test photos, `largest` is the largest difference from it, in levels of 255; artifact
measures are those of `nst.artifacts.measure`, as means.
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.study.quantize")

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from nst.artifacts.measure import measure
from nst.artifacts.yellow import square_around, yellowest_place
from nst.checkpoint import CheckpointError, load_networks
from nst.files import write_then_rename
from nst.inference.engines import HINTS, Precision, has_bf16
from nst.inference.latency import hardware, measure_latency
from nst.models import TransformerNet
from nst.paper import LATENCY_SIDE
from nst.paths import ASSETS, CHECKPOINTS
from nst.pictures.examples import example_pictures
from nst.pictures.reading import read_picture
from nst.pictures.tensors import to_picture, to_tensor
from nst.training.data import PhotoSet, crop_square, split_photos
from nst.training.sources import find_photos

if TYPE_CHECKING:
    import openvino

TABLE, FIGURE = ASSETS / "quantization.csv", ASSETS / "figure-7-quantization.png"
FORMS = ("fp32", "bf16", "int8", "weights")
SIDE = 256  # px, of photos
FIGURE_SIDE = 384  # px
CALIBRATION = 300  # photos
REPEATS = 20
NORM = ["MVN", "Multiply", "Add"]

Run = Callable[[Tensor], Tensor]  # (1, 3, H, W) RGB in [0, 1] -> the same


class NncfMissingError(ImportError):
    """NNCF, which this study alone needs, is not installed."""


def quantized(network: TransformerNet, form: str, photos: Sequence[np.ndarray]) -> openvino.Model:
    """A network as an OpenVINO model in one of `FORMS`.

    Args:
        photos: (1, 3, H, W) each, that ranges of activations are taken from.

    Raises:
        NncfMissingError: NNCF is not installed.
    """
    from nst.inference.openvino_graph import openvino_model

    model = openvino_model(network, for_bf16=form == "bf16")
    if form in ("fp32", "bf16"):
        return model
    try:
        import nncf
    except ModuleNotFoundError as error:
        raise NncfMissingError("NNCF is not installed (pip install nncf)") from error
    if form == "int8":
        operations = model.get_ordered_ops()
        names = [one.friendly_name for one in operations if "Convolution" in one.get_type_name()]
        ignored = nncf.IgnoredScope(names=[names[0], names[-1]], types=NORM)
        return nncf.quantize(
            model, nncf.Dataset(photos), subset_size=len(photos), ignored_scope=ignored
        )
    return nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_SYM)


def compiled(model: openvino.Model, precision: Precision = "fp32") -> Run:
    """A model on this CPU; `precision` is that of what is not in int8."""
    import openvino

    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "INFERENCE_PRECISION_HINT": HINTS[precision],
    }
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    return lambda photo: torch.from_numpy(request.infer({0: photo.numpy()})[0].copy())


def megabytes(model: openvino.Model) -> float:
    """Of the file with its weights."""
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        openvino.save_model(model, path, compress_to_fp16=False)
        return path.with_suffix(".bin").stat().st_size / 1e6


def compare(
    runs: Mapping[tuple[str, str], Run], sizes: Mapping[tuple[str, str], float], photos: Tensor
) -> pd.DataFrame:
    """One row for each (network, form): its size, PSNR to fp32 and artifacts on (N, 3, H, W)."""
    found: dict[tuple[str, str], list[tuple[float, ...]]] = {key: [] for key in runs}
    for photo in photos.split(1):
        exact: dict[str, np.ndarray] = {}
        for (network, form), run in runs.items():  # fp32 is the first of each network
            picture = to_picture(run(photo)[0])
            pixels = np.asarray(picture, dtype=float)
            errors = np.abs(pixels - exact.setdefault(network, pixels))
            artifacts = measure(picture)
            share = np.nan if artifacts.array_share is None else artifacts.array_share
            found[network, form].append(
                (np.square(errors).mean(), errors.max(), artifacts.lattice_db, share)
            )
    rows = []
    for (network, form), values in found.items():
        errors, largest, lattice, arrays = np.array(values).T
        mean = errors.mean()
        rows.append(
            {
                "network": network,
                "form": form,
                "MB": round(sizes[network, form], 3),
                "psnr_db": round(10 * np.log10(255**2 / mean), 2) if mean else np.inf,
                "worst_psnr_db": round(10 * np.log10(255**2 / errors.max()), 2) if mean else np.inf,
                "largest": int(largest.max()),
                "lattice_db": round(lattice.mean(), 2),
                "array_share": round(float(np.nanmean(arrays)), 4)
                if np.isfinite(arrays).any()
                else np.nan,
                "photos": len(values),
            }
        )
    return pd.DataFrame(rows)


def answer(table: pd.DataFrame) -> str:
    """One sentence: whether quantization "eliminates the artifacts" and "enhances performance"."""
    of = table.set_index(["network", "form"])
    names = list(dict.fromkeys(table["network"]))
    change = [of.lattice_db[name, "int8"] - of.lattice_db[name, "fp32"] for name in names]
    gain = [of.latency_ms[name, "fp32"] / of.latency_ms[name, "int8"] for name in names]
    gains = ", ".join(f"{name} {one:.2f}×" for name, one in zip(names, gain, strict=True))
    ends = "weakens" if max(change) < -3 else "does not end"
    return (
        f"int8 {ends} the lattice (its ratio changes by {min(change):+.1f} to {max(change):+.1f} "
        f"dB); its speed against fp32 is {gains}."
    )


def draw(runs: Mapping[tuple[str, str], Run]) -> None:
    """Where each network's fp32 picture of an example is yellowest: that place in all forms."""
    from nst.study.figures import DETAIL, draw_grid  # here: matplotlib

    photo = to_tensor(crop_square(read_picture(example_pictures()[0]), FIGURE_SIDE))[None]
    columns: dict[str, list[Image.Image]] = {}
    place = (0, 0)
    for (_, form), run in runs.items():
        picture = to_picture(run(photo)[0])
        if form == "fp32":
            place = yellowest_place(picture, DETAIL)
        columns.setdefault(form, []).append(square_around(picture, place, DETAIL))
    figure = draw_grid(columns, headings=list(dict.fromkeys(name for name, _ in runs)))
    write_then_rename(FIGURE, lambda path: figure.savefig(path, format="png"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m nst.study.quantize",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--photos", nargs="+", type=Path, required=True)
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS)
    parser.add_argument("--out", type=Path, default=TABLE)
    parser.add_argument("--calibration", type=int, default=CALIBRATION, help="photos")
    parser.add_argument("--limit", type=int, help="test photos; default: all")
    parser.add_argument("--no-figure", action="store_true")
    options = parser.parse_args(arguments)
    try:
        networks = load_networks(options.checkpoints)
        split = split_photos(find_photos(options.photos))  # as in training
        training, tests = (PhotoSet(split[part], SIDE) for part in ("train", "test"))
        count = min(options.calibration, len(training))
        calibration = training.batch(range(count)).split(1)
        models = {
            (name, form): quantized(network, form, [photo.numpy() for photo in calibration])
            for name, network in networks.items()
            for form in FORMS
            if form != "bf16" or has_bf16()
        }
    except (ValueError, OSError, NncfMissingError, CheckpointError) as error:
        print(f"nst.study.quantize: {error}", file=sys.stderr)
        return 1
    sizes = {key: megabytes(model) for key, model in models.items()}
    runs = {
        (name, form): compiled(model, "bf16" if form == "bf16" else "fp32")
        for (name, form), model in models.items()
    }
    table = compare(runs, sizes, tests.batch(range(min(options.limit or len(tests), len(tests)))))
    times = measure_latency(runs, LATENCY_SIDE, LATENCY_SIDE, REPEATS)
    table["calibration"] = count
    table["latency_ms"] = [round(statistics.median(values), 1) for values in times.values()]
    write_then_rename(options.out, lambda path: table.to_csv(path, index=False))
    print(hardware("openvino", " and ".join(dict.fromkeys(form for _, form in models))))
    print(table.to_string(index=False))
    print(answer(table))
    if not options.no_figure:
        draw(runs)
    return 0

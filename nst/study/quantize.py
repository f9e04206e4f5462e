"""The paper's open question: what integers of 8 bits in place of fp32 do to the networks.

    python -m nst.study.quantize --photos a.tar b.tar          needs NNCF (pip install nncf)

writes assets/quantization.csv, one row for each network and form:

    fp32      as it was trained
    bf16      computed in bf16, as `--precision bf16` does elsewhere; where the CPU can
    int8      convolutions in int8, calibrated on photos of the training part; norms and the first
              and last convolution stay in fp32, as NNCF's users do where pictures come out
    weights   int8 weights that are made fp32 again before they are used: a smaller file only

and assets/figure-7-quantization.png, the page's first example at 8×.  PSNR is to the fp32 picture,
in dB over all test photos, `largest` is the largest difference from it, in levels of 255; lattice
and red spots are those of `nst.artifacts.measure`, as means.
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.study.quantize")

import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import openvino
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from nst.artifacts.measure import measure
from nst.artifacts.yellow import square_around, yellowest_place
from nst.checkpoint import load_networks
from nst.console import command_parser
from nst.inference.engines import HINTS, Precision, has_bf16
from nst.inference.latency import hardware, measure_latency
from nst.inference.openvino_graph import openvino_model
from nst.models import TransformerNet
from nst.paper import LATENCY_SIDE
from nst.paths import ASSETS
from nst.pictures.examples import example_pictures
from nst.pictures.reading import read_picture
from nst.pictures.tensors import to_picture, to_tensor
from nst.reporting import DETAIL, draw_grid, save
from nst.study.common import Network
from nst.training.data import PhotoSet, crop_square, split_photos
from nst.training.sources import find_photos

TABLE, FIGURE = "quantization.csv", "figure-7-quantization.png"
FORMS = ("fp32", "bf16", "int8", "weights")
SIDE = 256  # px, of photos
FIGURE_SIDE = 384  # px
CALIBRATION = 300  # photos
REPEATS = 20
NORM = ["MVN", "Multiply", "Add"]


def quantized(network: TransformerNet, form: str, photos: Sequence[np.ndarray]) -> openvino.Model:
    """A network as an OpenVINO model in one of `FORMS`.

    Args:
        photos: (1, 3, H, W) each, that ranges of activations are taken from.

    Raises:
        ModuleNotFoundError: NNCF is not installed.
    """
    model = openvino_model(network, for_bf16=form == "bf16")
    if form in ("fp32", "bf16"):
        return model
    import nncf  # which this study alone needs

    if form == "int8":
        operations = model.get_ordered_ops()
        names = [one.friendly_name for one in operations if "Convolution" in one.get_type_name()]
        ignored = nncf.IgnoredScope(names=[names[0], names[-1]], types=NORM)
        return nncf.quantize(
            model, nncf.Dataset(photos), subset_size=len(photos), ignored_scope=ignored
        )
    return nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_SYM)


def compiled(model: openvino.Model, precision: Precision = "fp32") -> Network:
    """A model on this CPU; `precision` is that of what is not in int8."""
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "INFERENCE_PRECISION_HINT": HINTS[precision],
    }
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    return lambda photo: torch.from_numpy(request.infer({0: photo.numpy()})[0].copy())


def megabytes(model: openvino.Model) -> float:
    """Of the file with its weights."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        openvino.save_model(model, path, compress_to_fp16=False)
        return path.with_suffix(".bin").stat().st_size / 1e6


def compare(
    networks: Mapping[tuple[str, str], Network],
    sizes: Mapping[tuple[str, str], float],
    photos: Tensor,
) -> pd.DataFrame:
    """One row for each (network, form): its size, PSNR to fp32 and artifacts on (N, 3, H, W)."""
    rows = []
    for photo in photos.split(1):
        exact: dict[str, np.ndarray] = {}
        for (name, form), network in networks.items():  # fp32 is the first of each network
            picture = to_picture(network(photo)[0])
            pixels = np.asarray(picture, dtype=float)
            errors = np.abs(pixels - exact.setdefault(name, pixels))
            found = measure(picture)
            row = {"network": name, "form": form, "square": np.square(errors).mean()}
            row |= {"largest": int(errors.max()), "lattice_db": found.lattice_db}
            rows.append({**row, "array_share": found.array_share})
    groups = pd.DataFrame(rows).groupby(["network", "form"], sort=False)
    means = groups[["square", "lattice_db", "array_share"]].mean()
    table = pd.DataFrame(
        {
            "MB": pd.Series(sizes).round(3),
            "psnr_db": _psnr(means["square"]),
            "worst_psnr_db": _psnr(groups["square"].max()),
            "largest": groups["largest"].max(),
            "lattice_db": means["lattice_db"].round(2),
            "array_share": means["array_share"].round(4),
            "photos": len(photos),
        },
        index=means.index,  # in the order of the networks
    )
    return table.reset_index()


def _psnr(squares: pd.Series) -> pd.Series:
    return (10 * np.log10(255**2 / squares)).round(2)


def answer(table: pd.DataFrame) -> str:
    """What int8 does to the lattice, the files, time and pictures, as the README says it."""
    of = table.set_index(["network", "form"]).unstack("form")
    change = (of["lattice_db"]["int8"] - of["lattice_db"]["fp32"]).abs().max()
    size = 100 * of["MB"]["int8"] / of["MB"]["fp32"]
    speed = (of["latency_ms"]["fp32"] / of["latency_ms"]["int8"]).sort_values()
    psnr = of["psnr_db"]["int8"].sort_values()
    return (
        f"the lattice ratio stays within {change:.2f} dB; files shrink to {size.min():.0f}–"
        f"{size.max():.0f} %, speed grows {speed.iloc[0]:.2f} ({speed.index[0]}) to "
        f"{speed.iloc[-1]:.2f} times ({speed.index[-1]}), PSNR to fp32 is {psnr.iloc[-1]:.0f} "
        f"({psnr.index[-1]}) to {psnr.iloc[0]:.0f} dB ({psnr.index[0]})"
    )


def draw(networks: Mapping[tuple[str, str], Network]) -> Image.Image:
    """Where each network's fp32 picture of an example is yellowest: that place in all forms."""
    photo = to_tensor(crop_square(read_picture(example_pictures()[0]), FIGURE_SIDE))[None]
    columns: dict[str, list[Image.Image]] = {}
    place = (0, 0)
    for (_, form), network in networks.items():
        picture = to_picture(network(photo)[0])
        if form == "fp32":
            place = yellowest_place(picture, DETAIL)
        columns.setdefault(form, []).append(square_around(picture, place, DETAIL))
    return draw_grid(columns, headings=list(dict.fromkeys(name for name, _ in networks)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = command_parser("nst.study.quantize", __doc__)
    parser.add_argument("--photos", nargs="+", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ASSETS, help="a folder; default: assets/")
    options = parser.parse_args(arguments)
    try:
        networks = load_networks()
        split = split_photos(find_photos(options.photos))  # as in training
        training = PhotoSet(split["train"][:CALIBRATION], SIDE)
        tests = PhotoSet(split["test"], SIDE)
        calibration = [photo.numpy() for photo in training.batch(range(len(training))).split(1)]
        models = {
            (name, form): quantized(network, form, calibration)
            for name, network in networks.items()
            for form in FORMS
            if form != "bf16" or has_bf16()
        }
    except (ValueError, OSError, ModuleNotFoundError) as error:
        print(f"nst.study.quantize: {error}", file=sys.stderr)
        return 1
    sizes = {key: megabytes(model) for key, model in models.items()}
    ready = {
        (name, form): compiled(model, "bf16" if form == "bf16" else "fp32")
        for (name, form), model in models.items()
    }
    table = compare(ready, sizes, tests.batch(range(len(tests))))
    times = measure_latency(ready, LATENCY_SIDE, LATENCY_SIDE, REPEATS)
    table["calibration"] = len(training)
    table["latency_ms"] = [round(statistics.median(values), 1) for values in times.values()]
    save(options.out / TABLE, table)
    save(options.out / FIGURE, draw(ready))
    print(hardware("openvino", " and ".join(dict.fromkeys(form for _, form in models))))
    print(f"{table.to_string(index=False)}\nint8: {answer(table)}")
    return 0

"""How the time for a picture grows with its size, from 256×256 px to 24 megapixels.

    python -m nst.benchmark.cost            writes assets/cost.csv and assets/figure-8-cost.png

Seconds from picture to picture on the fastest engine, as `nst.stylize` has them: above
`UNTILED_PIXELS` tile by tile.  All networks take turns at one size before the next comes.  The
slope is that of a line through the logarithms of seconds and pixels: 1 where the time grows as the
pixels do.
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.benchmark.cost")

import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from nst.checkpoint import CheckpointError, load_networks
from nst.console import command_parser
from nst.inference.engines import Engine, build_engines
from nst.inference.latency import Size, hardware, parse_size
from nst.inference.picture import UNTILED_PIXELS, stylize_any_size
from nst.models import TransformerNet
from nst.paths import ASSETS
from nst.reporting import line_style, save

TABLE, FIGURE = "cost.csv", "figure-8-cost.png"
SIZES: tuple[Size, ...] = ((256, 256), (512, 512), (1024, 1024), (1920, 1080), (3000, 2000))
SIZES += ((6000, 4000),)
REPEATED_PIXELS = 20_000_000  # a size is repeated until it has shown so many, 15 times at most


def measure_cost(
    networks: Mapping[str, TransformerNet], engines: Mapping[str, Engine], sizes: Sequence[Size]
) -> pd.DataFrame:
    """One row for each size and network: medians of seconds, after one run that is not counted.

    That one is left out where a size is seen once only.
    """
    rows = []
    noise = np.random.default_rng(0)
    for width, height in sizes:
        pixels = width * height
        repeats = max(1, min(15, REPEATED_PIXELS // pixels))
        picture = Image.fromarray(noise.integers(0, 256, (height, width, 3), dtype=np.uint8))
        times: dict[str, list[float]] = {name: [] for name in networks}
        for _ in range(repeats + (repeats > 1)):
            for name, network in networks.items():
                done = stylize_any_size(network, picture, engines[name])
                times[name].append(done.seconds)
        for name, seconds in times.items():
            counted = seconds[1:] if repeats > 1 else seconds
            rows.append(
                {
                    "network": name,
                    "width": width,
                    "height": height,
                    "tiled": pixels > UNTILED_PIXELS,
                    "seconds": round(statistics.median(counted), 4),
                    "repeats": repeats,
                }
            )
    return pd.DataFrame(rows)


def slopes(table: pd.DataFrame) -> dict[str, float]:
    """The exponent with which each network's seconds grow with the pixels; none of one size."""
    return {
        name: float(np.polyfit(np.log(rows.width * rows.height), np.log(rows.seconds), 1)[0])
        for name, rows in table.groupby("network", sort=False)
        if (rows.width * rows.height).nunique() > 1
    }


def draw(table: pd.DataFrame) -> Figure:
    """Seconds over megapixels, both logarithmic, with each network's slope."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axis = figure.subplots()
    of = slopes(table)
    for name, rows in table.groupby("network", sort=False):
        style = {**line_style(name), "marker": "."}
        if name in of:
            style["label"] = f"{name}, slope {of[name]:.2f}"
        axis.plot(rows.width * rows.height / 1e6, rows.seconds, **style)
    axis.axvline(UNTILED_PIXELS / 1e6, color="0.6", linewidth=1)
    axis.annotate(
        "in tiles",
        (UNTILED_PIXELS / 1e6, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -4),
        textcoords="offset points",
        va="top",
    )
    axis.set_xscale("log")
    axis.set_yscale("log")
    for ticks in (axis.xaxis, axis.yaxis):
        ticks.set_major_formatter("{x:g}")
    axis.set_xlabel("megapixels")
    axis.set_ylabel("seconds for a picture")
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = command_parser("nst.benchmark.cost", __doc__)
    parser.add_argument("--size", nargs="+", type=parse_size, default=SIZES, metavar="PX")
    parser.add_argument("--out", type=Path, default=ASSETS, help="a folder; default: assets/")
    options = parser.parse_args(arguments)
    try:
        networks = load_networks()
    except CheckpointError as error:
        print(f"nst.benchmark.cost: {error}", file=sys.stderr)
        return 1
    engines = build_engines(networks)
    table = measure_cost(networks, engines, options.size)
    save(options.out / TABLE, table)
    save(options.out / FIGURE, draw(table))
    print(hardware(engines["baseline"].name))
    print(table.to_string(index=False))
    if of := slopes(table):
        print("slopes: " + ", ".join(f"{name} {slope:.2f}" for name, slope in of.items()))
    return 0

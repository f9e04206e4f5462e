"""The paper's figures, from our own runs: drawn from logs and checkpoints, into assets/.

    python -m nst.study.figures                                         what the README shows
    python -m nst.study.figures --photos a.jpg b.jpg --style night.jpg --out figures/

    1 inputs          the photos, and the painting if it is given
    2 losses          training and validation, of all networks
    3 learning rate   of all
    4 step 800        what the networks make of the photos early in training
    5 results         what they make of them in the end
    6 yellow details  the yellowest place of each, the orbs in which spots show, 8 times as large

Without --photos the page's own examples are shown, which are free to be passed on; the painting is
public domain too, but its file does not come with the project.
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.study.figures")

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from PIL import Image

from nst.artifacts.yellow import square_around, yellowest_place
from nst.checkpoint import load_networks
from nst.inference.picture import stylize
from nst.models import VARIANTS, TransformerNet
from nst.paper import EARLY_STEP
from nst.paths import ASSETS
from nst.pictures.examples import example_pictures
from nst.pictures.reading import limit_side, read_picture
from nst.study.claims import BLOCK, block_means, markdown, read_logs
from nst.training.data import crop_square

SIDE = 384  # px, of the stylized squares
DETAIL = 30  # px, side of the place that figure 6 magnifies
SHOWN = 240  # px, side of a square in a figure: a multiple of DETAIL, so that pixels stay square
HEADING = 24  # px
GAP = 6  # px
MARGIN = 24  # px, left of the pictures, for headings of rows
DPI = 100
# Of Okabe and Ito; the lines are told apart without colours too.
COLOURS = dict(zip(VARIANTS, ("#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7"), strict=True))
LINES = dict(zip(VARIANTS, ("-", "--", "-.", ":", (0, (7, 2, 1, 2, 1, 2))), strict=True))

Grid = Mapping[str, Sequence[Image.Image]]  # heading of a column: its pictures from top to bottom


def draw_inputs(photos: Sequence[Image.Image], style: Image.Image | None) -> Figure:
    """Figure 1: the photos beside each other, and the painting."""
    columns = {f"photo {number}": [photo] for number, photo in enumerate(photos, 1)}
    if style is not None:
        columns["style"] = [crop_square(style, SIDE)]
    return draw_grid(columns)


def draw_losses(logs: Mapping[str, pd.DataFrame]) -> Figure:
    """Figure 2: content, style, lattice and the sum as trained; training above, validation below.

    In v4's sum the lattice energy weighs 200, which adds less than 1 % after the first steps.
    """
    figure = Figure(figsize=(14, 6.4), layout="constrained")
    axes = figure.subplots(2, 4, sharex=True)
    for column, term in enumerate(("content", "style", "lattice", "total")):
        for name, log in logs.items():
            trained = block_means(log, term)
            steps = (trained.index + 0.5) * BLOCK  # the middle of each block
            axes[0, column].plot(steps, trained, **_line(name))
            validated = log.dropna(subset=[f"validation_{term}"])
            axes[1, column].plot(
                validated["step"],
                validated[f"validation_{term}"],
                marker=".",
                **_line(name),
            )
        axes[0, column].set_title(f"{term}, training (mean of {BLOCK} steps)", fontsize=10)
        axes[1, column].set_title(f"{term}, validation", fontsize=10)
        axes[1, column].set_xlabel("step")
    for axis in axes.flat:
        axis.set_yscale("log")
        low, high = axis.get_ylim()
        if high > 4 * low:
            axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.yaxis.set_minor_formatter(NullFormatter())
        else:
            axis.yaxis.set_minor_formatter("{x:g}")
        axis.yaxis.set_major_formatter("{x:g}")
        axis.grid(alpha=0.3, which="both")
    axes[0, 0].legend()
    return figure


def _line(network: str) -> dict[str, Any]:
    return {"color": COLOURS[network], "linestyle": LINES[network], "label": network}


def draw_learning_rates(logs: Mapping[str, pd.DataFrame]) -> Figure:
    """Figure 3: the learning rate of every step."""
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axis: Axes = figure.subplots()
    for name, log in logs.items():
        axis.plot(log["step"], log["lr"], **_line(name))
    axis.set_ylim(bottom=0)
    axis.set_xlabel("step")
    axis.set_ylabel("learning rate")
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def draw_results(
    photos: Sequence[Image.Image], networks: Mapping[str, TransformerNet]
) -> tuple[Figure, Figure]:
    """Figure 4 or 5, and 6: photos and results, and the yellowest place of each, magnified.

    Each network's own place: they paint their stars at different ones.
    """
    whole: dict[str, list[Image.Image]] = {"photo": list(photos)}
    for name, network in networks.items():
        whole[name] = [stylize(network, photo).picture for photo in photos]
    details = {
        name: [_yellow_detail(picture) for picture in pictures] for name, pictures in whole.items()
    }
    return draw_grid(whole), draw_grid(details)


def _yellow_detail(picture: Image.Image) -> Image.Image:
    return square_around(picture, yellowest_place(picture, DETAIL), DETAIL)


def draw_grid(columns: Grid, headings: Sequence[str] = ()) -> Figure:
    """Labelled columns of square pictures; small ones are magnified by repeating pixels.

    Args:
        headings: of the rows, if they have any.
    """
    rows = len(next(iter(columns.values())))
    margin = MARGIN if headings else 0
    width = margin + len(columns) * (SHOWN + GAP) - GAP
    height = HEADING + rows * (SHOWN + GAP) - GAP
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    for column, (heading, pictures) in enumerate(columns.items()):
        left = margin + column * (SHOWN + GAP)
        figure.text((left + SHOWN / 2) / width, 1 - 6 / height, heading, ha="center", va="top")
        for row, picture in enumerate(pictures):
            smaller = picture.width > SHOWN
            method = Image.Resampling.LANCZOS if smaller else Image.Resampling.NEAREST
            bottom = height - HEADING - row * (SHOWN + GAP) - SHOWN
            figure.figimage(picture.resize((SHOWN, SHOWN), method), left, bottom)
    for row, heading in enumerate(headings):
        middle = height - HEADING - row * (SHOWN + GAP) - SHOWN / 2
        place = {"ha": "left", "va": "center", "rotation": "vertical"}
        figure.text(4 / width, middle / height, heading, **place)
    return figure


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--style", type=Path, help="the painting, for figure 1")
    parser.add_argument("--out", type=Path, default=ASSETS, help="a folder; default: assets/")
    options = parser.parse_args(arguments)
    try:
        figures = draw_all(options.photos or example_pictures(), options.style)
        tables = markdown()
    except (ValueError, OSError) as error:  # of a photo, the painting or a checkpoint
        print(f"nst.study.figures: {error}", file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        path = options.out / f"{name}.png"
        figure.savefig(path, dpi=DPI)
        print(path)
    path = options.out / "claims.md"
    path.write_text(tables, encoding="utf-8")
    print(path)
    return 0


def draw_all(paths: Sequence[Path], painting: Path | None) -> dict[str, Figure]:
    """The six figures by the names of their files, of these photos."""
    photos = [crop_square(read_picture(path), SIDE) for path in paths]
    style = limit_side(read_picture(painting), 2 * SIDE) if painting else None
    logs = read_logs()
    early, _ = draw_results(photos, load_networks(step=EARLY_STEP))
    final, details = draw_results(photos, load_networks())
    return {
        "figure-1-inputs": draw_inputs(photos, style),
        "figure-2-losses": draw_losses(logs),
        "figure-3-learning-rate": draw_learning_rates(logs),
        f"figure-4-step-{EARLY_STEP}": early,
        "figure-5-results": final,
        "figure-6-yellow-details": details,
    }

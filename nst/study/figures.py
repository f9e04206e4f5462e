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

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from PIL import Image

from nst.artifacts.yellow import square_around, yellowest_place
from nst.checkpoint import load_networks
from nst.console import command_parser
from nst.inference.picture import stylize
from nst.models import TransformerNet
from nst.paper import EARLY_STEP
from nst.paths import ASSETS
from nst.pictures.examples import example_pictures
from nst.pictures.reading import limit_side, read_picture
from nst.reporting import DETAIL, draw_grid, line_style, save
from nst.study.common import read_logs
from nst.training.data import crop_square

SIDE = 384  # px, of the stylized squares
BLOCK = 100  # steps whose training losses are averaged: single batches differ too much


def draw_inputs(photos: Sequence[Image.Image], style: Image.Image | None) -> Image.Image:
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
            axes[0, column].plot(steps, trained, **line_style(name))
            validated = log.dropna(subset=[f"validation_{term}"])
            axes[1, column].plot(
                validated["step"],
                validated[f"validation_{term}"],
                marker=".",
                **line_style(name),
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


def block_means(log: pd.DataFrame, column: str) -> pd.Series:
    """The mean of a column over each whole block of `BLOCK` steps."""
    whole = log.head(len(log) // BLOCK * BLOCK)
    return whole[column].groupby((whole["step"] - 1) // BLOCK).mean()


def draw_learning_rates(logs: Mapping[str, pd.DataFrame]) -> Figure:
    """Figure 3: the learning rate of every step."""
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axis: Axes = figure.subplots()
    for name, log in logs.items():
        axis.plot(log["step"], log["lr"], **line_style(name))
    axis.set_ylim(bottom=0)
    axis.set_xlabel("step")
    axis.set_ylabel("learning rate")
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def draw_results(
    photos: Sequence[Image.Image], networks: Mapping[str, TransformerNet]
) -> tuple[Image.Image, Image.Image]:
    """Figure 4 or 5, and 6: photos and results, and the yellowest place of each, magnified.

    Each network's own place: their stars lie at different ones.
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


def draw_all(paths: Sequence[Path], painting: Path | None) -> dict[str, Figure | Image.Image]:
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = command_parser("nst.study.figures", __doc__)
    parser.add_argument("--photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--style", type=Path, help="the painting, for figure 1")
    parser.add_argument("--out", type=Path, default=ASSETS, help="a folder; default: assets/")
    options = parser.parse_args(arguments)
    try:
        for name, figure in draw_all(options.photos or example_pictures(), options.style).items():
            save(options.out / f"{name}.png", figure)
    except (ValueError, OSError) as error:  # of a photo, the painting or a checkpoint
        print(f"nst.study.figures: {error}", file=sys.stderr)
        return 1
    return 0

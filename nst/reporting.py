"""How results are shown: Markdown tables, grids of pictures, one kind of line for each network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from nst.files import write_then_rename
from nst.models import VARIANTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DETAIL = 30  # px, side of a place that a figure magnifies
SHOWN = 8 * DETAIL  # px, side of a square in a figure: pixels of a detail stay square
HEADING = 24  # px
GAP = 6  # px
MARGIN = 24  # px, left of the pictures, for headings of rows
# Of Okabe and Ito; the lines are told apart without colours too.
COLOURS = dict(zip(VARIANTS, ("#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7"), strict=True))
DASHES = dict(zip(VARIANTS, ("-", "--", "-.", ":", (0, (7, 2, 1, 2, 1, 2))), strict=True))


def line_style(network: str) -> dict[str, Any]:
    """What Matplotlib's `plot` takes."""
    return {"color": COLOURS[network], "linestyle": DASHES[network], "label": network}


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def draw_grid(
    columns: Mapping[str, Sequence[Image.Image]], headings: Sequence[str] = ()
) -> Image.Image:
    """Square pictures in labelled columns; small ones are magnified by repeating pixels.

    Args:
        columns: the pictures from top to bottom by the column's heading.
        headings: of the rows, if they have any.
    """
    margin = MARGIN if headings else 0
    rows = len(next(iter(columns.values())))
    size = (margin + len(columns) * (SHOWN + GAP) - GAP, HEADING + rows * (SHOWN + GAP) - GAP)
    sheet, font = Image.new("RGB", size, "white"), ImageFont.load_default(15)
    middle, tops = SHOWN // 2, range(HEADING, size[1], SHOWN + GAP)
    for heading, top in zip(headings, tops, strict=False):
        label = Image.new("RGB", (SHOWN, MARGIN), "white")
        place = {"fill": "black", "font": font, "anchor": "mm"}
        ImageDraw.Draw(label).text((middle, MARGIN // 2), heading, **place)
        sheet.paste(label.transpose(Image.Transpose.ROTATE_90), (0, top))
    for number, (heading, pictures) in enumerate(columns.items()):
        left = margin + number * (SHOWN + GAP)
        place = {"fill": "black", "font": font, "anchor": "ma"}
        ImageDraw.Draw(sheet).text((left + middle, 3), heading, **place)
        for picture, top in zip(pictures, tops, strict=True):
            smaller = picture.width > SHOWN
            method = Image.Resampling.LANCZOS if smaller else Image.Resampling.NEAREST
            sheet.paste(picture.resize((SHOWN, SHOWN), method), (left, top))
    return sheet


def save(path: Path, result: str | pd.DataFrame | Image.Image | Figure) -> None:
    """Write a file, complete or not at all, and say its name; pictures as PNG, rows as CSV."""

    def write(temporary: str) -> None:
        if isinstance(result, str):
            Path(temporary).write_text(result, encoding="utf-8")
        elif isinstance(result, pd.DataFrame):
            result.to_csv(temporary, index=False, float_format="%.5g")
        elif isinstance(result, Image.Image):
            result.save(temporary, format="PNG")
        else:
            result.savefig(temporary, format="png")

    write_then_rename(path, write)
    print(path)

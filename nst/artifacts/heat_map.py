"""The lattice ratio of each block, laid over its picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

BLOCK = 32  # px, side of what one value stands for
NONE, FULL = 4.0, 16.0  # dB, from no tint to the strongest; photos and no lattice: below 4
TINT = (235, 0, 170)  # a colour that neither photos nor the painting have much of
OPACITY = 0.6  # of the strongest
LEGEND = 44  # px, height of the scale below
GAP = 8  # px


def heat_map(decibels: NDArray[np.float64], size: tuple[int, int]) -> Image.Image:
    """What to lay over a picture of `size` (width, height): RGBA, clear where nothing repeats.

    (rows, columns) in dB, one for each 32 px block, or for the whole of a smaller side.  Beyond the
    last whole block, its value goes on to the border.
    """
    opacity = np.uint8(255 * OPACITY * np.clip((decibels - NONE) / (FULL - NONE), 0, 1))
    width, height = size
    rows = np.minimum(np.arange(height) // BLOCK, opacity.shape[0] - 1)
    columns = np.minimum(np.arange(width) // BLOCK, opacity.shape[1] - 1)
    layer = Image.new("RGBA", size, (*TINT, 255))
    layer.putalpha(Image.fromarray(opacity[np.ix_(rows, columns)]))
    return layer


def draw_heat_maps(
    pictures: Sequence[Image.Image], maps: Sequence[NDArray[np.float64]]
) -> Image.Image:
    """The pictures beside each other under their heat maps, and the scale: RGB."""
    width = sum(picture.width + GAP for picture in pictures) - GAP
    height = max(picture.height for picture in pictures)
    sheet = Image.new("RGB", (max(width, 220), height + LEGEND), "white")
    left = 0
    for picture, decibels in zip(pictures, maps, strict=True):
        tinted = picture.convert("RGBA")
        tinted.alpha_composite(heat_map(decibels, picture.size))
        sheet.paste(tinted.convert("RGB"), (left, 0))
        left += picture.width + GAP
    _draw_scale(sheet, height)
    return sheet


def _draw_scale(sheet: Image.Image, top: int) -> None:
    """A bar of the tint over grey, and its values in dB."""
    left, length, pen = 12, 150, ImageDraw.Draw(sheet)
    bar = Image.new("RGBA", (length, 14), (128, 128, 128, 255))
    steps = np.linspace(NONE, FULL, length)[None]
    bar.alpha_composite(heat_map(steps, (length * BLOCK, 14)).resize((length, 14), 0))
    sheet.paste(bar.convert("RGB"), (left, top + 6))
    font = ImageFont.load_default(12)
    for value in range(int(NONE), int(FULL) + 1, 4):
        x = left + (value - NONE) / (FULL - NONE) * (length - 1)
        pen.text((x, top + 22), f"{value}", fill="black", font=font, anchor="ma")
    pen.text((left + length + 12, top + 22), "lattice, dB", fill="black", font=font, anchor="la")

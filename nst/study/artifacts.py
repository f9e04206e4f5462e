"""Measures of what upsampling leaves in a picture: red spots in yellow areas, and regular grids.

The paper sees "array-like red spots in the yellow orbs" of its lightweight networks.  Here a red
spot is a dot of a few pixels in a yellow area that is much redder than all that surrounds it; edges
and brush strokes, which are long in some direction, are none.  A grid is power at the frequencies
of the two upsamplings, 1/2 and 1/4 cycles per pixel, above that of the frequencies beside them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

CALM = 9  # px, side of the median filter that leaves out details
LINE = 7  # px; a dot is shorter in every direction
YELLOW_HUES = (35, 70)  # degrees
RED_EXCESS = 30  # levels of 255 that R − G lies above what surrounds it


def yellow_area(picture: Image.Image) -> NDArray[np.bool_]:
    """Where an RGB picture is yellow when its details are left out: (H, W)."""
    calm = picture.filter(ImageFilter.MedianFilter(CALM)).convert("HSV")
    hue, saturation, value = np.moveaxis(np.asarray(calm, dtype=np.float32), 2, 0)
    low, high = (degrees / 360 * 255 for degrees in YELLOW_HUES)
    return (hue >= low) & (hue <= high) & (saturation > 0.35 * 255) & (value > 0.5 * 255)


def red_spots(picture: Image.Image) -> NDArray[np.bool_]:
    """The pixels of small red dots in the yellow areas of an RGB picture: (H, W).

    A top-hat transform of R − G: what is left above its openings by lines in four directions is
    shorter than the line in all of them (Soille, "Morphological Image Analysis", 2003).
    """
    pixels = np.asarray(picture, dtype=np.int16)
    redness = pixels[..., 0] - pixels[..., 1]
    lines = ((0, 1), (1, 0), (1, 1), (1, -1))
    surroundings = np.max([_open_by_line(redness, *direction) for direction in lines], axis=0)
    return (redness - surroundings > RED_EXCESS) & yellow_area(picture)


def _open_by_line(values: NDArray[np.int16], down: int, across: int) -> NDArray[np.int16]:
    """The morphological opening by a line of `LINE` pixels: its least value, then its greatest."""
    reach = LINE // 2
    for take in (np.minimum, np.maximum):
        padded = np.pad(values, reach, mode="edge")
        height, width = values.shape
        shifted = [
            padded[reach + k * down :, reach + k * across :][:height, :width]
            for k in range(-reach, reach + 1)
        ]
        values = take.reduce(shifted)
    return values


def yellowest_place(picture: Image.Image, side: int) -> tuple[int, int]:
    """The centre (x, y) in px of the side×side square that holds most yellow; the middle if none.

    Raises:
        ValueError: the picture is smaller than the square.
    """
    yellow = yellow_area(picture)
    height, width = yellow.shape
    if side > min(height, width):
        raise ValueError(f"{width}×{height} px holds no square of {side} px")
    if not yellow.any():
        return width // 2, height // 2
    sums = np.zeros((height + 1, width + 1), dtype=np.int64)  # of all pixels above and to the left
    sums[1:, 1:] = yellow.cumsum(0).cumsum(1)
    squares = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    top, left = np.unravel_index(squares.argmax(), squares.shape)
    return int(left) + side // 2, int(top) + side // 2


def grid_decibels(picture: Image.Image) -> float:
    """How far grids of 2 and 4 px stand out of the picture's own detail, in dB; 0: not at all.

    The mean over the grid's frequencies of 10·log₁₀ of their power over the median power of the
    frequencies around them, in the luminance, windowed (Hann) against the picture's borders.
    """
    luminance = np.asarray(picture.convert("L"), dtype=np.float64)
    height, width = (length // 4 * 4 for length in luminance.shape)
    luminance = luminance[:height, :width] - luminance.mean()
    luminance *= np.hanning(height)[:, None] * np.hanning(width)
    power = np.abs(np.fft.fft2(luminance)) ** 2 + 1e-9  # so that a flat picture has no grid
    levels = []
    for down in (0, 1, 2):  # quarters of a cycle per px
        for across in (0, 1, 2):
            if down or across:
                row, column = down * height // 4, across * width // 4
                rows = np.arange(row - 6, row + 7)[:, None] % height
                columns = np.arange(column - 6, column + 7) % width
                around = power[rows, columns]
                peak = around[5:8, 5:8].max()  # the Hann window spreads it over three bins
                levels.append(10 * np.log10(peak / np.median(around)))
    return float(np.mean(levels)) - PEAK_OF_NOISE


PEAK_OF_NOISE = 10 * np.log10(np.log(9) / np.log(2))  # what the largest of 9 bins has by chance

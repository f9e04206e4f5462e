"""Where a picture is yellow, as the orbs of the painting are: their colour, not their details."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

CALM = ImageFilter.BoxBlur(5.5)  # a mean over 12 px, which no pattern of 2, 3, 4 or 6 px outlives
HUES = (28, 70)  # degrees: orange lamps to the painting's greenish halos
LEAST_SATURATION = 0.35
LEAST_VALUE = 0.5


def yellow_area(picture: Image.Image) -> NDArray[np.bool_]:
    """Where an RGB picture is yellow when its details are left out: (H, W)."""
    calm = np.asarray(picture.filter(CALM).convert("HSV"), dtype=np.float32) / 255
    hue, saturation, value = np.moveaxis(calm, 2, 0)
    low, high = (degrees / 360 for degrees in HUES)
    return (hue >= low) & (hue <= high) & (saturation > LEAST_SATURATION) & (value > LEAST_VALUE)


def yellowest_place(picture: Image.Image, side: int) -> tuple[int, int]:
    """The centre (x, y) in px of the side×side square that shows most yellow; the middle if none.

    Yellow by degrees, so that there is a yellowest place in a pale or a dim picture too: the square
    of how far blue stays below red and green, details left out.  It counts less towards the
    square's sides, so that an orb comes to lie in the middle.

    Raises:
        ValueError: the picture is smaller than the square.
    """
    width, height = picture.size
    if side > min(height, width):
        raise ValueError(f"{width}×{height} px holds no square of {side} px")
    red, green, blue = np.moveaxis(np.asarray(picture.filter(CALM), dtype=np.float32), 2, 0)
    yellow = np.maximum(np.minimum(red, green) - blue, 0) ** 2
    if not yellow.any():
        return width // 2, height // 2
    slope = 1 - np.abs(np.arange(side) - (side - 1) / 2) / (side / 2)
    for axis in (0, 1):
        lines = np.lib.stride_tricks.sliding_window_view(yellow, side, axis=axis)
        yellow = lines @ slope.astype(np.float32)
    top, left = np.unravel_index(yellow.argmax(), yellow.shape)
    return int(left) + side // 2, int(top) + side // 2


def square_around(picture: Image.Image, place: tuple[int, int], side: int) -> Image.Image:
    """The side×side square that has its centre there, as by `yellowest_place`."""
    left, top = (coordinate - side // 2 for coordinate in place)
    return picture.crop((left, top, left + side, top + side))

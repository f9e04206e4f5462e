"""The lattice ratio of each block, laid over its picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BLOCK = 32  # px, side of what one value stands for
NONE, FULL = 4.0, 16.0  # dB, from no tint to the strongest; photos and no lattice: below 4
TINT = (235, 0, 170)  # a colour that neither photos nor the painting have much of
OPACITY = 0.6  # of the strongest


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

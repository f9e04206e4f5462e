"""What repeats every 2, 4, 8 or 16 px in a picture, in any colour: each period by itself.

The lattice ratio (`nst.artifacts.measure`) asks for 2 and 4 px together and takes 8 px for detail.
Here each frequency of a period is compared with its neighbours in the spectrum: a picture's detail
is as strong beside a lattice frequency as on it, whatever its spectrum; a pattern is not.

High-pass the picture, take blocks of 64×64 px and their power P(u, v), the mean over blocks and
channels.  A period of p px has the frequencies whose u and v are multiples of 64 / p, without those
of p / 2.  The ratio in dB is 10·log₁₀ of the mean over them of P over the mean of its 24 neighbours
(5×5 without the middle).  Rounding to 8 bits is added to both, so that a flat picture has 0 dB.

An array of dots has all overtones: what repeats every 8 px shows at 4 and 2 px too, the longest
period that stands out is its own.  JPEG's blocks repeat every 8 px: beside a picture belongs its
photo, and only what goes beyond the photo is the network's.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from nst.artifacts.measure import high_pass

PERIODS = (2, 4, 8, 16)  # px
SIDE = 64  # px, of a block
ROUNDING = 1 / 12 / SIDE**2  # levels², of one frequency, by rounding to whole levels


def period_ratios(picture: Image.Image) -> dict[int, float] | None:
    """The ratio in dB of each period in px, of an RGB picture; None: a side is below 64 px."""
    rows, columns = (side // SIDE for side in (picture.height, picture.width))
    if not (rows and columns):
        return None
    fine = high_pass(np.ascontiguousarray(np.moveaxis(np.asarray(picture), 2, 0)))
    fine = fine[:, : rows * SIDE, : columns * SIDE] / np.float32(64)  # levels
    blocks = np.moveaxis(fine.reshape(3, rows, SIDE, columns, SIDE), 3, 2)
    power = (np.abs(np.fft.fft2(blocks) / SIDE**2) ** 2).mean((0, 1, 2)) + ROUNDING
    steps = range(-2, 3)
    around = sum(np.roll(power, (down, across), (0, 1)) for down in steps for across in steps)
    ratios = power / ((around - power) / 24)
    return {period: float(10 * np.log10(ratios[_frequencies(period)].mean())) for period in PERIODS}


def _frequencies(period: int) -> np.ndarray:
    """Where those of a period are that no shorter one has: (64, 64)."""
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[:: SIDE // period, :: SIDE // period] = True
    mask[:: 2 * SIDE // period, :: 2 * SIDE // period] = False
    return mask

"""What upsampling leaves in a picture: a lattice of 4 px, and where it shows as red spots.

The paper sees "array-like red spots within the yellow orbs" of its lightweight networks.  A decoder
doubles twice, so what it leaves repeats every 2 or 4 px at fixed places of the pixel grid.
Strokes, edges and noise are locked to no place.  Three measures rest on that:

**Lattice ratio** of a picture, in dB: 0 is noise, photos have -8 to 7 and most of them 0 to 4, a
picture whose details are all lattice has 18.  High-pass the picture by taking out the separable
[1 2 2 2 1]/8 blur, which is blind to periods of 2 and 4 px.  In a block of 32×32 px and one channel
take the mean m(i, j) of the pixels whose row is i and column j modulo 8, and its discrete Fourier
transform M(u, v)

    lattice   L = Σ |M(u, v)|² / 64²    over the 15 frequencies with u and v even: periods 4 and 2
    unlocked  U = max(15/1024 · s, 15/48 · Σ |M(u, v)|² / 64²  over the 48 others)

s is the block's mean square.  If its detail were locked to nothing, each of 1024 frequencies would
hold s / 1024; and what repeats every 8 px, as JPEG's blocks do, fills the 48 between as well.  The
ratio is 10·log₁₀(mean L / mean U) over channels and blocks, or over the channels of one block.
Rounding to 8 bits is added to both, so that a flat picture has 0 dB.  (L is the lattice energy that
v4's loss holds down, `nst.loss`, in levels of 255.  Frequencies of upsampling as the mark of
convolutional decoders: Odena et al., "Deconvolution and Checkerboard Artifacts", 2016; Durall et
al., "Watch your Up-Convolution", 2020.  Locking to the grid's phases, and U, are our own.)

**Array-like red spots**: the same in R − G ("redness") in windows of 16×16 px, every 4 px, of which
three quarters are yellow (`nst.artifacts.yellow`); only yellow counts.  A stroke is constant along
one direction, so its power lies on one line of frequencies through 0: of rows, columns and the two
diagonals the strongest is taken out of L, which leaves A.  There are spots where A lies four times
above what the other 48 frequencies hold on average for as many, and where the dots stand out by 24
levels.  That contrast is 16 · √(A / 12): dots of one pixel in 4×4 that are redder by c levels have
just A = 12 · (c / 16)².  A pattern in one direction, a single dot, noise and 8 px have no A.

`nst.artifacts.periods` has 2, 4, 8 and 16 px each by itself.

**Flat field**: networks see constant colours, where anything but a constant colour is their own.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

from nst.artifacts.yellow import yellow_area

if TYPE_CHECKING:
    from torch import Tensor

PERIOD = 4  # px
BLOCK = 32  # px, side of what one value of the lattice map stands for
WINDOW = 16  # px, of the red spots: smaller than an orb
YELLOW_PART = 0.75  # of a window, at least
PROMINENCE = 4  # times what other frequencies hold
CONTRAST = 24  # levels of 255 that a dot is redder, at least
APART = 32  # px between two worst places
ROUNDING = 1 / 12 * 15 / 1024  # levels², the lattice energy of rounding to whole levels
MARGIN = 32  # px that the flat field leaves out along the borders
PALETTE = tuple(product((0.0, 0.5, 1.0), repeat=3))  # the constant colours

# Of the frequencies (u, v) / 8 of 8×8 phases: those of periods 2 and 4 px, and all others.
LATTICE = np.zeros((8, 8), dtype=bool)
LATTICE[::2, ::2] = True
BETWEEN = ~LATTICE
LATTICE[0, 0] = False


class Artifacts(NamedTuple):
    """What was found in one picture of H×W px."""

    lattice_db: float
    lattice_map: NDArray[np.float64]  # dB of each whole block, (H // 32, W // 32)
    array_share: float | None  # of the yellow area, 0-1; None: too little yellow to judge
    array_contrast: float  # levels of 255, the mean where there are spots; 0 without any
    contrast_map: NDArray[np.float64]  # the strongest spots of each block of the lattice map
    worst_spots: dict[tuple[int, int], float]  # (x, y) in px -> contrast, the strongest first; 0-8
    worst_lattice: dict[tuple[int, int], float]  # (x, y) in px -> L - U in levels²; 1-8

    @property
    def worst(self) -> tuple[int, int]:
        """Spots before lattice."""
        return (*self.worst_spots, *self.worst_lattice)[0]


def measure(picture: Image.Image) -> Artifacts:
    """All measures of an RGB picture of at least 16×16 px.

    Raises:
        ValueError: a side is below 16 px.
    """
    if min(picture.size) < WINDOW:
        raise ValueError(f"{picture.width}×{picture.height} px is too small: {WINDOW} px at least")
    fine = high_pass(np.ascontiguousarray(np.moveaxis(np.asarray(picture), 2, 0)))  # (3, H, W)
    lattice, unlocked = energies_by_block(fine)
    spots, judged = _red_spots(fine[0] - fine[1], yellow_area(picture))
    found = spots[spots > 0]
    return Artifacts(
        _decibels(lattice.mean(), unlocked.mean()),
        _decibels(lattice, unlocked),
        len(found) / judged if judged else None,
        float(found.mean()) if len(found) else 0.0,
        _strongest_of_blocks(spots, lattice.shape),
        _worst_places(spots, PERIOD),
        _worst_places(lattice - unlocked, BLOCK, least=1),
    )


def high_pass(pixels: NDArray[np.uint8]) -> NDArray[np.int16]:
    """(3, H, W) less its separable [1 2 2 2 1]/8 blur, which takes out periods of 2 and 4 px.

    In 64ths of a level: whole numbers, which 16 bits hold.
    """
    padded = np.pad(pixels, ((0, 0), (2, 2), (2, 2)), mode="reflect").astype(np.int16)
    across = padded[..., 1:-3] + padded[..., 2:-2] + padded[..., 3:-1]
    across = 2 * across + padded[..., :-4] + padded[..., 4:]
    blurred = across[:, 1:-3] + across[:, 2:-2] + across[:, 3:-1]
    blurred = 2 * blurred + across[:, :-4] + across[:, 4:]
    return np.int16(64) * pixels - blurred


def energies_by_block(fine: NDArray[np.int16]) -> tuple[NDArray, NDArray]:
    """L and U of each block in levels², means over channels: (3, H, W) -> twice (rows, columns).

    A picture of less than 32 px has one block of as many times 8 px as it holds.
    """
    down, across = (min(BLOCK, side // 8 * 8) for side in fine.shape[1:])
    rows, columns = fine.shape[1] // down, fine.shape[2] // across
    fine = fine[:, : rows * down, : columns * across]
    phases = fine.reshape(3, rows, down // 8, 8, -1).sum(2, dtype=np.int32)
    phases = phases.reshape(3, rows, 8, columns, across // 8, 8).sum(4)
    phases = np.moveaxis(phases, 2, 3) / (64 * (down // 8) * (across // 8))  # means, in levels
    power = _power(phases)  # (3, rows, columns, 8, 8)
    lattice = power[..., LATTICE].sum(-1).mean(0)
    between = power[..., BETWEEN].sum(-1).mean(0) * 15 / 48
    square = np.square(fine / np.float32(64)).reshape(3, rows, down, columns * across)
    square = square.mean((0, 2)).reshape(rows, columns, across).mean(2)
    return lattice, np.maximum(square * 15 / (down * across), between)


def _power(phases: NDArray[np.float32]) -> NDArray[np.float64]:
    """Of the 64 frequencies of 8×8 phases, (..., 8, 8); their sum is the phases' mean square."""
    return np.abs(np.fft.fft2(phases) / 64) ** 2


def _decibels(lattice: NDArray, unlocked: NDArray) -> NDArray[np.float64]:
    return 10 * np.log10((lattice + ROUNDING) / (unlocked + ROUNDING))


def _red_spots(
    redness: NDArray[np.int16], yellow: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], int]:
    """The contrast of spots around each 4 px cell, 0 where none are, and the number of windows.

    High-passed R − G in 64ths of a level and the yellow area, both (H, W), -> (H // 4, W // 4):
    the value of each window stands at its middle.
    """
    rows, columns = (side // PERIOD for side in redness.shape)
    cells = yellow[2::PERIOD, 2::PERIOD][:rows, :columns]
    mask = cells.repeat(PERIOD, 0).repeat(PERIOD, 1)
    fine = redness[: rows * PERIOD, : columns * PERIOD] * mask
    per_side = WINDOW // PERIOD
    counts = sliding_window_view(cells, (per_side, per_side)).sum((2, 3))  # yellow cells of 16
    tops, lefts = np.nonzero(counts >= YELLOW_PART * per_side**2)
    windows = sliding_window_view(fine, (WINDOW, WINDOW))[::PERIOD, ::PERIOD]
    spots = np.zeros((rows, columns))
    for start in range(0, len(tops), 4096):  # a few MB at a time
        top, left = tops[start : start + 4096], lefts[start : start + 4096]
        phases = windows[top, left].reshape(-1, 2, 8, 2, 8).sum((1, 3), dtype=np.int32)
        samples = counts[top, left, None, None] / 4  # yellow pixels of each phase, on average
        power = _power(phases / (64 * samples))
        arrays = _without_strokes(power[:, ::2, ::2])
        clear = arrays / 12 > PROMINENCE * power[:, BETWEEN].mean(1)
        contrast = 16 * np.sqrt(arrays / 12)
        spots[top + per_side // 2, left + per_side // 2] = np.where(
            clear & (contrast >= CONTRAST), contrast, 0
        )
    return spots, len(tops)


def _without_strokes(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """A of the lattice's power at 4×4 frequencies: (N, 4, 4) -> (N,)."""
    directions = (
        power[:, 0, 1:].sum(1),
        power[:, 1:, 0].sum(1),
        power[:, 1, 1] + power[:, 2, 2] + power[:, 3, 3],
        power[:, 1, 3] + power[:, 2, 2] + power[:, 3, 1],
    )
    rest = power.sum((1, 2)) - power[:, 0, 0] - np.max(directions, axis=0)
    return np.maximum(rest, 0)  # rounding may leave less


def _strongest_of_blocks(spots: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    """What is strongest in each block of the lattice map; the last ones go on to the border."""
    down, across = (np.arange(count) * (BLOCK // PERIOD) for count in shape)
    return np.maximum.reduceat(np.maximum.reduceat(spots, down, axis=0), across, axis=1)


def _worst_places(
    values: NDArray[np.float64], size: int, least: int = 0, most: int = 8
) -> dict[tuple[int, int], float]:
    """The largest values above 0, each of which stands for so many px, and their (x, y)."""
    places: dict[tuple[int, int], float] = {}
    left, reach = values.copy(), APART // size
    while len(places) < most:
        row, column = (int(index) for index in np.unravel_index(left.argmax(), left.shape))
        if left[row, column] <= 0 and len(places) >= least:
            break
        places[column * size + size // 2, row * size + size // 2] = float(left[row, column])
        top, start = max(row - reach + 1, 0), max(column - reach + 1, 0)
        left[top : row + reach, start : column + reach] = 0
    return places


def flat_field(network: Callable[[Tensor], Tensor]) -> NDArray[np.float64]:
    """What a network makes of constant colours: their deviation in levels of 255, one for each.

    The root of the mean square over channels and pixels, 32 px away from the borders, of the
    result less its own mean colour; networks take and give RGB in [0, 1], (1, 3, H, W).
    """
    import torch  # here: to measure a picture needs none

    deviations = []
    with torch.inference_mode():
        for colour in PALETTE:
            flat = torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, 128, 128).contiguous()
            inside = network(flat)[..., MARGIN:-MARGIN, MARGIN:-MARGIN].float().clamp(0, 1)
            deviation = inside - inside.mean((2, 3), keepdim=True)
            deviations.append(255 * deviation.square().mean().sqrt().item())
    return np.array(deviations)

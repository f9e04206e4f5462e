"""Lattice and red spots of a picture, as the viewer shows them; small enough to be kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nst.artifacts.measure import BLOCK, Artifacts, measure
from nst.artifacts.yellow import yellowest_place
from nst.pictures.reading import limit_side

SQUARE = 60  # px, of the yellowest place: what a pane of 480 px shows at 8×
LATTICE_STEPS = (4, 8, 12)  # dB; photos and what has no lattice stay below the first
SPOT_STEPS = (24, 40, 64)  # levels of 255 that a dot is redder
LOOKED_AT = 512  # px, the longer side on which yellow is looked for

Place = tuple[int, int]  # x, y in px


class Spots(NamedTuple):
    """See `nst.artifacts.measure`; what can be looked for are "spots", "grid" and "yellow"."""

    lattice_db: float
    array_share: float | None  # of the yellow area, 0–1; None: too little yellow to judge
    worst: dict[str, list[tuple[int, int, str]]]  # x, y and what is there; the strongest first
    heat: dict[str, list[str]]  # a digit for each block: how many of the steps it reaches


def find_spots(picture: Image.Image) -> Spots:
    """Measure an RGB picture of at least 16×16 px."""
    found, yellowest = measure(picture), _yellowest(picture)
    return Spots(
        float(found.lattice_db),
        found.array_share,
        {
            "spots": [(*place, _redder(by)) for place, by in found.worst_spots.items()],
            "grid": [(*place, _grid_there(found, place)) for place in found.worst_lattice],
            "yellow": [(*yellowest, _at_the_yellowest(found, yellowest))],
        },
        {
            "spots": _digits(found.contrast_map, SPOT_STEPS),
            "grid": _digits(found.lattice_map, LATTICE_STEPS),
        },
    )


def _redder(contrast: float) -> str:
    return f"spots that are {contrast:.0f} levels of 255 redder"


def _at_the_yellowest(found: Artifacts, place: Place) -> str:
    contrast = found.contrast_map[_block(found, place)]
    return _redder(contrast) if contrast else f"{_grid_there(found, place)}, no spots"


def _grid_there(found: Artifacts, place: Place) -> str:
    return f"grid of {found.lattice_map[_block(found, place)]:.1f} dB".replace("-", "−")


def _block(found: Artifacts, place: Place) -> tuple[int, int]:
    """Row and column of what holds a place."""
    rows, columns = found.lattice_map.shape
    return min(place[1] // BLOCK, rows - 1), min(place[0] // BLOCK, columns - 1)


def _digits(values: NDArray[np.float64], steps: tuple[int, ...]) -> list[str]:
    return ["".join(map(str, row)) for row in np.digitize(values, steps)]


def _yellowest(picture: Image.Image) -> Place:
    small = limit_side(picture, LOOKED_AT)
    scale = picture.width / small.width
    x, y = yellowest_place(small, min(round(SQUARE / scale), *small.size))
    return min(round(x * scale), picture.width - 1), min(round(y * scale), picture.height - 1)

"""Lattice and red spots of a picture, as the viewer shows them; small enough to be kept."""

from __future__ import annotations

import base64
import io
from typing import NamedTuple

import numpy as np
from PIL import Image

from nst.artifacts.measure import BLOCK, Artifacts, measure
from nst.artifacts.yellow import yellowest_place
from nst.pictures.reading import limit_side

SQUARE = 60  # px, of the yellowest place: what a pane of 480 px shows at 8×
HEAT = (4, 8, 12)  # dB; photos and what has no lattice stay below the first
LOOKED_AT = 512  # px, the longer side on which yellow is looked for

Place = tuple[int, int]  # x, y in px


class Spots(NamedTuple):
    """See `nst.artifacts.measure`."""

    lattice_db: float
    array_share: float | None  # of the yellow area, 0–1; None: too little yellow to judge
    worst: list[tuple[int, int, str]]  # x, y and what is there; the strongest first
    yellowest: Place
    heat: list[str]  # a digit for each block of the lattice: how many of `HEAT` it reaches


def find_spots(picture: Image.Image) -> Spots:
    """Measure an RGB picture of at least 16×16 px."""
    found = measure(picture)
    return Spots(
        float(found.lattice_db),
        found.array_share,
        [
            (x, y, _what_is_there(found, x, y, contrast))
            for (x, y), contrast in zip(found.worst, found.worst_contrast, strict=True)
        ],
        _yellowest(picture),
        ["".join(map(str, row)) for row in np.digitize(found.lattice_map, HEAT)],
    )


def _what_is_there(found: Artifacts, x: int, y: int, contrast: float) -> str:
    """At one of the worst places."""
    if contrast:
        return f"spots that are {contrast:.0f} levels of 255 redder"
    rows, columns = found.lattice_map.shape
    block = found.lattice_map[min(y // BLOCK, rows - 1), min(x // BLOCK, columns - 1)]
    return f"grid of {block:.1f} dB, no spots".replace("-", "−")


def _yellowest(picture: Image.Image) -> Place:
    small = limit_side(picture, LOOKED_AT)
    scale = picture.width / small.width
    x, y = yellowest_place(small, min(round(SQUARE / scale), *small.size))
    return min(round(x * scale), picture.width - 1), min(round(y * scale), picture.height - 1)


def inline(picture: Image.Image) -> str:
    """A small picture as an address that holds it, without a file."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"

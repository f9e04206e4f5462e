"""What the largest pictures cost, from how long a smaller one took here and the measured table."""

from __future__ import annotations

import csv
from collections import Counter
from functools import cache

import numpy as np

from nst.paths import ASSETS
from nst.web.page.session import Results

TABLE = ASSETS / "cost.csv"  # of `nst.benchmark.cost`


def seconds_per_megapixel(results: Results, side: int) -> dict[str, float]:
    """Of pictures of side × side px, about, by network that has run: a pixel of a large picture
    takes longer, since the activations do not fit into the processor's caches.
    """
    pixels = results.photo.size[0] * results.photo.size[1]
    factor = 1e6 / pixels * _seconds_for_a_pixel(side**2) / _seconds_for_a_pixel(pixels)
    return {name: round(made.seconds * factor, 2) for name, made in results.made.items()}


def _seconds_for_a_pixel(pixels: int) -> float:
    """Of a picture of so many, by all networks together, where the table was measured."""
    table = _table()
    return float(np.interp(np.log(pixels), np.log(list(table)), list(table.values())))


@cache
def _table() -> dict[int, float]:
    """Pixels, and seconds for each of them by all networks together."""
    seconds: Counter[int] = Counter()
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            pixels = int(row["width"]) * int(row["height"])
            seconds[pixels] += float(row["seconds"]) / pixels
    return dict(sorted(seconds.items()))

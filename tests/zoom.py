"""What the viewer shows of a picture at a zoom; the formula of assets/viewer/viewport.js."""

from __future__ import annotations

import math

from PIL import Image

Box = tuple[float, float, float, float]  # left, top, right, bottom in px of the picture


def region(size: tuple[int, int], x: float, y: float, zoom: float, width: int, height: int) -> Box:
    """The part of a picture that a pane shows, centred as near to (x, y) as the picture reaches.

    It starts at a whole screen pixel, so that panning is smooth and every pixel of the picture
    covers zoom×zoom pixels of the screen.

    Args:
        size: width and height of the picture in px.
        x, y: the centre in percent of width and height, 0–100.
        zoom: how many screen pixels a side one pixel becomes, above 0.
        width, height: of the pane in screen pixels.
    """
    (left, right), (top, bottom) = (
        _span(length, percent, zoom, side)
        for length, percent, side in zip(size, (x, y), (width, height), strict=True)
    )
    return left, top, right, bottom


def _span(length: int, percent: float, zoom: float, side: int) -> tuple[float, float]:
    extent = side / zoom
    if length <= extent:
        return 0, length
    start = math.floor((length * percent / 100 - extent / 2) * zoom + 0.5) / zoom
    start = min(max(start, 0), length - extent)
    return start, start + extent


def magnify(
    picture: Image.Image, x: float, y: float, zoom: float, width: int, height: int
) -> Image.Image:
    """What is shown from 2× on: every pixel repeated, not smoothed; see `region`."""
    left, top, right, bottom = region(picture.size, x, y, zoom, width, height)
    size = (round((right - left) * zoom), round((bottom - top) * zoom))
    return picture.resize(size, Image.Resampling.NEAREST, box=(left, top, right, bottom))

"""The same region of pictures of one size, magnified by repeating pixels."""

from __future__ import annotations

from PIL import Image

ZOOM_SIDE = 480  # px, of the magnified region

Box = tuple[int, int, int, int]  # left, top, right, bottom in px


def region(size: tuple[int, int], x: float, y: float, zoom: int) -> Box:
    """The part of a picture that fills `ZOOM_SIDE` at `zoom`×, centred as near to (x, y) as fits.

    Args:
        size: width and height of the picture in px.
        x, y: the centre in percent of width and height, 0–100.
        zoom: how many screen pixels a side one pixel becomes, at least 1.
    """
    box = []
    for length, percent in zip(size, (x, y), strict=True):
        extent = min(length, max(1, ZOOM_SIDE // zoom))
        start = round(length * percent / 100 - extent / 2)
        start = min(max(start, 0), length - extent)
        box.append((start, start + extent))
    (left, right), (top, bottom) = box
    return left, top, right, bottom


def magnify(picture: Image.Image, x: float, y: float, zoom: int) -> Image.Image:
    """The region around (x, y), every pixel repeated zoom×zoom; see `region`."""
    zoom = max(1, int(zoom))
    left, top, right, bottom = region(picture.size, x, y, zoom)
    size = ((right - left) * zoom, (bottom - top) * zoom)
    return picture.crop((left, top, right, bottom)).resize(size, Image.Resampling.NEAREST)


def percent_of_click(
    click: tuple[float, float], box: Box, size: tuple[int, int]
) -> tuple[float, float]:
    """Where a click lies in the whole picture, in percent of its width and height.

    Args:
        click: the pixel clicked, counted from the box's left top corner.
        box: the part of the picture that was clicked in.
        size: width and height of the whole picture.
    """
    x, y = (
        round(100 * (start + position + 0.5) / length, 1)
        for start, position, length in zip(box[:2], click, size, strict=True)
    )
    return min(x, 100.0), min(y, 100.0)

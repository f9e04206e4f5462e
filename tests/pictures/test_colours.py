"""A PNG's transparent level lies on white at every depth, and no other level does."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from nst.pictures.reading import read_picture
from tests.helpers import png_chunk

SIDE = 32
GREY, RGB = 0, 2  # colour types


def png(levels: list, depth: int, colour_type: int, clear: list[int]) -> bytes:
    """Stripes of 8 px in the levels given, of which one is called transparent."""
    row = np.repeat(np.array(levels), 8, axis=0).ravel()  # one value for each channel
    assert len(levels) * 8 == SIDE
    bits = (row[:, None] >> np.arange(depth)[::-1]) & 1  # the first bit first
    rows = (b"\0" + np.packbits(bits.astype(np.uint8)).tobytes()) * SIDE
    header = struct.pack(">IIBBBBB", SIDE, SIDE, depth, colour_type, 0, 0, 0)
    transparent = struct.pack(f">{len(clear)}H", *clear)
    chunks = (
        (b"IHDR", header),
        (b"tRNS", transparent),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


@pytest.mark.parametrize(
    ("depth", "levels", "clear", "expected"),
    [
        (16, [0, 30000, 256, 65535], 256, [0, 117, 255, 255]),
        (16, [0, 30000, 256, 65535], 0, [255, 117, 1, 255]),
        (16, [30000, 30001, 29999, 30000 ^ 256], 30000, [255, 117, 117, 116]),
        (16, [0, 1, 2, 3], 7, [0, 0, 0, 0]),
        (8, [0, 100, 200, 255], 100, [0, 255, 200, 255]),
        (4, [0, 3, 7, 15], 3, [0, 255, 119, 255]),
        (4, [0, 3, 7, 15], 0, [255, 51, 119, 255]),
        (2, [0, 1, 2, 3], 1, [0, 255, 170, 255]),
        (1, [0, 1, 0, 1], 0, [255, 255, 255, 255]),
        (1, [0, 1, 0, 1], 1, [0, 255, 0, 255]),
    ],
)
def test_grey(depth: int, levels: list[int], clear: int, expected: list[int]) -> None:
    picture = read_picture(png(levels, depth, GREY, [clear]))
    shown = [picture.getpixel((8 * stripe + 4, 9)) for stripe in range(4)]
    assert [red for red, _, _ in shown] == pytest.approx(expected, abs=1)
    assert all(red == green == blue for red, green, blue in shown)


@pytest.mark.parametrize("depth", [8, 16])
def test_colours(depth: int) -> None:
    unit = 257 if depth == 16 else 1
    levels = [[200, 100, 50], [200, 100, 51], [0, 0, 0], [255, 255, 255]]
    levels = [[value * unit for value in level] for level in levels]
    if depth == 16:
        levels[1] = [levels[0][0], levels[0][1], levels[0][2] + 1]  # differs in the low byte only
    picture = read_picture(png(levels, depth, RGB, levels[0]))
    shown = [picture.getpixel((8 * stripe + 4, 9)) for stripe in range(4)]
    second = (200, 100, 51) if depth == 8 else (200, 100, 50)
    assert shown == [(255, 255, 255), second, (0, 0, 0), (255, 255, 255)]

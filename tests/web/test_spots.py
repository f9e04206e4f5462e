"""Scores and places of the lattice and of red spots, and the page that leads there."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nst.web.page.spots import find_spots


def with_array(size: tuple[int, int], left: int, top: int) -> Image.Image:
    """A calm yellow picture in whose square of 48 px dots of red stand every 4 px."""
    noise = np.random.default_rng(0).integers(-6, 7, (size[1], size[0], 3))
    pixels = np.array([225, 195, 60]) + noise
    pixels[top : top + 48 : 4, left : left + 48 : 4] += np.array([30, -110, -40])
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("size", [(320, 240), (1600, 1200)])
def test_the_worst_place_is_where_the_array_is(size: tuple[int, int]) -> None:
    left, top = size[0] // 2, size[1] // 3
    found = find_spots(with_array(size, left, top))
    for kind, expected in (("spots", "levels of 255 redder"), ("grid", "dB")):
        x, y, words = found.worst[kind][0]
        assert words.endswith(expected)
        assert left - 16 <= x < left + 64
        assert top - 16 <= y < top + 64
    assert 0 < found.array_share < 0.2


def test_the_heat_map_has_a_digit_for_each_block() -> None:
    for heat in find_spots(with_array((320, 240), 160, 96)).heat.values():
        assert [len(row) for row in heat] == [10] * 7
        assert "1" <= heat[3][5] <= "3"
        assert heat[0][0] == "0"


@pytest.mark.parametrize("size", [(16, 16), (16, 40), (700, 20), (900, 600)])
def test_the_yellowest_place_is_in_the_picture_and_yellow(size: tuple[int, int]) -> None:
    picture = Image.new("RGB", size, (20, 30, 90))
    spot = tuple(round(0.7 * side) for side in size)
    half = max(4, size[0] // 40)
    picture.paste((240, 210, 40), (spot[0] - half, spot[1] - half, spot[0] + half, spot[1] + half))
    [(x, y, _)] = find_spots(picture).worst["yellow"]
    assert 0 <= x < size[0]
    assert 0 <= y < size[1]
    assert abs(x - spot[0]) < max(32, size[0] // 10)

from __future__ import annotations

import numpy as np
import pytest

from nst.zoom import ZOOM_SIDE, magnify, percent_of_click, region
from tests.conftest import random_picture


@pytest.mark.parametrize("zoom", [2, 3, 7, 16])
@pytest.mark.parametrize("place", [(0, 0), (50, 50), (100, 100), (13.5, 88)])
def test_region_lies_inside_and_has_one_size(place: tuple[float, float], zoom: int) -> None:
    left, top, right, bottom = region((640, 480), *place, zoom)
    assert 0 <= left < right <= 640
    assert 0 <= top < bottom <= 480
    assert right - left == bottom - top == ZOOM_SIDE // zoom


def test_small_pictures_are_shown_whole() -> None:
    assert region((20, 30), 50, 50, 4) == (0, 0, 20, 30)


def test_every_pixel_is_repeated() -> None:
    picture = random_picture(200, 150)
    left, top, right, bottom = region(picture.size, 30, 60, 8)
    expected = np.asarray(picture)[top:bottom, left:right].repeat(8, axis=0).repeat(8, axis=1)
    assert np.array_equal(np.asarray(magnify(picture, 30, 60, 8)), expected)


def test_a_click_becomes_the_centre() -> None:
    size = (640, 480)
    x, y = percent_of_click((100, 400), (0, 0, *size), size)
    left, top, right, bottom = region(size, x, y, 8)
    assert abs((left + right) / 2 - 100.5) <= 1
    assert abs((top + bottom) / 2 - 400.5) <= 1
    inside = percent_of_click((100 - left, 400 - top), (left, top, right, bottom), size)
    assert inside == (x, y)

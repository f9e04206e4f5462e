from __future__ import annotations

import numpy as np
import pytest

from nst.web.page.zoom import ZOOM_SIDE, magnify, region
from tests.helpers import random_picture


@pytest.mark.parametrize("zoom", [2, 3, 7, 16])
@pytest.mark.parametrize("place", [(0, 0), (50, 50), (100, 100), (13.5, 88)])
def test_region_lies_inside_and_has_one_size(place: tuple[float, float], zoom: int) -> None:
    left, top, right, bottom = region((640, 480), *place, zoom)
    assert 0 <= left < right <= 640
    assert 0 <= top < bottom <= 480
    assert right - left == pytest.approx(ZOOM_SIDE / zoom)
    assert bottom - top == pytest.approx(ZOOM_SIDE / zoom)


def test_region_starts_at_a_whole_screen_pixel() -> None:
    left, top, *_ = region((640, 480), 31.4, 62.8, 8, 301, 200)
    assert (left * 8, top * 8) == (round(left * 8), round(top * 8))


def test_the_place_asked_for_is_in_the_middle() -> None:
    left, top, right, bottom = region((640, 480), 25, 75, 8, 320, 160)
    assert ((left + right) / 2, (top + bottom) / 2) == (160, 360)
    assert (right - left, bottom - top) == (40, 20)


def test_small_pictures_are_shown_whole() -> None:
    assert region((20, 30), 10, 90, 4) == (0, 0, 20, 30)


def test_every_pixel_is_repeated() -> None:
    picture = random_picture(200, 150)
    left, top, right, bottom = (round(edge) for edge in region(picture.size, 40, 60, 8))
    assert (left, top) == (50, 60)
    expected = np.asarray(picture)[top:bottom, left:right].repeat(8, axis=0).repeat(8, axis=1)
    assert np.array_equal(np.asarray(magnify(picture, 40, 60, 8)), expected)


def test_zoom_stays_within_bounds() -> None:
    picture = random_picture(40, 30)
    assert magnify(picture, 50, 50, 0).size == (40, 30)
    assert magnify(picture, 50, 50, 10**9).size == (ZOOM_SIDE, ZOOM_SIDE)

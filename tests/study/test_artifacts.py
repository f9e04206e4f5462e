from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nst.study.artifacts import grid_decibels, red_spots, yellow_area, yellowest_place

YELLOW, BLUE, RED = (230, 190, 60), (40, 60, 140), (220, 90, 40)


def canvas(colour: tuple[int, int, int], side: int = 64) -> np.ndarray:
    return np.full((side, side, 3), colour, dtype=np.uint8)


def test_dots_in_yellow_are_found_and_nothing_else() -> None:
    pixels = canvas(YELLOW)
    pixels[:, 40:] = BLUE
    dots = [(10, 10), (10, 14), (14, 10), (14, 14)]
    for row, column in dots:
        pixels[row, column] = RED
    pixels[30, :40] = RED  # a line
    pixels[45:, 20] = RED  # another
    pixels[20, 50] = RED  # a dot, but in blue
    found = red_spots(Image.fromarray(pixels))
    assert sorted(zip(*np.nonzero(found), strict=True)) == dots


def test_a_flat_picture_and_an_edge_have_none() -> None:
    pixels = canvas(YELLOW)
    assert not red_spots(Image.fromarray(pixels)).any()
    pixels[:, 32:] = (250, 150, 60)  # redder, but wide
    assert not red_spots(Image.fromarray(pixels)).any()


def test_yellow_and_where_most_of_it_is() -> None:
    pixels = canvas(BLUE)
    pixels[40:60, 8:28] = YELLOW
    picture = Image.fromarray(pixels)
    assert yellow_area(picture)[50, 18]
    assert not yellow_area(picture)[20, 40]
    x, y = yellowest_place(picture, 20)
    assert abs(x - 18) <= 1
    assert abs(y - 50) <= 1
    assert yellowest_place(Image.fromarray(canvas(BLUE)), 20) == (32, 32)
    with pytest.raises(ValueError, match="holds no square"):
        yellowest_place(picture, 65)


def test_grids_of_2_and_4_px_stand_out_and_others_do_not() -> None:
    noise = np.random.default_rng(0).integers(0, 60, (128, 128, 3))

    def decibels(period: int) -> float:
        grid = np.zeros((128, 128, 1), dtype=int)
        grid[::period] += 40
        grid[:, ::period] += 40
        return grid_decibels(Image.fromarray(np.uint8(noise + grid)))

    plain = grid_decibels(Image.fromarray(np.uint8(noise)))
    assert abs(plain) < 2
    assert decibels(4) > plain + 10
    assert decibels(2) > plain + 3
    assert abs(decibels(7) - plain) < 1

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from nst.artifacts.yellow import yellow_area, yellowest_place

YELLOW, BLUE, NIGHT = (230, 190, 60), (40, 60, 140), (20, 24, 50)


def test_yellow_and_where_most_of_it_is() -> None:
    picture = Image.new("RGB", (64, 64), BLUE)
    picture.paste(YELLOW, (8, 40, 28, 60))
    assert yellow_area(picture)[50, 18]
    assert not yellow_area(picture)[20, 40]
    x, y = yellowest_place(picture, 20)
    assert abs(x - 18) <= 1
    assert abs(y - 50) <= 1
    assert yellowest_place(Image.new("RGB", (64, 64), BLUE), 20) == (32, 32)
    with pytest.raises(ValueError, match="holds no square"):
        yellowest_place(picture, 65)


@pytest.mark.parametrize(
    ("colour", "yellow"),
    [
        (YELLOW, True),
        ((250, 150, 50), True),  # a street lamp
        ((200, 210, 90), True),  # an orb's halo
        ((250, 60, 40), False),
        ((250, 245, 225), False),
        ((60, 50, 10), False),
        ((90, 200, 60), False),
    ],
)
def test_colours(colour: tuple[int, int, int], yellow: bool) -> None:
    assert (yellow_area(Image.new("RGB", (32, 32), colour)) == yellow).all()


def test_red_dots_and_thin_lines_leave_yellow_yellow() -> None:
    pixels = np.full((64, 64, 3), YELLOW, dtype=np.uint8)
    pixels[::4, ::4] = (240, 90, 60)
    pixels[30] = 0
    assert yellow_area(Image.fromarray(pixels)).all()


def test_the_yellowest_place_is_a_lit_tower_among_pale_sky_and_dim_lights() -> None:
    picture = Image.new("RGB", (200, 300), (120, 160, 175))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, 60, 120), fill=(150, 155, 120))  # wide, hardly yellow
    pen.polygon([(120, 60), (150, 60), (175, 280), (95, 280)], fill=(70, 45, 15))  # the tower
    for y in range(62, 200, 7):
        pen.line(((112, y), (158, y + 5)), fill=(250, 180, 40), width=3)  # its lights
    x, y = yellowest_place(picture, 60)
    assert 115 <= x <= 155
    assert 85 <= y <= 175


def test_a_lamp_comes_to_lie_in_the_middle() -> None:
    picture = Image.new("RGB", (200, 120), NIGHT)
    ImageDraw.Draw(picture).ellipse((148, 40, 168, 60), fill=(255, 225, 130))
    glow = picture.filter(ImageFilter.GaussianBlur(6))
    for shown in (picture, glow):
        x, y = yellowest_place(shown, 60)
        assert abs(x - 158) <= 1
        assert abs(y - 50) <= 1

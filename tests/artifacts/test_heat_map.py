from __future__ import annotations

import numpy as np
from PIL import Image

from nst.artifacts.heat_map import FULL, LEGEND, NONE, OPACITY, TINT, draw_heat_maps, heat_map


def test_the_tint_grows_from_none_to_full_and_goes_on_to_the_border() -> None:
    decibels = np.array([[NONE - 9, (NONE + FULL) / 2], [FULL, FULL + 9]])
    layer = heat_map(decibels, (75, 70))
    assert layer.mode == "RGBA"
    assert layer.size == (75, 70)
    full = int(255 * OPACITY)
    opacity = np.asarray(layer)[..., 3]
    assert opacity[31, 31] == 0
    assert opacity[0, 32] == opacity[31, 74] == full // 2
    assert opacity[32, 0] == opacity[69, 74] == full
    assert (np.asarray(layer)[..., :3] == TINT).all()


def test_pictures_stand_beside_each_other_above_the_scale() -> None:
    pictures = [Image.new("RGB", size, "blue") for size in ((200, 64), (64, 100))]
    sheet = draw_heat_maps(pictures, [np.full((2, 6), 0.0), np.full((3, 2), FULL)])
    assert sheet.size == (272, 100 + LEGEND)
    assert sheet.getpixel((100, 30)) == (0, 0, 255)
    red, green, blue = sheet.getpixel((240, 50))
    assert red > 100
    assert blue > 150
    assert green == 0
    assert sheet.getpixel((100, 90)) == (255, 255, 255)  # below the smaller one
    scale = np.asarray(sheet)[110]
    reds = scale[12:162, 0].astype(int)
    assert (np.diff(reds) >= 0).all()
    assert reds[-1] > reds[0] + 50

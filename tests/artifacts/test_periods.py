"""Each period by itself, against patterns that are planted here."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nst.artifacts.periods import PERIODS, period_ratios
from tests.artifacts.pictures import COLOURS, clean_pictures, jpeg, noise, plant, strokes


@pytest.mark.parametrize("period", PERIODS)
def test_an_array_shows_at_its_period_and_no_longer_one(period: int) -> None:
    for name, picture in clean_pictures().items():
        clean = period_ratios(plant(picture, period, 0))
        found = period_ratios(plant(picture, period, 6 * period))
        assert max(each for each in PERIODS if found[each] > clean[each] + 2) == period, name


def test_any_colour_counts() -> None:
    clean = period_ratios(plant(strokes(), 8, 0))
    for colour in COLOURS:
        assert period_ratios(plant(strokes(), 8, 96, colour))[8] > clean[8] + 6, colour


def test_noise_flat_colour_and_other_periods_have_none() -> None:
    flat = period_ratios(Image.new("RGB", (128, 128), "grey"))
    assert list(flat.values()) == pytest.approx([0, 0, 0, 0], abs=1e-4)
    for deviation in (3, 12, 40):
        found = period_ratios(noise((128, 128, 128), deviation))
        assert max(map(abs, found.values())) < 0.5
    for name, picture in clean_pictures().items():
        clean = period_ratios(plant(picture, 8, 0))
        for period in (3, 5, 7, 11):
            found = period_ratios(plant(picture, period, 96))
            assert all(found[each] < clean[each] + 2.5 for each in (4, 8, 16)), (name, period)


def test_blocks_of_jpeg_are_told_apart_by_the_photo() -> None:
    down, across = np.mgrid[:256, :256]
    slope = np.stack([across / 2 + down / 3, 20 + down / 2, 120 + across / 3], 2)
    photo = jpeg(Image.fromarray(np.uint8(slope)), 10)
    of_photo = period_ratios(photo)[8]
    assert of_photo > 5  # its blocks
    assert period_ratios(plant(photo, 8, 0))[8] == pytest.approx(of_photo, abs=1)
    assert period_ratios(plant(photo, 8, 48))[8] > of_photo + 10


def test_a_picture_without_a_whole_block_has_none() -> None:
    grey = noise((128, 128, 128), 9)
    assert period_ratios(grey.crop((0, 0, 63, 200))) is None
    assert list(period_ratios(grey.crop((0, 0, 64, 100)))) == list(PERIODS)

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nst.inference.blend import LUMA, blend
from tests.helpers import random_picture


def luma(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, dtype=np.float64) @ LUMA


def one(*colour: int) -> Image.Image:
    return Image.new("RGB", (1, 1), colour)


def test_full_strength_is_the_result_and_none_the_photo() -> None:
    # More rows than are computed at a time, and no whole number of times that.
    photo, result = random_picture(30, 301, seed=1), random_picture(30, 301, seed=2)
    assert blend(photo, result).tobytes() == result.tobytes()
    assert blend(photo, result, strength=0).tobytes() == photo.tobytes()
    assert blend(photo, result, strength=0, keep_colours=True).tobytes() == photo.tobytes()


def test_between_them_values_are_mixed_and_rounded() -> None:
    assert blend(one(0, 100, 255), one(100, 0, 255), 0.25).getpixel((0, 0)) == (25, 75, 255)
    assert blend(one(0, 10, 5), one(1, 20, 6), 0.5).getpixel((0, 0)) == (1, 15, 6)


@pytest.mark.parametrize(
    ("photo", "result", "expected"),
    [
        ((90, 90, 90), (10, 200, 30), (124, 124, 124)),  # a grey photo: luma 123.81 only
        ((120, 100, 80), (50, 50, 50), (67, 47, 27)),  # luma 103.7: chroma (16.3, −3.7, −23.7)
        ((255, 0, 0), (255, 255, 255), (255, 255, 255)),  # no colour is as bright as white
        ((255, 0, 0), (0, 0, 0), (0, 0, 0)),
        ((0, 0, 255), (29, 29, 29), (0, 0, 254)),  # luma 29.07 in both, up to rounding
        ((255, 0, 0), (166, 166, 166), (255, 128, 128)),  # red made paler until it fits
    ],
)
def test_kept_colours(
    photo: tuple[int, ...], result: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    kept = blend(one(*photo), one(*result), keep_colours=True)
    np.testing.assert_allclose(kept.getpixel((0, 0)), expected, atol=1)


def test_kept_colours_have_the_results_luma_everywhere() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2, 40, 50, 3), dtype=np.uint8)
    photo, result = Image.fromarray(noise[0]), Image.fromarray(noise[1])
    kept = blend(photo, result, keep_colours=True)
    assert np.abs(luma(kept) - luma(result)).max() < 0.51  # what rounding to 8 bits may do
    # The chroma points where the photo's does, and is never stronger.
    before = np.asarray(photo, float) - luma(photo)[..., None]
    after = np.asarray(kept, float) - luma(kept)[..., None]
    assert ((before * after).sum(-1) >= -2 * np.abs(before).max(-1)).all()
    assert (np.abs(after).max(-1) <= np.abs(before).max(-1) + 1.1).all()


def test_the_same_picture_twice_stays_itself() -> None:
    photo = random_picture(50, 40)
    kept = blend(photo, photo, 0.3, keep_colours=True)
    np.testing.assert_allclose(np.asarray(kept, float), np.asarray(photo, float), atol=0)


def test_no_metadata_is_carried_along() -> None:
    photo, result = random_picture(20, 20, seed=1), random_picture(20, 20, seed=2)
    photo.info["comment"] = result.info["comment"] = "secret"
    for strength in (0, 0.5, 1):
        assert blend(photo, result, strength).info == {}


@pytest.mark.parametrize(
    ("photo", "strength", "message"),
    [
        (Image.new("RGB", (2, 1)), 1.0, "differ in size"),
        (Image.new("L", (1, 1)), 1.0, "must be RGB"),
        (Image.new("RGB", (1, 1)), 1.1, r"in \[0, 1\]"),
        (Image.new("RGB", (1, 1)), float("nan"), r"in \[0, 1\]"),
    ],
)
def test_wrong_calls_are_named(photo: Image.Image, strength: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        blend(photo, one(1, 2, 3), strength)

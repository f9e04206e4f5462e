from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nst.web.page.sheet import MAX_PIXELS, MAX_SIDE, best_columns, contact_sheet
from tests.helpers import random_picture

FIVE = ("original", "baseline", "v1", "v2", "v3")


def five(width: int, height: int) -> dict[str, Image.Image]:
    return {name: random_picture(width, height, seed) for seed, name in enumerate(FIVE)}


@pytest.mark.parametrize(
    ("size", "columns"),
    [
        ((512, 512), 3),
        ((512, 384), 3),
        ((384, 512), 3),
        ((1024, 256), 1),
        ((200, 1000), 5),
        ((16, 1024), 5),
        ((1024, 16), 1),
    ],
)
def test_rows_suit_the_pictures(size: tuple[int, int], columns: int) -> None:
    assert best_columns(5, size) == columns


def test_one_and_two_pictures() -> None:
    assert best_columns(1, (10, 10)) == 1
    assert best_columns(2, (300, 200)) == 2
    assert best_columns(2, (600, 200)) == 1
    assert best_columns(6, (300, 200)) == 3


def test_every_picture_is_on_the_sheet_with_its_own_pixels() -> None:
    pictures = five(330, 220)
    sheet = contact_sheet(pictures)
    # Columns of 330 px, text and gaps of 15 px; a row is the picture, half a gap, a line of 20 px.
    assert sheet.size == (15 + 3 * (330 + 15), 15 + 2 * (220 + 7 + 20 + 15))
    for index, picture in enumerate(pictures.values()):
        x, y = 15 + index % 3 * 345, 15 + index // 3 * 262
        assert sheet.crop((x, y, x + 330, y + 220)).tobytes() == picture.tobytes()
        label = np.asarray(sheet.crop((x, y + 227, x + 330, y + 247)).convert("L"))
        assert label.min() < 60  # something dark is written there
        assert (label == 255).mean() > 0.5
    empty = np.asarray(sheet.crop((15 + 2 * 345, 15 + 262, *sheet.size)))
    assert (empty == 255).all()


def test_labels_differ_and_captions_are_written() -> None:
    picture = Image.new("RGB", (300, 200), "white")
    plain = contact_sheet({"v1": picture})
    other = contact_sheet({"v2": picture})
    captioned = contact_sheet({"v1": picture}, {"v1": "12 ms"})
    assert plain.tobytes() != other.tobytes()
    assert captioned.height > plain.height
    below = np.asarray(captioned.crop((0, plain.height - 10, *captioned.size)))
    assert (below < 128).any()


def test_signs_that_the_font_lacks_are_replaced() -> None:
    picture = Image.new("RGB", (300, 200), "white")
    signs = contact_sheet({"a": picture}, {"a": "512×384 – 12\n ms"})
    plain = contact_sheet({"a": picture}, {"a": "512x384 - 12 ms"})
    assert signs.tobytes() == plain.tobytes()


def test_long_text_stays_in_its_column() -> None:
    pictures = {"a" * 5000: random_picture(64, 64), "b": random_picture(64, 64, seed=1)}
    sheet = contact_sheet(pictures, {"b": "long words " * 300})
    assert best_columns(2, (64, 64)) == 2
    assert sheet.width == 14 + 2 * (160 + 14)  # a column is as wide as a label needs
    pixels = np.asarray(sheet)
    for gap in (pixels[:, :14], pixels[:, 174:188], pixels[:, 348:]):
        assert (gap == 255).all()


@pytest.mark.parametrize("size", [(3000, 2600), (9000, 300), (300, 9000), (20000, 16)])
def test_a_sheet_is_bounded(size: tuple[int, int]) -> None:
    picture = Image.new("RGB", size, "navy")
    sheet = contact_sheet(dict.fromkeys(FIVE, picture), {"v1": "text"})
    assert sheet.width * sheet.height <= MAX_PIXELS
    assert max(sheet.size) <= MAX_SIDE
    assert (np.asarray(sheet) == np.array([0, 0, 128])).all(-1).any()


def test_no_metadata_is_carried_along() -> None:
    picture = random_picture(40, 40)
    picture.info["comment"] = "secret"
    assert contact_sheet({"a": picture}).info == {}


def test_pictures_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="one size"):
        contact_sheet({"a": random_picture(20, 20), "b": random_picture(20, 30)})
    with pytest.raises(ValueError, match="one size"):
        contact_sheet({})

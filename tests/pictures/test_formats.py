"""Each kind of file gives the right picture: one table of kinds, with how each is made."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms, PngImagePlugin, features

from nst.pictures import reading
from nst.pictures.reading import PictureError, read_picture
from tests.helpers import encoded, random_picture, swapped_profile


def colour(data: bytes, place: tuple[int, int] = (9, 9)) -> tuple[int, ...]:
    return read_picture(data).getpixel(place)


# pytest brings filters of its own; `test_reading` checks that users see no warnings.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")


@pytest.mark.parametrize(
    ("form", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("TIFF", {"compression": "jpeg", "quality": 95}, 4),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {}, 6),
        ("JPEG", {"quality": 95}, 4),
        ("JPEG", {"quality": 95, "progressive": True}, 4),
        ("GIF", {}, 12),
    ],
)
def test_accepted_formats(form: str, options: dict, tolerance: float) -> None:
    picture = random_picture(60, 40)
    result = read_picture(encoded(picture, form, **options))
    assert result.mode == "RGB"
    assert result.size == (60, 40)
    difference = np.abs(np.asarray(result, float) - np.asarray(picture, float))
    assert difference.mean() <= tolerance


def test_a_phones_jpeg_with_a_second_picture_in_it() -> None:
    red, blue = Image.new("RGB", (20, 20), "red"), Image.new("RGB", (20, 20), "blue")
    data = encoded(red, "MPO", save_all=True, append_images=[blue])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    np.testing.assert_allclose(colour(data), (255, 0, 0), atol=2)


def test_transparency_lies_on_white() -> None:
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    assert colour(encoded(clear)) == (255, 255, 255)
    assert colour(encoded(clear, "WEBP", lossless=True)) == (255, 255, 255)
    assert colour(encoded(clear, "TIFF")) == (255, 255, 255)
    assert colour(encoded(Image.new("RGBA", (20, 20), (255, 0, 0, 51)))) == (255, 204, 204)
    assert colour(encoded(Image.new("LA", (20, 20), (0, 51)))) == (204, 204, 204)
    palette = Image.new("P", (20, 20), 0)
    palette.putpalette([10, 20, 30] + [0] * 765)
    assert colour(encoded(palette)) == (10, 20, 30)
    assert colour(encoded(palette, transparency=0)) == (255, 255, 255)
    assert colour(encoded(palette, "GIF", transparency=0)) == (255, 255, 255)
    assert colour(encoded(Image.new("RGB", (20, 20), "red"), transparency=(255, 0, 0))) == (
        (255, 255, 255)
    )


@pytest.mark.parametrize(
    ("level", "dtype", "form", "expected"),
    [
        (32768, "<u2", "PNG", 128),
        (65535, "<u2", "PNG", 255),
        (300, "<u2", "PNG", 1),  # 1.17; clipped it would be white
        (32768, "<u2", "TIFF", 128),
        (32768, ">u2", "TIFF", 128),
        (255, "<i4", "TIFF", 255),
        (20000, "<i4", "TIFF", 78),
        (10**6, "<i4", "TIFF", 255),  # brighter than 16 bits: the brightest pixel is white
        (0.5, "<f4", "TIFF", 128),
        (1.0, "<f4", "TIFF", 255),
        (100.0, "<f4", "TIFF", 100),
        (-3.0, "<f4", "TIFF", 0),
        (1e9, "<f4", "TIFF", 255),
    ],
)
def test_more_than_eight_bits_are_scaled_not_clipped(
    level: float, dtype: str, form: str, expected: int
) -> None:
    grey = Image.fromarray(np.full((20, 20), level, dtype=dtype))
    assert colour(encoded(grey, form)) == (expected,) * 3


@pytest.mark.parametrize("level", [float("nan"), float("inf")])
def test_pixels_that_are_no_numbers_are_refused(level: float) -> None:
    grey = Image.fromarray(np.full((20, 20), level, dtype=np.float32))
    with pytest.raises(PictureError, match="no numbers"):
        read_picture(encoded(grey, "TIFF"))


def test_other_modes() -> None:
    no_ink, red = Image.new("CMYK", (20, 20)), Image.new("CMYK", (20, 20), (0, 255, 255, 0))
    for form in ("JPEG", "TIFF"):  # Pillow writes JPEGs inverted, as Adobe's programs do
        np.testing.assert_allclose(colour(encoded(no_ink, form)), (255, 255, 255), atol=2)
        np.testing.assert_allclose(colour(encoded(red, form)), (255, 0, 0), atol=3)
    assert colour(encoded(Image.new("1", (20, 20), 1))) == (255, 255, 255)
    assert colour(encoded(Image.new("1", (20, 20), 1), "TIFF", compression="group4")) == (
        (255, 255, 255)
    )
    assert colour(encoded(Image.new("L", (20, 20), 77))) == (77, 77, 77)
    lab = Image.new("LAB", (20, 20), (255, 128, 128))
    np.testing.assert_allclose(colour(encoded(lab, "TIFF")), (255, 255, 255), atol=3)


# EXIF's orientation -> how an upright picture is turned to be stored so.
STORED_BY = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_eight_orientations(form: str, orientation: int) -> None:
    upright = Image.new("RGB", (48, 32), "black")
    upright.paste("white", (0, 0, 16, 16))  # the left top corner
    upright.paste((128, 128, 128), (32, 0, 48, 16))  # the right top corner
    turn = STORED_BY.get(orientation)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored = upright.transpose(turn) if turn is not None else upright
    assert (stored.size == upright.size) == (orientation < 5)
    options = {"lossless": True} if form == "WEBP" else {}
    result = read_picture(encoded(stored, form, exif=exif, **options))
    np.testing.assert_allclose(np.asarray(result, float), np.asarray(upright, float), atol=3)


def test_turning_is_what_exif_says() -> None:
    """6: the first row of the file is the right side of the scene (EXIF 2.3, table 6)."""
    stored = Image.new("RGB", (48, 32), "black")
    stored.paste("white", (0, 0, 48, 8))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    result = read_picture(encoded(stored, exif=exif))
    assert result.size == (32, 48)
    assert [result.getpixel(place)[0] for place in ((2, 24), (29, 24))] == [0, 255]


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0XX" * 9])
def test_broken_exif_does_not_cost_the_picture(exif: bytes) -> None:
    picture = random_picture(40, 30)
    assert read_picture(encoded(picture, exif=exif)).tobytes() == picture.tobytes()


def test_the_first_frame_of_an_animation_is_taken() -> None:
    red, blue = Image.new("RGB", (20, 20), "red"), Image.new("RGB", (20, 20), "blue")
    for form, options in (("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        data = encoded(red, form, save_all=True, append_images=[blue], **options)
        assert colour(data) == (255, 0, 0)


def test_colours_are_converted_from_the_files_profile() -> None:
    picture = Image.new("RGB", (20, 20), (255, 0, 0))
    for form in ("PNG", "JPEG", "TIFF"):
        converted = colour(encoded(picture, form, icc_profile=swapped_profile()))
        np.testing.assert_allclose(converted, (0, 255, 0), atol=3)


def test_srgb_pictures_stay_as_they_are() -> None:
    picture = random_picture(40, 30)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert read_picture(encoded(picture, icc_profile=srgb)).tobytes() == picture.tobytes()


def test_a_broken_or_foreign_profile_does_not_cost_the_picture() -> None:
    picture = random_picture(40, 30)
    grey = picture.convert("L")
    for profile in (b"x", bytes(500), swapped_profile()[:300]):
        assert read_picture(encoded(picture, icc_profile=profile)).tobytes() == picture.tobytes()
    read = read_picture(encoded(grey, icc_profile=swapped_profile()))  # a profile for RGB
    assert read.tobytes() == grey.convert("RGB").tobytes()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "GIF"])
def test_no_metadata_comes_out(form: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "secret"
    exif[ExifTags.Base.Orientation] = 6
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "secret")
    options = {
        "PNG": {"exif": exif, "pnginfo": text, "icc_profile": swapped_profile(), "dpi": (7, 7)},
        "JPEG": {"exif": exif, "comment": b"secret", "icc_profile": swapped_profile()},
        "WEBP": {"exif": exif, "icc_profile": swapped_profile(), "xmp": b"secret"},
        "TIFF": {"exif": exif, "icc_profile": swapped_profile(), "description": "secret"},
        "GIF": {"comment": b"secret"},
    }[form]
    data = encoded(random_picture(40, 30), form, **options)
    assert b"secret" in data
    result = read_picture(data)
    assert result.info == {}
    assert dict(result.getexif()) == {}
    assert encoded(result) == encoded(Image.frombytes("RGB", result.size, result.tobytes()))


@pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
def test_avif() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    data = encoded(random_picture(60, 40), "AVIF", quality=95)
    difference = np.asarray(read_picture(data), float) - np.asarray(random_picture(60, 40), float)
    assert np.abs(difference).mean() < 3
    assert read_picture(encoded(random_picture(60, 40), "AVIF", exif=exif)).size == (40, 60)
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    np.testing.assert_allclose(colour(encoded(clear, "AVIF")), (255, 255, 255), atol=2)
    with pytest.raises(PictureError, match="damaged"):
        read_picture(data[: len(data) // 2])


def test_heic_where_its_package_is_installed() -> None:
    pytest.importorskip("pillow_heif")
    picture = random_picture(60, 40)
    read = read_picture(encoded(picture, "HEIF", quality=95))
    assert np.abs(np.asarray(read, float) - np.asarray(picture, float)).mean() < 4
    assert read.info == {}
    assert reading.looks_like_photo(Path("IMG_1.HEIC"))

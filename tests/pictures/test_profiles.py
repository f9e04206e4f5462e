"""What a file says about its colours in other words than an ICC profile is heeded."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from nst.pictures.reading import read_picture, read_with_remark
from tests.helpers import encoded, png_chunk, random_picture, swapped_profile

GREEN, DARK = (60, 200, 60), (20, 20, 20)
P3 = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
SRGB = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def gamma(value: int) -> bytes:
    return png_chunk(b"gAMA", struct.pack(">I", value))


def primaries(places: tuple[int, ...]) -> bytes:
    return png_chunk(b"cHRM", struct.pack(">8I", *places))


def cicp(*numbers: int) -> bytes:
    return png_chunk(b"cICP", bytes(numbers))


def shown(chunks: bytes, level: tuple[int, ...], mode: str = "RGB") -> tuple[int, ...]:
    png = encoded(Image.new("RGB", (20, 20), level).convert(mode))
    return read_picture(png[:33] + chunks + png[33:]).getpixel((9, 9))


IS_SRGB = png_chunk(b"sRGB", b"\0")


# As Chromium 156 shows them.
@pytest.mark.parametrize(
    ("chunks", "green", "dark"),
    [
        (gamma(100_000), (133, 229, 133), (79, 79, 79)),
        (gamma(55_555), (77, 210, 77), (26, 26, 26)),
        (gamma(45_455), GREEN, DARK),  # with nothing else: sRGB
        (gamma(45_455) + primaries(SRGB), (57, 201, 57), (12, 12, 12)),
        (gamma(45_455) + primaries(P3), (0, 205, 0), (12, 12, 12)),
        (primaries(P3), GREEN, DARK),
        (IS_SRGB + gamma(100_000), GREEN, DARK),
        (cicp(12, 13, 0, 1), (0, 203, 11), DARK),
        (cicp(12, 13, 0, 1) + IS_SRGB + gamma(45_455), (0, 203, 11), DARK),
        (cicp(1, 13, 0, 1) + gamma(100_000), GREEN, DARK),
        (cicp(2, 2, 0, 1) + gamma(100_000), (133, 229, 133), (79, 79, 79)),  # not known
        (cicp(12, 13, 0, 0), GREEN, DARK),  # not of the full range
        (cicp(1, 1, 0, 1), (49, 197, 49), (7, 7, 7)),
        (cicp(1, 8, 0, 1), (133, 229, 133), (79, 79, 79)),
        (cicp(9, 16, 0, 1), (0, 255, 0), (1, 1, 1)),
    ],
)
def test_a_png_has_the_colours_that_a_browser_shows(
    chunks: bytes, green: tuple[int, ...], dark: tuple[int, ...]
) -> None:
    np.testing.assert_allclose(shown(chunks, GREEN), green, atol=1)
    np.testing.assert_allclose(shown(chunks, DARK), dark, atol=1)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P"])
def test_in_every_mode(mode: str) -> None:
    picture = Image.new("L", (20, 20), 90).convert(mode)
    png = encoded(picture)
    read = read_picture(png[:33] + gamma(100_000) + png[33:])
    np.testing.assert_allclose(read.getpixel((9, 9)), (160, 160, 160), atol=1)


def test_cicp_goes_before_a_profile_and_a_profile_before_the_rest() -> None:
    png = encoded(Image.new("RGB", (20, 20), GREEN), icc_profile=swapped_profile())
    for chunks, expected in ((cicp(12, 13, 0, 1), (0, 203, 11)), (gamma(100_000), (200, 60, 60))):
        read = read_picture(png[:33] + chunks + png[33:])
        np.testing.assert_allclose(read.getpixel((9, 9)), expected, atol=3)


@pytest.mark.parametrize("places", [(0,) * 8, (1,) * 8, (31270, 32900, *[30000, 30000] * 3)])
def test_primaries_of_no_light_do_not_cost_the_picture(places: tuple[int, ...]) -> None:
    assert shown(gamma(45_455) + primaries(places), GREEN) == GREEN


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_adobe_rgb_that_exif_alone_names(form: str) -> None:
    """As cameras write it: no colour space of EXIF's, and "R03" for the file's kind."""
    exif = Image.Exif()
    photo = exif.get_ifd(ExifTags.IFD.Exif)
    photo[ExifTags.Base.ColorSpace] = 0xFFFF
    photo[ExifTags.IFD.Interop] = {ExifTags.Interop.InteropIndex: "R03"}
    lossless = {"lossless": True} if form == "WEBP" else {}
    data = encoded(
        Image.new("RGB", (20, 20), (150, 200, 60)), form, exif=exif.tobytes(), **lossless
    )
    np.testing.assert_allclose(read_picture(data).getpixel((9, 9)), (125, 201, 37), atol=3)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    with Image.open(io.BytesIO(data)) as picture:
        again = encoded(picture, form, exif=exif.tobytes(), icc_profile=srgb, **lossless)
    np.testing.assert_allclose(read_picture(again).getpixel((9, 9)), (150, 200, 60), atol=3)


def test_transparency_stays_beside_the_colours() -> None:
    picture = random_picture(40, 30)
    picture.putalpha(picture.getchannel("R"))
    png = encoded(picture)
    plain = read_with_remark(png).picture
    assert plain.tobytes() == picture.tobytes()
    linear = read_with_remark(png[:33] + gamma(100_000) + png[33:]).picture
    assert linear.getchannel("A").tobytes() == picture.getchannel("A").tobytes()
    assert linear.getchannel("G").tobytes() != picture.getchannel("G").tobytes()
    picture.putalpha(255)
    assert read_with_remark(encoded(picture)).picture.mode == "RGB"

"""What is written into a picture: how it was made, and what its photo's file said."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from nst import __version__
from nst.pictures.foreign import NEW_SUBFILE_TYPE
from nst.pictures.metadata import Origin, Recipe, save_settings, was_painted
from nst.pictures.reading import read_with_remark
from tests.helpers import encoded, random_picture

DATE, AUTHOR = "2024:05:01 12:00:00", "Jürgen, 写真家"
FORMATS = ["PNG", "JPEG", "WEBP"]
RECIPE = Recipe("v4", "ab" * 32, 0.5, keep_colours=True)


def camera_photo(form: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = DATE
    exif[ExifTags.Base.Artist] = AUTHOR.encode()
    exif[ExifTags.Base.ImageDescription] = "secret"
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = DATE
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote] = b"secret"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (50.0, 30.0, 0.0)})
    return encoded(random_picture(40, 30), form, exif=exif.tobytes(), dpi=(300, 300))


def written(form: str, origin: Origin, recipe: Recipe | None = RECIPE) -> Image.Image:
    picture = random_picture(40, 30)
    data = encoded(picture, form, **save_settings(form, picture.size, recipe, origin))
    assert b"secret" not in data
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("form", FORMATS)
def test_how_it_was_made_is_written(form: str, tmp_path: Path) -> None:
    picture = written(form, Origin())
    xmp = picture.info["xmp"].decode()
    for text in (
        f"nst {__version__}",
        'Network="v4"',
        f"sha256:{RECIPE.checkpoint}",
        "40x30",
        "50%",
    ):
        assert text in xmp
    assert "of the photo" in xmp
    if form == "PNG":
        assert picture.text["Network"] == "v4"
        assert picture.text["Strength"] == "50%"
    picture.save(tmp_path / "plain", form)
    assert not was_painted(tmp_path / "plain")
    picture = random_picture(40, 30)
    picture.save(tmp_path / "made", form, **save_settings(form, (40, 30), RECIPE, Origin()))
    assert was_painted(tmp_path / "made")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("sent", ["JPEG", "PNG"])
def test_date_author_and_resolution_of_the_photo_are_kept(form: str, sent: str) -> None:
    picture = written(form, read_with_remark(camera_photo(sent)).origin)
    exif = picture.getexif()
    assert exif[ExifTags.Base.DateTime] == DATE
    assert exif[ExifTags.Base.Artist].encode("latin-1").decode() == AUTHOR  # as Pillow reads it
    assert exif.get_ifd(ExifTags.IFD.Exif) == {ExifTags.Base.DateTimeOriginal: DATE}
    assert exif[ExifTags.Base.XResolution] == pytest.approx(300, abs=0.01)
    assert ExifTags.Base.Orientation not in exif  # it has been turned
    assert dict(exif.get_ifd(ExifTags.IFD.GPSInfo)) == {}
    if form != "WEBP":
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.01)


def test_where_it_was_taken_is_kept_where_that_is_asked_for() -> None:
    origin = read_with_remark(camera_photo(), keep_place=True).origin
    place = written("JPEG", origin).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    assert place == {1: "N", 2: (50.0, 30.0, 0.0)}


def test_of_a_photo_nothing_is_said_that_was_not_there() -> None:
    assert read_with_remark(encoded(random_picture(40, 30))).origin == Origin()
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "somebody"  # without a resolution: Pillow says 72
    sent = encoded(random_picture(40, 30), "JPEG", exif=exif.tobytes())
    assert read_with_remark(sent).origin == Origin()
    assert save_settings("PNG", (40, 30), None, Origin()) == {}


def test_what_a_stranger_wrote_there_fits_into_every_format() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "a" * 60_000
    exif[ExifTags.Base.DateTime] = 5
    sent = encoded(random_picture(40, 30), "WEBP", exif=exif.tobytes())
    for form in FORMATS:
        author = written(form, read_with_remark(sent).origin).getexif()[ExifTags.Base.Artist]
        assert author == "a" * 500
    for dpi in (0, 72, 90_000):
        sent = encoded(random_picture(40, 30), dpi=(dpi, dpi))
        assert read_with_remark(sent).origin == Origin()


# The first of several


@pytest.mark.parametrize(
    ("form", "what"), [("GIF", "frames"), ("PNG", "frames"), ("TIFF", "pages")]
)
def test_the_first_of_several_is_remarked_on(form: str, what: str) -> None:
    others = [random_picture(40, 30, seed) for seed in (1, 2)]
    data = encoded(random_picture(40, 30), form, save_all=True, append_images=others)
    assert read_with_remark(data).remark == f"This is the first of 3 {what}."
    assert read_with_remark(encoded(others[0], form)).remark is None


def test_previews_are_no_pages() -> None:
    """A smaller copy in a TIFF, and what phones put behind a JPEG."""
    photo, small = random_picture(40, 30), random_picture(20, 15)
    both = {"save_all": True, "append_images": [small]}
    tiff = encoded(photo, "TIFF", tiffinfo={NEW_SUBFILE_TYPE: 1}, **both)
    smaller = struct.pack("<HHII", NEW_SUBFILE_TYPE, 4, 1, 1)
    assert tiff.count(smaller) == 2
    tiff = tiff.replace(smaller, smaller[:8] + bytes(4), 1)  # but for the first one
    assert read_with_remark(tiff).remark is None
    assert read_with_remark(encoded(photo, "MPO", **both)).remark is None

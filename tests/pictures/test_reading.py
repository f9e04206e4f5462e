"""Each file gives the right picture, or one sentence that says what is wrong.

Longer than other modules because it is one table of kinds of files, with how each is made.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms, PngImagePlugin, features

from nst import models
from nst.pictures import reading
from nst.pictures.reading import (
    PictureError,
    TooLargeError,
    limit_side,
    read_picture,
    read_with_remark,
)
from tests.helpers import (
    assert_is_a_sentence,
    encoded,
    png_chunk,
    png_of_declared_size,
    random_picture,
    run_python,
    swapped_profile,
)


def with_chunk(png: bytes, kind: bytes, data: bytes) -> bytes:
    """A PNG with one more chunk behind its header."""
    return png[:33] + png_chunk(kind, data) + png[33:]


def colour(data: bytes, place: tuple[int, int] = (9, 9)) -> tuple[int, ...]:
    return read_picture(data).getpixel(place)


# pytest brings filters of its own; one test below checks that users see no warnings.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")

# What is refused


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"hello", "not a picture that can be read"),
        (bytes(1000), "not a picture that can be read"),
        (b"\n<!DOCTYPE html><html><body>hello</body></html>", "is a web page"),
        (b"<html><body>hello</body></html>", "is a web page"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "is an SVG drawing"),
        (b"%PDF-1.7\n", "is a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", "is a PostScript drawing"),
        (encoded(random_picture(20, 20), "EPS"), "is a PostScript drawing"),
        (encoded(random_picture(20, 20), "JPEG2000"), "is a JPEG 2000 picture"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "is a video"),
        (encoded(random_picture(20, 20), "PPM"), "not a picture that can be read"),
        (encoded(random_picture(20, 20), "ICO"), "not a picture that can be read"),
        (b"\x89PNG\r\n\x1a\n half", "damaged"),
        (encoded(random_picture(200, 200))[:400], "damaged"),
        (encoded(random_picture(200, 200), "JPEG")[:900], "damaged"),
        (encoded(random_picture(200, 200), "WEBP")[:900], "damaged"),
        (encoded(random_picture(200, 200), "TIFF")[:9000], "damaged"),
        (encoded(random_picture(200, 200), "BMP")[:9000], "damaged"),
        (encoded(Image.new("RGB", (1, 1))), r"too small \(1×1\)"),
        (encoded(Image.new("RGB", (20000, 1))), r"too small \(20000×1\)"),
        (png_of_declared_size(12000, 10000, filled=True), r"too many pixels \(12000×10000\)"),
        (png_of_declared_size(65535, 65535), "too many pixels"),
        (png_of_declared_size(2**31 - 1, 2**31 - 1), "too many pixels"),
        (png_of_declared_size(0, 0), "damaged"),
    ],
)
def test_refusals_are_one_clear_sentence(data: bytes, message: str) -> None:
    with pytest.raises(PictureError, match=message) as refused:
        read_picture(data)
    assert_is_a_sentence(refused.value)


def test_a_bomb_is_small() -> None:
    assert len(png_of_declared_size(12000, 10000, filled=True)) < 20_000


def test_what_is_no_file_is_refused_at_once_and_without_its_path(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "secret-pipe")  # whoever opens it to read waits for a writer
    (tmp_path / "secret-folder").mkdir()
    too_long = tmp_path / ("secret" * 100)
    names = ("secret-pipe", "secret-folder", "secret-missing", "secret\0.png", too_long)
    for path in [tmp_path / name for name in names] + [Path("/dev/zero"), f"{tmp_path}/secret\0"]:
        with pytest.raises(PictureError, match="could not be read") as refused:
            read_picture(path)
        assert "secret" not in str(refused.value)
        assert_is_a_sentence(refused.value)


def test_postscript_is_never_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("PostScript was opened")

    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", never)
    monkeypatch.setattr("PIL.EpsImagePlugin.EpsImageFile._open", never)
    with pytest.raises(PictureError, match="PostScript"):
        read_picture(encoded(random_picture(20, 20), "EPS"))


def test_nothing_is_printed_about_odd_files(tmp_path: Path) -> None:
    """In a process of its own, for pytest has warning filters and log handlers of its own."""
    samples = struct.pack("<HHIH", 277, 3, 1, 3)  # TIFF's samples per pixel
    tiff = encoded(random_picture(20, 20), "TIFF")
    assert samples in tiff
    odd = [
        png_of_declared_size(12000, 10000, filled=True),  # a DecompressionBombWarning
        tiff.replace(samples, struct.pack("<HHIH", 277, 3, 1, 60)),  # an error in the log
        # EXIF cut short: a UserWarning
        encoded(random_picture(20, 20), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01"),
    ]
    for number, data in enumerate(odd):
        (tmp_path / f"{number}.png").write_bytes(data)
    program = """
import sys
from nst.pictures.reading import PictureError, read_picture
for path in sys.argv[1:]:
    try:
        read_picture(path)
    except PictureError:
        pass
"""
    paths = [str(tmp_path / f"{number}.png") for number in range(len(odd))]
    done = run_python("-c", program, *paths)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_smallest_side_is_the_networks() -> None:
    assert reading.MIN_SIDE == models.MIN_SIDE
    assert read_picture(encoded(random_picture(16, 16))).size == (16, 16)


# What is accepted


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


def test_huge_chunks_beside_the_picture() -> None:
    """They unpack to more than Pillow unpacks: refused, not filled into memory."""
    png = encoded(random_picture(20, 20))
    million = zlib.compress(bytes(2_000_000))
    for chunk in ((b"zTXt", b"k\0\0" + million), (b"iCCP", b"k\0\0" + million)):
        with pytest.raises(PictureError, match="damaged"):
            read_picture(with_chunk(png, *chunk))


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


# A JPEG without its end


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
@pytest.mark.parametrize("missing", [1, 2])
@pytest.mark.parametrize("side", [None, 50])
def test_a_jpeg_without_its_last_marker_is_read(
    options: dict, missing: int, side: int | None
) -> None:
    data = encoded(random_picture(203, 150), "JPEG", **options)
    whole = read_picture(data, side)
    read, remark, _ = read_with_remark(data[:-missing], side)
    assert read.tobytes() == whole.tobytes()
    assert remark == reading.END_MISSING
    assert read_with_remark(data, side).remark is None


@pytest.mark.parametrize("side", [None, 50])
def test_a_jpeg_without_some_of_its_picture_is_not(side: int | None) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (150, 203, 3), dtype=np.uint8)
    for picture in (random_picture(203, 150), Image.fromarray(noise)):
        for options in ({}, {"progressive": True}):
            data = encoded(picture, "JPEG", **options)
            for length in (len(data) - 12, len(data) // 2):
                with pytest.raises(PictureError, match="damaged"):
                    read_picture(data[:length], side)


# Sizes


def test_phones_of_fifty_megapixels() -> None:
    """8160×6144 px, as a Pixel 8 Pro writes them."""
    data = encoded(Image.new("RGB", (8160, 6144), "olive"), "JPEG", quality=10)
    assert read_picture(data).size == (8160, 6144)


def test_a_jpeg_that_is_made_smaller_may_be_larger() -> None:
    """16320×12240 px, as phones of 200 megapixels write them."""
    data = encoded(Image.new("L", (16320, 12240)), "JPEG", quality=10)
    assert read_picture(data, 512).size == (512, 384)
    with pytest.raises(PictureError, match=r"too many pixels \(16320×12240\)"):
        read_picture(data)


def test_the_bounds_that_a_refusal_names_are_those() -> None:
    for sides, side in ((8000, None), (16000, 512)):
        data = encoded(Image.new("L", (sides, sides)), "JPEG", quality=10)
        assert max(read_picture(data, side).size) == (side or sides)
    for width, height, side in ((8000, 8001, None), (16000, 16001, 512)):
        with pytest.raises(PictureError, match="to 64 megapixels, JPEG to 256 where"):
            read_picture(encoded(Image.new("L", (width, height)), "JPEG", quality=10), side)


def test_larger_ones_where_they_are_allowed() -> None:
    data = png_of_declared_size(8250, 8000, filled=True)  # 66 megapixels
    for megapixels in (64, 65):
        with pytest.raises(TooLargeError, match=f"to {megapixels} megapixels, JPEG to"):
            read_picture(data, max_pixels=megapixels * 10**6)
    assert read_picture(data, 160, max_pixels=66 * 10**6).size == (160, 155)
    with pytest.raises(TooLargeError):  # what one call allows is for that call
        read_picture(data, 160)


def test_as_many_bytes_as_the_pixels_allowed_can_take() -> None:
    """24 megapixels without compression, as scanners and cameras write them, have 72 MB."""
    tiff = encoded(Image.new("RGB", (6000, 4000), "olive"), "TIFF")
    assert len(tiff) > reading.MAX_BYTES
    assert read_picture(tiff, 32).size == (32, 21)
    with pytest.raises(TooLargeError, match=r"larger than 64 MB.*to 8 megapixels"):
        read_picture(tiff, max_pixels=8 * 10**6)
    with pytest.raises(TooLargeError, match="larger than 50 MB"):  # as an upload
        reading.read_bytes(tiff)


def test_a_bound_beyond_all_memory_takes_none(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    random_picture(20, 20).save(path)
    assert read_picture(path, max_pixels=10**18).size == (20, 20)


def test_limit_side_keeps_the_aspect_and_never_enlarges() -> None:
    assert limit_side(random_picture(400, 100), 200).size == (200, 50)
    assert limit_side(random_picture(100, 50), 200).size == (100, 50)
    assert limit_side(random_picture(1000, 20), 100).size == (100, 16)


@pytest.mark.parametrize(("form", "tolerance"), [("PNG", 0), ("TIFF", 0), ("JPEG", 1.5)])
def test_reading_at_a_size_is_reading_and_resizing(form: str, tolerance: float) -> None:
    """A JPEG may be decoded at a part of its size, which differs by less than it has lost."""
    data = encoded(random_picture(1201, 807), form, **({"quality": 90} if form == "JPEG" else {}))
    for side in (100, 299, 640, 3000):
        whole, direct = limit_side(read_picture(data), side), read_picture(data, side)
        assert direct.size == whole.size
        difference = np.abs(np.asarray(direct, float) - np.asarray(whole, float))
        assert difference.mean() <= tolerance


def test_a_large_jpeg_is_not_decoded_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []
    resize = reading.limit_side
    monkeypatch.setattr(reading, "limit_side", lambda p, s: decoded.append(p.size) or resize(p, s))
    data = encoded(random_picture(1600, 800), "JPEG")
    assert read_picture(data, 100).size == (100, 50)
    assert read_picture(data, 500).size == (500, 250)
    assert decoded == [(200, 100), (1600, 800)]

"""What is refused, in one sentence; files that lack their end; and sizes."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
)


def with_chunk(png: bytes, kind: bytes, data: bytes) -> bytes:
    """A PNG with one more chunk behind its header."""
    return png[:33] + png_chunk(kind, data) + png[33:]


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


def test_huge_chunks_beside_the_picture() -> None:
    """They unpack to more than Pillow unpacks: refused, not filled into memory."""
    png = encoded(random_picture(20, 20))
    million = zlib.compress(bytes(2_000_000))
    for chunk in ((b"zTXt", b"k\0\0" + million), (b"iCCP", b"k\0\0" + million)):
        with pytest.raises(PictureError, match="damaged"):
            read_picture(with_chunk(png, *chunk))


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

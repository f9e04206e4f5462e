from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from nst.images import (
    PictureError,
    denormalise,
    limit_side,
    normalise,
    read_picture,
    to_picture,
    to_tensor,
)
from tests.conftest import random_picture


def encoded(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def png_of_declared_size(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its data do not fill."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_accepted_formats(form: str) -> None:
    picture = random_picture(40, 30)
    result = read_picture(encoded(picture, form))
    assert result.mode == "RGB"
    difference = np.abs(np.asarray(result, float) - np.asarray(picture, float))
    assert difference.mean() < 12  # JPEG, WebP and GIF lose a little


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"<html><body>hello</body></html>", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "not a picture"),
        (b"%PDF-1.7\n", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", "not a picture"),
        (encoded(random_picture(200, 200))[:400], "damaged"),
        (encoded(random_picture(200, 200), "JPEG")[:900], "damaged"),
        (encoded(Image.new("RGB", (1, 1))), "too small"),
        (encoded(Image.new("RGB", (20000, 1))), "too small"),
        (png_of_declared_size(12000, 10000), "too many pixels"),
        (png_of_declared_size(65535, 65535), "too many pixels"),
    ],
)
def test_refusals_are_one_clear_sentence(data: bytes, message: str) -> None:
    with pytest.raises(PictureError, match=message) as refusal:
        read_picture(data)
    assert "Accepted: PNG" in str(refusal.value)
    assert "/" not in str(refusal.value).replace("16×16", "")


def test_a_missing_file_does_not_show_its_path(tmp_path) -> None:
    with pytest.raises(PictureError) as refusal:
        read_picture(tmp_path / "secret.png")
    assert "secret" not in str(refusal.value)


def test_transparency_lies_on_white() -> None:
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    assert read_picture(encoded(clear)).getpixel((5, 5)) == (255, 255, 255)
    palette = Image.new("P", (20, 20), 0)
    palette.putpalette([10, 20, 30] + [0] * 765)
    assert read_picture(encoded(palette, transparency=0)).getpixel((5, 5)) == (255, 255, 255)


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    grey = np.full((20, 20), 32768, dtype=np.uint16)
    assert read_picture(encoded(Image.fromarray(grey))).getpixel((0, 0)) == (128, 128, 128)


def test_other_modes() -> None:
    assert read_picture(encoded(Image.new("CMYK", (20, 20), (0, 0, 0, 0)), "JPEG")).getpixel(
        (9, 9)
    ) == (255, 255, 255)
    assert read_picture(encoded(Image.new("1", (20, 20), 1))).getpixel((9, 9)) == (255, 255, 255)
    assert read_picture(encoded(Image.new("L", (20, 20), 77))).getpixel((9, 9)) == (77, 77, 77)


def test_exif_turn_is_applied_and_metadata_dropped() -> None:
    picture = Image.new("RGB", (40, 20), "red")
    exif = picture.getexif()
    exif[0x0112] = 6  # shown turned by 90°
    exif[0x010E] = "secret"
    result = read_picture(encoded(picture, "JPEG", exif=exif))
    assert result.size == (20, 40)
    assert not result.getexif()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "secret")
    assert b"secret" not in encoded(read_picture(encoded(picture, pnginfo=text)))


def test_the_first_frame_of_an_animation_is_taken() -> None:
    red, blue = Image.new("RGB", (20, 20), "red"), Image.new("RGB", (20, 20), "blue")
    data = encoded(red, "GIF", save_all=True, append_images=[blue])
    assert read_picture(data).getpixel((5, 5)) == (255, 0, 0)


def test_limit_side_keeps_the_aspect_and_never_enlarges() -> None:
    assert limit_side(random_picture(400, 100), 200).size == (200, 50)
    assert limit_side(random_picture(100, 50), 200).size == (100, 50)
    assert limit_side(random_picture(1000, 20), 100).size == (100, 16)


def test_tensor_and_picture_are_inverse() -> None:
    picture = random_picture(31, 17)
    tensor = to_tensor(picture)
    assert tensor.shape == (3, 17, 31)
    assert to_picture(tensor).tobytes() == picture.tobytes()
    assert to_picture(torch.tensor([-3.0, 0.5, 9.0]).view(3, 1, 1)).getpixel((0, 0)) == (
        0,
        128,
        255,
    )
    torch.testing.assert_close(denormalise(normalise(tensor)), tensor)

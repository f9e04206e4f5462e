"""Each kind of file that is not read gets its own true sentence."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from nst.pictures import reading
from nst.pictures.reading import PictureError, read_picture
from tests.helpers import assert_is_a_sentence, encoded, random_picture

HEIC = "is a HEIC picture, as iPhones take them"
RAW = "is a camera's raw photo"


def media_file(*brands: str) -> bytes:
    """The beginning of a file in ISO's base media format: HEIC, AVIF, videos, Canon's photos."""
    first, *others = (brand.encode() for brand in brands)
    box = b"ftyp" + first + bytes(4) + b"".join(others)
    return struct.pack(">I", 4 + len(box)) + box + bytes(99)


def float_tiff(dtype: str = "<f4", channels: int = 3) -> bytes:
    """An intact TIFF of floats, as programs for astronomy and rendering write it."""
    pixels = np.linspace(0, 1, 32 * 32 * channels, dtype=dtype).tobytes()
    depth = 8 * np.dtype(dtype).itemsize
    tags = [(256, 4, 1, 32), (257, 4, 1, 32), (259, 3, 1, 1), (262, 3, 1, 2), (277, 3, 1, channels)]
    tags += [(278, 4, 1, 32), (279, 4, 1, len(pixels)), (258, 3, channels, 0), (273, 4, 1, 0)]
    tags = sorted([*tags, (339, 3, channels, 0)])
    behind = 8 + 2 + 12 * len(tags) + 4
    places = {258: behind, 339: behind + 2 * channels, 273: behind + 4 * channels}
    entries = (struct.pack("<HHII", tag, kind, n, places.get(tag, v)) for tag, kind, n, v in tags)
    lists = struct.pack(f"<{2 * channels}H", *[depth] * channels, *[3] * channels)
    return b"".join([b"II*\0", struct.pack("<IH", 8, len(tags)), *entries, bytes(4), lists, pixels])


def raw_tiff(**kinds: bool) -> bytes:
    """A TIFF that is a camera's raw photo: its first picture is a thumbnail."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254] = 1
    if kinds.get("dng"):
        tags[50706] = b"\1\4\0\0"
    else:
        tags[330] = 8  # where the whole picture would be
    return encoded(random_picture(40, 30), "TIFF", tiffinfo=tags)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (media_file("hevc", "mif1", "hevc"), HEIC),
        (media_file("msf1", "msf1", "hevc"), HEIC),
        (media_file("mif1", "mif1", "heic"), HEIC),
        (media_file("heix", "mif1"), HEIC),
        (media_file("crx ", "crx ", "isom"), RAW),
        (media_file("qt  ", "qt  "), "is a video"),
        (media_file("isom", "iso2", "mp41"), "is a video"),
        (media_file("M4A ", "mp42", "isom"), "is a sound recording"),
        (media_file("????"), "not a picture that can be read"),
        (b"II*\0\x10\0\0\0CR\x02\0" + bytes(99), RAW),
        (b"FUJIFILMCCD-RAW 0201" + bytes(99), RAW),
        (raw_tiff(dng=True), RAW),
        (raw_tiff(), RAW),
        (b"\xff\x0a" + bytes(99), "is a JPEG XL picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), "is a JPEG XL picture"),
        (float_tiff(), r"is a TIFF with 3 channel\(s\) of 32-bit floats"),
        (float_tiff("<f2"), r"is a TIFF with 3 channel\(s\) of 16-bit floats"),
        (float_tiff()[:-100], "damaged"),
        (b"PK\3\4" + bytes(99), "is an archive"),
    ],
)
def test_each_kind_has_its_sentence(
    data: bytes, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FORMATS", [name for name in reading.FORMATS if name != "HEIF"])
    with pytest.raises(PictureError, match=message) as refused:
        read_picture(data)
    assert_is_a_sentence(refused.value)


@pytest.mark.parametrize("brands", [("avif", "mif1"), ("mif1", "mif1", "avif")])
def test_avif_where_pillow_reads_it_and_where_not(
    brands: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for formats, message in (["PNG", "AVIF"], "damaged"), (["PNG"], "is an AVIF picture"):
        monkeypatch.setattr(reading, "FORMATS", formats)
        with pytest.raises(PictureError, match=message):
            read_picture(media_file(*brands))


def test_ordinary_tiffs_are_read() -> None:
    """A thumbnail alone is a picture; so is the first of several sizes."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254] = 1
    assert read_picture(encoded(random_picture(40, 30), "TIFF", tiffinfo=tags)).size == (40, 30)
    sizes = [Image.new("RGB", (30, 20)), Image.new("RGB", (20, 16))]
    data = encoded(random_picture(60, 40), "TIFF", save_all=True, append_images=sizes)
    assert read_picture(data).size == (60, 40)

"""What a file is that is no picture of ours, told by its bytes; nothing of it is ever decoded."""

from __future__ import annotations

import io
from collections.abc import Mapping

from PIL import TiffImagePlugin

AVIF = "an AVIF picture"
HEIC = "a HEIC picture, as iPhones take them"
RAW = "a camera's raw photo"

# By the bytes at some place.
SIGNATURES = (
    (0, b"\x00\x00\x00\x0cjP", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript drawing"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript drawing"),
    (8, b"CR\x02", RAW),
    (0, b"FUJIFILMCCD-RAW", RAW),
    (0, b"IIU\0", RAW),
    (0, b"IIRO", RAW),
    (0, b"IIRS", RAW),
    (0, b"MMOR", RAW),
    (0, b"FOVb", RAW),
    (0, b"PK\3\4", "an archive or a document"),
)
MARKUP = ((b"<svg", "an SVG drawing"), (b"<!doctype html", "a web page"), (b"<html", "a web page"))
# The brands with which files of ISO's base media format begin, the most telling first: a HEIC and
# an AVIF may both be "mif1" in the first place.
BRANDS = (
    ((b"avif", b"avis"), AVIF),
    ((b"hei", b"hev", b"mif1", b"msf1"), HEIC),
    ((b"crx ",), RAW),
    ((b"M4A", b"M4B"), "a sound recording"),
    ((b"qt", b"mp4", b"iso", b"M4V", b"3g", b"avc1", b"MSNV", b"XAVC", b"dash"), "a video"),
)
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

# Tags of TIFF.
NEW_SUBFILE_TYPE, _WIDTH, _BITS, _OFFSETS, _COUNTS = 254, 256, 258, 273, 279
_TILE_OFFSETS, _TILE_COUNTS, _SUB_IFDS, _SAMPLE_FORMAT, _DNG_VERSION = 324, 325, 330, 339, 50706
REDUCED = 1  # bit of the first of them
_FLOAT = 3


def what_is(data: bytes) -> str | None:
    """What the file is, with its article, such as "a PDF document"; None: nobody knows."""
    for place, sign, what in SIGNATURES:
        if data.startswith(sign, place):
            return what
    if data.startswith(b"ftyp", 4):
        return _by_brands(data)
    if data.startswith(TIFF):
        return _unusual_tiff(data)
    start = data[:1000].lower()
    return next((what for sign, what in MARKUP if sign in start), None)


def is_raw_photo(tags: Mapping[int, object]) -> bool:
    """Whether a TIFF's first directory is that of a camera's raw photo, which holds a thumbnail."""
    reduced = tags.get(NEW_SUBFILE_TYPE, 0)
    is_thumbnail = isinstance(reduced, int) and reduced & REDUCED
    return _DNG_VERSION in tags or bool(is_thumbnail and _SUB_IFDS in tags)


def _by_brands(data: bytes) -> str | None:
    length = min(int.from_bytes(data[:4]), 200)
    brands = [data[8:12], *(data[place : place + 4] for place in range(16, length, 4))]
    for signs, what in BRANDS:
        if any(brand.startswith(signs) for brand in brands):
            return what
    return None


def _unusual_tiff(data: bytes) -> str | None:
    """A raw photo, or a TIFF whose pixels are all there in a form that is not read."""
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(data[: 16 if data[2:4] in b"+\0+" else 8])
        file = io.BytesIO(data)
        file.seek(tags.next)
        tags.load(file)
        if is_raw_photo(tags):
            return RAW
        offsets = tags.get(_OFFSETS) or tags[_TILE_OFFSETS]
        counts = tags.get(_COUNTS) or tags[_TILE_COUNTS]
        ends = [start + count for start, count in zip(offsets, counts, strict=True)]
        if max(ends) > len(data) or _WIDTH not in tags:
            return None
        bits = tags.get(_BITS, (1,))
        kind = "floats" if _FLOAT in tags.get(_SAMPLE_FORMAT, ()) else "numbers"
    except Exception:  # damaged somewhere
        return None
    return f"a TIFF with {len(bits)} channel(s) of {max(bits)}-bit {kind}"

"""An untrusted file -> an RGB picture, or one clear sentence.

No PyTorch and no NumPy in here: `nst.web.server.upload_decoding` starts a process for each upload,
which has to be up at once.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import os
import warnings
from pathlib import Path
from typing import NamedTuple

from PIL import ExifTags, Image, ImageChops, ImageOps, features

from nst.pictures.colours import clear_level, on_white, to_srgb
from nst.pictures.foreign import RAW, TIFF, is_raw_photo, what_is
from nst.pictures.metadata import Origin, first_of_several, origin
from nst.pictures.profiles import colour_profile

FORMATS = ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"]  # MPO, as phones write it, is a JPEG
_SUFFIXES = ".jpg .jpeg .jpe .jfif .mpo .png .webp .bmp .dib .tif .tiff .gif"
_ACCEPTED = "JPEG, PNG, WebP, TIFF, BMP, GIF"
if features.check("avif"):
    FORMATS.append("AVIF")
    _SUFFIXES += " .avif"
    _ACCEPTED += ", AVIF"
with contextlib.suppress(ImportError):  # an optional package, see pyproject.toml
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
    FORMATS.append("HEIF")
    _SUFFIXES += " .heic .heif .hif"
    _ACCEPTED += ", HEIC"

PHOTO_SUFFIXES = frozenset(_SUFFIXES.split())
MAX_PIXELS = 64_000_000  # decoded at most; phones of 50 megapixels write 8160×6144, 50.1
LARGER_JPEG = 4  # times as many may a JPEG have that is decoded at half its size or smaller
MAX_BYTES = 50_000_000  # of an upload
BYTES_OF_PIXEL = 8  # at most: four channels of 16 bits
MIN_SIDE = 16  # px, that of nst.models, which would bring PyTorch along


def accepted(max_pixels: int = MAX_PIXELS) -> str:
    """What can be read, in a sentence."""
    return (
        f"Accepted: {_ACCEPTED}, from {MIN_SIDE}×{MIN_SIDE} px to {max_pixels // 10**6} "
        f"megapixels, JPEG to {LARGER_JPEG * max_pixels // 10**6} where it is made much smaller."
    )


END_MISSING = "The end of this JPEG is missing, but its picture is all there."

DAMAGED = "The picture file is damaged or incomplete."
OUR_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"BM", *TIFF, b"GIF8")

# Odd files make Pillow warn and log, which tells whoever runs the page nothing.  (Not with
# `warnings.catch_warnings` around each picture, which would not be safe in several threads.)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
Image.MAX_IMAGE_PIXELS = None  # for `_choose_scale` looks at every size before it is decoded
logging.getLogger("PIL").addHandler(logging.NullHandler())


class PictureError(ValueError):
    """A file that is no usable picture; the message is for the person who sent it."""


class TooLargeError(PictureError):
    """It has more pixels or bytes than are taken."""


def refusal(sentence: str, max_pixels: int = MAX_PIXELS) -> PictureError:
    """The error that says what is wrong and what is accepted."""
    return PictureError(f"{sentence} {accepted(max_pixels)}")


class Reading(NamedTuple):
    picture: Image.Image  # RGB, or RGBA where some of it is transparent
    remark: str | None = None  # a sentence about the file, if there is something to say
    origin: Origin = Origin()


def looks_like_photo(path: Path) -> bool:
    """By its name; macOS's companions ("._photo.jpg") are none."""
    return path.suffix.lower() in PHOTO_SUFFIXES and not path.name.startswith("._")


def read_picture(
    source: Path | str | bytes, side: int | None = None, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """Read an untrusted picture file as 8-bit sRGB, upright, without metadata.

    Only the formats of `FORMATS` are tried, and the size is checked from the header before
    anything is decoded.  Turned as EXIF says; colours converted from what the file says of them, as
    browsers do; 16-bit, 32-bit and float grey scaled to 8 bits; transparency laid on white; of an
    animation the first frame.

    Args:
        source: a path, or the file's bytes.
        side: if given, the longer side is at most so many px, as by `limit_side`; a large JPEG is
            then decoded at 1/2, 1/4 or 1/8 of its size, which is faster and needs less memory.
        max_pixels: more are not decoded; each takes some ten bytes of memory.

    Raises:
        TooLargeError: it has more pixels or bytes.
        PictureError: empty, too small, damaged, or no picture of those formats.
    """
    return on_white(read_with_remark(source, side, max_pixels).picture)


def read_with_remark(
    source: Path | str | bytes,
    side: int | None = None,
    max_pixels: int = MAX_PIXELS,
    keep_place: bool = False,
) -> Reading:
    """`read_picture`, with its transparency, and what else there is to know about the file.

    Args:
        keep_place: also where the photo was taken is to be kept.
    """
    data = read_bytes(source, BYTES_OF_PIXEL * max_pixels, max_pixels)
    try:
        picture = _decode(data, side, max_pixels)
        return Reading(picture, *_about(data, keep_place))
    except PictureError as error:  # a sentence
        raise type(error)(f"{error} {accepted(max_pixels)}") from None
    except Image.UnidentifiedImageError:
        raise refusal(_what_else(data), max_pixels) from None
    except MemoryError:
        raise refusal("The picture takes too much memory to decode.", max_pixels) from None
    except Exception:  # decoders raise nearly everything on damaged files; none of it is for users
        with contextlib.suppress(Exception):
            if (whole := _decode_without_end(data, side, max_pixels)) is not None:
                return Reading(whole, END_MISSING, _about(data, keep_place)[1])
        raise refusal(DAMAGED, max_pixels) from None


def read_bytes(
    source: Path | str | bytes, most: int = MAX_BYTES, max_pixels: int = MAX_PIXELS
) -> bytes:
    """A file's bytes, at least one and at most so many.

    Raises:
        TooLargeError: there are more.
        PictureError: there are none, or the path is no readable file.
    """
    if isinstance(source, bytes):
        data = source
    else:
        try:
            if not Path(source).is_file():  # reading a pipe or a device might never end
                raise OSError("no file")
            with Path(source).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                data = file.read(min(size, most) + 1)  # which makes room for so many at once
        except (OSError, ValueError):  # ValueError: a path with a NUL in it
            raise refusal("The file could not be read.", max_pixels) from None
    if len(data) > most:
        sentence = f"The file is larger than {most // 10**6} MB."
        raise TooLargeError(f"{sentence} {accepted(max_pixels)}")
    if not data:
        raise refusal("The file is empty.", max_pixels)
    return data


def limit_side(picture: Image.Image, side: int) -> Image.Image:
    """The picture with its longer side at most `side` px; never enlarged, never below 16 px."""
    size = limited(picture.size, side)
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)


def limited(size: tuple[int, int], side: float) -> tuple[int, int]:
    """Width and height of a picture after `limit_side`."""
    scale = side / max(size)
    if scale >= 1:
        return size
    width, height = (max(MIN_SIDE, round(length * scale)) for length in size)
    return width, height


def _decode(data: bytes, side: int | None, max_pixels: int) -> Image.Image:
    """Raises PictureError, with a sentence about the file alone, and whatever decoders raise."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        if picture.format == "TIFF" and is_raw_photo(picture.tag_v2):
            raise PictureError(_not_read(RAW))  # not its thumbnail
        _choose_scale(picture, side, max_pixels)
        return _as_rgb(picture, side, data)


def _decode_without_end(data: bytes, side: int | None, max_pixels: int) -> Image.Image | None:
    """A JPEG that lacks its last marker; None: it is another file, or lacks some of its picture.

    The decoder makes up what is missing.  But nothing is when it does not look at what follows:
    the picture is the same with and without something else there.
    """
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    data = data.rstrip(b"\xff")
    first, *others = (
        _decode(data + made_up + b"\xff\xd9", side, max_pixels)
        for made_up in (b"", 64 * b"U", 64 * b"\xaa")
    )
    return first if all(other.tobytes() == first.tobytes() for other in others) else None


def _choose_scale(picture: Image.Image, side: int | None, max_pixels: int) -> None:
    """Refuse a size, or decide at which part of it a JPEG is decoded."""
    width, height = picture.size
    if side and 2 * side < max(picture.size) and width * height <= LARGER_JPEG * max_pixels:
        # At least twice the size wanted, so that what decides on the pixels is `limit_side`.
        scale = 2 * side / max(picture.size)
        picture.draft(None, (max(1, int(width * scale)), max(1, int(height * scale))))
    if picture.width * picture.height > max_pixels:
        raise TooLargeError(f"The picture has too many pixels ({width}×{height}).")
    if min(width, height) < MIN_SIDE:
        raise PictureError(f"The picture is too small ({width}×{height}).")


def _as_rgb(picture: Image.Image, side: int | None, data: bytes) -> Image.Image:
    picture.load()
    profile, own = colour_profile(picture, data), picture.info.get("icc_profile")
    orientation = _orientation(picture)

    clear = clear_level(picture, data)
    if picture.mode == "F" or picture.mode.startswith("I"):
        picture = _eight_bits(picture)
    if clear is not None:
        picture = picture.convert("RGB")
        picture.putalpha(ImageChops.invert(clear))
    elif picture.has_transparency_data:
        picture = picture.convert("RGBA")
    elif picture.mode not in ("L", "RGB", "CMYK", "LAB") or profile is not own:
        picture = picture.convert("RGB")
    if side:
        picture = limit_side(picture, side)
    picture = to_srgb(picture, profile)
    if picture.mode != "RGBA" or picture.getextrema()[3][0] == 255:
        picture = picture.convert("RGB")
    picture.info = {}
    if orientation in range(2, 9):  # the file's own EXIF may be broken in other places
        picture.getexif()[ExifTags.Base.Orientation] = orientation
        ImageOps.exif_transpose(picture, in_place=True)
    return picture


def _about(data: bytes, keep_place: bool) -> tuple[str | None, Origin]:
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        kept = origin(picture, keep_place)
        return first_of_several(picture), kept


def _orientation(picture: Image.Image) -> int:
    try:
        return picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # EXIF that cannot be parsed must not cost the picture
        return 1


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits or floats, scaled; Pillow's own conversion would clip it at 255.

    Integers of 16 bits are divided by 65535.  Of the others nobody knows the white: it is the
    smallest of 1 (for floats), 255 and 65535 that no pixel exceeds, or else the brightest pixel.
    """
    if picture.mode.startswith("I;16"):
        white = 65535
        if picture.mode != "I;16":  # the other byte order, in which Pillow does not calculate
            other = picture.tobytes()
            picture = Image.frombytes("I;16", picture.size, other, "raw", picture.mode)
    else:
        _, brightest = picture.getextrema()
        if not math.isfinite(brightest):
            raise PictureError("The picture has pixels that are no numbers.")
        whites = (1, 255, 65535) if picture.mode == "F" else (255, 65535)
        white = next((white for white in whites if brightest <= white), brightest)
    return picture.point(lambda value: value * (255 / white) + 0.5).convert("L")


def _what_else(data: bytes) -> str:
    """A sentence about a file that is no picture of ours."""
    what = what_is(data)
    if what == "an AVIF picture" and "AVIF" in FORMATS:
        return DAMAGED
    if what is not None:
        return _not_read(what)
    return (
        DAMAGED
        if data.startswith(OUR_SIGNATURES)
        else "This file is not a picture that can be read."
    )


def _not_read(what: str) -> str:
    return f"This file is {what}, which is not read here; save it as JPEG or PNG."

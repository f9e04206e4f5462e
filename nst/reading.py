"""An untrusted file -> an RGB picture, or one clear sentence.

No PyTorch and no NumPy in here: `nst.upload` starts a process for each upload, and it has to be up
at once.
"""

from __future__ import annotations

import io
import logging
import math
import warnings
from pathlib import Path

from PIL import ExifTags, Image, ImageCms

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")  # MPO, as phones write it, is a JPEG
MAX_PIXELS = 50_000_000  # decoded at most, about 8660 × 5770
MAX_BYTES = 50_000_000
MIN_SIDE = 16  # px, that of nst.models, which would bring PyTorch along
ACCEPTED = "Accepted: PNG, JPEG, WebP, BMP, TIFF and GIF from 16×16 to 50 megapixels."

# What people send instead, by the bytes at some place: nothing of it is ever opened.
FOREIGN = (
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftyphei", "a HEIC picture, as iPhones take them"),
    (4, b"ftypmif1", "a HEIC picture, as iPhones take them"),
    (4, b"ftyp", "a video"),
    (0, b"\x00\x00\x00\x0cjP", "a JPEG 2000 picture"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript drawing"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript drawing"),
)
MARKUP = ((b"<svg", "an SVG drawing"), (b"<!doctype html", "a web page"), (b"<html", "a web page"))
OUR_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"BM", b"II*\0", b"MM\0*", b"GIF8")

# EXIF's orientation -> what turns the picture upright
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Odd files make Pillow warn and log, which is nothing for whoever runs the page.  (Not with
# `warnings.catch_warnings` around each picture, which would not be safe in several threads.)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # `_check_size` refuses
logging.getLogger("PIL").addHandler(logging.NullHandler())


class PictureError(ValueError):
    """A file that is no usable picture; the message is for the person who sent it."""


def refusal(sentence: str) -> PictureError:
    """The error that says what is wrong and what is accepted."""
    return PictureError(f"{sentence} {ACCEPTED}")


def read_picture(source: Path | str | bytes, side: int | None = None) -> Image.Image:
    """Read an untrusted picture file as 8-bit sRGB, upright, without metadata.

    Only the formats of `FORMATS` are tried, and the size is checked from the header before
    anything is decoded.  Turned as EXIF says; colours converted from the file's ICC profile, if it
    has one that can be read; 16-bit, 32-bit and float grey scaled to 8 bits; transparency laid on
    white; of an animation the first frame.

    Args:
        source: a path, or the file's bytes.
        side: if given, the longer side is at most so many px, as by `limit_side`; a large JPEG is
            then decoded at 1/2, 1/4 or 1/8 of its size, which is faster and needs less memory.

    Raises:
        PictureError: empty, too large, too small, damaged, or no picture of those formats.
    """
    data = read_bytes(source)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            _check_size(picture.size)
            return _as_rgb(picture, side)
    except PictureError:
        raise
    except Image.DecompressionBombError:
        raise refusal("The picture has too many pixels.") from None
    except Image.UnidentifiedImageError:
        raise refusal(_what_else(data)) from None
    except MemoryError:
        raise refusal("The picture takes too much memory to decode.") from None
    except Exception:  # decoders raise nearly everything on damaged files; none of it is for users
        raise refusal("The picture file is damaged or incomplete.") from None


def read_bytes(source: Path | str | bytes) -> bytes:
    """A file's bytes, at least one and at most `MAX_BYTES`.

    Raises:
        PictureError: there are none, too many, or the path is no readable file.
    """
    if isinstance(source, bytes):
        data = source
    else:
        try:
            if not Path(source).is_file():  # reading a pipe or a device might never end
                raise OSError("no file")
            with Path(source).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except (OSError, ValueError):  # ValueError: a path with a NUL in it
            raise refusal("The file could not be read.") from None
    if len(data) > MAX_BYTES:
        raise refusal(f"The file is larger than {MAX_BYTES // 10**6} MB.")
    if not data:
        raise refusal("The file is empty.")
    return data


def limit_side(picture: Image.Image, side: int) -> Image.Image:
    """The picture with its longer side at most `side` px; never enlarged, never below 16 px."""
    scale = side / max(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(MIN_SIDE, round(length * scale)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise refusal(f"The picture has too many pixels ({width}×{height}).")
    if min(width, height) < MIN_SIDE:
        raise refusal(f"The picture is too small ({width}×{height}).")


def _as_rgb(picture: Image.Image, side: int | None) -> Image.Image:
    if side and 2 * side < max(picture.size):
        # At least twice the size wanted, so that what decides on the pixels is `limit_side`.
        draft_scale = 2 * side / max(picture.size)
        picture.draft(None, [max(1, int(length * draft_scale)) for length in picture.size])
    picture.load()
    profile = picture.info.get("icc_profile")
    orientation = _orientation(picture)

    if picture.mode == "F" or picture.mode.startswith("I"):
        picture = _eight_bits(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=picture.getchannel("A"))
        picture = white
    elif picture.mode not in ("L", "RGB", "CMYK", "LAB"):  # those that a profile may be for
        picture = picture.convert("RGB")
    if side:
        picture = limit_side(picture, side)
    if orientation in TURNS:
        picture = picture.transpose(TURNS[orientation])
    picture = _to_srgb(picture, profile).convert("RGB")
    picture.info = {}
    return picture


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
            raise refusal("The picture has pixels that are no numbers.")
        whites = (1, 255, 65535) if picture.mode == "F" else (255, 65535)
        white = next((white for white in whites if brightest <= white), brightest)
    return picture.point(lambda value: value * (255 / white) + 0.5).convert("L")


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture's colours in sRGB; as they are where the profile is missing or unusable."""
    try:
        if picture.mode == "LAB":
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        elif profile:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "sRGB" in ImageCms.getProfileDescription(source):
                return picture
        else:
            return picture
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, source, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return picture


def _what_else(data: bytes) -> str:
    """A sentence about a file that is no picture of ours."""
    start = data[:1000].lower()
    kinds = [what for place, sign, what in FOREIGN if data.startswith(sign, place)]
    kinds += [what for sign, what in MARKUP if sign in start]
    if kinds:
        return f"This file is {kinds[0]}, which is not read here; save it as JPEG or PNG."
    if data.startswith(OUR_SIGNATURES):
        return "The picture file is damaged or incomplete."
    return "This file is not a picture that can be read."

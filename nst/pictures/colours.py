"""What a file's pixels mean: its colour profile, and the level that it calls transparent.

As `nst.pictures.reading`, whose work this is, free of PyTorch and NumPy.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageCms


def to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
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
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(picture, source, srgb, outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return picture


def on_white(picture: Image.Image) -> Image.Image:
    """An RGB picture, of an RGBA one as it looks on white."""
    if picture.mode != "RGBA":
        return picture
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture)
    return white


def as_clear_as(photo: Image.Image, picture: Image.Image) -> Image.Image:
    """An RGB picture with the photo's transparency, if it has some."""
    if photo.mode != "RGBA":
        return picture
    picture = picture.copy()
    picture.putalpha(photo.getchannel("A"))
    return picture


def clear_level(picture: Image.Image, data: bytes) -> Image.Image | None:
    """Where a PNG has the grey or colour that it calls transparent, as a mask; None: elsewhere.

    Pillow compares that level, as the file has it, with pixels that it has made 8 bits; so for
    other depths it is done here, each byte by itself.
    """
    level = picture.info.get("transparency")
    if picture.format != "PNG" or picture.mode not in ("L", "I;16", "RGB") or level is None:
        return None
    depth = data[24]
    if depth == 8:
        return None
    if depth < 8:
        return where_level(picture, (level * 255 // (2**depth - 1),))
    if picture.mode == "I;16":
        pixels = picture.tobytes()
        high, low = (Image.frombytes("L", picture.size, pixels[byte::2]) for byte in (1, 0))
        level = (level,)
    else:
        high = picture
        with Image.open(io.BytesIO(data), formats=["PNG"]) as low:  # its bytes the other way round
            low.tile = [tile._replace(args="RGB;16L") for tile in low.tile]
            low.load()
    same_high = where_level(high, [value >> 8 for value in level])
    same_low = where_level(low, [value & 255 for value in level])
    return ImageChops.darker(same_high, same_low)


def where_level(picture: Image.Image, level: Sequence[int]) -> Image.Image:
    """255 where all of a picture's bands have the levels given, and 0 elsewhere."""
    masks = (
        band.point([255 if value == wanted else 0 for value in range(256)])
        for band, wanted in zip(picture.split(), level, strict=True)
    )
    return functools.reduce(ImageChops.darker, masks)

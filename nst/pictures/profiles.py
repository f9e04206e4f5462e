"""What a file says about its colours, as an ICC profile; also where it says so in other words.

In PNG, what comes first counts, as for browsers: cICP, iCCP, sRGB, gAMA with or without cHRM.
Cameras call Adobe RGB by its name in EXIF alone.  Free of NumPy, as `nst.pictures.reading`.
"""

from __future__ import annotations

import contextlib
import math
import operator
import struct
from collections.abc import Callable, Sequence

from PIL import ExifTags, Image

Vector = Sequence[float]
Curve = Callable[[float], float]  # a level -> light, both 0–1

D50 = (0.9642, 1.0, 0.8249)  # XYZ of a profile's white
BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))

# x, y of white, red, green, blue, as PNG's cHRM has them.
_D65 = (0.3127, 0.3290)
SRGB = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
ADOBE_RGB = (*_D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
PRIMARIES = {  # by their number in ITU-T H.273
    1: SRGB,
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),  # BT.2020
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),  # P3 of cinemas
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),  # P3 of displays
}
ADOBE_GAMMA = 563 / 256
HDR_WHITE = 406  # cd/m² and brighter are white, as in Chromium on a screen without HDR


def gamma(exponent: float) -> Curve:
    return lambda level: level**exponent


def _srgb(level: float) -> float:
    return level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4


def _pq(level: float) -> float:
    """SMPTE ST 2084, which goes to 10,000 cd/m²."""
    root = level ** (32 / 2523)
    light = max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    return min(1, 10_000 / HDR_WHITE * light ** (8192 / 1305))


def _hlg(level: float) -> float:
    """ARIB STD-B67 on a display of 1,000 cd/m²."""
    bright = (math.exp((level - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return min(1, 1000 / HDR_WHITE * (level**2 / 3 if level <= 0.5 else bright) ** 1.2)


CURVES: dict[int, Curve] = {  # by their number in ITU-T H.273
    **dict.fromkeys((1, 6, 14, 15), gamma(2.4)),  # as screens show BT.709 (BT.1886)
    4: gamma(2.2),
    8: gamma(1),
    13: _srgb,
    16: _pq,
    18: _hlg,
}


def colour_profile(picture: Image.Image, data: bytes) -> bytes | None:
    """The ICC profile of a file's pixels, its own or one that says the same; None: sRGB."""
    info, is_png = picture.info, picture.format == "PNG"
    if is_png and (numbers := _cicp(data)):
        return None if numbers == (1, 13) else _profile(PRIMARIES[numbers[0]], CURVES[numbers[1]])
    if profile := info.get("icc_profile"):
        return profile
    if is_png and "srgb" not in info and (exponent := info.get("gamma")):
        primaries = info.get("chromaticity")
        if primaries is None and abs(1 / exponent - 2.2) < 0.001:
            return None  # what older programs wrote for sRGB
        return _profile(primaries or SRGB, gamma(1 / exponent))
    if picture.mode == "RGB" and _is_adobe_rgb(picture):
        return _profile(ADOBE_RGB, gamma(ADOBE_GAMMA))
    return None


def _cicp(data: bytes) -> tuple[int, int] | None:
    """A PNG's numbers of primaries and curve; None: it has none, or none that are known here."""
    place = 8
    while (kind := data[place + 4 : place + 8]) not in (b"cICP", b"IDAT", b""):
        place += 12 + int.from_bytes(data[place : place + 4])
    primaries, curve, *rest = data[place + 8 : place + 12] if kind == b"cICP" else (0, 0)
    is_known = rest == [0, 1] and primaries in PRIMARIES and curve in CURVES  # RGB, full range
    return (primaries, curve) if is_known else None


def _is_adobe_rgb(picture: Image.Image) -> bool:
    with contextlib.suppress(Exception):  # EXIF that cannot be parsed says nothing
        exif = picture.getexif()
        space = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.ColorSpace)
        name = exif.get_ifd(ExifTags.IFD.Interop).get(ExifTags.Interop.InteropIndex)
        return space == 0xFFFF and name == "R03"
    return False


def _profile(chromaticities: Vector, curve: Curve) -> bytes | None:
    """The ICC profile of such an RGB space; None: there is none such."""
    levels = [round(65535 * curve(level / 255)) for level in range(256)]
    try:
        tags = dict.fromkeys(
            ("rTRC", "gTRC", "bTRC"), struct.pack(">4sII256H", b"curv", 0, 256, *levels)
        )
        for name, xyz in zip(("rXYZ", "gXYZ", "bXYZ"), _colorants(chromaticities), strict=True):
            tags[name] = struct.pack(">4sI3i", b"XYZ ", 0, *_fixed(xyz))
    except (ArithmeticError, ValueError, struct.error):  # too few, or such as no light has
        return None
    start = 128 + 4 + 12 * len(tags)
    table, content = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += struct.pack(">4sII", name.encode(), start + len(content), len(value))
        content += value
    illuminant = struct.pack(">3i", *_fixed(D50))
    head = b"mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28) + illuminant + bytes(48)
    return struct.pack(">I4xI", start + len(content), 0x02400000) + head + table + content


def _colorants(chromaticities: Vector) -> list[Vector]:
    """XYZ of red, green and blue that make white together, adapted to D50 by Bradford."""
    white, *primaries = (
        (x / y, 1.0, (1 - x - y) / y)
        for x, y in zip(chromaticities[::2], chromaticities[1::2], strict=True)
    )
    shares = _solve(tuple(zip(*primaries, strict=True)), white)
    gains = [after / before for after, before in zip(_cones(D50), _cones(white), strict=True)]
    return [
        _solve(
            BRADFORD, [share * gain * cone for gain, cone in zip(gains, _cones(one), strict=True)]
        )
        for share, one in zip(shares, primaries, strict=True)
    ]


def _cones(xyz: Vector) -> list[float]:
    return [sum(map(operator.mul, row, xyz)) for row in BRADFORD]


def _solve(matrix: Sequence[Vector], right: Vector) -> list[float]:
    """By Cramer's rule, 3×3."""
    whole = _determinant(matrix)
    columns = list(zip(*matrix, strict=True))
    return [
        _determinant([right if column == place else columns[column] for column in range(3)]) / whole
        for place in range(3)
    ]


def _determinant(rows: Sequence[Vector]) -> float:
    (a, b, c), (d, e, f), (g, h, i) = rows
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def _fixed(values: Vector) -> list[int]:
    return [round(65536 * value) for value in values]

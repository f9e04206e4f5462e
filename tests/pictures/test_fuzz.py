"""Generated and mutated files: each gives a picture or a sentence, nothing else.

To whatever reads them: `nst.pictures.reading`, the command line, and the page.  In this process
where possible, for speed; so a crash of a decoder would end the tests.  NST_FUZZ=10000 looks
longer.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, features

from nst import stylize as stylize_module
from nst.pictures import reading
from nst.pictures.colours import on_white
from nst.pictures.metadata import save_settings
from nst.pictures.reading import PictureError, read_picture, read_with_remark
from nst.web.server.upload_decoding import read_upload
from tests.helpers import (
    assert_is_a_sentence,
    encoded,
    png_chunk,
    random_picture,
    swapped_profile,
)

# pytest brings filters of its own; `test_reading` checks that users see no warnings.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
EXAMPLES = int(os.environ.get("NST_FUZZ", "2000"))
MOST_PIXELS = 250_000  # in place of MAX_PIXELS, so that an inflated header costs no second


def frames(photo: Image.Image) -> dict:
    # Made anew for each file, for saving leaves settings in a picture.
    return {"save_all": True, "append_images": [photo.rotate(90), photo.rotate(180)]}


def seeds() -> dict[str, bytes]:
    """A small file of each kind that the decoders have code of their own for."""
    photo = random_picture(40, 30)
    grey = photo.convert("L")
    clear = photo.copy()
    clear.putalpha(grey)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Artist] = "somebody"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ColorSpace] = 0xFFFF
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (50.0, 0.0, 0.0)})
    about = {"exif": exif, "icc_profile": swapped_profile()}
    sixteen = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    floats = Image.fromarray(np.asarray(grey).astype(np.float32) / 255)
    return {
        "png": encoded(photo, **about),
        "png palette": encoded(photo.quantize(16), transparency=0),
        "png grey16": encoded(sixteen, transparency=257 * 128),
        "png alpha": encoded(clear),
        "png animated": encoded(photo, **frames(photo)),
        "jpeg": encoded(photo, "JPEG", **about),
        "jpeg progressive": encoded(photo, "JPEG", progressive=True),
        "jpeg cmyk": encoded(photo.convert("CMYK"), "JPEG"),
        "jpeg of a phone": encoded(photo, "MPO", **frames(photo)),
        "webp": encoded(photo, "WEBP", **about),
        "webp lossless": encoded(clear, "WEBP", lossless=True),
        "webp animated": encoded(photo, "WEBP", **frames(photo)),
        "bmp": encoded(photo, "BMP"),
        "bmp palette": encoded(photo.quantize(16), "BMP"),
        "tiff": encoded(photo, "TIFF", **about),
        "tiff lzw": encoded(clear, "TIFF", compression="tiff_lzw"),
        "tiff jpeg": encoded(photo, "TIFF", compression="jpeg"),
        "tiff fax": encoded(photo.convert("1"), "TIFF", compression="group4"),
        "tiff float": encoded(floats, "TIFF", compression="tiff_adobe_deflate"),
        "tiff frames": encoded(photo, "TIFF", **frames(photo)),
        "gif": encoded(photo, "GIF", **frames(photo)),
        **({"avif": encoded(photo, "AVIF", **about)} if features.check("avif") else {}),
    }


SEEDS = seeds()
CHANGES = ["flip", "set", "cut", "drop", "repeat", "insert", "number", "chunk", "splice"]
CHUNKS = [b"IHDR", b"iCCP", b"cICP", b"gAMA", b"cHRM", b"eXIf", b"tRNS", b"acTL", b"PLTE", b"pHYs"]
# Values that lengths, sizes and offsets break at.
EDGES = [0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A seed with one to four changes: bytes, cuts, repeats, insertions, numbers, chunks, splices.

    Most changes hit the first 200 bytes, where the headers are.
    """
    data = bytearray(SEEDS[draw(st.sampled_from(sorted(SEEDS)))])
    for _ in range(draw(st.integers(1, 4))):
        if not data:
            break
        end = min(len(data), 200) if draw(st.booleans()) else len(data)
        place = draw(st.integers(0, end - 1))
        length = draw(st.integers(1, 64))
        match draw(st.sampled_from(CHANGES)):
            case "flip":
                data[place] ^= 1 << draw(st.integers(0, 7))
            case "set":
                data[place] = draw(st.integers(0, 255))
            case "cut":
                del data[place:]
            case "drop":
                del data[place : place + length]
            case "repeat":
                data[place:place] = data[place : place + length] * draw(st.integers(1, 20))
            case "insert":
                data[place:place] = draw(st.binary(max_size=64))
            case "number":
                order = draw(st.sampled_from("<>")) + draw(st.sampled_from("HI"))
                number = draw(st.sampled_from(EDGES)) & (2 ** (8 * struct.calcsize(order)) - 1)
                data[place : place + struct.calcsize(order)] = struct.pack(order, number)
            case "chunk":  # with a valid checksum, so that a PNG's is looked into
                kind = draw(st.sampled_from(CHUNKS))
                data[33:33] = png_chunk(kind, draw(st.binary(max_size=64)))
            case "splice":
                other = SEEDS[draw(st.sampled_from(sorted(SEEDS)))]
                data[place:] = other[place:]
    return bytes(data)


@st.composite
def png_with_any_header(draw: st.DrawFn) -> bytes:
    """A PNG with a header of any size, depth and colour type and a valid checksum."""
    size = st.one_of(st.integers(0, 300), st.sampled_from(EDGES))
    fields = [draw(size), draw(size), *(draw(st.integers(0, 17)) for _ in range(5))]
    png = SEEDS[draw(st.sampled_from(["png", "png palette", "png grey16", "png alpha"]))]
    return png[:8] + png_chunk(b"IHDR", struct.pack(">IIBBBBB", *fields)) + png[33:]


KINDS = [
    *[mutated()] * 3,  # half of all
    png_with_any_header(),
    st.builds(
        lambda seed, junk: SEEDS[seed][:16] + junk, st.sampled_from(sorted(SEEDS)), st.binary()
    ),
    st.binary(max_size=300),
]
FILES = st.integers(0, len(KINDS) - 1).flatmap(KINDS.__getitem__)  # `one_of` counts equal ones once


def fuzz(check: Callable[[bytes], bool], examples: int, share: float = 0.1) -> None:
    """Let `check` say of each file whether it gave a picture; a share of them does at least."""
    outcomes = {True: 0, False: 0}

    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize="NST_FUZZ" not in os.environ,  # or a share below could differ by chance
    )
    @given(data=FILES)
    def look(data: bytes) -> None:
        outcomes[check(data)] += 1

    look()
    # Neither of them so rare that half of the test would be idle.
    assert min(outcomes.values()) > share * sum(outcomes.values()), outcomes


def assert_is_a_picture(picture: Image.Image) -> None:
    assert picture.mode in ("RGB", "RGBA")
    assert min(picture.size) >= reading.MIN_SIDE
    assert picture.width * picture.height <= MOST_PIXELS
    assert len(picture.tobytes()) == len(picture.mode) * picture.width * picture.height


@pytest.mark.slow
@pytest.mark.parametrize("side", [None, 16, 100])
def test_any_file_gives_a_picture_or_a_sentence(side: int | None) -> None:
    def check(data: bytes) -> bool:
        try:
            picture, remark, origin = read_with_remark(data, side, MOST_PIXELS, side is None)
        except PictureError as error:
            assert_is_a_sentence(error, MOST_PIXELS)
            return False
        assert remark in (None, reading.END_MISSING) or remark.startswith("This is the first of ")
        assert_is_a_picture(picture)
        assert picture.info == {}
        settings = save_settings("JPEG", picture.size, None, origin)
        on_white(picture).save(io.BytesIO(), "JPEG", **settings)
        return True

    fuzz(check, EXAMPLES // 3)


@pytest.mark.slow
def test_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """With a network that changes nothing: a result of the right size, or one line and code 1."""
    monkeypatch.setattr(stylize_module, "MAX_PIXELS", MOST_PIXELS)
    monkeypatch.setattr(stylize_module, "load_checkpoint", lambda *_: (None, {}))
    monkeypatch.setattr(stylize_module, "build_engines", lambda *_, **__: {"v3": None})
    monkeypatch.setattr(stylize_module, "stylize_any_size", lambda _, photo, *__: (photo, 0.1))
    photo, out = tmp_path / "photo", tmp_path / "out.png"

    def check(data: bytes) -> bool:
        photo.write_bytes(data)
        out.unlink(missing_ok=True)
        code = stylize_module.main([str(photo), "-o", str(out)])
        errors = capsys.readouterr().err
        assert "Error" not in errors
        assert out.exists() == (code == 0)
        if code:
            assert f"{photo}: " in errors
        else:
            with Image.open(out) as picture:
                assert_is_a_picture(picture)
        assert len(list(tmp_path.iterdir())) == 1 + out.exists()
        return code == 0

    fuzz(check, EXAMPLES // 8)  # the files are those from above; what differs is what is said


@pytest.mark.slow
def test_on_the_page() -> None:
    """Each in a process of its own, so fewer of them."""

    def check(data: bytes) -> bool:
        try:
            picture = read_upload(data, 100).picture
        except PictureError as error:
            assert_is_a_sentence(error)
            return False
        assert_is_a_picture(picture)
        return True

    fuzz(check, EXAMPLES // 50, share=0.01)  # Hypothesis begins with the simplest ones


def test_the_seeds_are_pictures() -> None:
    for data in SEEDS.values():
        assert sorted(read_picture(data).size) == [30, 40]


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_every_cut_gives_the_picture_or_a_sentence(name: str) -> None:
    """A file cut anywhere is refused, unless only what lies behind the pixels was lost."""
    data = SEEDS[name]
    for length in range(0, len(data), max(1, len(data) // 60)):
        try:
            assert sorted(read_picture(data[:length]).size) == [30, 40]
        except PictureError as error:
            assert_is_a_sentence(error)

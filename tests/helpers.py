"""What several test modules share: small pictures and files, drawn here, and running a command."""

from __future__ import annotations

import asyncio
import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from nst.pictures.reading import MAX_PIXELS, PictureError, accepted

ROOT = Path(__file__).parent.parent


def random_picture(width: int, height: int, seed: int = 0) -> Image.Image:
    """Smooth random colours, so that neither JPEG nor resizing changes them much."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def encoded(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_declared_size(width: int, height: int, filled: bool = False) -> bytes:
    """A PNG whose header claims a size, which its data fill (with black) or do not."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)  # one bit for a pixel
    data = zlib.compress(bytes((1 + (width + 7) // 8) * height) if filled else bytes(1000), 9)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def swapped_profile() -> bytes:
    """sRGB with red's and green's primaries exchanged, and not called sRGB."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace(b"rXYZ", b"????", 1).replace(b"gXYZ", b"rXYZ", 1)
    return profile.replace(b"????", b"gXYZ", 1).replace("sRGB".encode("utf-16-be"), bytes(8))


def assert_is_a_sentence(error: PictureError, max_pixels: int = MAX_PIXELS) -> None:
    """One sentence, then what is accepted; nothing that looks like a path."""
    sentence, _, rest = str(error).partition(accepted(max_pixels))
    assert rest == ""
    assert sentence[0].isupper()
    assert sentence.endswith(". ")
    assert sentence.count(".") == 1
    assert "/" not in sentence


def run_in_thread(scenario: Coroutine[Any, Any, None]) -> None:
    """Run it in a loop of its own: in this thread a browser's may be running."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, scenario).result()


def run_python(
    *arguments: str | Path, folder: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Python with these arguments in a folder, with more in its environment; what it printed."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )

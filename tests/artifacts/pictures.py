"""Pictures with and without a lattice, for the tests of what measures it."""

from __future__ import annotations

import io

import numpy as np
from gradio.media import get_image
from PIL import Image, ImageDraw

from nst.pictures.examples import LAMPS
from nst.pictures.reading import limit_side, read_picture

SIDE = 256  # px
COLOURS = {"red": (0.5, -0.5, 0), "green": (-0.5, 0.5, 0), "blue": (0, 0, 1), "dark": (-1, -1, -1)}


def clean_pictures() -> dict[str, Image.Image]:
    """Two photos, a drawing, and strokes in the painting's yellow: none larger than 256 px."""
    paths = {"lion": get_image("lion.jpg"), "tower": get_image("tower.jpg"), "lamps": LAMPS}
    pictures = {name: limit_side(read_picture(path), SIDE) for name, path in paths.items()}
    return {**pictures, "strokes": strokes()}


def strokes(seed: int = 0) -> Image.Image:
    """Lines of 1-3 px in all directions, in yellows and oranges of unlike redness."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (SIDE, SIDE), (225, 180, 60))
    pen = ImageDraw.Draw(picture)
    for x, y in rng.integers(0, SIDE, (1500, 2)):
        angle, length = rng.uniform(0, np.pi), rng.uniform(6, 24)
        end = (x + length * np.cos(angle), y + length * np.sin(angle))
        colour = (int(rng.integers(200, 250)), int(rng.integers(140, 210)), 50)
        pen.line(((x, y), end), fill=colour, width=int(rng.integers(1, 4)))
    return picture


def plant(
    picture: Image.Image, period: int, contrast: float, colour: str = "red", down: int | None = None
) -> Image.Image:
    """Dots of one pixel every `period` px, every `down` rows, that differ by `contrast` levels.

    The picture's mean colour stays, and its range is made smaller so that little is clipped.
    """
    pixels = 20 + np.asarray(picture, dtype=np.float32) * 190 / 255
    dots = np.zeros(pixels.shape[:2], dtype=np.float32)
    dots[1 :: down or period, 2::period] = contrast
    pixels += (dots - dots.mean())[..., None] * np.array(COLOURS[colour])
    return Image.fromarray(np.uint8(pixels.clip(0, 255).round()))


def jpeg(picture: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, format="JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def larger(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    return picture.resize((width * 3 // 2, height * 3 // 2), Image.Resampling.BICUBIC)


def noise(mean: tuple[int, int, int], deviation: float, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).normal(mean, deviation, (SIDE, SIDE, 3))
    return Image.fromarray(np.uint8(pixels.clip(0, 255)))

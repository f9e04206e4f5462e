"""Draws assets/red-spots.png: a planted grid, and a lamp as the networks make it, at 8×.

python -m assets.drawing.draw_red_spots
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from nst.artifacts.yellow import square_around, yellowest_place
from nst.checkpoint import load_networks
from nst.inference.picture import stylize
from nst.paths import ASSETS
from nst.pictures.examples import FIRST_SIDE, examples
from nst.pictures.reading import read_picture

SIDE, ZOOM = 30, 8  # px of a picture, and screen pixels for each
GAP, HEADING = 8, 26  # px
YELLOW, REDDER = (214, 180, 70), (255, 120, 70)
NETWORKS = ("baseline", "v1", "v4")


def planted() -> Image.Image:
    """A yellow square with one redder pixel in every 4×4."""
    pixels = np.full((SIDE, SIDE, 3), YELLOW, dtype=np.uint8)
    pixels[1::4, 1::4] = REDDER
    return Image.fromarray(pixels)


def main() -> None:
    photo = read_picture(examples()["tower"], FIRST_SIDE)
    shown = {"planted": planted()}
    for name, network in load_networks(variants=NETWORKS).items():
        result = stylize(network, photo).picture
        shown[name] = square_around(result, yellowest_place(result, SIDE), SIDE)
    width = len(shown) * (SIDE * ZOOM + GAP) - GAP
    sheet = Image.new("RGB", (width, HEADING + SIDE * ZOOM), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for number, (name, picture) in enumerate(shown.items()):
        left = number * (SIDE * ZOOM + GAP)
        pen.text((left + SIDE * ZOOM / 2, 4), name, fill="black", font=font, anchor="ma")
        magnified = picture.resize((SIDE * ZOOM,) * 2, Image.Resampling.NEAREST)
        sheet.paste(magnified, (left, HEADING))
    sheet.save(ASSETS / "red-spots.png", optimize=True)


if __name__ == "__main__":
    main()

"""Draws assets/preview.jpg, which is shown where somebody posts a link to the page.

    python -m assets.drawing.draw_preview

Our example with lamps: a third of it as it is, one as the baseline paints it, one as v4 does.
"""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont, ImageOps

from nst.checkpoint import load_networks
from nst.inference.picture import stylize
from nst.models import count_parameters
from nst.pictures.examples import LAMPS
from nst.pictures.reading import read_picture
from nst.web.page.preview import PICTURE, SIZE

PAINTED = ("baseline", "v4")
BAND = 64  # px, of words


def draw() -> Image.Image:
    width, height = SIZE
    photo = ImageOps.fit(read_picture(LAMPS), (width, height - BAND))
    networks = load_networks()
    pictures = [photo, *(stylize(networks[name].eval(), photo).picture for name in PAINTED)]
    words = [
        "the photo",
        *(f"{name}: {count_parameters(networks[name]):,} parameters" for name in PAINTED),
    ]
    drawn = Image.new("RGB", SIZE, "#0f1420")
    draw = ImageDraw.Draw(drawn)
    for column, (picture, line) in enumerate(zip(pictures, words, strict=True)):
        left, right = (width * edge // len(pictures) for edge in (column, column + 1))
        drawn.paste(picture.crop((left, 0, right, height - BAND)), (left, 0))
        middle = ((left + right) // 2, height - BAND // 2)
        draw.text(middle, line, "#ebe8e0", ImageFont.load_default(25), anchor="mm")
        if column:
            draw.line([(left, 0), (left, height - BAND)], "#ebe8e0", 3)
    return drawn


if __name__ == "__main__":
    draw().save(PICTURE, quality=82)

"""The README's figure, drawn from the checkpoints.

    python -m nst.figures PHOTO ... [--place X Y] [--out FILE]

Without photos it is drawn from assets/lamps.png.  Every row is the middle square of a photo and
what the four networks make of it at 512×512; every second row shows one place of the row above,
every pixel repeated 3×3.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from nst.data import crop_square
from nst.images import read_picture
from nst.stylize import load_networks, stylize
from nst.zoom import magnify

ASSETS = Path(__file__).resolve().parent.parent / "assets"
SIDE = 512  # px, of the stylized squares
SHOWN = 320  # px, of each square in the figure
ZOOM = 3
LABEL = 36  # px
GAP = 6  # px


def results_figure(photos: Sequence[Path], x: float, y: float) -> Image.Image:
    """One labelled column for the photo and each network, two rows for each photo.

    The second row shows the place at `x`, `y` percent of width and height.

    Raises:
        PictureError, CheckpointError: a photo or a network cannot be read.
    """
    networks = load_networks()
    labels = ["original", *networks]
    size = (len(labels) * (SHOWN + GAP) - GAP, LABEL + 2 * len(photos) * (SHOWN + GAP) - GAP)
    figure = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(figure), ImageFont.load_default(size=22)
    for column, label in enumerate(labels):
        middle = column * (SHOWN + GAP) + SHOWN // 2
        pen.text((middle, LABEL // 2), label, fill="black", font=font, anchor="mm")
    for number, path in enumerate(photos):
        photo = crop_square(read_picture(path), SIDE)
        pictures = [photo, *(stylize(network, photo).picture for network in networks.values())]
        top = LABEL + 2 * number * (SHOWN + GAP)
        for column, picture in enumerate(pictures):
            left = column * (SHOWN + GAP)
            whole = picture.resize((SHOWN, SHOWN), Image.Resampling.LANCZOS)
            figure.paste(whole, (left, top))
            detail = magnify(picture, x, y, ZOOM)
            margin = (detail.width - SHOWN) // 2
            detail = detail.crop((margin, margin, margin + SHOWN, margin + SHOWN))
            figure.paste(detail, (left, top + SHOWN + GAP))
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO")
    parser.add_argument("--out", type=Path, default=ASSETS / "results.png")
    parser.add_argument("--place", nargs=2, type=float, default=(65, 33), metavar=("X", "Y"))
    options = parser.parse_args()
    figure = results_figure(options.photos or [ASSETS / "lamps.png"], *options.place)
    figure.save(options.out, optimize=True)
    print(options.out)


if __name__ == "__main__":
    main()

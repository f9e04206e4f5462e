"""One picture of several: equally large, labelled, beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, sqrt

from PIL import Image, ImageDraw, ImageFont

MAX_PIXELS = 24_000_000  # of a sheet; the pictures on it are made smaller to stay below
MAX_SIDE = 12_000  # px
ASPECT = 16 / 10  # of the page that the rows are chosen for
NARROWEST = 160  # px, of a column, so that a label can be read below a tiny picture
PAPER, INK, FAINT = "white", "#1a1a1a", "#595959"  # contrast on white 17:1 and 7:1
# Pillow's own font has ASCII, "…", "·", "°" and little else.
PLAIN = str.maketrans({"×": "x", "–": "-", "—": "-", "−": "-", "µ": "u"})


def contact_sheet(
    pictures: Mapping[str, Image.Image], captions: Mapping[str, str] | None = None
) -> Image.Image:
    """Lay pictures out in rows, each with its name and, in fainter ink, its caption below it.

    They keep their pixels unless the sheet would exceed `MAX_PIXELS` or `MAX_SIDE`, then all are
    made smaller alike.  The number of columns is the one that shows them largest on a page of
    `ASPECT`: five landscape or portrait photos come in rows of three and two, panoramas in one
    column.  Text that is too long for its column ends in "…".

    Args:
        pictures: name -> RGB picture, all of one size.
        captions: name -> a line about it; names without one have none.

    Returns:
        An RGB picture without metadata.

    Raises:
        ValueError: no pictures, or of different sizes.
    """
    sizes = {picture.size for picture in pictures.values()}
    if len(sizes) != 1:
        raise ValueError(f"a sheet needs pictures of one size, not {sorted(sizes)}")
    (size,) = sizes
    columns = best_columns(len(pictures), size)
    rows = ceil(len(pictures) / columns)
    width, height = _fitting(size, columns, rows)

    column = max(width, NARROWEST)
    text_size = min(max(column // 22, 14), 40)
    gap = text_size
    font = ImageFont.load_default(text_size)
    small = ImageFont.load_default(round(text_size * 0.8))
    line = round(text_size * 1.35)
    row = height + gap // 2 + line * (2 if captions else 1)

    sheet = Image.new(
        "RGB", (columns * (column + gap) + gap, rows * (row + gap) + gap), color=PAPER
    )
    draw = ImageDraw.Draw(sheet)
    for index, (name, picture) in enumerate(pictures.items()):
        x = gap + index % columns * (column + gap)
        y = gap + index // columns * (row + gap)
        if picture.size != (width, height):
            picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        sheet.paste(picture, (x, y))
        y += height + gap // 2
        draw.text((x, y), _shortened(name, font, column), INK, font)
        if captions and name in captions:
            draw.text((x, y + line), _shortened(captions[name], small, column), FAINT, small)
    return sheet


def best_columns(count: int, size: tuple[int, int]) -> int:
    """The number of columns that shows `count` pictures of `size` px largest on a page of
    `ASPECT`; of equally good ones the one that leaves the fewest places empty."""
    width, height = size

    def merit(columns: int) -> tuple[float, int]:
        rows = ceil(count / columns)
        return min(ASPECT / (columns * width), 1 / (rows * height)), -columns * rows

    return max(range(1, count + 1), key=merit)


def _fitting(size: tuple[int, int], columns: int, rows: int) -> tuple[int, int]:
    """The size of each picture with which the sheet, its text included, keeps to the bounds."""
    across, down = columns * size[0], rows * size[1]
    # What text and gaps add at most: the largest text's two lines and one and a half gaps for each
    # picture, and a gap around.  They do not shrink with the pictures.
    aside, above = columns * 180 + 40, rows * 180 + 40
    # (across · scale + aside) · (down · scale + above) = MAX_PIXELS, solved for the scale
    half = (across * above + down * aside) / 2
    root = sqrt(half**2 + across * down * (MAX_PIXELS - aside * above))
    scale = min(
        1,
        (root - half) / (across * down),
        (MAX_SIDE - aside) / across,
        (MAX_SIDE - above) / down,
    )
    width, height = (max(1, int(length * scale)) for length in size)
    return width, height


def _shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """The text in one line, or as much of it with "…" as `width` px have room for."""
    text = " ".join(text[:500].split()).translate(PLAIN)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"

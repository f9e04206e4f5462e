"""Whether a picture can be learned from as a painting."""

from __future__ import annotations

from PIL import Image

from nst.pictures.reading import PictureError

SMALLEST = 32  # px, the shorter side
LARGEST_RATIO = 16  # of its sides: at 512 px the shorter one has 32 px


def check_painting(picture: Image.Image) -> None:
    """Raises PictureError: it is too small, too long, or of one colour."""
    width, height = picture.size
    size = f"{width}×{height} px"
    if min(width, height) < SMALLEST:
        raise PictureError(f"The painting has {size}; it needs {SMALLEST}×{SMALLEST} at least.")
    if max(width, height) > LARGEST_RATIO * min(width, height):
        raise PictureError(f"The painting has {size}; that is too long for its width.")
    if all(low == high for low, high in picture.getextrema()):
        raise PictureError("The painting has only one colour, so there is nothing to learn.")

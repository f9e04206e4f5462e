"""How much of a result is shown, and in whose colours; no network runs for either.

The photo's colours are kept as in "luminance-only transfer" of Gatys, Bethge, Hertzmann and
Shechtman, "Preserving Color in Neural Artistic Style Transfer" (2016, arXiv:1606.05897, section 4):
luma from the result, the two chroma channels from the photo.  Like them we work in YIQ; a pixel's
chroma is what is left when its luma, that of BT.601, is taken from R, G and B.  A colour that lies
outside [0, 1] then gets less chroma, just as much as makes it fit, so that luma and hue stay.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # of R, G, B in BT.601
_STRIP_ROWS = 128  # computed at a time, so that memory does not grow with the picture's height


def blend(
    photo: Image.Image, result: Image.Image, strength: float = 1.0, keep_colours: bool = False
) -> Image.Image:
    """The result, mixed with its photo.

    Args:
        photo, result: RGB pictures of one size.
        strength: 0 gives the photo, 1 the result, unchanged byte for byte; between them sRGB
            values are mixed linearly.
        keep_colours: take only the luma from the result, and the chroma from the photo.

    Returns:
        A new RGB picture without metadata.

    Raises:
        ValueError: the pictures differ in size or are not RGB, or strength is not in [0, 1].
    """
    if photo.size != result.size:
        raise ValueError(f"photo and result differ in size: {photo.size} and {result.size}")
    if photo.mode != "RGB" or result.mode != "RGB":
        raise ValueError(f"photo and result must be RGB, not {photo.mode} and {result.mode}")
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must lie in [0, 1], not {strength}")
    before, after = np.asarray(photo), np.asarray(result)  # (H, W, 3)
    mixed = np.empty_like(after)
    for top in range(0, len(mixed), _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        old, new = before[rows].astype(np.float32), after[rows].astype(np.float32)
        if keep_colours:
            new = _recolour(old, new)
        mixed[rows] = old + strength * (new - old) + 0.5  # whole numbers stay what they are
    return Image.fromarray(mixed)


def _recolour(photo: np.ndarray, result: np.ndarray) -> np.ndarray:
    """Luma of `result`, chroma of `photo`; (H, W, 3) in 0–255 each."""
    luma = result @ LUMA  # (H, W)
    chroma = photo - (photo @ LUMA)[..., None]
    # The brightest channel may rise to 255 at most, and the darkest fall to 0 at least.
    tiny = np.float32(1e-6)  # a grey pixel has no chroma to divide by
    rise = (255 - luma) / np.maximum(chroma.max(-1), tiny)
    fall = luma / np.maximum(-chroma.min(-1), tiny)
    fitting = np.clip(np.minimum(rise, fall), 0, 1)
    return np.clip(luma[..., None] + fitting[..., None] * chroma, 0, 255)

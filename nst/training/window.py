"""The part of the pictures that the loss sees in a step."""

from __future__ import annotations

import random
from types import EllipsisType

from nst.training.settings import Settings

Window = EllipsisType | tuple[EllipsisType, slice, slice]  # indexes a batch of pictures
WHOLE: Window = ...


def random_window(settings: Settings, step: int) -> Window:
    """The part of a batch that the loss of one step sees: a pure function, so resuming is exact.

    A smaller part costs less, and its changing place keeps VGG's poolings from always meeting the
    same pixels. Places are drawn from beyond the picture too and moved back inside, so that a third
    of the windows lies along each border: drawn evenly inside, they hardly ever show it.
    """
    if not 0 < settings.loss_window < settings.photo_side:
        return WHOLE
    place = random.Random(f"window {settings.seed}/{step}")
    room = settings.photo_side - settings.loss_window
    top, left = (min(max(place.randint(-room, 2 * room), 0), room) for _ in range(2))
    rows, columns = (slice(start, start + settings.loss_window) for start in (top, left))
    return (..., rows, columns)

"""Steadier films: what a network leaves open in a frame is settled by the frame before.

A network paints noise and small movements many times as strong as they are.  So the stylized frame
before is carried to where its photo has moved, along the optical flow between the photos (DIS:
Kroeger, Timofte, Dai and Van Gool, "Fast Optical Flow using Dense Inverse Search", 2016), and
wherever the photo looks as it did, most of the stylized frame is taken from there.  Strokes then
stay on things; fine ones are lost, for what is carried is an average.
"""

from __future__ import annotations

import cv2
import numpy as np

CARRIED = 0.7  # share of the frame before, where the photo did not change
LIKE = 4.0  # levels: so much may a photo differ from the one before, of which ...
BLUR = 3.0  # px: ... single pixels are not looked at, which camera noise changes


class Steady:
    """What makes the stylized frames of one film steadier, one after the other."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._before: tuple[np.ndarray, np.ndarray] | None = None  # photo and result

    def __call__(self, photo: np.ndarray, result: np.ndarray) -> np.ndarray:
        """The photo's stylized frame, settled by those before; (H, W, 3), RGB, uint8, all three."""
        settled = result.astype(np.float32)
        if self._before:
            photo_before, settled_before = self._before
            x, y = self._places(photo, photo_before)
            carried = _carried(settled_before, x, y, cv2.INTER_CUBIC)
            change = photo.astype(np.float32) - _carried(photo_before, x, y, cv2.INTER_LINEAR)
            change = np.square(cv2.GaussianBlur(change, (0, 0), BLUR)).sum(-1, keepdims=True)
            share = CARRIED * np.exp(-change / (2 * LIKE**2))
            height, width, _ = photo.shape
            seen = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
            settled += share * seen[..., None] * (carried - settled)
        self._before = photo, settled
        return np.rint(settled.clip(0, 255)).astype(np.uint8)

    def _places(self, photo: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where each pixel was in the photo before: x and y, (H, W) each."""
        grey, grey_before = (cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (photo, before))
        flow = self._flow.calc(grey, grey_before, None)  # (H, W, 2)
        y, x = np.indices(grey.shape, dtype=np.float32)
        return x + flow[..., 0], y + flow[..., 1]


def _carried(picture: np.ndarray, x: np.ndarray, y: np.ndarray, method: int) -> np.ndarray:
    return cv2.remap(picture, x, y, method, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)

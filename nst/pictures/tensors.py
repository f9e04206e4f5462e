"""Pictures <-> tensors: float RGB in [0, 1], (3, H, W) or (N, 3, H, W).

Pictures are taken apart and put together by NumPy: PyTorch would do that in all its threads, and
waits for each of them wherever the processors are busy with something else.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def to_tensor(picture: Image.Image) -> Tensor:
    """An RGB picture -> (3, H, W) float in [0, 1]."""
    pixels = np.array(picture, dtype=np.float32)  # (H, W, 3), a copy that torch may own
    pixels /= 255
    return torch.from_numpy(pixels).permute(2, 0, 1)


def to_picture(pixels: Tensor) -> Image.Image:
    """(3, H, W), clamped to [0, 1] -> an 8-bit RGB picture."""
    levels = pixels.detach().float().cpu().numpy().clip(0, 1)
    levels *= 255
    bands = np.rint(levels, out=levels).astype(np.uint8)  # to even at one half, as PyTorch rounds
    return Image.merge("RGB", [Image.fromarray(band) for band in bands])

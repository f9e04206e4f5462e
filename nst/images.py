"""An untrusted file -> an RGB picture, or one clear sentence; pictures <-> tensors.

Tensors are float RGB in [0, 1], (3, H, W) or (N, 3, H, W), everywhere but inside the networks and
the loss, which work on values with ImageNet's mean and standard deviation taken out.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nst.reading import (
    ACCEPTED,
    FORMATS,
    MAX_BYTES,
    MAX_PIXELS,
    PictureError,
    limit_side,
    read_picture,
)

__all__ = [
    "ACCEPTED",
    "FORMATS",
    "MAX_BYTES",
    "MAX_PIXELS",
    "PictureError",
    "denormalise",
    "limit_side",
    "normalise",
    "read_picture",
    "to_picture",
    "to_tensor",
]

MEAN = (0.485, 0.456, 0.406)  # of ImageNet in RGB, as in torchvision
STD = (0.229, 0.224, 0.225)


def to_tensor(picture: Image.Image) -> Tensor:
    """An RGB picture -> (3, H, W) float in [0, 1]."""
    pixels = np.array(picture, dtype=np.uint8)  # (H, W, 3), a copy that torch may own
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


def to_picture(pixels: Tensor) -> Image.Image:
    """(3, H, W), clamped to [0, 1] -> an 8-bit RGB picture."""
    levels = (pixels.detach().float().clamp(0, 1) * 255).round().byte()
    return Image.fromarray(levels.permute(1, 2, 0).cpu().numpy())


def normalise(pixels: Tensor) -> Tensor:
    """RGB in [0, 1], (..., 3, H, W) -> ImageNet's mean and standard deviation taken out."""
    return (pixels - _column(MEAN, pixels)) / _column(STD, pixels)


def denormalise(values: Tensor) -> Tensor:
    """The inverse of `normalise`; may lie outside [0, 1] where a network overshoots."""
    return values * _column(STD, values) + _column(MEAN, values)


def _column(values: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).view(3, 1, 1)

"""An untrusted file -> an RGB picture, or one clear sentence; pictures <-> tensors.

Tensors are float RGB in [0, 1], (3, H, W) or (N, 3, H, W), everywhere but inside the networks and
the loss, which work on values with ImageNet's mean and standard deviation taken out.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from nst.models import MIN_SIDE

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
MAX_PIXELS = 50_000_000  # decoded at most, about 8660 × 5770
MAX_BYTES = 50_000_000
ACCEPTED = "Accepted: PNG, JPEG, WebP, BMP, TIFF and GIF from 16×16 to 50 megapixels."

MEAN = (0.485, 0.456, 0.406)  # of ImageNet in RGB, as in torchvision
STD = (0.229, 0.224, 0.225)


class PictureError(ValueError):
    """A file that is no usable picture; the message is one sentence for the person who sent it."""


def read_picture(source: Path | str | bytes) -> Image.Image:
    """Read an untrusted picture file as 8-bit RGB, turned as its EXIF says, without metadata.

    Only the formats of `FORMATS` are tried.  The size is checked from the header before anything
    is decoded.  16-bit grey is scaled, transparency is laid on white, and of an animation the
    first frame is taken.

    Raises:
        PictureError: empty, too large, too small, damaged, or no picture of those formats.
    """
    data = _read_bytes(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                _check_size(picture.size)
                return _as_rgb(ImageOps.exif_transpose(picture))
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(f"The picture has too many pixels. {ACCEPTED}") from None
    except Image.UnidentifiedImageError:
        raise PictureError(f"This file is not a picture that can be read. {ACCEPTED}") from None
    except Exception:  # decoders raise nearly everything on damaged files; none of it is for users
        raise PictureError(f"The picture file is damaged or incomplete. {ACCEPTED}") from None


def _read_bytes(source: Path | str | bytes) -> bytes:
    if isinstance(source, bytes):
        data = source
    else:
        path = Path(source)
        try:
            if path.stat().st_size > MAX_BYTES:
                raise PictureError(f"The file is larger than {MAX_BYTES // 10**6} MB. {ACCEPTED}")
            data = path.read_bytes()
        except OSError:
            raise PictureError(f"The file could not be read. {ACCEPTED}") from None
    if not data:
        raise PictureError(f"The file is empty. {ACCEPTED}")
    return data


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise PictureError(f"The picture has too many pixels ({width}×{height}). {ACCEPTED}")
    if min(width, height) < MIN_SIDE:
        raise PictureError(f"The picture is too small ({width}×{height}). {ACCEPTED}")


def _as_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16-bit grey, which convert("RGB") would clip at 255
        grey = np.asarray(picture).astype(np.float64) / 65535
        picture = Image.fromarray(np.uint8(np.clip(grey, 0, 1) * 255 + 0.5))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    # A fresh picture, so that nothing of the file's metadata is carried along.
    return Image.fromarray(np.asarray(picture.convert("RGB")))


def limit_side(picture: Image.Image, side: int) -> Image.Image:
    """The picture with its longer side at most `side` px; never enlarged, never below 16 px."""
    scale = side / max(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(MIN_SIDE, round(length * scale)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


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

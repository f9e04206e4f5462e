"""From photos to what is minimised: pictures, loss terms, in the precision asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nst.loss import LossTerms, PerceptualLoss
from nst.pictures.reading import PictureError, limit_side, read_picture
from nst.pictures.tensors import to_tensor
from nst.training.fast_loss import FastLoss
from nst.training.window import WHOLE, Window


class Objective:
    """The perceptual loss that all networks share, with the precision and speed of this machine.

    Args:
        loss: on the device of the photos.
        precision: "fp32" or "bf16", of the networks and of VGG; terms are fp32 always.
        compiled: through torch.compile.
    """

    def __init__(self, loss: PerceptualLoss, precision: str, compiled: bool = False) -> None:
        self.loss = loss
        self.precision = precision
        self._function: Any = loss
        if compiled and loss.vgg.is_plain and next(loss.buffers()).device.type == "cpu":
            dtype = torch.bfloat16 if precision == "bf16" else torch.float32
            self._function = FastLoss(loss, dtype)
        elif compiled:
            self._function = torch.compile(loss, dynamic=False)

    def content_target(self, photos: Tensor) -> Any:
        """What `terms` compares with: of photos, (N, 3, H, W) in [0, 1]."""
        with self._autocast(photos):
            return self._function.content_target(photos)

    def terms(
        self,
        network: Callable[[Tensor], Tensor],
        photos: Tensor,
        target: Any,
        lattice_weight: float,
        window: Window = WHOLE,
    ) -> LossTerms:
        """Photos, (N, 3, H, W) in [0, 1] -> pictures -> loss terms of their part in the window.

        Args:
            target: `content_target` of the same part of the photos.
            lattice_weight: the network's own; the others' weights are those of the loss.
        """
        with self._autocast(photos):
            terms: LossTerms = self._function(network(photos)[window], target)
        more = lattice_weight - self.loss.settings.lattice_weight
        return terms._replace(total=terms.total + more * terms.lattice)

    def _autocast(self, photos: Tensor) -> torch.autocast:
        return torch.autocast(photos.device.type, torch.bfloat16, enabled=self.precision == "bf16")


def read_style(path: Path, side: int) -> Tensor:
    """The style picture as the loss wants it, (3, H, W) in [0, 1], its longer side of `side` px.

    Raises:
        PictureError: no readable picture; the message names the file.
    """
    try:
        return to_tensor(limit_side(read_picture(path), side))
    except PictureError as error:
        raise PictureError(f"{path}: {error}") from None

"""From photos to what is minimised: batches, pictures, loss terms, in the precision asked for."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from types import EllipsisType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nst.files import sha256
from nst.loss import LossTerms, PerceptualLoss
from nst.pictures.painting import check_painting
from nst.pictures.reading import PictureError, limit_side, read_picture
from nst.pictures.tensors import to_tensor
from nst.training.data import Photos, batch_indices
from nst.training.fast_loss import FastLoss
from nst.training.log import TERMS
from nst.training.machine import World
from nst.training.run import Run
from nst.training.settings import Settings

Window = EllipsisType | tuple[EllipsisType, slice, slice]  # indexes a batch of pictures
WHOLE: Window = ...


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
        PictureError: no readable picture, or none to learn from; the message names the file.
    """
    try:
        picture = read_picture(path)
        check_painting(picture)
        return to_tensor(limit_side(picture, side))
    except PictureError as error:
        raise PictureError(f"{path}: {error}") from None


def noted_weights(path: Path | None) -> str:
    """What a checkpoint notes of VGG's weights; None: torchvision's."""
    return sha256(path) if path else "torchvision"


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


class Batch(NamedTuple):
    """One process's share of the photos of a step, for all networks."""

    photos: Tensor  # (N, 3, H, W) in [0, 1]
    target: Any  # what the loss compares their pictures' content with
    window: Window  # the part of the pictures that the loss sees
    weight: float  # of this share's mean loss; see `World.share`


def prepare_batch(
    step: int, photos: Photos, objective: Objective, settings: Settings, world: World
) -> Batch:
    """What step number `step`, from 0, is made on."""
    indices = batch_indices(len(photos), settings.batch_size, settings.seed, step)
    own, weight = world.share(indices)
    batch, window = photos.batch(own), random_window(settings, step)
    return Batch(batch, objective.content_target(batch[window]), window, weight)


@torch.no_grad()
def validate(
    runs: Sequence[Run], photos: Photos, objective: Objective, settings: Settings, world: World
) -> list[dict[str, float]]:
    """Mean loss terms of each network over the validation photos, whole pictures.

    The processes of `world` look at some of the batches each, and all get the means.
    """
    count = min(settings.validation_photos or len(photos), len(photos))
    sums = torch.zeros(len(runs), len(TERMS), device=photos.device)
    starts = range(0, count, settings.batch_size)
    for start in starts[world.rank :: world.size]:
        indices = range(start, min(start + settings.batch_size, count))
        batch = photos.batch(indices)
        target = objective.content_target(batch)
        for run, terms_of_run in zip(runs, sums, strict=True):
            terms = objective.terms(run.network_here.eval(), batch, target, run.lattice_weight)
            terms_of_run += len(indices) / count * torch.stack(terms)
    return [dict(zip(TERMS, means, strict=True)) for means in world.sum(sums).tolist()]

"""The training recipe: its settings, and how a batch of photos becomes loss terms."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import EllipsisType

import torch
from torch import Tensor

from nst.loss import LossSettings, LossTerms, PerceptualLoss
from nst.models import TransformerNet
from nst.training.data import PhotoSet
from nst.training.processes import World

TERMS = LossTerms._fields

Window = EllipsisType | tuple[EllipsisType, slice, slice]  # indexes a batch of pictures
LossFunction = Callable[[Tensor, Tensor], LossTerms]


@dataclass(frozen=True)
class Settings:
    """What decides the weights that come out, apart from the photos and the number of steps."""

    photo_side: int = 256  # px
    style_side: int = 512  # px, the longer side; at 256 the brush strokes are lost
    loss_window: int = 0  # px; the loss sees a random square of this side; 0: the whole picture
    batch_size: int = 4
    learning_rate: float = 1e-3
    plateau_factor: float = 0.5  # learning rate × this when validation stops getting better ...
    plateau_patience: int = 2  # ... for more than this many validations
    validate_every: int = 0  # steps; 0: once an epoch
    validation_photos: int = 0  # how many of them; 0: all
    precision: str = "fp32"  # of the networks and of VGG; Gram matrices and losses are fp32 always
    seed: int = 0
    loss: LossSettings = field(default_factory=LossSettings)


def evaluate(
    network: Callable[[Tensor], Tensor],
    photos: Tensor,
    target: Tensor,
    loss: LossFunction,
    precision: str,
    window: Window = ...,
) -> LossTerms:
    """Photos, (N, 3, H, W) in [0, 1] -> pictures -> loss terms, in the precision asked for."""
    with autocast(photos, precision):
        return loss(network(photos)[window], target)


def content_target(photos: Tensor, loss: PerceptualLoss, precision: str) -> Tensor:
    """What the loss compares with, in the precision asked for."""
    with autocast(photos, precision):
        return loss.content_target(photos)


def autocast(photos: Tensor, precision: str) -> torch.autocast:
    return torch.autocast(photos.device.type, torch.bfloat16, enabled=precision == "bf16")


def random_window(settings: Settings, step: int) -> Window:
    """The part of a batch that the loss of one step sees: a pure function, so resuming is exact.

    A smaller part costs less, and its changing place keeps VGG's poolings from always meeting the
    same pixels. Places are drawn from beyond the picture too and moved back inside, so that a third
    of the windows lies along each border: drawn evenly inside, they hardly ever show it.
    """
    if not 0 < settings.loss_window < settings.photo_side:
        return ...
    place = random.Random(f"window {settings.seed}/{step}")
    room = settings.photo_side - settings.loss_window
    top, left = (min(max(place.randint(-room, 2 * room), 0), room) for _ in range(2))
    rows, columns = (slice(start, start + settings.loss_window) for start in (top, left))
    return (..., rows, columns)


@torch.no_grad()
def validate(
    models: Sequence[TransformerNet],
    photos: PhotoSet,
    loss: PerceptualLoss,
    settings: Settings,
    world: World,
) -> list[dict[str, float]]:
    """Mean loss terms of each network over the validation photos, whole pictures.

    The processes of `world` look at some of the batches each, and all get the means.
    """
    count = min(settings.validation_photos or len(photos), len(photos))
    means = [dict.fromkeys(TERMS, 0.0) for _ in models]
    starts = range(0, count, settings.batch_size)
    for start in starts[world.rank :: world.size]:
        indices = range(start, min(start + settings.batch_size, count))
        batch = photos.batch(indices)
        target = content_target(batch, loss, settings.precision)
        for model, mean in zip(models, means, strict=True):
            model.eval()
            terms = evaluate(model, batch, target, loss, settings.precision)
            for name, value in terms._asdict().items():
                mean[name] += value.item() * len(indices) / count
    return [world.sum(mean) for mean in means]

"""What a step of all networks has in common: its photos and their targets; and validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nst.training.data import PhotoSet, batch_indices
from nst.training.log import TERMS
from nst.training.objective import Objective
from nst.training.processes import World
from nst.training.run import Run
from nst.training.settings import Settings
from nst.training.window import Window, random_window


class Batch(NamedTuple):
    """One process's share of the photos of a step, for all networks."""

    photos: Tensor  # (N, 3, H, W) in [0, 1]
    target: Any  # what the loss compares their pictures' content with
    window: Window  # the part of the pictures that the loss sees
    weight: float  # of this share's mean loss; see `World.share`


def prepare_batch(
    step: int, photos: PhotoSet, objective: Objective, settings: Settings, world: World
) -> Batch:
    """What step number `step`, from 0, is made on."""
    indices = batch_indices(len(photos), settings.batch_size, settings.seed, step)
    own, weight = world.share(indices)
    batch, window = photos.batch(own), random_window(settings, step)
    return Batch(batch, objective.content_target(batch[window]), window, weight)


@torch.no_grad()
def validate(
    runs: Sequence[Run], photos: PhotoSet, objective: Objective, settings: Settings, world: World
) -> list[dict[str, float]]:
    """Mean loss terms of each network over the validation photos, whole pictures.

    The processes of `world` look at some of the batches each, and all get the means.
    """
    count = min(settings.validation_photos or len(photos), len(photos))
    sums = torch.zeros(len(runs), len(TERMS), device=photos.pixels.device)
    starts = range(0, count, settings.batch_size)
    for start in starts[world.rank :: world.size]:
        indices = range(start, min(start + settings.batch_size, count))
        batch = photos.batch(indices)
        target = objective.content_target(batch)
        for run, terms_of_run in zip(runs, sums, strict=True):
            terms = objective.terms(run.network_here.eval(), batch, target, run.lattice_weight)
            terms_of_run += len(indices) / count * torch.stack(terms)
    return [dict(zip(TERMS, means, strict=True)) for means in world.sum(sums).tolist()]

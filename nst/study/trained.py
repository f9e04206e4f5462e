"""What the checkpoints themselves say of the loss that their networks were trained with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from nst.checkpoint import CheckpointError, load_checkpoint
from nst.loss import LossSettings
from nst.models import VARIANTS
from nst.paths import CHECKPOINTS
from nst.training.settings import noted_loss_settings


def trained_with(metadata: dict[str, str]) -> LossSettings:
    """The loss of a checkpoint's metadata."""
    return noted_loss_settings(json.loads(metadata["training"]))


def common_loss(folder: Path = CHECKPOINTS, variants: Iterable[str] = VARIANTS) -> LossSettings:
    """What all networks minimise: their loss without the lattice term, which only v4 has.

    Only so do their totals compare.

    Raises:
        CheckpointError: a checkpoint is missing, or they differ in more than the lattice's weight.
    """
    common = {}
    for name in variants:
        _, metadata = load_checkpoint(folder / f"{name}.safetensors")
        common[name] = replace(trained_with(metadata), lattice_weight=0.0)
    first = next(iter(common.values()))
    for name, settings in common.items():
        if settings != first:
            raise CheckpointError(f"{name}: trained with another loss than {next(iter(common))}")
    return first

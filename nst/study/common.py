"""What the studies share: the loss and photos of a training, its log, and pictures measured alike.

Everything comes from the checkpoints' own metadata, so that a study cannot use another loss or
other photos than the training did without saying so.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from nst.artifacts.measure import measure
from nst.checkpoint import CheckpointError, load_checkpoint
from nst.files import sha256
from nst.loss import LossSettings, PerceptualLoss, relative_error
from nst.models import VARIANTS
from nst.paths import CHECKPOINTS
from nst.pictures.tensors import to_picture
from nst.training.data import PhotoSet, load_photos, names_sha256
from nst.training.objective import noted_weights, read_style
from nst.training.settings import noted_loss_settings
from nst.vgg import load_vgg16

EVALUATION, ABLATION = "evaluation.csv", "ablation.csv"  # in checkpoints/ and in assets/

Network = Callable[[Tensor], Tensor]  # (N, 3, H, W) RGB in [0, 1] -> the same


def loss_settings(metadata: Mapping[str, str]) -> LossSettings:
    """The loss that a checkpoint was trained with."""
    return noted_loss_settings(json.loads(metadata["training"]))


def common_loss(folder: Path = CHECKPOINTS, variants: Iterable[str] = VARIANTS) -> LossSettings:
    """What all networks minimise: their loss without the lattice term, which only v4 has.

    Only so do their totals compare.

    Raises:
        CheckpointError: a checkpoint is missing, or they differ in more than the lattice's weight.
    """
    checkpoints = {name: load_checkpoint(folder / f"{name}.safetensors") for name in variants}
    losses = {
        name: replace(loss_settings(metadata), lattice_weight=0.0)
        for name, (_, metadata) in checkpoints.items()
    }
    (first, common), *_ = losses.items()
    for name, settings in losses.items():
        if settings != common:
            raise CheckpointError(f"{name}: trained with another loss than {first}")
    return common


def loss_and_photos(
    metadata: Mapping[str, str], settings: LossSettings, options: argparse.Namespace
) -> tuple[PerceptualLoss, dict[str, PhotoSet]]:
    """The loss for a checkpoint's painting, and photos at its size, from the command line's files.

    Says when VGG-16's weights or the photos are not those of the training.

    Raises:
        CheckpointError: it was another painting.
        ValueError: there are no photos, or a file cannot be read.
    """
    if metadata["style_sha256"] != sha256(options.style):
        raise CheckpointError(f"{options.style}: the networks were trained for another picture")
    training = json.loads(metadata["training"])
    if noted_weights(options.vgg_weights) != training.get("vgg_weights"):
        print("another VGG-16 than the training's: losses are not comparable", file=sys.stderr)
    style = read_style(options.style, training["style_side"])
    loss = PerceptualLoss(load_vgg16(options.vgg_weights), style, settings)
    photos = load_photos(options.photos, training["photo_side"])
    if names_sha256(photos) != training.get("photo_names_sha256"):
        print("other photos than those of the training: it may have seen them", file=sys.stderr)
    return loss, photos


def read_logs(folder: Path = CHECKPOINTS) -> dict[str, pd.DataFrame]:
    """The training logs by network; validation columns are NaN where nothing was validated."""
    return {name: pd.read_csv(folder / f"{name}.csv") for name in VARIANTS}


@torch.inference_mode()
def evaluate_part(
    networks: Mapping[str, Network],
    loss: PerceptualLoss,
    photos: PhotoSet,
    part: str,
    also: Callable[[Tensor], dict[str, float]] = lambda picture: {},
) -> pd.DataFrame:
    """A row for each photo, counted from 0, and each network, the first of which is the baseline.

    `from_baseline` is the content loss with the baseline's picture in place of the photo;
    `array_share` and `array_contrast` are None where too little is yellow.

    Args:
        also: more columns, from a picture (3, H, W).
    """
    rows = []
    for number in tqdm(range(len(photos)), desc=part, unit="photo"):
        photo = photos.batch([number])
        target, of_baseline = loss.content_target(photo), None
        for name, network in networks.items():
            picture = network(photo).clamp(0, 1)
            features = loss.content_target(picture)
            of_baseline = features if of_baseline is None else of_baseline
            found = measure(to_picture(picture[0]))
            terms = loss(picture, target)._asdict()
            rows.append(
                {
                    "part": part,
                    "photo": number,
                    "network": name,
                    **{term: value.item() for term, value in terms.items()},
                    "from_baseline": relative_error(features, of_baseline).item(),
                    "lattice_db": found.lattice_db,
                    "array_share": found.array_share,
                    "array_contrast": None if found.array_share is None else found.array_contrast,
                    **also(picture[0]),
                }
            )
    return pd.DataFrame(rows)

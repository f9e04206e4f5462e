"""The published networks on photos that they were not trained on.

    python -m nst.study.evaluate --photos a.tar b.tar --style starry_night.jpg [--vgg-weights FILE]

writes checkpoints/evaluation.csv, one row for each photo of the test and validation parts and each
network: the loss terms of its training, how far its picture is from the baseline's, red spots and
grid.  Photos are numbered, not named.  `nst.study.claims` makes the README's tables of it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from nst.checkpoint import CheckpointError, load_checkpoint, load_networks, sha256
from nst.images import limit_side, read_picture, to_picture, to_tensor
from nst.loss import LossSettings, PerceptualLoss, relative_error
from nst.models import TransformerNet
from nst.paths import CHECKPOINTS
from nst.study.artifacts import grid_decibels, red_spots, yellow_area
from nst.training.data import PhotoSet, find_photos, split_photos
from nst.vgg import load_vgg16

EVALUATION = CHECKPOINTS / "evaluation.csv"
PARTS = ("test", "validation")


@torch.inference_mode()
def evaluate_photo(
    networks: Mapping[str, TransformerNet], loss: PerceptualLoss, photo: torch.Tensor
) -> Iterator[dict[str, Any]]:
    """One row for each network, of which the first is the baseline; photo: (1, 3, H, W).

    `from_baseline` is the content loss of the picture with the baseline's picture for its photo;
    `red_spots` counts pixels in 1,000 of a yellow area.
    """
    target = loss.content_target(photo)
    of_baseline = None
    for name, network in networks.items():
        picture = network(photo).clamp(0, 1)
        features = loss.content_target(picture)
        of_baseline = features if of_baseline is None else of_baseline
        shown = to_picture(picture[0])
        yellow = int(yellow_area(shown).sum())
        yield {
            "network": name,
            **{term: value.item() for term, value in loss(picture, target)._asdict().items()},
            "from_baseline": relative_error(features, of_baseline).item(),
            "yellow": yellow / (shown.width * shown.height),
            "red_spots": 1000 * int(red_spots(shown).sum()) / yellow if yellow else None,
            "grid_db": grid_decibels(shown),
        }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", nargs="+", type=Path, required=True)
    parser.add_argument("--style", type=Path, required=True, help="the painting")
    parser.add_argument("--vgg-weights", type=Path, help="default: torchvision's, downloaded")
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS)
    parser.add_argument("--out", type=Path, default=EVALUATION)
    parser.add_argument("--limit", type=int, help="photos of each part; default: all")
    options = parser.parse_args()

    networks = load_networks(options.checkpoints)
    _, metadata = load_checkpoint(options.checkpoints / "baseline.safetensors")
    training = json.loads(metadata["training"])
    if metadata["style_sha256"] != sha256(options.style):
        raise CheckpointError(f"{options.style}: the networks were trained for another picture")
    settings = LossSettings(
        **{
            name.removeprefix("loss."): tuple(value) if isinstance(value, list) else value
            for name, value in training.items()
            if name.startswith("loss.")
        }
    )
    style = to_tensor(limit_side(read_picture(options.style), training["style_side"]))
    loss = PerceptualLoss(load_vgg16(options.vgg_weights), style, settings)

    split = split_photos(find_photos(options.photos))
    rows = []
    for part in PARTS:
        photos = PhotoSet(split[part][: options.limit], training["photo_side"])
        for number in tqdm(range(len(photos)), desc=part, unit="photo"):
            for row in evaluate_photo(networks, loss, photos.batch([number])):
                rows.append({"part": part, "photo": number, **row})
    table = pd.DataFrame(rows)
    table.to_csv(options.out, index=False, float_format="%.5g")
    print(table.groupby(["part", "network"]).mean(numeric_only=True).drop(columns="photo"))
    print(options.out)


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"nst.study.evaluate: {error}")

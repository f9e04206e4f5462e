"""The published networks on photos that they were not trained on.

    python -m nst.study.evaluate --photos a.tar b.tar --style starry_night.jpg [--vgg-weights FILE]

writes checkpoints/evaluation.csv, one row for each photo of the test and validation parts and each
network: loss terms, how far its picture is from the baseline's, lattice and red spots
(`nst.artifacts.measure`).  `total` is what all networks minimise, content, style and TV,
with the weights of their training; the lattice term, which only v4 is trained with, is not in it.
The pictures are as they are shown, cut off at black and white, which adds about a fifth to the
style loss that the training saw.  Photos are numbered, not named.  `nst.study.claims` makes the
README's tables of it.  In fp32, five networks take 7 CPU seconds a photo (two cores with AVX2).
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.study.evaluate")

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from nst.artifacts.measure import measure
from nst.artifacts.yellow import yellow_area
from nst.checkpoint import CheckpointError, load_checkpoint, load_networks
from nst.fast import fast
from nst.files import sha256, write_then_rename
from nst.loss import LossSettings, LossTerms, PerceptualLoss, relative_error
from nst.paths import CHECKPOINTS
from nst.pictures.tensors import to_picture
from nst.study.trained import common_loss
from nst.training.data import PhotoSet, load_photos, names_sha256
from nst.training.objective import noted_weights, read_style
from nst.vgg import load_vgg16

EVALUATION = CHECKPOINTS / "evaluation.csv"
PARTS = ("test", "validation")
BATCH = 4  # photos that the networks see at a time

Network = Callable[[torch.Tensor], torch.Tensor]  # (N, 3, H, W) RGB in [0, 1] -> the same


@torch.inference_mode()
def evaluate_photos(
    networks: Mapping[str, Network], loss: PerceptualLoss, photos: torch.Tensor
) -> list[list[dict[str, Any]]]:
    """For each photo of (N, 3, H, W) a row for each network, the first of which is the baseline.

    `from_baseline` is the content loss of the picture with the first's picture for its photo;
    `yellow` is a part of the picture; `array_share` and `array_contrast` are None where too little
    is yellow.
    """
    pictures = {name: network(photos).clamp(0, 1) for name, network in networks.items()}
    rows = []
    for number in range(len(photos)):
        target = loss.content_target(photos[number : number + 1])
        of_baseline = None
        rows.append([])
        for name in networks:
            picture = pictures[name][number : number + 1]
            terms, features = _terms_and_features(loss, picture, target)
            of_baseline = features if of_baseline is None else of_baseline
            shown = to_picture(picture[0])
            found = measure(shown)
            judged = found.array_share is not None
            rows[-1].append(
                {
                    "network": name,
                    **{term: value.item() for term, value in terms._asdict().items()},
                    "from_baseline": relative_error(features, of_baseline).item(),
                    "yellow": yellow_area(shown).mean(),
                    "lattice_db": found.lattice_db,
                    "array_share": found.array_share,
                    "array_contrast": found.array_contrast if judged else None,
                }
            )
    return rows


def _terms_and_features(
    loss: PerceptualLoss, picture: torch.Tensor, target: torch.Tensor
) -> tuple[LossTerms, torch.Tensor]:
    """The loss of one picture, and its content features, for which VGG need not look again."""
    seen: list[dict[str, torch.Tensor]] = []  # at each of its scales, the full size first
    hook = loss.vgg.register_forward_hook(lambda vgg, pixels, features: seen.append(features))
    try:
        return loss(picture, target), seen[0][loss.settings.content_layer]
    finally:
        hook.remove()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", nargs="+", type=Path, required=True)
    parser.add_argument("--style", type=Path, required=True, help="the painting")
    parser.add_argument("--vgg-weights", type=Path, help="default: torchvision's, downloaded")
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS)
    parser.add_argument("--out", type=Path, default=EVALUATION)
    parser.add_argument("--limit", type=at_least_one, help="photos of each part; default: all")
    options = parser.parse_args(arguments)

    try:
        if options.out.is_dir():
            raise IsADirectoryError(f"--out {options.out}: is a folder, not a file")
        table = evaluate_all(options)
        write_then_rename(
            options.out, lambda path: table.to_csv(path, index=False, float_format="%.5g")
        )
    except (ValueError, OSError) as error:
        print(f"nst.study.evaluate: {error}", file=sys.stderr)
        return 1
    print(table.groupby(["part", "network"]).mean(numeric_only=True).drop(columns="photo"))
    print(options.out)
    return 0


def at_least_one(text: str) -> int:
    """A number of photos, for argparse.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of photos")
    return int(text)


def evaluate_all(options: argparse.Namespace) -> pd.DataFrame:
    """A row for each photo and network, of the files that the command line names."""
    networks = load_networks(options.checkpoints)
    networks = {name: fast(network) for name, network in networks.items()}
    _, metadata = load_checkpoint(options.checkpoints / "baseline.safetensors")
    settings = common_loss(options.checkpoints)
    loss = loss_of_training(metadata, settings, options.style, options.vgg_weights)
    photos = photos_of_training(metadata, options.photos)
    tables = [evaluate_part(networks, loss, photos[part], part, options.limit) for part in PARTS]
    return pd.concat(tables)


def loss_of_training(
    metadata: Mapping[str, str], settings: LossSettings, style: Path, vgg_weights: Path | None
) -> PerceptualLoss:
    """The loss for the painting that a checkpoint was trained with.

    That it looks through another VGG-16 is said.

    Raises:
        CheckpointError: it was another painting.
        ValueError: the painting or VGG's weights cannot be read.
    """
    if metadata["style_sha256"] != sha256(style):
        raise CheckpointError(f"{style}: the networks were trained for another picture")
    training = json.loads(metadata["training"])
    if noted_weights(vgg_weights) != training.get("vgg_weights"):
        print("another VGG-16 than the training's: losses are not comparable", file=sys.stderr)
    picture = read_style(style, training["style_side"])
    return PerceptualLoss(load_vgg16(vgg_weights), picture, settings)


def photos_of_training(metadata: Mapping[str, str], paths: Sequence[Path]) -> dict[str, PhotoSet]:
    """The photos at the size of a checkpoint's training; that they are others is said.

    Raises:
        ValueError: there are none, or some cannot be read.
    """
    training = json.loads(metadata["training"])
    photos = load_photos(paths, training["photo_side"])
    if names_sha256(photos) != training.get("photo_names_sha256"):
        print("other photos than those of the training: it may have seen them", file=sys.stderr)
    return photos


def evaluate_part(
    networks: Mapping[str, Network],
    loss: PerceptualLoss,
    photos: PhotoSet,
    part: str,
    limit: int | None = None,
) -> pd.DataFrame:
    """A row for each of the first `limit` photos, counted from 0, and each network."""
    rows = []
    count = min(limit or len(photos), len(photos))
    with tqdm(total=count, desc=part, unit="photo") as progress:
        for start in range(0, count, BATCH):
            numbers = range(start, min(start + BATCH, count))
            found = evaluate_photos(networks, loss, photos.batch(numbers))
            for number, of_photo in zip(numbers, found, strict=True):
                rows += [{"part": part, "photo": number, **row} for row in of_photo]
            progress.update(len(numbers))
    return pd.DataFrame(rows)

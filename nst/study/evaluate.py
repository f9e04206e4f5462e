"""The published networks on held-out photos.

    python -m nst.study.evaluate --photos a.tar b.tar --style starry_night.jpg [--vgg-weights FILE]

writes checkpoints/evaluation.csv, one row for each photo of the test and validation parts and each
network: loss terms, how far its picture is from the baseline's, lattice and red spots
(`nst.artifacts.measure`).  `total` is what all networks minimise, content, style and TV,
with the weights of their training; the lattice term, which only v4 is trained with, is not in it.
Pictures are clipped to black and white, as they are shown, which adds about a fifth to the style
loss of the training.  Photos are numbered, not named.  `nst.study.claims` makes the README's
tables of it.  In fp32, five networks take 7 CPU seconds a photo (two cores with AVX2).
"""

from __future__ import annotations

if __name__ == "__main__":
    from nst.console import run

    run("nst.study.evaluate")

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from nst.checkpoint import load_checkpoint, load_networks
from nst.console import command_parser
from nst.fast import fast
from nst.paths import CHECKPOINTS
from nst.reporting import save
from nst.study.common import EVALUATION, common_loss, evaluate_part, loss_and_photos


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = command_parser("nst.study.evaluate", __doc__)
    parser.add_argument("--photos", nargs="+", type=Path, required=True)
    parser.add_argument("--style", type=Path, required=True, help="the painting")
    parser.add_argument("--vgg-weights", type=Path, help="default: torchvision's, downloaded")
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS)
    parser.add_argument("--out", type=Path, default=CHECKPOINTS, help="a folder")
    options = parser.parse_args(arguments)
    try:
        networks = load_networks(options.checkpoints)
        networks = {name: fast(network) for name, network in networks.items()}
        _, metadata = load_checkpoint(options.checkpoints / "baseline.safetensors")
        loss, photos = loss_and_photos(metadata, common_loss(options.checkpoints), options)
        parts = ("test", "validation")
        table = pd.concat([evaluate_part(networks, loss, photos[part], part) for part in parts])
        save(options.out / EVALUATION, table)
    except (ValueError, OSError) as error:
        print(f"nst.study.evaluate: {error}", file=sys.stderr)
        return 1
    print(table.groupby(["part", "network"]).mean(numeric_only=True).drop(columns="photo"))
    return 0

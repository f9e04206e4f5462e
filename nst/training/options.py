"""The command line of train.py, and the settings that it asks for."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch

from nst.loss import LossSettings
from nst.models import VARIANTS
from nst.training.recipe import Settings


def parse_arguments(description: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        "--variant",
        required=True,
        choices=[*VARIANTS, "all"],
        help="the network; all: all four",
    )
    add(
        "--photos",
        nargs="+",
        type=Path,
        default=[Path("val2017.zip")],
        help="folders, zip and tar files of photos; default: COCO's val2017.zip, here",
    )
    add(
        "--style",
        type=Path,
        default=Path("starry_night.jpg"),
        help="the painting; default: %(default)s, here",
    )
    add(
        "--vgg-weights",
        type=Path,
        help="local VGG-16 weights; default: torchvision's, downloaded",
    )
    add("--out", type=Path, default=Path("runs"), help="where everything is saved")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=int, default=20, help="default %(default)s, the paper's")
    length.add_argument("--steps", type=int, help="instead of --epochs")
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--resume", action="store_true", help="go on from the training states in --out"
    )
    start.add_argument(
        "--continue-from",
        type=Path,
        metavar="FOLDER",
        help="begin with the checkpoints and logs there, without their Adam moments",
    )
    add("--accept-changes", action="store_true", help="when going on: other settings from here on")
    add("--save-every", type=positive, default=100, metavar="STEPS")
    add(
        "--snapshot-step",
        type=int,
        default=800,
        metavar="STEP",
        help="default 800, the paper's",
    )
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    add(
        "--benchmark",
        action="store_true",
        help="photos per second, beside a plain loop; trains nothing",
    )
    add("--threads", type=positive, help="CPU threads")
    add(
        "--compile",
        action="store_true",
        help="torch.compile: slow to start, faster steps",
    )
    add("--content-layer", default=LossSettings.content_layer)
    add(
        "--style-layers",
        nargs="+",
        default=LossSettings.style_layers,
        metavar="LAYER[/SCALE]",
    )
    for name in ("content_weight", "style_weight", "tv_weight"):
        add(
            f"--{name.replace('_', '-')}",
            type=float,
            default=getattr(LossSettings, name),
        )
    add("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    recipe = ("photo_side", "style_side", "loss_window", "batch_size", "learning_rate", "seed")
    validation = ("plateau_factor", "plateau_patience", "validate_every", "validation_photos")
    for name in (*recipe, *validation):
        default = getattr(Settings, name)
        add(f"--{name.replace('_', '-')}", type=type(default), default=default)
    return parser.parse_args(arguments)


def positive(text: str) -> int:
    """An integer of at least 1, for argparse."""
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def settings_from(options: argparse.Namespace) -> Settings:
    values = {
        f.name: getattr(options, f.name) for f in dataclasses.fields(Settings) if f.name != "loss"
    }
    if options.precision == "auto":
        values["precision"] = "bf16" if bf16_is_fast(options.device) else "fp32"
    loss = {f.name: getattr(options, f.name) for f in dataclasses.fields(LossSettings)}
    loss["style_layers"] = tuple(loss["style_layers"])
    return Settings(**values, loss=LossSettings(**loss))


def bf16_is_fast(device: str) -> bool:
    """On GPUs, and on CPUs with matrix units; with AVX-512 alone it took twice fp32's time."""
    return device.startswith("cuda") or bool(
        getattr(torch.cpu, "get_capabilities", dict)().get("amx_bf16")
    )

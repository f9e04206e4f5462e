"""The recipe, and what else is asked of train.py: fields that are flags.

`Settings` decides the weights that come out; a resumed run must have the same.  `Options` says what
is trained, on what, where and for how long.
"""

from __future__ import annotations

import argparse
import json
import math
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from nst.loss import LossSettings, flag
from nst.models import ABLATIONS, VARIANTS
from nst.paper import BATCH_SIZE, EARLY_STEP, EPOCHS, LEARNING_RATE

OFFICIAL_PHOTOS = Path("val2017.zip")  # COCO's, as downloaded


@dataclass(frozen=True)
class Settings:
    """What decides the weights that come out, apart from the photos and the number of steps."""

    photo_side: int = flag(256, "px", 32)
    style_side: int = flag(512, "px, the longer side; at 256 strokes are lost", 32)
    loss_window: int = flag(
        0, "px; the loss sees a random square of this side; 0: the whole picture", 0
    )
    batch_size: int = flag(BATCH_SIZE, "photos in a step", 1)
    learning_rate: float = flag(LEARNING_RATE, "of Adam, at first", 0)
    plateau_factor: float = flag(0.5, "for the learning rate, when validation got no better ...", 0)
    plateau_patience: int = flag(2, "... for more than this many validations", 0)
    validate_every: int = flag(0, "steps; 0: once an epoch", 0)
    validation_photos: int = flag(0, "how many of them; 0: all", 0)
    seed: int = flag(0, "of the first weights and of the photos' order")
    loss: LossSettings = field(default_factory=LossSettings)


# Where a network's recipe is not `Settings()`; all else is one loss for networks side by side.
LATTICE_WEIGHT = {"v4": 200.0}


@dataclass(frozen=True)
class Options:
    """What is trained, on what, where and for how long."""

    variant: tuple[str, ...] = flag(
        help="of nst/models.py; all: the five, on the same photos in one order"
    )
    photos: tuple[Path, ...] | None = flag(
        None, "folders, zip and tar files; default: val2017.zip, or crops of the page's examples"
    )
    style: Path = flag(Path("starry_night.jpg"), "the painting")
    start: Path | None = flag(
        None, "a checkpoint of the same architecture to begin at, not random weights"
    )
    vgg_weights: Path | None = flag(
        None, "local VGG-16 weights; default: torchvision's, downloaded"
    )
    out: Path = flag(Path("runs"), "the folder where everything is saved")
    epochs: int = flag(EPOCHS, "how long", 1)
    steps: int | None = flag(None, "instead of --epochs", 1)
    resume: bool = flag(False, "go on from the training states in --out")
    accept_changes: bool = flag(False, "when going on: other settings from here on")
    save_every: int = flag(100, "steps", 1)
    snapshot_step: int = flag(EARLY_STEP, "where weights and pictures are kept; 0: nowhere", 0)
    device: str | None = flag(None, "cpu, cuda, cuda:1, mps; default: cuda where there is one")
    precision: Literal["auto", "fp32", "bf16"] = flag(
        "auto", "of networks and VGG; auto: bf16 if fast"
    )
    threads: int | None = flag(None, "of the CPU", 1)
    compile: bool | None = flag(
        None, "by torch.compile: slow to start, fast steps; default: where it pays"
    )

    @property
    def networks(self) -> tuple[str, ...]:
        """The names of the networks to be trained."""
        return tuple(VARIANTS) if self.variant == ("all",) else self.variant

    def __post_init__(self) -> None:
        known = VARIANTS | ABLATIONS
        if unknown := [name for name in self.networks if name not in known]:
            raise ValueError(f"--variant {unknown[0]}: choose from all, {', '.join(known)}")
        if len(set(self.networks)) < len(self.networks):
            raise ValueError("--variant names a network twice")


def parse_arguments(
    description: str, arguments: Sequence[str] | None
) -> tuple[Options, dict[str, Any]]:
    """The command line of train.py: its options, and the settings of the recipe that it gives.

    Raises:
        ValueError: two of them do not go together, or a network is unknown.
    """
    parser = argparse.ArgumentParser(
        description=description,
        usage="train.py --variant NAME ... [flags]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,  # what was not given is not there
        allow_abbrev=False,
    )
    for kind in (Options, Settings, LossSettings):
        add_flags(parser, kind)
    given = vars(parser.parse_args(arguments))
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    if {"epochs", "steps"} <= given.keys():
        raise ValueError("--epochs and --steps exclude each other")
    return Options(**values_of(Options, given)), given


def add_flags(parser: argparse.ArgumentParser, kind: type) -> None:
    """The flags of a dataclass."""
    hints = get_type_hints(kind)
    for each in fields(kind):
        if not each.metadata:
            continue
        text = each.metadata["help"]
        if not any(each.default is nothing for nothing in (MISSING, None, False)):
            shown = each.default if isinstance(each.default, tuple) else (each.default,)
            text += "; default: " + " ".join(map(str, shown))
        parser.add_argument(
            "--" + each.name.replace("_", "-"),
            required=each.default is MISSING,
            help=text.replace("%", "%%"),
            **_argument(hints[each.name], each.default, each.metadata["at_least"]),
        )


def _argument(hint: Any, default: Any, minimum: float) -> dict[str, Any]:
    """What argparse wants to know about a type."""
    if get_origin(hint) in (Union, types.UnionType):  # with None
        (hint,) = (kind for kind in get_args(hint) if kind is not type(None))
    if hint is bool:
        either = argparse.BooleanOptionalAction
        return {"action": either if default is None else "store_true"}
    if get_origin(hint) is Literal:
        return {"choices": get_args(hint)}
    several = {}
    if get_origin(hint) is tuple:
        hint, several["nargs"] = get_args(hint)[0], "+"
    names = {int: "N", float: "X", str: "NAME", Path: "PATH"}
    parse = hint if hint in (str, Path) else _number(hint, minimum)
    return {"type": parse, "metavar": names[hint], **several}


def _number(kind: type[int] | type[float], minimum: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = kind(text)
        if not (math.isfinite(value) and value >= minimum):
            wanted = f"at least {minimum}" if math.isfinite(minimum) else "a finite number"
            raise argparse.ArgumentTypeError(f"{text} is not {wanted}")
        return value

    parse.__name__ = "whole number" if kind is int else "number"  # as argparse names it
    return parse


def settings_for(variant: str, given: dict[str, Any]) -> Settings:
    """The recipe of a network, with what was given on the command line in its place.

    Args:
        given: values of fields of `Settings` and of `LossSettings`, by name.
    """
    of_loss = values_of(LossSettings, given)
    if variant in LATTICE_WEIGHT:
        of_loss.setdefault("lattice_weight", LATTICE_WEIGHT[variant])
    return Settings(**values_of(Settings, given), loss=LossSettings(**of_loss))


def comparable(settings: Settings, sources: dict[str, Any]) -> dict[str, Any]:
    """Everything that must be the same for a resumed run to be the same run, as plain values."""
    flat = {**asdict(settings), **sources}
    flat |= {f"loss.{name}": value for name, value in flat.pop("loss").items()}
    return json.loads(json.dumps(flat))


def values_of(kind: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that are fields of a dataclass."""
    return {each.name: given[each.name] for each in fields(kind) if each.name in given}


def noted_loss_settings(training: Mapping[str, Any]) -> LossSettings:
    """The settings of the loss that a checkpoint notes under "training"."""
    noted = {name.removeprefix("loss."): value for name, value in training.items()}
    noted = {name: tuple(v) if isinstance(v, list) else v for name, v in noted.items()}
    return LossSettings(**values_of(LossSettings, noted))

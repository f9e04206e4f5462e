"""The recipe, and what else is asked of train.py: each field is a flag, its comment the help.

`Settings` decides the weights that come out; a resumed run must have the same.  `Options` says what
is trained, on what, where and for how long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from nst.loss import LossSettings
from nst.models import ABLATIONS, VARIANTS
from nst.paper import BATCH_SIZE, EARLY_STEP, EPOCHS, LEARNING_RATE
from nst.training.flags import AtLeast, parse_flags

Count = Annotated[int, AtLeast(0)]
Positive = Annotated[int, AtLeast(1)]


@dataclass(frozen=True)
class Settings:
    """What decides the weights that come out, apart from the photos and the number of steps."""

    photo_side: Annotated[int, AtLeast(32)] = 256  # px
    style_side: Annotated[int, AtLeast(32)] = 512  # px, the longer side; at 256 strokes are lost
    loss_window: Count = 0  # px; the loss sees a random square of this side; 0: the whole picture
    batch_size: Positive = BATCH_SIZE  # photos in a step
    learning_rate: Annotated[float, AtLeast(0)] = LEARNING_RATE  # of Adam, at first
    plateau_factor: Annotated[float, AtLeast(0)] = 0.5  # for the learning rate, when validation ...
    plateau_patience: Count = 2  # ... got no better for more than this many validations
    validate_every: Count = 0  # steps; 0: once an epoch
    validation_photos: Count = 0  # how many of them; 0: all
    seed: int = 0  # of the first weights and of the photos' order
    loss: LossSettings = field(default_factory=LossSettings)


# Where a network's recipe is not `Settings()`; all else is one loss for networks side by side.
LATTICE_WEIGHT = {"v4": 200.0}


@dataclass(frozen=True)
class Options:
    """What is trained, on what, where and for how long; none of it changes the recipe."""

    variant: tuple[str, ...]  # of nst/models.py; all: the five, on the same photos in one order
    photos: tuple[Path, ...] = (Path("val2017.zip"),)  # folders, zip and tar files
    style: Path = Path("starry_night.jpg")  # the painting
    vgg_weights: Path | None = None  # local VGG-16 weights; default: torchvision's, downloaded
    out: Path = Path("runs")  # the folder where everything is saved
    epochs: Positive = EPOCHS  # how long
    steps: Positive | None = None  # instead of --epochs
    resume: bool = False  # go on from the training states in --out
    accept_changes: bool = False  # when going on: other settings from here on
    save_every: Positive = 100  # steps
    snapshot_step: Count = EARLY_STEP  # where weights and pictures are kept; 0: nowhere
    device: str | None = None  # cpu, cuda, cuda:1, mps; default: cuda where there is one
    precision: Literal["auto", "fp32", "bf16"] = "auto"  # of networks and VGG; auto: bf16 if fast
    threads: Positive | None = None  # of the CPU
    compile: bool | None = None  # by torch.compile: slow to start, fast steps; default: on a GPU
    benchmark: bool = False  # photos per second, beside a plain loop; trains nothing

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
    kinds = (Options, Settings, LossSettings)
    given = parse_flags(description, kinds, arguments, "train.py --variant NAME ... [flags]")
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    if {"epochs", "steps"} <= given.keys():
        raise ValueError("--epochs and --steps exclude each other")
    return Options(**values_of(Options, given)), given


def settings_for(variant: str, given: dict[str, Any]) -> Settings:
    """The recipe of a network, with what was given on the command line in its place.

    Args:
        given: values of fields of `Settings` and of `LossSettings`, by name.
    """
    of_loss = values_of(LossSettings, given)
    if variant in LATTICE_WEIGHT:
        of_loss.setdefault("lattice_weight", LATTICE_WEIGHT[variant])
    return Settings(**values_of(Settings, given), loss=LossSettings(**of_loss))


def values_of(kind: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that are fields of a dataclass."""
    return {each.name: given[each.name] for each in fields(kind) if each.name in given}


def noted_loss_settings(training: Mapping[str, Any]) -> LossSettings:
    """The settings of the loss that a checkpoint notes under "training".

    What earlier versions noted beside them is left out.
    """
    noted = {name.removeprefix("loss."): value for name, value in training.items()}
    noted = {name: tuple(v) if isinstance(v, list) else v for name, v in noted.items()}
    return LossSettings(**values_of(LossSettings, noted))

"""One network being trained: its settings, steps, log, saving and exact resuming."""

from __future__ import annotations

import csv
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import EllipsisType
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from nst.checkpoint import (
    CheckpointError,
    load_state,
    save_checkpoint,
    save_state,
    write_then_rename,
)
from nst.data import PhotoSet
from nst.images import denormalise, normalise, to_picture
from nst.loss import LossSettings, LossTerms, PerceptualLoss
from nst.models import TransformerNet, build_model

SNAPSHOT_PHOTOS = 4
TERMS = LossTerms._fields
VALIDATION_COLUMNS = tuple(f"validation_{name}" for name in TERMS)
LOG_COLUMNS = ("step", "epoch", *TERMS, "lr", *VALIDATION_COLUMNS, "seconds")

Window = EllipsisType | tuple[EllipsisType, slice, slice]  # indexes a batch of pictures
LossFunction = Callable[[Tensor, Tensor], LossTerms]


@dataclass(frozen=True)
class Settings:
    """What decides the weights that come out, apart from the photos and the number of steps."""

    decoder: str = "transposed"
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


class Run:
    """One network being trained, with everything that must survive a stop.

    Args:
        variant: its name in `nst.models.VARIANTS`.
        sources: what else decides the weights: photos, painting, VGG weights, versions.
        out: the folder of `<variant>.safetensors`, `.csv` and `.state.pt`.
    """

    def __init__(
        self, variant: str, settings: Settings, sources: dict[str, Any], out: Path, device: str
    ) -> None:
        self.variant = variant
        self.settings = settings
        self.sources = sources
        torch.manual_seed(settings.seed)
        self.model = build_model(variant, settings.decoder)
        self.model.to(device, memory_format=torch.channels_last)
        self.network: Callable[[Tensor], Tensor] = self.model  # or its compiled form
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=settings.learning_rate)
        self.scheduler = self._new_scheduler()
        self.step = 0
        self.seconds = 0.0  # spent in this network's own steps
        self.validation: dict[str, float] = {}
        self.changes: list[dict[str, Any]] = []  # of settings, on the way
        self.log_rows: list[dict[str, Any]] = []  # not yet written
        self.out = out
        self.checkpoint_path = out / f"{variant}.safetensors"
        self.state_path = out / f"{variant}.state.pt"
        self.log_path = out / f"{variant}.csv"

    def _new_scheduler(self) -> ReduceLROnPlateau:
        return ReduceLROnPlateau(
            self.optimizer,
            factor=self.settings.plateau_factor,
            patience=self.settings.plateau_patience,
        )

    def train_step(
        self, photos: Tensor, target: Tensor, loss: LossFunction, window: Window = ...
    ) -> LossTerms:
        """One Adam step on a batch, (N, 3, H, W) in [0, 1]; the loss sees the window of it.

        Raises:
            FloatingPointError: the loss or a gradient is NaN or infinite; weights are untouched.
        """
        started = time.perf_counter()
        self.model.train()
        terms = evaluate(self.network, photos, target, loss, self.settings.precision, window)
        self.optimizer.zero_grad()
        terms.total.backward()
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if not (terms.total.isfinite() and norm.isfinite()):
            raise FloatingPointError(
                f"{self.variant}: the loss or its gradient became NaN or infinite in step "
                f"{self.step + 1}; nothing of that step is kept. Try a lower learning rate."
            )
        self.optimizer.step()
        self.step += 1
        self.seconds += time.perf_counter() - started
        return LossTerms(*(term.detach() for term in terms))

    def log(self, terms: LossTerms, epoch: int) -> None:
        """Note the terms of the step just made."""
        row = {"step": self.step, "epoch": epoch}
        row |= {name: f"{value.item():.6g}" for name, value in terms._asdict().items()}
        row["lr"] = self.optimizer.param_groups[0]["lr"]
        row["seconds"] = f"{self.seconds:.2f}"
        self.log_rows.append(row)

    def validated(self, losses: dict[str, float], on_schedule: bool) -> None:
        """Note validation losses beside the last step's terms.

        Only those `on_schedule` move the learning rate, so that a run which validated because it
        ended there goes on later like one that never did.
        """
        self.validation = losses
        self.log_rows[-1] |= {f"validation_{name}": f"{losses[name]:.6g}" for name in TERMS}
        if on_schedule:
            self.scheduler.step(losses["total"])

    def save(self, epoch: int) -> None:
        """Write checkpoint, log and training state; each appears whole or not at all."""
        self.save_checkpoint(self.checkpoint_path, epoch)
        self._write_log(self._read_log() + self.log_rows)
        self.log_rows = []
        state = {
            "variant": self.variant,
            "settings": comparable(self.settings, self.sources),
            "step": self.step,
            "seconds": self.seconds,
            "validation": self.validation,
            "changes": self.changes,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
        }
        save_state(self.state_path, state)

    def save_checkpoint(self, path: Path, epoch: int) -> None:
        save_checkpoint(
            path,
            self.model,
            self.variant,
            self.settings.decoder,
            step=str(self.step),
            epoch=str(epoch),
            validation=json.dumps(self.validation),
            training=json.dumps(comparable(self.settings, self.sources)),
            changes=json.dumps(self.changes),
            style_sha256=self.sources["style_sha256"],
        )

    @torch.no_grad()
    def save_snapshot(self, photos: PhotoSet, epoch: int, device: str) -> None:
        """The weights now, and the pictures of the first photos: photo above, result below."""
        name = f"{self.variant}-step{self.step}"
        self.save_checkpoint(self.out / f"{name}.safetensors", epoch)
        batch = photos.batch(range(min(SNAPSHOT_PHOTOS, len(photos))), device)
        self.model.eval()
        pictures = denormalise(self.model(normalise(batch))).float()
        columns = torch.cat([batch, pictures], dim=2)  # (N, 3, 2H, W)
        to_picture(torch.cat(list(columns), dim=2)).save(self.out / f"{name}.png")

    def resume(self, accept_changes: bool = False) -> None:
        """Take over the saved state, and cut the log back to it.

        If changes are accepted, they are applied and noted with the step from which they hold.

        Raises:
            CheckpointError: no state, a damaged one, another variant's, or one made with other
                settings.
        """
        state = load_state(self.state_path)
        if state["variant"] != self.variant:
            raise CheckpointError(
                f"{self.state_path}: is of {state['variant']}, not {self.variant}"
            )
        now, then = comparable(self.settings, self.sources), state["settings"]
        names = sorted(name for name in now | then if now.get(name) != then.get(name))
        if "decoder" in names or (names and not accept_changes):
            changed = (f"{name} ({then.get(name)!r} then, {now.get(name)!r} now)" for name in names)
            advice = "" if "decoder" in names else " --accept-changes goes on with the new ones."
            raise CheckpointError(
                f"{self.state_path}: made with other settings: {'; '.join(changed)}.{advice}"
            )
        self.changes = state["changes"]
        if names:
            before = {name: then.get(name) for name in names}
            self.changes = [*self.changes, {"until_step": state["step"], "settings": before}]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if "learning_rate" in names:
            for group in self.optimizer.param_groups:
                group["lr"] = self.settings.learning_rate
        if names:  # earlier validation losses may no longer compare
            self.scheduler = self._new_scheduler()
        else:
            self.scheduler.load_state_dict(state["scheduler"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.validation = state["validation"]
        self._write_log([row for row in self._read_log() if int(row["step"]) <= self.step])

    def _read_log(self) -> list[dict[str, Any]]:
        if not self.log_path.exists():
            return []
        with self.log_path.open(newline="") as file:
            return list(csv.DictReader(file))

    def _write_log(self, rows: list[dict[str, Any]]) -> None:
        def write(temporary: str) -> None:
            with Path(temporary).open("w", newline="") as file:
                writer = csv.DictWriter(file, LOG_COLUMNS, restval="")
                writer.writeheader()
                writer.writerows(rows)

        write_then_rename(self.log_path, write)


def comparable(settings: Settings, sources: dict[str, Any]) -> dict[str, Any]:
    """Everything that must be the same for a resumed run to be the same run, as plain values."""
    flat = {**asdict(settings), **sources}
    flat |= {f"loss.{name}": value for name, value in flat.pop("loss").items()}
    return json.loads(json.dumps(flat))


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
        pictures = denormalise(network(normalise(photos)))
        return loss(pictures[window], target)


def content_target(photos: Tensor, loss: PerceptualLoss, precision: str) -> Tensor:
    """What the loss compares with, in the precision asked for."""
    with autocast(photos, precision):
        return loss.content_target(photos)


def autocast(photos: Tensor, precision: str) -> torch.autocast:
    return torch.autocast(photos.device.type, torch.bfloat16, enabled=precision == "bf16")


def random_window(settings: Settings, step: int) -> Window:
    """The part of a batch that the loss of one step sees: a pure function, so resuming is exact.

    A smaller part costs less, and its changing place keeps VGG's poolings from always meeting the
    same pixels.
    """
    if not 0 < settings.loss_window < settings.photo_side:
        return ...
    place = random.Random(f"window {settings.seed}/{step}")
    top, left = (place.randint(0, settings.photo_side - settings.loss_window) for _ in range(2))
    rows, columns = (slice(start, start + settings.loss_window) for start in (top, left))
    return (..., rows, columns)


@torch.no_grad()
def validate(
    models: Sequence[TransformerNet],
    photos: PhotoSet,
    loss: PerceptualLoss,
    settings: Settings,
    device: str,
) -> list[dict[str, float]]:
    """Mean loss terms of each network over the validation photos, whole pictures."""
    count = min(settings.validation_photos or len(photos), len(photos))
    means = [dict.fromkeys(TERMS, 0.0) for _ in models]
    for start in range(0, count, settings.batch_size):
        indices = range(start, min(start + settings.batch_size, count))
        batch = photos.batch(indices, device)
        target = content_target(batch, loss, settings.precision)
        for model, mean in zip(models, means, strict=True):
            model.eval()
            terms = evaluate(model, batch, target, loss, settings.precision)
            for name, value in terms._asdict().items():
                mean[name] += value.item() * len(indices) / count
    return means

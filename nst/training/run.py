"""One network being trained: its settings, steps, log, saving and exact resuming."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from nst.checkpoint import (
    CheckpointError,
    load_checkpoint,
    load_state,
    save_checkpoint,
    save_state,
)
from nst.fast import fast
from nst.images import to_picture
from nst.models import build_model
from nst.training.data import PhotoSet
from nst.training.log import read_log, write_log
from nst.training.processes import World
from nst.training.recipe import TERMS, LossFunction, Settings, Window, evaluate

SNAPSHOT_PHOTOS = 4
WARM_UP = 50  # steps after continuing without Adam's moments, in which the learning rate grows


class Run:
    """One network being trained, with everything that must survive a stop.

    Args:
        variant: its name in `nst.models.VARIANTS`.
        sources: what else decides the weights: photos, painting, VGG weights, versions.
        out: the folder of `<variant>.safetensors`, `.csv` and `.state.pt`.
        world: the processes that train it; one of them writes.
        compiled: through torch.compile.
    """

    def __init__(
        self,
        variant: str,
        settings: Settings,
        sources: dict[str, Any],
        out: Path,
        world: World,
        compiled: bool = False,
    ) -> None:
        self.variant = variant
        self.world = world
        self.settings = settings
        self.sources = sources
        torch.manual_seed(settings.seed)
        self.model = build_model(variant)
        self.model.to(world.device, memory_format=torch.channels_last)
        network: nn.Module = fast(self.model)
        if compiled:
            network = torch.compile(network, dynamic=False)
        self.network = world.parallel(network)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=settings.learning_rate)
        self.scheduler = self._new_scheduler()
        self.step = 0
        self.warm_from = -WARM_UP  # the step at which a warm-up began
        self.last_rate = settings.learning_rate  # of the last step
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
        self,
        photos: Tensor,
        target: Tensor,
        loss: LossFunction,
        window: Window = ...,
        weight: float = 1.0,
    ) -> dict[str, float]:
        """One Adam step on a batch, (N, 3, H, W) in [0, 1]; the loss sees the window of it.

        Where several processes share the batch, `photos` and `weight` come from `World.share`.

        Returns the loss terms of the whole batch by name.

        Raises:
            FloatingPointError: the loss or a gradient is NaN or infinite; weights are untouched.
        """
        started = time.perf_counter()
        self.network.train()
        terms = evaluate(self.network, photos, target, loss, self.settings.precision, window)
        self.optimizer.zero_grad()
        (weight * terms.total).backward()
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        share = weight / self.world.size
        values = {name: share * term.item() for name, term in terms._asdict().items()}
        values = self.world.sum(values)
        if not (math.isfinite(values["total"]) and norm.isfinite()):
            raise FloatingPointError(
                f"{self.variant}: the loss or its gradient became NaN or infinite in step "
                f"{self.step + 1}; nothing of that step is kept. Try a lower learning rate."
            )
        with self._warmed_up():
            self.optimizer.step()
        self.step += 1
        self.seconds += time.perf_counter() - started
        return values

    @contextlib.contextmanager
    def _warmed_up(self) -> Iterator[None]:
        """The next step's learning rate, smaller while Adam's new moments are still few.

        At the full rate a trained network's losses rose tenfold in the first steps.
        """
        scale = min(1.0, (self.step + 1 - self.warm_from) / WARM_UP)
        (group,) = self.optimizer.param_groups
        rate = group["lr"]
        group["lr"] = self.last_rate = rate * scale
        yield
        group["lr"] = rate

    def log(self, terms: dict[str, float], epoch: int) -> None:
        """Note the terms of the step just made."""
        row = {"step": self.step, "epoch": epoch}
        row |= {name: f"{value:.6g}" for name, value in terms.items()}
        row["lr"] = self.last_rate
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
        if not self.world.writes:
            self.log_rows = []
            return
        self.save_checkpoint(self.checkpoint_path, epoch)
        write_log(self.log_path, read_log(self.log_path) + self.log_rows)
        self.log_rows = []
        state = {
            "variant": self.variant,
            "settings": comparable(self.settings, self.sources),
            "step": self.step,
            "warm_from": self.warm_from,
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
            step=str(self.step),
            epoch=str(epoch),
            validation=json.dumps(self.validation),
            training=json.dumps(comparable(self.settings, self.sources)),
            changes=json.dumps(self.changes),
            style_sha256=self.sources["style_sha256"],
        )

    @torch.no_grad()
    def save_snapshot(self, photos: PhotoSet, epoch: int) -> None:
        """The weights now, and the pictures of the first photos: photo above, result below."""
        if not self.world.writes:
            return
        name = f"{self.variant}-step{self.step}"
        self.save_checkpoint(self.out / f"{name}.safetensors", epoch)
        batch = photos.batch(range(min(SNAPSHOT_PHOTOS, len(photos))))
        self.model.eval()
        pictures = self.model(batch).float()
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
        names = self._take_settings(self.state_path, state, accept_changes)
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
        self.warm_from = state["warm_from"]
        self.validation = state["validation"]
        if self.world.writes:
            rows = [row for row in read_log(self.log_path) if int(row["step"]) <= self.step]
            write_log(self.log_path, rows)

    def continue_from(self, folder: Path, accept_changes: bool = False) -> None:
        """Take over a published checkpoint and its log, which come without Adam's moments.

        Those begin at zero, so this is not the run that never stopped; the step is noted in the
        changes.  The learning rate grows to the log's last in `WARM_UP` steps, and is lowered where
        validation does not get better than the published loss.

        Raises:
            CheckpointError: no checkpoint or log of this variant, or one made with other settings.
        """
        path = folder / self.checkpoint_path.name
        model, metadata = load_checkpoint(path)
        if metadata["variant"] != self.variant:
            raise CheckpointError(f"{path}: is of {metadata['variant']}, not {self.variant}")
        step = int(metadata["step"])
        rows = [row for row in read_log(folder / self.log_path.name) if int(row["step"]) <= step]
        if not rows or int(rows[-1]["step"]) != step:
            raise CheckpointError(f"{path}: its log does not reach its step, {step}")
        published = {
            "settings": json.loads(metadata["training"]),
            "changes": json.loads(metadata["changes"]),
            "step": step,
        }
        names = self._take_settings(path, published, accept_changes)
        self.changes = [*self.changes, {"until_step": step, "settings": {"optimizer": "new"}}]
        self.model.load_state_dict(model.state_dict())
        for group in self.optimizer.param_groups:
            group["lr"] = float(rows[-1]["lr"])
        self.step, self.seconds = step, float(rows[-1]["seconds"])
        self.warm_from = step
        self.validation = json.loads(metadata["validation"])
        if not names:  # or the losses may not compare
            self.scheduler.best = self.validation.get("total", math.inf)
        if self.world.writes:
            write_log(self.log_path, rows)

    def _take_settings(self, path: Path, saved: dict[str, Any], accept_changes: bool) -> list[str]:
        """The names of the settings that changed since `saved`, noted if they are accepted.

        Raises:
            CheckpointError: some changed and that was not accepted, or it cannot be.
        """
        now, then = comparable(self.settings, self.sources), saved["settings"]
        names = sorted(name for name in now | then if now.get(name) != then.get(name))
        if names and not accept_changes:
            changed = (f"{name} ({then.get(name)!r} then, {now.get(name)!r} now)" for name in names)
            raise CheckpointError(
                f"{path}: made with other settings: {'; '.join(changed)}. "
                "--accept-changes goes on with the new ones."
            )
        self.changes = saved["changes"]
        if names:
            before = {name: then.get(name) for name in names}
            self.changes = [*self.changes, {"until_step": saved["step"], "settings": before}]
        return names


def comparable(settings: Settings, sources: dict[str, Any]) -> dict[str, Any]:
    """Everything that must be the same for a resumed run to be the same run, as plain values."""
    flat = {**asdict(settings), **sources}
    flat |= {f"loss.{name}": value for name, value in flat.pop("loss").items()}
    return json.loads(json.dumps(flat))

"""One network being trained: its weights, optimizer, log and files."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from nst.checkpoint import save_checkpoint
from nst.fast import fast
from nst.files import write_then_rename
from nst.models import build_model
from nst.pictures.tensors import to_picture
from nst.training.data import PhotoSet
from nst.training.log import TERMS
from nst.training.processes import World
from nst.training.settings import Settings

SNAPSHOT_PHOTOS = 4


class Run:
    """One network being trained, with everything that must survive a stop.

    Args:
        variant: its name in `nst.models`.
        settings: its recipe.
        sources: what else decides the weights: photos, painting, VGG weights.
        circumstances: what does not: precision, device, versions.
        out: the folder of `<variant>.safetensors`, `.csv` and `.state.pt`.
        world: the processes that train it; one of them writes.
        compiled: through torch.compile.
    """

    def __init__(
        self,
        variant: str,
        settings: Settings,
        sources: dict[str, Any],
        circumstances: dict[str, Any],
        out: Path,
        world: World,
        compiled: bool = False,
    ) -> None:
        self.variant = variant
        self.settings = settings
        self.sources = sources
        self.circumstances = circumstances
        self.world = world
        torch.manual_seed(settings.seed)
        self.model = build_model(variant)
        self.model.to(world.device, memory_format=torch.channels_last)
        self.network_here: nn.Module = fast(self.model)  # without the other processes
        if compiled:
            self.network_here = torch.compile(self.network_here, dynamic=False)
        self.network = world.parallel(self.network_here)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=settings.learning_rate)
        self.scheduler = self.new_scheduler()
        self.step = 0  # steps made
        self.clock = Stopwatch(world.device)
        self.validation: dict[str, float] = {}  # mean loss terms ...
        self.validated_at = 0  # ... at this step
        self.changes: list[dict[str, Any]] = []  # of settings, on the way
        self.history: list[dict[str, Any]] = []  # circumstances, each with its first step
        self.log_rows: list[dict[str, Any]] = []  # not yet written, and the last
        self.out = out
        self.checkpoint_path = out / f"{variant}.safetensors"
        self.state_path = out / f"{variant}.state.pt"
        self.log_path = out / f"{variant}.csv"

    @property
    def lattice_weight(self) -> float:
        """The one weight of the loss that may be a network's own."""
        return self.settings.loss.lattice_weight

    def new_scheduler(self) -> ReduceLROnPlateau:
        return ReduceLROnPlateau(
            self.optimizer,
            factor=self.settings.plateau_factor,
            patience=self.settings.plateau_patience,
        )

    def log(self, terms: dict[str, float], epoch: int) -> None:
        """Count the step just made, and note its loss terms."""
        self.step += 1
        if not self.history or not self.circumstances.items() <= self.history[-1].items():
            self.history.append({"from_step": self.step, **self.circumstances})
        row: dict[str, Any] = {"step": self.step, "epoch": epoch}
        row |= {name: f"{value:.6g}" for name, value in terms.items()}
        (group,) = self.optimizer.param_groups
        row |= {"lr": group["lr"], "seconds": f"{self.clock.seconds:.2f}"}
        self.log_rows.append(row)

    def validated(self, losses: dict[str, float], on_schedule: bool) -> None:
        """Note validation losses beside the last step's terms.

        Only those `on_schedule` move the learning rate, so that a run which validated because it
        ended there goes on later like one that never did.
        """
        self.validation, self.validated_at = losses, self.step
        self.log_rows[-1] |= {f"validation_{name}": f"{losses[name]:.6g}" for name in TERMS}
        if on_schedule:
            self.scheduler.step(losses["total"])

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
            circumstances=json.dumps(self.history),
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
        pictures = self.model.eval()(batch).float()
        columns = torch.cat([batch, pictures], dim=2)  # (N, 3, 2H, W)
        sheet = to_picture(torch.cat(list(columns), dim=2))
        write_then_rename(self.out / f"{name}.png", lambda path: sheet.save(path, "PNG"))


class Stopwatch:
    """Seconds spent inside of `with`; on a GPU the GPU's own, which nothing has to wait for."""

    def __init__(self, device: str) -> None:
        self._on_gpu = device.startswith("cuda")
        self._seconds = 0.0
        self._spans: list[list[torch.cuda.Event]] = []  # begun and ended, or still going on

    @property
    def seconds(self) -> float:
        """Of everything that is finished."""
        while self._spans and self._spans[0][-1].query():
            begin, end = self._spans.pop(0)
            self._seconds += begin.elapsed_time(end) / 1000
        return self._seconds

    @seconds.setter
    def seconds(self, value: float) -> None:
        self._seconds = value

    def __enter__(self) -> None:
        if self._on_gpu:
            self._begin = torch.cuda.Event(enable_timing=True)
            self._begin.record()
        else:
            self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        if self._on_gpu:
            end = torch.cuda.Event(enable_timing=True)
            end.record()
            self._spans.append([self._begin, end])
        else:
            self._seconds += time.perf_counter() - self._started


def comparable(settings: Settings, sources: dict[str, Any]) -> dict[str, Any]:
    """Everything that must be the same for a resumed run to be the same run, as plain values."""
    flat = {**asdict(settings), **sources}
    flat |= {f"loss.{name}": value for name, value in flat.pop("loss").items()}
    return json.loads(json.dumps(flat))

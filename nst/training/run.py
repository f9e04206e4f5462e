"""One network being trained: its weights, optimizer, log and files, and its state on the disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from nst.checkpoint import (
    CheckpointError,
    load_checkpoint,
    load_state,
    previous_state,
    save_checkpoint,
    save_state,
    unusable_state,
)
from nst.fast import fast
from nst.files import write_then_rename
from nst.models import build_model
from nst.pictures.tensors import to_picture
from nst.training.data import Photos
from nst.training.log import TERMS, Log
from nst.training.machine import Stopwatch, World
from nst.training.settings import Settings, comparable

SNAPSHOT_PHOTOS = 4


class Run:
    """One network being trained, with everything that must survive a stop.

    Args:
        variant: its name in `nst.models`.
        settings: its recipe.
        sources: what else decides the weights: photos, painting, VGG weights, first weights.
        hardware: what does not: precision, device, versions.
        out: the folder of `<variant>.safetensors`, `.csv` and `.state.pt`.
        world: the processes that train it; one of them writes.
        painting: its title.
        compiled: through torch.compile.
    """

    def __init__(
        self,
        variant: str,
        settings: Settings,
        sources: dict[str, Any],
        hardware: dict[str, Any],
        out: Path,
        world: World,
        painting: str,
        compiled: bool = False,
    ) -> None:
        self.variant = variant
        self.settings = settings
        self.sources = sources
        self.hardware = hardware
        self.world = world
        self.painting = painting
        torch.manual_seed(settings.seed)
        self.model = build_model(variant)
        self.model.to(world.device, memory_format=torch.channels_last)
        self.network_here: nn.Module = fast(self.model)  # without the other processes
        if compiled:
            self.network_here = torch.compile(self.network_here, dynamic=False)
        self.network = world.parallel(self.network_here)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=settings.learning_rate)
        self.scheduler = self._new_scheduler()
        self.step = 0  # steps made
        self.clock = Stopwatch(world.device)
        self.validation: dict[str, float] = {}  # mean loss terms ...
        self.validated_at = 0  # ... at this step
        self.changes: list[dict[str, Any]] = []  # of settings, on the way
        self.history: list[dict[str, Any]] = []  # of hardware, each with its first step
        self.out = out
        self.checkpoint_path = out / f"{variant}.safetensors"
        self.state_path = out / f"{variant}.state.pt"
        self.log = Log(out / f"{variant}.csv")

    @property
    def lattice_weight(self) -> float:
        """The one weight of the loss that may be a network's own."""
        return self.settings.loss.lattice_weight

    def _new_scheduler(self) -> ReduceLROnPlateau:
        return ReduceLROnPlateau(
            self.optimizer,
            factor=self.settings.plateau_factor,
            patience=self.settings.plateau_patience,
        )

    def start_at(self, path: Path) -> None:
        """Begin at a checkpoint's weights instead of random ones.

        Raises:
            CheckpointError: it cannot be read, or is of another architecture.
        """
        network, metadata = load_checkpoint(path)
        if network.architecture != self.model.architecture:
            raise CheckpointError(
                f"--start {path}: holds {metadata['variant']}, not {self.variant}"
            )
        self.model.load_state_dict(network.state_dict())

    def stepped(self, terms: dict[str, float], epoch: int) -> None:
        """Count the step just made, and log its loss terms."""
        self.step += 1
        if not self.history or not self.hardware.items() <= self.history[-1].items():
            self.history.append({"from_step": self.step, **self.hardware})
        row: dict[str, Any] = {"step": self.step, "epoch": epoch}
        row |= {name: f"{value:.6g}" for name, value in terms.items()}
        (group,) = self.optimizer.param_groups
        row |= {"lr": group["lr"], "seconds": f"{self.clock.seconds:.2f}"}
        self.log.rows.append(row)

    def validated(self, losses: dict[str, float], on_schedule: bool) -> None:
        """Note validation losses beside the last step's terms.

        Only those `on_schedule` move the learning rate, so that a run which validated because it
        ended there goes on later like one that never did.
        """
        self.validation, self.validated_at = losses, self.step
        self.log.rows[-1] |= {f"validation_{name}": f"{losses[name]:.6g}" for name in TERMS}
        if on_schedule:
            self.scheduler.step(losses["total"])

    def refuse_to_overwrite(self) -> None:
        """Look for another training's files before this one begins.

        Raises:
            CheckpointError: there are some.
        """
        advice = "--resume goes on, or " if self.state_path.exists() else ""
        before = previous_state(self.state_path)
        for path in (self.checkpoint_path, self.log.path, self.state_path, before):
            if path.exists():
                raise CheckpointError(f"{path} exists: {advice}choose another --out")

    def begin(self) -> None:
        """Write the first state: from here on --resume goes on, whenever the process is killed."""
        if self.world.writes:
            save_state(self.state_path, self.state_dict())
            self.log.begin()

    def save(self, epoch: int) -> None:
        """Write checkpoint, log and training state, the state last, so that it is never ahead.

        Raises:
            OSError: they cannot be written; those that were there are whole.
        """
        if self.world.writes:
            self.save_checkpoint(self.checkpoint_path, epoch)
            self.log.save()
            save_state(self.state_path, self.state_dict())
        else:
            self.log.rows = self.log.rows[-1:]

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
            hardware=json.dumps(self.history),
            style_sha256=self.sources["style_sha256"],
            painting=self.painting,
        )

    @torch.no_grad()
    def save_snapshot(self, photos: Photos, epoch: int) -> None:
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

    def state_dict(self) -> dict[str, Any]:
        """Everything that must survive a stop, and what must be the same afterwards."""
        return {
            "variant": self.variant,
            "settings": comparable(self.settings, self.sources),
            "step": self.step,
            "seconds": self.clock.seconds,
            "validation": self.validation,
            "validated_at": self.validated_at,
            "changes": self.changes,
            "hardware": self.history,
            "log_row": self.log.rows[-1] if self.log.rows else None,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
        }

    def resume(self, accept_changes: bool = False) -> None:
        """Take over the saved state, and cut the log back to it.

        Raises:
            CheckpointError: no state, a damaged one, another variant's, or one made with other
                settings; or the log does not belong to it.
        """
        state = load_state(self.state_path)
        if state.get("variant") != self.variant:
            what = f"is of {state.get('variant')}, not {self.variant}"
            raise CheckpointError(f"{self.state_path}: {what}")
        try:
            self.load_state_dict(state, accept_changes)
        except CheckpointError:
            raise
        except KeyError as error:
            raise unusable_state(self.state_path, f"damaged training state (no {error})") from None
        except (AttributeError, RuntimeError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise unusable_state(self.state_path, f"damaged training state ({reason})") from None
        if self.world.writes:
            self.log.go_on(self.step, state["log_row"], self.world.say)
        elif self.step:
            self.log.rows = [state["log_row"]]

    def load_state_dict(self, state: dict[str, Any], accept_changes: bool = False) -> None:
        """The inverse of `state_dict`, but for the log.

        If changed settings are accepted, they are noted with the step from which they hold.

        Raises:
            CheckpointError: settings changed and that was not accepted.
            Exception: something is missing or no state of this network.
        """
        step = state["step"]
        if type(step) is not int or step < 0:
            raise ValueError(f"step {step!r} is no number of steps")
        if (step > 0) != isinstance(state["log_row"], dict):
            raise ValueError("no row for the log")
        changed = self._take_settings(state, accept_changes)
        self._take_tensors(state, step)
        if "learning_rate" in changed:
            for group in self.optimizer.param_groups:
                group["lr"] = self.settings.learning_rate
        if missing := self.scheduler.state_dict().keys() - state["scheduler"].keys():
            raise KeyError(f"scheduler's {min(missing)}")
        if not changed:  # otherwise earlier validation losses may no longer compare
            self.scheduler.load_state_dict(state["scheduler"])
        self.step, self.clock.seconds = step, float(state["seconds"])
        self.validation, self.validated_at = state["validation"], state["validated_at"]
        self.history = list(state["hardware"])

    def _take_settings(self, state: dict[str, Any], accept_changes: bool) -> list[str]:
        """The names of those that changed since, noted if that is accepted."""
        now, then = comparable(self.settings, self.sources), state["settings"]
        names = sorted(name for name in now | then if now.get(name) != then.get(name))
        if names and not accept_changes:
            changed = (f"{n} ({then.get(n)!r} then, {now.get(n)!r} now)" for n in names)
            raise CheckpointError(
                f"{self.state_path}: made with other settings: {'; '.join(changed)}. "
                "--accept-changes goes on with the new ones."
            )
        self.changes = list(state["changes"])
        if names:
            before = {name: then.get(name) for name in names}
            self.changes.append({"until_step": state["step"], "settings": before})
        return names

    def _take_tensors(self, state: dict[str, Any], step: int) -> None:
        """Weights and Adam's moments; Adam would take over any shape, and fail at the next step."""
        for name, value in self.model.state_dict().items():
            _check_like(value, state["model"][name], name)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for name, parameter in self.model.named_parameters() if step else ():
            moments = self.optimizer.state[parameter]
            _check_like(torch.tensor(step), moments["step"], f"Adam's step of {name}")
            for key in ("exp_avg", "exp_avg_sq"):
                _check_like(parameter, moments[key], f"Adam's {key} of {name}")


def _check_like(expected: Tensor, value: Any, name: str) -> None:
    """Raises ValueError: a value is no tensor of finite numbers, or of another shape."""
    shape = tuple(value.shape)
    if shape != tuple(expected.shape):
        raise ValueError(f"{name} is of shape {shape}, not {tuple(expected.shape)}")
    if not value.isfinite().all():
        raise ValueError(f"{name} holds NaN or infinity")

"""Train style-transfer networks on photos and one painting.

One network:          python train.py --variant v3 --photos photos/ --style painting.jpg
All four, the same    python train.py --variant all --photos a.tar b.tar --style painting.jpg
photos in one order:
Go on where a run     python train.py ... --resume
was stopped:

--photos takes folders and tar files.  Into --out (default runs/) come, for each network, its
checkpoint v3.safetensors, the log v3.csv with a row for each step, the training state v3.state.pt,
and at --snapshot-step (default 800) v3-step800.safetensors with the pictures of four test photos,
v3-step800.png.  Ctrl-C saves and stops.  The recipe is the paper's (section 3.3): Adam, learning
rate 1e-3, batches of 4 photos at 256×256, ReduceLROnPlateau on the validation loss; what the paper
leaves open is decided in `Settings` and `nst.loss.LossSettings`.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import json
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import EllipsisType, FrameType
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau
from tqdm import tqdm

from nst.checkpoint import (
    CheckpointError,
    load_state,
    save_checkpoint,
    save_state,
    sha256,
)
from nst.data import (
    Photo,
    PhotoSet,
    batch_indices,
    find_photos,
    split_photos,
    steps_per_epoch,
)
from nst.images import (
    denormalise,
    limit_side,
    normalise,
    read_picture,
    to_picture,
    to_tensor,
)
from nst.loss import LossSettings, LossTerms, PerceptualLoss, load_vgg16
from nst.models import DECODERS, VARIANTS, TransformerNet, build_model

SNAPSHOT_PHOTOS = 4

Window = EllipsisType | tuple[EllipsisType, slice, slice]  # indexes a batch of pictures


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
    """One network being trained, with everything that must survive a stop."""

    def __init__(
        self,
        variant: str,
        settings: Settings,
        sources: dict[str, Any],
        out: Path,
        device: str,
    ) -> None:
        self.variant = variant
        self.settings = settings
        self.sources = sources
        torch.manual_seed(settings.seed)
        self.model = build_model(variant, settings.decoder)
        self.model.to(device, memory_format=torch.channels_last)
        self.network: Callable[[Tensor], Tensor] = self.model  # or its compiled form
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=settings.learning_rate)
        self.scheduler = ReduceLROnPlateau(
            self.optimizer,
            factor=settings.plateau_factor,
            patience=settings.plateau_patience,
        )
        self.step = 0
        self.seconds = 0.0  # spent in this network's own steps
        self.validation: dict[str, float] = {}
        self.changes: list[dict[str, Any]] = []  # of settings, on the way
        self.log_rows: list[dict[str, Any]] = []  # not yet written
        self.last_row: dict[str, Any] = {}
        self.checkpoint_path = out / f"{variant}.safetensors"
        self.state_path = out / f"{variant}.state.pt"
        self.log_path = out / f"{variant}.csv"

    def train_step(
        self,
        photos: Tensor,
        target: Tensor,
        loss: Callable[[Tensor, Tensor], LossTerms],
        window: Window = ...,
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
                f"{self.step + 1}; the last saved state is intact. Try a lower learning rate."
            )
        self.optimizer.step()
        self.step += 1
        self.seconds += time.perf_counter() - started
        return LossTerms(*(term.detach() for term in terms))

    def log(self, terms: LossTerms, epoch: int) -> None:
        row = {"step": self.step, "epoch": epoch}
        row |= {name: f"{value.item():.6g}" for name, value in terms._asdict().items()}
        row["lr"] = self.optimizer.param_groups[0]["lr"]
        row["seconds"] = f"{self.seconds:.2f}"
        self.log_rows.append(row)
        self.last_row = row

    def validated(self, losses: dict[str, float]) -> None:
        """Take note of validation losses, and let the scheduler react to the total."""
        self.validation = losses
        self.scheduler.step(losses["total"])
        if self.log_rows:
            values = {f"validation_{name}": f"{value:.6g}" for name, value in losses.items()}
            self.log_rows[-1] |= values

    def save(self, epoch: int) -> None:
        self.save_checkpoint(self.checkpoint_path, epoch)
        self.write_log()
        state = {
            "variant": self.variant,
            "settings": comparable_settings(self.settings, self.sources),
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
            training=json.dumps(comparable_settings(self.settings, self.sources)),
            changes=json.dumps(self.changes),
            style_sha256=self.sources["style_sha256"],
        )

    def summary(self) -> str:
        row = self.last_row
        terms = "  ".join(f"{name} {row[name]}" for name in TERMS)
        validation = "".join(f"  {name} {value:.4f}" for name, value in self.validation.items())
        return f"step {self.step}  {self.variant:8}  {terms}  | validation{validation or ' none'}"

    def write_log(self) -> None:
        new = not self.log_path.exists()
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("a", newline="") as file:
            writer = csv.DictWriter(file, LOG_COLUMNS, restval="")
            if new:
                writer.writeheader()
            writer.writerows(self.log_rows)
        self.log_rows = []

    def resume(self, accept_changes: bool = False) -> None:
        """Take over the saved state, and cut the log back to it.

        Settings that differ are noted with the step from which they hold, if that is accepted.

        Raises:
            CheckpointError: no state, a damaged one, or one made with other settings.
        """
        state = load_state(self.state_path)
        now, then = comparable_settings(self.settings, self.sources), state["settings"]
        names = sorted(name for name in now | then if now.get(name) != then.get(name))
        self.changes = state["changes"]
        if names and not accept_changes:
            changed = (f"{name} ({then.get(name)!r} then, {now.get(name)!r} now)" for name in names)
            raise CheckpointError(
                f"{self.state_path}: made with other settings: {'; '.join(changed)}. "
                "--accept-changes goes on with the new ones."
            )
        if names:
            before = {name: then.get(name) for name in names}
            self.changes = [*self.changes, {"until_step": state["step"], "settings": before}]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.validation = state["validation"]
        self.cut_log(self.step)

    def cut_log(self, step: int) -> None:
        """Keep the log's rows up to `step`."""
        if self.log_path.exists():
            with self.log_path.open(newline="") as file:
                self.log_rows = [row for row in csv.DictReader(file) if int(row["step"]) <= step]
            self.log_path.unlink()
            self.write_log()


TERMS = LossTerms._fields
LOG_COLUMNS = [
    "step",
    "epoch",
    *TERMS,
    "lr",
    *(f"validation_{name}" for name in TERMS),
    "seconds",
]


def comparable_settings(settings: Settings, sources: dict[str, Any]) -> dict[str, Any]:
    """Everything that must be the same for a resumed run to be the same run, as plain values."""
    flat = {**asdict(settings), **sources}
    flat |= {f"loss.{name}": value for name, value in flat.pop("loss").items()}
    return json.loads(json.dumps(flat))


def evaluate(
    network: Callable[[Tensor], Tensor],
    photos: Tensor,
    target: Tensor,
    loss: Callable[[Tensor, Tensor], LossTerms],
    precision: str,
    window: Window = ...,
) -> LossTerms:
    """Photos -> pictures -> loss terms, in the precision asked for."""
    with autocast(photos, precision):
        pictures = denormalise(network(normalise(photos)))
        return loss(pictures[window], target)


def content_target(photos: Tensor, loss: PerceptualLoss, precision: str) -> Tensor:
    with autocast(photos, precision):
        return loss.content_target(photos)


def random_window(settings: Settings, step: int) -> Window:
    """The part of a batch that the loss of one step sees: a pure function, so resuming is exact.

    A smaller part costs less, and its changing place keeps VGG's poolings from always meeting the
    same pixels, which they would reward with a grid.
    """
    if not 0 < settings.loss_window < settings.photo_side:
        return ...
    place = random.Random(f"window {settings.seed}/{step}")
    top, left = (place.randint(0, settings.photo_side - settings.loss_window) for _ in range(2))
    rows, columns = (slice(start, start + settings.loss_window) for start in (top, left))
    return (..., rows, columns)


def autocast(photos: Tensor, precision: str) -> torch.autocast:
    return torch.autocast(photos.device.type, torch.bfloat16, enabled=precision == "bf16")


@torch.no_grad()
def validate(
    models: Sequence[TransformerNet],
    photos: PhotoSet,
    loss: PerceptualLoss,
    settings: Settings,
    device: str,
) -> list[dict[str, float]]:
    """Mean loss terms of each network over the validation photos."""
    count = min(settings.validation_photos or len(photos), len(photos))
    sums = [dict.fromkeys(TERMS, 0.0) for _ in models]
    for start in range(0, count, settings.batch_size):
        indices = range(start, min(start + settings.batch_size, count))
        batch = photos.batch(indices, device)
        target = content_target(batch, loss, settings.precision)
        for model, total in zip(models, sums, strict=True):
            model.eval()
            terms = evaluate(model, batch, target, loss, settings.precision)
            for name, value in terms._asdict().items():
                total[name] += value.item() * len(indices) / count
    return sums


@torch.no_grad()
def save_snapshot(run: Run, photos: PhotoSet, out: Path, epoch: int, device: str) -> None:
    """The early weights, and the pictures of the first test photos: photo above, result below."""
    name = f"{run.variant}-step{run.step}"
    run.save_checkpoint(out / f"{name}.safetensors", epoch)
    batch = photos.batch(range(min(SNAPSHOT_PHOTOS, len(photos))), device)
    run.model.eval()
    pictures = denormalise(run.model(normalise(batch))).float()
    columns = torch.cat([batch, pictures], dim=2)  # (N, 3, 2H, W)
    to_picture(torch.cat(list(columns), dim=2)).save(out / f"{name}.png")


def train(
    runs: list[Run],
    photos: dict[str, PhotoSet],
    loss: PerceptualLoss,
    settings: Settings,
    *,
    steps: int,
    save_every: int,
    snapshot_step: int,
    out: Path,
    device: str,
    compiled: bool,
) -> None:
    """Train all runs side by side on the same photos up to `steps`, saving on the way.

    The photos and their content targets are made once for all networks.  A run that was stopped
    ahead of the others waits until they have caught up.
    """
    per_epoch = steps_per_epoch(len(photos["train"]), settings.batch_size)
    validate_every = settings.validate_every or per_epoch
    step_loss: Callable[[Tensor, Tensor], LossTerms] = loss
    if compiled:
        step_loss = torch.compile(loss, dynamic=False)
        for run in runs:
            run.network = torch.compile(run.model, dynamic=False)
    first = min(run.step for run in runs)
    with stop_signal() as stopping:
        for step in tqdm(range(first, steps), initial=first, total=steps, unit="step"):
            due = [run for run in runs if run.step == step]
            epoch = step // per_epoch + 1
            indices = batch_indices(len(photos["train"]), settings.batch_size, settings.seed, step)
            batch = photos["train"].batch(indices, device)
            window = random_window(settings, step)
            target = content_target(batch[window], loss, settings.precision)
            for run in due:
                terms = run.train_step(batch, target, step_loss, window)
                run.log(terms, epoch)
            done = step + 1
            last = done == steps or stopping.is_set()
            if done % validate_every == 0 or done == steps:
                models = [run.model for run in due]
                losses = validate(models, photos["validation"], loss, settings, device)
                for run, values in zip(due, losses, strict=True):
                    run.validated(values)
            if done == snapshot_step:
                for run in due:
                    save_snapshot(run, photos["test"], out, epoch, device)
            if done % save_every == 0 or last:
                for run in due:
                    run.save(epoch)
                    tqdm.write(run.summary())
            if stopping.is_set():
                raise KeyboardInterrupt


@contextlib.contextmanager
def stop_signal() -> Iterator[threading.Event]:
    """An event that Ctrl-C or a termination request sets, so that a step is never cut in two.

    A second Ctrl-C stops at once, with what was saved last.
    """
    event = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        event.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
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
        required=True,
        nargs="+",
        type=Path,
        help="folders and tar files of photos",
    )
    add("--style", required=True, type=Path, help="the painting")
    add(
        "--vgg-weights",
        type=Path,
        help="local VGG-16 weights; default: torchvision's, downloaded",
    )
    add("--out", type=Path, default=Path("runs"), help="where everything is saved")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=int, default=20, help="default %(default)s, the paper's")
    length.add_argument("--steps", type=int, help="instead of --epochs")
    add("--resume", action="store_true", help="go on from the training states in --out")
    add("--accept-changes", action="store_true", help="with --resume: other settings from here on")
    add("--save-every", type=int, default=100, metavar="STEPS")
    add(
        "--snapshot-step",
        type=int,
        default=800,
        metavar="STEP",
        help="default 800, the paper's",
    )
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    add("--threads", type=int, help="CPU threads")
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
    add("--decoder", choices=DECODERS, default=Settings.decoder)
    add("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    recipe = ("photo_side", "style_side", "loss_window", "batch_size", "learning_rate", "seed")
    validation = ("plateau_factor", "plateau_patience", "validate_every", "validation_photos")
    for name in (*recipe, *validation):
        default = getattr(Settings, name)
        add(f"--{name.replace('_', '-')}", type=type(default), default=default)
    return parser.parse_args(arguments)


def settings_from(options: argparse.Namespace) -> Settings:
    values = {f.name: getattr(options, f.name) for f in fields(Settings) if f.name != "loss"}
    if options.precision == "auto":
        values["precision"] = "bf16" if bf16_is_fast(options.device) else "fp32"
    loss = {f.name: getattr(options, f.name) for f in fields(LossSettings)}
    loss["style_layers"] = tuple(loss["style_layers"])
    return Settings(**values, loss=LossSettings(**loss))


def bf16_is_fast(device: str) -> bool:
    """On GPUs, and on CPUs with matrix units; with AVX-512 alone it took twice fp32's time."""
    return device.startswith("cuda") or bool(
        getattr(torch.cpu, "get_capabilities", dict)().get("amx_bf16")
    )


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    settings, device, out = settings_from(options), options.device, options.out

    split = split_photos(find_photos(options.photos))
    counts = ", ".join(f"{len(part)} {name}" for name, part in split.items())
    note = "" if sum(map(len, split.values())) == 5000 else " (the paper has 50 / 4,455 / 495)"
    print(f"photos: {counts}{note}")
    photos = {name: PhotoSet(part, settings.photo_side) for name, part in split.items()}

    style = to_tensor(limit_side(read_picture(options.style), settings.style_side))
    vgg = load_vgg16(options.vgg_weights)
    loss = PerceptualLoss(vgg.to(device), style.to(device), settings.loss)
    sources = {
        "photo_names_sha256": names_sha256(split),
        "style_sha256": sha256(options.style),
        "vgg_weights": options.vgg_weights.name if options.vgg_weights else "torchvision",
        "torch_version": torch.__version__,
    }

    variants = list(VARIANTS) if options.variant == "all" else [options.variant]
    runs = [Run(variant, settings, sources, out, device) for variant in variants]
    for run in runs:
        if options.resume:
            run.resume(options.accept_changes)
        elif run.state_path.exists():
            raise CheckpointError(
                f"{run.state_path} exists: --resume goes on, or choose another --out"
            )
        else:
            run.cut_log(0)
    per_epoch = steps_per_epoch(len(photos["train"]), settings.batch_size)
    steps = options.steps if options.steps is not None else options.epochs * per_epoch
    print(f"{', '.join(variants)}: to step {steps} on {device} in {settings.precision}, {settings}")
    train(
        runs,
        photos,
        loss,
        settings,
        steps=steps,
        save_every=options.save_every,
        snapshot_step=options.snapshot_step,
        out=out,
        device=device,
        compiled=options.compile,
    )


def names_sha256(split: dict[str, list[Photo]]) -> str:
    """Tells two sets of photos apart by their names and parts."""
    names = json.dumps({part: [photo.name for photo in photos] for part, photos in split.items()})
    return hashlib.sha256(names.encode()).hexdigest()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped; everything up to the last step named above is saved, --resume goes on")
    except (ValueError, FloatingPointError) as error:
        sys.exit(f"train.py: {error}")

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
import dataclasses
import hashlib
import json
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

import torch
from tqdm import tqdm

from nst.checkpoint import CheckpointError, sha256
from nst.data import Photo, PhotoSet, batch_indices, find_photos, split_photos, steps_per_epoch
from nst.images import PictureError, limit_side, read_picture, to_tensor
from nst.loss import LossSettings, PerceptualLoss, load_vgg16
from nst.models import DECODERS, VARIANTS
from nst.recipe import LossFunction, Settings, content_target, random_window, validate
from nst.training import Run


def train(
    runs: list[Run],
    photos: dict[str, PhotoSet],
    loss: PerceptualLoss,
    settings: Settings,
    *,
    steps: int,
    save_every: int,
    snapshot_step: int,
    device: str,
    compiled: bool,
) -> None:
    """Train all runs side by side on the same photos up to `steps`, saving on the way.

    The photos and their content targets are made once for all networks.  A run that was stopped
    ahead of the others waits until they have caught up.

    Raises:
        KeyboardInterrupt: a stop was asked for; everything is saved.
    """
    per_epoch = steps_per_epoch(len(photos["train"]), settings.batch_size)
    validate_every = settings.validate_every or per_epoch
    step_loss: LossFunction = loss
    if compiled:
        step_loss = torch.compile(loss, dynamic=False)
        for run in runs:
            run.network = torch.compile(run.model, dynamic=False)
    first = min(run.step for run in runs)
    with stop_signal() as stopping, tqdm(initial=first, total=steps, unit="step") as progress:
        for step in range(first, steps):
            due = [run for run in runs if run.step == step]
            epoch = step // per_epoch + 1
            indices = batch_indices(len(photos["train"]), settings.batch_size, settings.seed, step)
            batch = photos["train"].batch(indices, device)
            window = random_window(settings, step)
            target = content_target(batch[window], loss, settings.precision)
            for run in due:
                terms = run.train_step(batch, target, step_loss, window)
                run.log(terms, epoch)
                shown = {name: f"{value:.3f}" for name, value in terms.items()}
                progress.set_postfix({"network": run.variant, **shown})

            done = step + 1
            on_schedule = done % validate_every == 0
            if on_schedule or done == steps:
                models = [run.model for run in due]
                losses = validate(models, photos["validation"], loss, settings, device)
                for run, values in zip(due, losses, strict=True):
                    run.validated(values, on_schedule)
                    summary = "  ".join(f"{name} {value:.4f}" for name, value in values.items())
                    progress.write(f"step {done}  {run.variant:8}  validation  {summary}")
            if done == snapshot_step:
                for run in due:
                    run.save_snapshot(photos["test"], epoch, device)
            stop = stopping.is_set()
            if stop or done % save_every == 0 or done == steps:
                for run in due:
                    run.save(epoch)
            progress.update()
            if stop:
                raise KeyboardInterrupt(f"stopped and saved after step {done}, --resume goes on")


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
    add("--decoder", choices=DECODERS, default=Settings.decoder)
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

    try:
        style = to_tensor(limit_side(read_picture(options.style), settings.style_side))
    except PictureError as error:
        raise PictureError(f"{options.style}: {error}") from None
    loss = PerceptualLoss(
        load_vgg16(options.vgg_weights).to(device), style.to(device), settings.loss
    )
    settings = dataclasses.replace(settings, loss=loss.settings)
    sources = {
        "photo_names_sha256": names_sha256(split),
        "style_sha256": sha256(options.style),
        "vgg_weights": sha256(options.vgg_weights) if options.vgg_weights else "torchvision",
        "torch_version": torch.__version__,
    }

    variants = list(VARIANTS) if options.variant == "all" else [options.variant]
    runs = [Run(variant, settings, sources, out, device) for variant in variants]
    if not options.resume:
        for run in runs:
            for path in (run.checkpoint_path, run.log_path):
                if path.exists():
                    advice = "--resume goes on, or choose another --out"
                    raise CheckpointError(f"{path} exists: {advice}")
    elif not any(run.state_path.exists() for run in runs):
        raise CheckpointError(f"{out}: nothing to resume from")
    for run in runs:
        if options.resume and run.state_path.exists():
            run.resume(options.accept_changes)
        elif options.continue_from:
            run.continue_from(options.continue_from, options.accept_changes)

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
    except KeyboardInterrupt as stop:
        sys.exit(str(stop) or "stopped at once; --resume goes on from what was saved before")
    except (ValueError, FloatingPointError, ImportError, OSError) as error:
        sys.exit(f"train.py: {error}")

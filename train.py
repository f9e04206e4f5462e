"""Train style-transfer networks on photos and one painting.

All four, on the same   python train.py --variant all
photos in one order:
One, on other photos:   python train.py --variant v3 --photos photos/ more.tar --style mine.jpg
After a stop:           python train.py --variant all --resume
On two GPUs (or CPUs):  torchrun --nproc_per_node=2 train.py --variant all
How fast that is:       python train.py --variant all --benchmark

--photos takes folders, zip and tar files; without it, COCO's val2017.zip lies here, as downloaded
from http://images.cocodataset.org/zips/val2017.zip.  Into --out (default runs/) come, for each
network, its checkpoint v3.safetensors, the log v3.csv with a row for each step, the training state
v3.state.pt, and at --snapshot-step (default 800) v3-step800.safetensors with the pictures of four
test photos, v3-step800.png.  Ctrl-C saves and stops.  The recipe is the paper's (section 3.3):
Adam, learning rate 1e-3, batches of 4 photos at 256×256, ReduceLROnPlateau on the validation loss;
what the paper leaves open is decided in `Settings` and `nst.loss.LossSettings`.
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
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

import torch
from tqdm import tqdm

from nst.checkpoint import CheckpointError, sha256
from nst.fast import keep_freed_memory
from nst.images import PictureError, limit_side, read_picture, to_tensor
from nst.loss import PerceptualLoss, load_vgg16
from nst.models import VARIANTS
from nst.training.data import (
    Photo,
    PhotoSet,
    batch_indices,
    find_photos,
    split_photos,
    steps_per_epoch,
)
from nst.training.options import parse_arguments, settings_from
from nst.training.processes import World, join_world, leave_world
from nst.training.recipe import LossFunction, Settings, content_target, random_window, validate
from nst.training.run import Run
from nst.training.speed import benchmark


def train(
    runs: list[Run],
    photos: dict[str, PhotoSet],
    loss: PerceptualLoss,
    settings: Settings,
    *,
    steps: int,
    save_every: int,
    snapshot_step: int,
    world: World,
    compiled: bool,
) -> None:
    """Train all runs side by side on the same photos up to `steps`, saving on the way.

    The photos and their content targets are made once for all networks.  A run that was stopped
    ahead of the others waits until they have caught up.  Every process of `world` calls this.

    Raises:
        KeyboardInterrupt: a stop was asked for; everything is saved.
    """
    per_epoch = steps_per_epoch(len(photos["train"]), settings.batch_size)
    validate_every = settings.validate_every or per_epoch
    step_loss: LossFunction = loss
    if compiled:
        step_loss = torch.compile(loss, dynamic=False)
    first = min(run.step for run in runs)
    bar = tqdm(initial=first, total=steps, unit="step", disable=not world.writes)
    with stop_signal() as stopping, bar as progress:
        for step in range(first, steps):
            due = [run for run in runs if run.step == step]
            epoch = step // per_epoch + 1
            indices = batch_indices(len(photos["train"]), settings.batch_size, settings.seed, step)
            indices, weight = world.share(indices)
            batch = photos["train"].batch(indices)
            window = random_window(settings, step)
            target = content_target(batch[window], loss, settings.precision)
            for run in due:
                terms = run.train_step(batch, target, step_loss, window, weight)
                run.log(terms, epoch)
                shown = {name: f"{value:.3f}" for name, value in terms.items()}
                progress.set_postfix({"network": run.variant, **shown})

            done = step + 1
            on_schedule = done % validate_every == 0
            if on_schedule or done == steps:
                models = [run.model for run in due]
                losses = validate(models, photos["validation"], loss, settings, world)
                for run, values in zip(due, losses, strict=True):
                    run.validated(values, on_schedule)
                    summary = "  ".join(f"{name} {value:.4f}" for name, value in values.items())
                    if world.writes:
                        progress.write(f"step {done}  {run.variant:8}  validation  {summary}")
            if done == snapshot_step:
                for run in due:
                    run.save_snapshot(photos["test"], epoch)
            stop = world.any(stopping.is_set())
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


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments(__doc__ or "", arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    world = join_world(options.device)
    if world.device == "cpu":
        keep_freed_memory()
    try:
        run_command(options, world)
    finally:
        leave_world()


def run_command(options: argparse.Namespace, world: World) -> None:
    """Train, or measure, what the options ask for."""
    settings, out = settings_from(options), options.out
    say: Callable[[str], None] = print if world.writes else lambda text: None

    split = split_photos(find_photos(options.photos))
    counts = ", ".join(f"{len(part)} {name}" for name, part in split.items())
    note = "" if sum(map(len, split.values())) == 5000 else " (the paper has 50 / 4,455 / 495)"
    say(f"photos: {counts}{note}")
    photos = {
        name: PhotoSet(part, settings.photo_side, world.device) for name, part in split.items()
    }

    try:
        style = to_tensor(limit_side(read_picture(options.style), settings.style_side))
    except PictureError as error:
        raise PictureError(f"{options.style}: {error}") from None
    vgg = load_vgg16(options.vgg_weights).to(world.device)
    loss = PerceptualLoss(vgg, style.to(world.device), settings.loss, say)
    settings = dataclasses.replace(settings, loss=loss.settings)
    sources = {
        "photo_names_sha256": names_sha256(split),
        "style_sha256": sha256(options.style),
        "vgg_weights": sha256(options.vgg_weights) if options.vgg_weights else "torchvision",
        "torch_version": torch.__version__,
    }

    variants = list(VARIANTS) if options.variant == "all" else [options.variant]
    runs = [Run(name, settings, sources, out, world, options.compile) for name in variants]
    if options.benchmark:
        say(benchmark(runs, photos["train"], loss, settings, options.compile))
        return
    begin(runs, options, world)

    per_epoch = steps_per_epoch(len(photos["train"]), settings.batch_size)
    steps = options.steps if options.steps is not None else options.epochs * per_epoch
    where = f"{world.size} × {world.device}" if world.size > 1 else world.device
    say(f"{', '.join(variants)}: to step {steps} on {where} in {settings.precision}, {settings}")
    if world.device.startswith("cuda"):  # a GPU is faster than the decoding
        for photo_set in photos.values():
            photo_set.decode_all()
    train(
        runs,
        photos,
        loss,
        settings,
        steps=steps,
        save_every=options.save_every,
        snapshot_step=options.snapshot_step,
        world=world,
        compiled=options.compile,
    )


def begin(runs: list[Run], options: argparse.Namespace, world: World) -> None:
    """Put the runs where they are to start: at nothing, at their saved states, or at checkpoints.

    Raises:
        CheckpointError: nothing is there to go on from, or something that would be overwritten.
    """
    if not options.resume:
        for run in runs:
            for path in (run.checkpoint_path, run.log_path):
                if path.exists():
                    advice = "--resume goes on, or choose another --out"
                    raise CheckpointError(f"{path} exists: {advice}")
    elif not any(run.state_path.exists() for run in runs):
        raise CheckpointError(f"{options.out}: nothing to resume from")
    world.wait()  # all have looked before one writes
    for run in runs:
        if options.resume and run.state_path.exists():
            run.resume(options.accept_changes)
        elif options.continue_from:
            run.continue_from(options.continue_from, options.accept_changes)


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

"""Train style-transfer networks on photos and one painting.

All, on the same        python train.py --variant all
photos in one order:
Some, on other photos:  python train.py --variant v3 v4 --photos photos/ more.tar --style mine.jpg
After a stop:           python train.py --variant all --resume
On two GPUs (or CPUs):  torchrun --nproc_per_node=2 train.py --variant all
Another painting, from  python train.py --variant v4 --style mine.jpg --steps 300 \\
trained weights:            --start checkpoints/v4.safetensors

--photos takes folders, zip and tar files; without it, COCO's val2017.zip lies here, as downloaded
from http://images.cocodataset.org/zips/val2017.zip, or crops of the page's seven examples stand in.
Into --out (default runs/) come, for each network, its checkpoint v3.safetensors, the log v3.csv
with a row for each step, the training state v3.state.pt with the one before it, and at
--snapshot-step (default 800) v3-step800.safetensors with the pictures of four test photos,
v3-step800.png.  Ctrl-C saves and stops.  The recipe is the paper's (section 3.3): Adam, learning
rate 1e-3, batches of 4 photos at 256×256, ReduceLROnPlateau on the validation loss; what the paper
leaves open is decided in `nst.training.settings` and `nst.loss.LossSettings`.
"""

from __future__ import annotations

if __name__ == "__main__":  # before PyTorch is imported, which takes seconds
    from nst.console import run

    run("train")

import contextlib
import dataclasses
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.utils import get_total_norm
from tqdm import tqdm

from nst.checkpoint import title_of, unusable_state
from nst.fast import keep_freed_memory
from nst.files import locked, sha256
from nst.loss import PerceptualLoss
from nst.training.data import Photos, crop_examples, load_photos, names_sha256, steps_per_epoch
from nst.training.log import TERMS
from nst.training.machine import (
    World,
    choose_compile,
    choose_precision,
    describe_hardware,
    join_world,
    leave_world,
    stop_signal,
)
from nst.training.objective import (
    Batch,
    Objective,
    noted_weights,
    prepare_batch,
    read_style,
    validate,
)
from nst.training.run import Run
from nst.training.settings import (
    OFFICIAL_PHOTOS,
    Options,
    Settings,
    parse_arguments,
    settings_for,
)
from nst.vgg import load_vgg16


def train(
    runs: Sequence[Run],
    photos: Mapping[str, Photos],
    objective: Objective,
    settings: Settings,
    options: Options,
    steps: int,
    world: World,
) -> None:
    """Train all runs side by side on the same photos, saving on the way.

    A run that was stopped ahead of the others waits until they have caught up.  Every process of
    `world` calls this.

    Raises:
        KeyboardInterrupt: a stop was asked for; everything is saved.
        FloatingPointError: a loss or a gradient is NaN or infinite; nothing of that step is kept.
    """
    per_epoch = steps_per_epoch(len(photos["train"]), settings.batch_size)
    validate_every = settings.validate_every or per_epoch
    first = min(run.step for run in runs)
    names = ", ".join(run.variant for run in runs)
    where = f"{world.size} × {world.device}" if world.size > 1 else world.device
    how = objective.precision + ", compiled in the first step" * runs[0].hardware["compiled"]
    world.say(f"{names}: to step {steps} on {where} in {how}, {settings}")
    bar = tqdm(initial=first, total=steps, unit="step", disable=not world.writes)
    stop = False
    with stop_signal() as stopping, bar as progress:
        for step in range(first, steps + 1):  # so many are made
            due = [run for run in runs if run.step == step]

            # Save before anything that takes long or may fail, validate, take a snapshot.
            epoch = -(-step // per_epoch)  # of the last step made
            on_schedule = step > 0 and step % validate_every == 0
            to_validate = [run for run in due if run.validated_at != step]
            if not (on_schedule or step == steps):
                to_validate = []
            snapshot = step > 0 and step == options.snapshot_step
            if step > first and (to_validate or snapshot or stop or step % options.save_every == 0):
                for run in due:
                    run.save(epoch)
            if stop:
                raise KeyboardInterrupt(f"stopped and saved after step {step}, --resume goes on")
            if to_validate:
                losses = validate(to_validate, photos["validation"], objective, settings, world)
                for run, values in zip(to_validate, losses, strict=True):
                    run.validated(values, on_schedule)
                    run.save(epoch)
                    summary = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
                    if world.writes:
                        progress.write(f"step {step}  {run.variant:8}  validation  {summary}")
            if snapshot:
                for run in due:
                    run.save_snapshot(photos["test"], epoch)
            if step == steps:
                break

            # One step of every network on the same photos.
            batch = prepare_batch(step, photos["train"], objective, settings, world)
            stop = train_step(due, batch, objective, world, step // per_epoch + 1, stopping)
            progress.set_postfix({run.variant: run.log.rows[-1]["total"] for run in due})
            progress.update()


def train_step(
    runs: Sequence[Run],
    batch: Batch,
    objective: Objective,
    world: World,
    epoch: int = 1,
    stopping: threading.Event | None = None,
) -> bool:
    """One Adam step of each network; whether one of the processes wants to stop after it.

    Raises:
        FloatingPointError: a loss or a gradient is NaN or infinite; no weight was changed.
    """
    reports = []  # of each network: its loss terms, its gradient's norm
    for run in runs:
        with run.clock:
            run.network.train()
            terms = objective.terms(
                run.network, batch.photos, batch.target, run.lattice_weight, batch.window
            )
            run.optimizer.zero_grad()
            (batch.weight * terms.total).backward()
            gradients = [p.grad for p in run.model.parameters() if p.grad is not None]
            reports.append(torch.stack([*terms, get_total_norm(gradients)]).detach())

    # The one place at which a step waits for a GPU and for the other processes.
    share = batch.weight / world.size
    stops = torch.full_like(reports[0], float(stopping is not None and stopping.is_set()))
    *sums, stops = world.sum(torch.stack([*(share * report for report in reports), stops]))
    for run, values in zip(runs, sums, strict=True):
        if not values.isfinite().all():
            raise FloatingPointError(
                f"{run.variant}: the loss or its gradient became NaN or infinite in step "
                f"{run.step + 1}; nothing of that step is kept. Try a lower learning rate."
            )
    for run, values in zip(runs, sums, strict=True):
        with run.clock:
            run.optimizer.step()
        run.stepped(dict(zip(TERMS, values.tolist(), strict=False)), epoch)
    return bool(stops.any())


def main() -> str | None:
    """The command line; returns what went wrong, or that it was stopped."""
    try:
        command(sys.argv[1:])
    except KeyboardInterrupt as stop:
        if not stop.args:  # not by `train`, which saves first
            raise
        return str(stop)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return f"train.py: {where}{error.strerror or error}"
    except (ValueError, FloatingPointError, ImportError) as error:
        return f"train.py: {error}"
    return None


def command(arguments: Sequence[str]) -> None:
    """What the arguments ask for, in this process or in one of several."""
    options, given = parse_arguments(__doc__ or "", arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    world = join_world(options.device)
    try:
        with only_training_in(options.out) if world.writes else contextlib.nullcontext():
            prepare_and_train(options, given, world)
    finally:
        leave_world()


@contextlib.contextmanager
def only_training_in(out: Path) -> Iterator[None]:
    """Make the folder where everything will be saved, before hours are spent, and hold it.

    Raises:
        ValueError: it cannot be written, or another training saves there.
    """
    with contextlib.ExitStack() as stack:
        try:
            out.mkdir(parents=True, exist_ok=True)
            alone = stack.enter_context(locked(out / "training.lock"))
        except OSError as error:
            raise ValueError(f"--out {out}: cannot be written ({error.strerror})") from None
        if not alone:
            raise ValueError(f"--out {out}: another training saves there; choose another folder")
        yield


def prepare_and_train(options: Options, given: dict[str, Any], world: World) -> None:
    """Put together what is asked for, and train it."""
    recipes = {name: settings_for(name, given) for name in options.networks}
    settings = next(iter(recipes.values()))  # the networks differ in their lattice weights only
    precision = choose_precision(options.precision, world.device)
    if world.device == "cpu":
        keep_freed_memory()
    elif precision == "bf16":
        torch.set_float32_matmul_precision("high")  # TF32: all digits of features in bf16

    style = read_style(options.style, settings.style_side)
    painting = title_of(options.style)
    of_vgg = settings.loss.vgg_pooling, settings.loss.loss_margin
    vgg = load_vgg16(options.vgg_weights, *of_vgg).to(world.device)
    shared = dataclasses.replace(settings.loss, lattice_weight=0.0)
    loss = PerceptualLoss(vgg, style.to(world.device), shared, world.say)
    photos = find_training_photos(options, settings, world)
    per_epoch = steps_per_epoch(len(photos["train"]), settings.batch_size)
    steps = options.steps or options.epochs * per_epoch
    compiled = choose_compile(options.compile, world.device, precision, steps)
    objective = Objective(loss, precision, compiled)
    sources = {
        "photo_names_sha256": names_sha256(photos),
        "style_sha256": sha256(options.style),
        "vgg_weights": noted_weights(options.vgg_weights),
        "start_sha256": sha256(options.start) if options.start else None,
    }

    runs = []
    for name, recipe in recipes.items():
        of_loss = dataclasses.replace(recipe.loss, style_layers=loss.settings.style_layers)
        recipe = dataclasses.replace(recipe, loss=of_loss)
        hardware = describe_hardware(world, precision, compiled)
        run = Run(name, recipe, sources, hardware, options.out, world, painting, compiled)
        if options.start:
            run.start_at(options.start)
        runs.append(run)
    begin(runs, options, world)
    train(runs, photos, objective, runs[0].settings, options, steps, world)


def find_training_photos(options: Options, settings: Settings, world: World) -> dict[str, Photos]:
    """Those of --photos, or what stands in for them."""
    photos = options.photos or ((OFFICIAL_PHOTOS,) if OFFICIAL_PHOTOS.exists() else None)
    if not photos:
        return crop_examples(settings.photo_side, settings.seed, world.device, world.say)
    say = world.say if world.writes else None
    return load_photos(photos, settings.photo_side, world.device, say)


def begin(runs: Sequence[Run], options: Options, world: World) -> None:
    """Put the runs where they are to start: at nothing, or at their saved states.

    Raises:
        CheckpointError: nothing is there to go on from, or something that would be overwritten.
    """
    saved = [run for run in runs if options.resume and run.state_path.exists()]
    if options.resume and not saved:
        raise unusable_state(runs[0].state_path, "nothing to resume from")
    for run in runs:
        if run not in saved:
            run.refuse_to_overwrite()
    world.wait()  # all have looked before one writes
    for run in runs:
        if run in saved:
            run.resume(options.accept_changes)
        else:
            run.begin()

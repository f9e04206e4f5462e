"""Going on from a published checkpoint, which comes without Adam's moments."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator
from pathlib import Path

from nst.checkpoint import CheckpointError, load_checkpoint
from nst.training.log import read_log
from nst.training.resume import take_log, take_settings
from nst.training.run import Run

WARM_UP = 50  # steps after which Adam's new moments can be trusted


def continue_from(run: Run, folder: Path, accept_changes: bool = False) -> None:
    """Take over a published checkpoint and its log, which come without Adam's moments.

    Those begin at zero, so this is not the run that never stopped; the step is noted in the
    changes.  The learning rate grows to the log's last in `WARM_UP` steps, and is lowered where
    validation does not get better than the published loss.

    Raises:
        CheckpointError: no checkpoint or log of this variant, or one made with other settings.
    """
    path = folder / run.checkpoint_path.name
    model, metadata = load_checkpoint(path)
    if metadata["variant"] != run.variant:
        raise CheckpointError(f"{path}: is of {metadata['variant']}, not {run.variant}")
    step = int(metadata["step"])
    rows = [row for row in read_log(folder / run.log_path.name) if int(row["step"]) <= step]
    if not rows or int(rows[-1]["step"]) != step:
        raise CheckpointError(f"{path}: its log does not reach its step, {step}")
    published = {
        "settings": json.loads(metadata["training"]),
        "changes": json.loads(metadata["changes"]),
        "circumstances": json.loads(metadata.get("circumstances", "[]")),
        "step": step,
    }
    names = take_settings(run, path, published, accept_changes)
    run.changes = [*run.changes, {"until_step": step, "settings": {"optimizer": "new"}}]
    run.model.load_state_dict(model.state_dict())
    for group in run.optimizer.param_groups:
        group["lr"] = float(rows[-1]["lr"])
    run.step, run.clock.seconds = step, float(rows[-1]["seconds"])
    run.warm_from = step
    run.validation, run.validated_at = json.loads(metadata["validation"]), step
    if not names:  # or the losses may not compare
        run.scheduler.best = run.validation.get("total", math.inf)
    take_log(run, rows)


@contextlib.contextmanager
def warmed_up(run: Run) -> Iterator[float]:
    """The next step's learning rate, smaller while Adam's new moments are still few.

    At the full rate a trained network's losses rose tenfold in the first steps.
    """
    scale = 1.0
    if run.warm_from is not None:
        scale = min(1.0, (run.step + 1 - run.warm_from) / WARM_UP)
    (group,) = run.optimizer.param_groups
    rate = group["lr"]
    group["lr"] = rate * scale
    yield rate * scale
    group["lr"] = rate

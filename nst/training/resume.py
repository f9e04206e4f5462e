"""Going on where a run stopped: its state on the disk, and what may have changed since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nst.checkpoint import CheckpointError, load_state, save_state
from nst.training.log import read_log, write_log
from nst.training.run import Run, comparable

# Settings of earlier versions that are circumstances now.
WERE_SETTINGS = {"precision": "precision", "torch_version": "torch"}
# And those that are no settings any more, with what holds now.
HOLD_NOW = {"decoder": "transposed", "loss.vgg_padding": "zeros"}
# And those that there were not yet.
HELD_THEN = {"loss.vgg_pooling": "max", "loss.loss_margin": 0}


def save(run: Run, epoch: int) -> None:
    """Write checkpoint, log and training state; each appears whole or not at all."""
    if run.world.writes:
        run.save_checkpoint(run.checkpoint_path, epoch)
        rows = {int(row["step"]): row for row in [*read_log(run.log_path), *run.log_rows]}
        write_log(run.log_path, list(rows.values()))
        save_state_of(run)
    run.log_rows = run.log_rows[-1:]  # to which a validation may still belong


def save_state_of(run: Run) -> None:
    """Write the training state alone; where there is one, `resume` can go on."""
    if run.world.writes:
        state = {
            "variant": run.variant,
            "settings": comparable(run.settings, run.sources),
            "step": run.step,
            "seconds": run.clock.seconds,
            "validation": run.validation,
            "validated_at": run.validated_at,
            "changes": run.changes,
            "circumstances": run.history,
            "model": run.model.state_dict(),
            "optimizer": run.optimizer.state_dict(),
            "scheduler": run.scheduler.state_dict(),
        }
        save_state(run.state_path, state)


def resume(run: Run, accept_changes: bool = False) -> None:
    """Take over the saved state, and cut the log back to it.

    If changes are accepted, they are applied and noted with the step from which they hold.

    Raises:
        CheckpointError: no state, a damaged one, another variant's, or one made with other
            settings.
    """
    state = load_state(run.state_path)
    if state["variant"] != run.variant:
        raise CheckpointError(f"{run.state_path}: is of {state['variant']}, not {run.variant}")
    names = take_settings(run, run.state_path, state, accept_changes)
    run.model.load_state_dict(state["model"])
    run.optimizer.load_state_dict(state["optimizer"])
    if "learning_rate" in names:
        for group in run.optimizer.param_groups:
            group["lr"] = run.settings.learning_rate
    if names:  # earlier validation losses may no longer compare
        run.scheduler = run.new_scheduler()
    else:
        run.scheduler.load_state_dict(state["scheduler"])
    run.step, run.clock.seconds = state["step"], state["seconds"]
    run.validation = state["validation"]
    run.validated_at = state.get("validated_at", run.step)
    rows = [row for row in read_log(run.log_path) if int(row["step"]) <= run.step]
    if run.world.writes:
        write_log(run.log_path, rows)
    run.log_rows = rows[-1:]


def take_settings(run: Run, path: Path, saved: dict[str, Any], accept_changes: bool) -> list[str]:
    """The names of the settings that changed since `saved`, noted if they are accepted.

    Raises:
        CheckpointError: some changed and that was not accepted.
    """
    now, then = comparable(run.settings, run.sources), dict(saved["settings"])
    circumstances = {new: then.pop(old) for old, new in WERE_SETTINGS.items() if old in then}
    then = HELD_THEN | {name: value for name, value in then.items() if HOLD_NOW.get(name) != value}
    run.history = saved.get("circumstances", [{"from_step": 1, **circumstances}])
    names = sorted(name for name in now | then if now.get(name) != then.get(name))
    if names and not accept_changes:
        changed = (f"{name} ({then.get(name)!r} then, {now.get(name)!r} now)" for name in names)
        raise CheckpointError(
            f"{path}: made with other settings: {'; '.join(changed)}. "
            "--accept-changes goes on with the new ones."
        )
    run.changes = saved["changes"]
    if names:
        before = {name: then.get(name) for name in names}
        run.changes = [*run.changes, {"until_step": saved["step"], "settings": before}]
    return names

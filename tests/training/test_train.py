"""train.py as a user runs it: a process of its own, on small photos with a tiny VGG."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

import train
from nst.checkpoint import CheckpointError, load_checkpoint, load_state
from nst.loss import LossTerms, PerceptualLoss
from nst.models import VARIANTS
from tests.helpers import ROOT
from tests.training.conftest import run_script, said_of


def weights(path: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(path)[0].state_dict()


@pytest.mark.slow
def test_two_steps_then_resume_equals_never_stopping(arguments: list[str], tmp_path: Path) -> None:
    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    first = run_script("--variant", "all", *arguments, "--steps", "2", "--out", str(stopped))
    assert first.returncode == 0, first.stderr
    assert "1 test, 10 train, 1 validation (the paper has 50 / 4,455 / 495)" in first.stdout
    # On to step 3, where it validates only because it ends there, and to 5, a validation later.
    for steps in ("3", "5"):
        more = ["--variant", "all", *arguments, "--steps", steps, "--out", str(stopped)]
        train.command([*more, "--resume"])
    train.command(["--variant", "all", *arguments, "--steps", "5", "--out", str(whole)])
    for name in VARIANTS:
        theirs = weights(whole / f"{name}.safetensors")
        for key, value in weights(stopped / f"{name}.safetensors").items():
            assert torch.equal(value, theirs[key]), (name, key)
        states = [load_state(out / f"{name}.state.pt") for out in (stopped, whole)]
        assert states[0]["scheduler"] == states[1]["scheduler"]
        logs = [pd.read_csv(out / f"{name}.csv") for out in (stopped, whole)]
        same = [column for column in logs[0] if column != "seconds" and "valid" not in column]
        pd.testing.assert_frame_equal(logs[0][same], logs[1][same])
        assert list(logs[0]["step"]) == [1, 2, 3, 4, 5]
        assert list(logs[0]["epoch"]) == [1, 1, 1, 1, 1]
        assert list(logs[1].dropna()["step"]) == [2, 4, 5]
        assert (stopped / f"{name}-step2.png").exists()
        assert load_checkpoint(stopped / f"{name}-step2.safetensors")[1]["step"] == "2"


def test_the_loss_falls(arguments: list[str], tmp_path: Path) -> None:
    train.command(["--variant", "v3", *arguments, "--steps", "30", "--out", str(tmp_path / "out")])
    total = pd.read_csv(tmp_path / "out" / "v3.csv")["total"]
    assert total.tail(5).mean() < 0.7 * total.head(5).mean()


def test_a_changed_setting_is_refused_by_name(arguments: list[str], tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "out")]
    train.command(["--variant", "v3", *arguments, *out, "--steps", "1"])
    slower = ["--variant", "v3", *arguments, *out, "--learning-rate", "0.01", "--steps", "2"]
    with pytest.raises(CheckpointError, match=r"learning_rate \(0.001 then, 0.01 now\)"):
        train.command([*slower, "--resume"])
    with pytest.raises(CheckpointError, match=r"v3\.safetensors exists: --resume goes on"):
        train.command(["--variant", "v3", *arguments, *out, "--steps", "1"])
    train.command([*slower, "--resume", "--accept-changes"])
    metadata = load_checkpoint(tmp_path / "out" / "v3.safetensors")[1]
    assert json.loads(metadata["training"])["learning_rate"] == 0.01
    before = {"until_step": 1, "settings": {"learning_rate": 0.001}}
    assert json.loads(metadata["changes"]) == [before]
    assert list(pd.read_csv(tmp_path / "out" / "v3.csv")["lr"]) == [0.001, 0.01]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_interrupt_saves_a_whole_step(name: str, arguments: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ["--variant", "v3", *arguments, "--steps", "100000", "--out", str(out)]
    options += ["--save-every", "100000", "--validate-every", "100000"]
    command = [sys.executable, "train.py", *options]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while not (out / "v3-step2.png").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert saved_step(out) == 2  # before the snapshot, and not again
        process.send_signal(signal.Signals[name])
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "Traceback" not in errors
    step = load_state(out / "v3.state.pt")["step"]
    assert step >= 2
    assert f"stopped and saved after step {step}, --resume goes on" in errors
    assert load_checkpoint(out / "v3.safetensors")[1]["step"] == str(step)
    assert list(pd.read_csv(out / "v3.csv")["step"]) == list(range(1, step + 1))


def test_nan_stops_and_is_never_saved(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    options = ["--variant", "v3", *arguments, "--save-every", "1", "--out", str(out)]
    train.command([*options, "--steps", "2"])
    before = weights(out / "v3.safetensors")

    def broken_forward(self: PerceptualLoss, pictures: torch.Tensor, _: torch.Tensor) -> LossTerms:
        value = pictures.sum() * float("nan")
        return LossTerms(value, value, value, value, value)

    monkeypatch.setattr(PerceptualLoss, "forward", broken_forward)
    with pytest.raises(
        FloatingPointError, match=r"v3: the loss or its gradient became NaN .* step 3"
    ):
        train.command([*options, "--steps", "4", "--resume"])
    assert load_state(out / "v3.state.pt")["step"] == 2
    for key, value in weights(out / "v3.safetensors").items():
        assert torch.equal(value, before[key])


def test_mistakes_are_one_line(arguments: list[str], tmp_path: Path) -> None:
    result = run_script("--variant", "v3", *arguments, "--photos", str(tmp_path / "missing"))
    assert result.returncode == 1
    assert result.stderr.strip().endswith("no such folder or file")
    assert "Traceback" not in result.stderr
    said = said_of("--variant", "v3", *arguments, "--style", str(tmp_path / "missing.jpg"))
    assert "missing.jpg: The file could not be read." in said
    said = said_of("--variant", "v3", *arguments, "--resume", "--out", str(tmp_path / "none"))
    assert "nothing to resume from" in said


def saved_step(out: Path, variant: str = "v3") -> int:
    """The step of a network's training state in `out`; 0 while there is none."""
    path = out / f"{variant}.state.pt"
    return int(load_state(path)["step"]) if path.exists() else 0


def assert_same_run(one: Path, other: Path, name: str = "v3") -> None:
    """Weights, Adam's moments and the logged terms are equal bit for bit."""
    states = [load_state(out / f"{name}.state.pt") for out in (one, other)]
    for key, value in states[0]["model"].items():
        assert torch.equal(value, states[1]["model"][key]), key
    moments = [state["optimizer"]["state"] for state in states]
    for parameter, values in moments[0].items():
        for key, value in values.items():
            assert torch.equal(value, moments[1][parameter][key]), (parameter, key)
    logs = [pd.read_csv(out / f"{name}.csv") for out in (one, other)]
    columns = ["step", "epoch", *LossTerms._fields, "lr"]
    pd.testing.assert_frame_equal(logs[0][columns], logs[1][columns])


@pytest.mark.slow
def test_kill_9_between_two_saves_loses_nothing_but_time(
    arguments: list[str], tmp_path: Path
) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    options = ["--variant", "v3", *arguments, "--save-every", "3", "--threads", "1"]
    command = [sys.executable, "train.py", *options, "--steps", "100000", "--out", str(killed)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, bufsize=1)
    assert process.stderr is not None
    try:
        shown = ""
        while saved_step(killed) < 3 or "4/100000" not in shown:  # past a save, before the next
            shown += process.stderr.read(16)
            assert process.poll() is None, shown
    finally:
        process.kill()
        process.wait()
    step = saved_step(killed)
    assert step >= 3
    for out, resume in ((killed, ["--resume"]), (whole, [])):
        train.command([*options, "--steps", str(step + 4), "--out", str(out), *resume])
    assert_same_run(killed, whole)


def test_a_kill_in_the_middle_of_a_save_loses_nothing_but_time(
    arguments: list[str], tmp_path: Path
) -> None:
    torn, whole = tmp_path / "torn", tmp_path / "whole"
    options = ["--variant", "v3", *arguments]
    train.command([*options, "--steps", "2", "--out", str(torn)])
    state = (torn / "v3.state.pt").read_bytes()
    train.command([*options, "--steps", "4", "--out", str(torn), "--resume"])
    (torn / "v3.state.pt").write_bytes(state)  # checkpoint and log are of step 4, the state of 2
    train.command([*options, "--steps", "5", "--out", str(torn), "--resume"])
    train.command([*options, "--steps", "5", "--out", str(whole)])
    assert_same_run(torn, whole)


def test_damaged_and_foreign_states_are_refused(arguments: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ["--variant", "v3", *arguments, "--steps", "2", "--out", str(out)]
    train.command(options)
    state = out / "v3.state.pt"
    whole = state.read_bytes()
    state.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match=r"v3\.state\.pt: damaged training state"):
        train.command([*options, "--resume"])
    torch.save({"epoch": 3, "model_state_dict": {}}, state)
    with pytest.raises(CheckpointError, match="not a training state of this project"):
        train.command([*options, "--resume"])
    state.write_bytes(whole)
    state.rename(out / "v2.state.pt")
    with pytest.raises(CheckpointError, match="is of v3, not v2"):
        train.command(["--variant", "v2", *options[2:], "--resume"])


@pytest.mark.slow
def test_two_processes_train_like_one(arguments: list[str], tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    # 3 photos for 2 processes, and a last batch of 1 that leaves nothing for the second.
    options = ["--variant", "v3", *arguments, "--batch-size", "3", "--threads", "1"]
    # They add up in another order, which Adam would make into whole steps where a gradient is
    # nearly zero; small steps keep that below what unequal gradients do.
    options = [*options, "--steps", "5", "--save-every", "2", "--learning-rate", "1e-5"]
    train.command([*options, "--out", str(one)])
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    command = [sys.executable, *torchrun, "train.py", *options, "--out", str(two)]
    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("to step 5 on 2 × cpu") == 1  # one process speaks
    logs = [pd.read_csv(out / "v3.csv") for out in (one, two)]
    assert list(logs[1]["step"]) == [1, 2, 3, 4, 5]
    columns = [column for column in logs[0] if column != "seconds"]
    pd.testing.assert_frame_equal(*(log[columns] for log in logs), rtol=1e-4)
    go_on = [*command, "--steps", "6", "--resume"]
    result = subprocess.run(
        go_on, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr
    assert saved_step(two) == 6

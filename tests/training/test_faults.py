"""What goes wrong in use: noticed before the first step, said in one sentence, nothing lost."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

import train
from nst.checkpoint import load_checkpoint, load_state
from nst.console import INTERRUPTED, STOPPED
from nst.training.run import Run
from tests.helpers import ROOT
from tests.training.conftest import run_script, said_of
from tests.training.test_train import assert_same_run, saved_step


def assert_one_sentence(result: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    last = result.stderr.strip().splitlines()[-1]
    for part in parts:
        assert part in last


def test_damaged_photos_end_no_training(
    arguments: list[str], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = photos / "03.jpg"
    bad.write_bytes(bad.read_bytes()[:400])
    options = ["--variant", "v3", *arguments, "--out", str(tmp_path / "out")]
    train.command([*options, "--steps", "2"])
    said = capsys.readouterr().out
    assert f"left out: {bad}: " in said
    assert "1 of 12 photos cannot be read and are left out" in said
    bad.unlink()  # as one does then; it is the same training
    train.command([*options, "--steps", "4", "--resume"])
    assert saved_step(tmp_path / "out") == 4


@pytest.mark.parametrize("where", ["validation", "snapshot"])
def test_what_fails_after_a_step_does_not_cost_the_step(
    where: str, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, whole = tmp_path / "failed", tmp_path / "whole"
    options = ["--variant", "v3", *arguments, "--save-every", "1000", "--steps", "5"]

    def fails(*_: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        if where == "validation":
            patch.setattr(train, "validate", fails)
        else:
            patch.setattr(Run, "save_snapshot", fails)
        with pytest.raises(OSError, match="no space left"):
            train.command([*options, "--out", str(failed)])
    assert saved_step(failed) == 2
    train.command([*options, "--out", str(failed), "--resume"])
    train.command([*options, "--out", str(whole)])
    assert_same_run(failed, whole)
    states = [load_state(out / "v3.state.pt") for out in (failed, whole)]
    assert states[0]["scheduler"] == states[1]["scheduler"]
    logs = [pd.read_csv(out / "v3.csv")["validation_total"] for out in (failed, whole)]
    pd.testing.assert_series_equal(*logs)
    assert (failed / "v3-step2.png").exists()


def test_an_out_that_cannot_be_written_is_noticed_first(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(train, "load_photos", None)  # not reached
    out = tmp_path / "file" / "out"
    with pytest.raises(ValueError, match=r"--out .*out: cannot be written \(Not a directory\)"):
        train.command(["--variant", "v3", *arguments, "--out", str(out)])


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps", "gpu", "meta"])
def test_a_device_that_is_not_there(device: str, arguments: list[str], tmp_path: Path) -> None:
    if device in ("cuda", "mps") and (
        torch.cuda.is_available() or torch.backends.mps.is_available()
    ):
        pytest.skip("it may be there")
    options = ["--variant", "v3", *arguments, "--out", str(tmp_path / "out")]
    with pytest.raises(ValueError, match=f"--device {device}: not on this machine, which has cpu"):
        train.command([*options, "--device", device])


@pytest.mark.slow
def test_compile_without_a_compiler(arguments: list[str], tmp_path: Path) -> None:
    options = ["--variant", "v3", *arguments, "--out", str(tmp_path / "out"), "--steps", "1"]
    nothing = {"CXX": "/no/compiler", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    result = run_script(*options, "--compile", **nothing)
    assert_one_sentence(result, "train.py: --compile does not work here: ", "/no/compiler")


def test_weights_that_are_a_list(arguments: list[str], tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "list.pth")
    weights = tmp_path / "list.pth"
    said = said_of("--variant", "v3", *arguments, "--vgg-weights", str(weights), "--steps", "1")
    assert said == f"train.py: {weights}: holds a list, not weights by name"


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["while PyTorch is imported", "while photos are checked"])
def test_ctrl_c_while_starting(
    moment: str, arguments: list[str], photos: Path, tmp_path: Path
) -> None:
    if moment == "while photos are checked":
        for number in range(3000):
            (photos / f"link{number:04}.jpg").symlink_to(photos / "00.jpg")
    options = ["--variant", "v3", *arguments, "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [sys.executable, "train.py", *options],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        bufsize=1,
    )
    assert process.stderr is not None
    try:
        shown = ""
        if moment == "while photos are checked":
            while "reading photos" not in shown:
                shown += process.stderr.read(1)
                assert process.poll() is None, shown
        else:
            time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        shown += process.stderr.read()
        process.wait(timeout=60)
    finally:
        process.kill()
    assert process.returncode == INTERRUPTED
    assert "Traceback" not in shown
    assert shown.splitlines()[-1].endswith(STOPPED)
    assert not (tmp_path / "out" / "v3.state.pt").exists()


def test_hardware_is_noted_with_its_first_step_and_refuse_nothing(
    arguments: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = ["--variant", "v3", *arguments, "--out", str(out)]
    train.command([*options, "--steps", "2", "--threads", "1"])
    best = load_state(out / "v3.state.pt")["scheduler"]["best"]
    more = [*options, "--steps", "3", "--resume", "--threads", "1"]
    train.command([*more, "--precision", "bf16"])
    train.command([*more[:-4], "4", *more[-3:], "--precision", "bf16"])  # as before
    metadata = load_checkpoint(out / "v3.safetensors")[1]
    noted = json.loads(metadata["hardware"])
    assert [(entry["from_step"], entry["precision"]) for entry in noted] == [
        (1, "fp32"),
        (3, "bf16"),
    ]
    assert noted[0]["torch"] == torch.__version__
    assert re.fullmatch(r"CPU, .+, 1 threads", noted[0]["device"])
    assert json.loads(metadata["changes"]) == []
    assert "precision" not in json.loads(metadata["training"])
    scheduler = load_state(out / "v3.state.pt")["scheduler"]
    assert scheduler["best"] <= best
    assert scheduler["last_epoch"] == 2  # validations on schedule: of steps 2 and 4


def test_each_network_is_trained_and_validated_by_its_own_weights(
    arguments: list[str], tmp_path: Path
) -> None:
    """The lattice term is logged for all, and part of v4's total only."""
    out = tmp_path / "out"
    train.command(["--variant", "v3", "v4", *arguments, "--out", str(out), "--steps", "2"])
    for name, weight in (("v3", 0), ("v4", 200)):
        row = pd.read_csv(out / f"{name}.csv").iloc[-1]
        for prefix in ("", "validation_"):
            content, style, tv, lattice, total = (
                row[prefix + term] for term in ("content", "style", "tv", "lattice", "total")
            )
            assert lattice > 0
            assert total == pytest.approx(content + 4 * style + tv + weight * lattice, rel=1e-4)
        training = json.loads(load_checkpoint(out / f"{name}.safetensors")[1]["training"])
        assert training["loss.lattice_weight"] == weight


@pytest.mark.slow
def test_compiled_it_is_the_same_training(arguments: list[str], tmp_path: Path) -> None:
    plain, compiled = tmp_path / "plain", tmp_path / "compiled"
    options = ["--variant", "v3", *arguments, "--steps", "2", "--learning-rate", "1e-5"]
    train.command([*options, "--out", str(plain)])
    try:
        train.command([*options, "--out", str(compiled), "--compile"])
    except ValueError as error:
        if "--compile does not work here" in str(error):
            pytest.skip("no compiler")
        raise
    logs = [pd.read_csv(out / "v3.csv").drop(columns="seconds") for out in (plain, compiled)]
    pd.testing.assert_frame_equal(*logs, rtol=1e-3)

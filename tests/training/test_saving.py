"""What a training saves holds: nothing damaged is resumed, nothing overwritten or cut silently."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

import train
from nst.checkpoint import CheckpointError, load_checkpoint, load_state, save_state
from nst.files import locked
from nst.training.log import read_log
from nst.training.machine import stop_signal
from tests.training.conftest import said_of
from tests.training.test_train import assert_same_run, saved_step

State = dict[str, Any]


@pytest.fixture
def options(arguments: list[str], tmp_path: Path) -> list[str]:
    """The command line of a training of v4 into tmp_path/out."""
    return ["--variant", "v4", *arguments, "--out", str(tmp_path / "out")]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test leaves its training for the others."""
    return tmp_path_factory.mktemp("once") / "out"


@pytest.fixture
def out(options: list[str], once: Path, tmp_path: Path) -> Path:
    """The folder of that training after three steps, of which two were saved."""
    if not once.exists():
        train.command([*options[:-1], str(once), "--steps", "3"])
    shutil.copytree(once, tmp_path / "out")
    return tmp_path / "out"


def rewrite(path: Path, change: Callable[[State], object]) -> None:
    state = load_state(path)
    change(state)
    save_state(path, state)


def moments(state: State) -> State:
    return state["optimizer"]["state"][0]


UNUSABLE: dict[str, Callable[[State], object]] = {
    **{f"without {key}": lambda state, key=key: state.pop(key) for key in (
        *("settings", "step", "seconds", "validation", "validated_at", "changes", "hardware"),
        *("log_row", "model", "optimizer", "scheduler"),
    )},
    "step is a word": lambda state: state.update(step="three"),
    "step is a fraction": lambda state: state.update(step=2.5),
    "step is negative": lambda state: state.update(step=-3),
    "a weight of another shape": lambda state: state["model"].update(
        {"encoder.0.conv.1.weight": torch.zeros(3, 3)}
    ),
    "a weight is NaN": lambda state: state["model"]["encoder.0.conv.1.bias"].fill_(float("nan")),
    "a weight is missing": lambda state: state["model"].pop("encoder.0.conv.1.bias"),
    "a weight is a word": lambda state: state["model"].update({"encoder.0.conv.1.bias": "x"}),
    "moments of another shape": lambda state: moments(state).update(exp_avg=torch.zeros(2)),
    "moments are missing": lambda state: moments(state).pop("exp_avg_sq"),
    "moments are infinite": lambda state: moments(state)["exp_avg"].fill_(float("inf")),
    "no moments of a weight": lambda state: state["optimizer"]["state"].pop(0),
    "no group of weights": lambda state: state["optimizer"].update(param_groups=[]),
    "half a scheduler": lambda state: state["scheduler"].pop("best"),
    "the model is a list": lambda state: state.update(model=[1, 2]),
}  # fmt: skip


def test_an_unusable_state_is_one_sentence_with_its_path(options: list[str], out: Path) -> None:
    path = out / "v4.state.pt"
    whole = path.read_bytes()
    log = (out / "v4.csv").read_bytes()
    for name, change in UNUSABLE.items():
        path.write_bytes(whole)
        rewrite(path, change)
        spoiled = path.read_bytes()
        with pytest.raises(CheckpointError, match="damaged training state") as caught:
            train.command([*options, "--steps", "4", "--resume"])
        message = str(caught.value)
        assert message.startswith(f"{path}: "), name
        assert f"{out / 'v4.state.previous.pt'}: rename it" in message, name
        assert "\n" not in message, name
        assert (path.read_bytes(), (out / "v4.csv").read_bytes()) == (spoiled, log), name


def test_the_state_before_goes_on_to_the_same_weights(arguments: list[str], tmp_path: Path) -> None:
    failed, whole = tmp_path / "failed", tmp_path / "whole"
    options = ["--variant", "v3", *arguments, "--save-every", "1"]
    train.command([*options, "--steps", "3", "--out", str(failed)])
    (failed / "v3.state.pt").unlink()
    with pytest.raises(CheckpointError, match=r"nothing to resume from.*v3\.state\.previous\.pt"):
        train.command([*options, "--steps", "5", "--out", str(failed), "--resume"])
    (failed / "v3.state.previous.pt").rename(failed / "v3.state.pt")
    train.command([*options, "--steps", "5", "--out", str(failed), "--resume"])
    train.command([*options, "--steps", "5", "--out", str(whole)])
    assert_same_run(failed, whole)


def test_a_second_training_into_the_same_folder_is_refused(
    options: list[str], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    with (
        locked(tmp_path / "out" / "training.lock"),
        pytest.raises(ValueError, match=r"out: another training saves there"),
    ):
        train.command([*options, "--steps", "1"])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["training.lock"]
    train.command([*options, "--steps", "1"])  # now that the other has ended


@pytest.mark.parametrize("left", ["v4.state.pt", "v4.state.previous.pt", "v4.csv"])
def test_a_fresh_run_overwrites_nothing(left: str, options: list[str], out: Path) -> None:
    for path in out.glob("v4*"):
        if path.name != left:
            path.unlink()
    before = (out / left).read_bytes()
    with pytest.raises(CheckpointError, match=rf"{left} exists: .*choose another --out"):
        train.command([*options, "--steps", "1"])
    assert (out / left).read_bytes() == before


def test_resuming_one_network_does_not_begin_another_over_its_files(
    options: list[str], out: Path
) -> None:
    before = (out / "v4.safetensors").read_bytes()
    for path in out.glob("v4.state*"):
        path.rename(out / path.name.replace("v4", "v3"))
    both = ["--variant", "v3", *options[1:], "--steps", "4", "--resume"]
    with pytest.raises(CheckpointError, match=r"v4\.safetensors exists: choose another --out"):
        train.command(both)
    assert (out / "v4.safetensors").read_bytes() == before


def test_the_log_is_appended_to(options: list[str], out: Path) -> None:
    before = (out / "v4.csv").stat(), (out / "v4.csv").read_bytes()
    train.command([*options, "--steps", "5", "--resume"])
    assert (out / "v4.csv").stat().st_ino == before[0].st_ino
    lines = (out / "v4.csv").read_bytes().splitlines()
    assert lines[:4] == before[1].splitlines()
    assert [row["step"] for row in read_log(out / "v4.csv")] == ["1", "2", "3", "4", "5"]


BAD_LOGS: dict[str, tuple[Callable[[bytes], bytes | None], str]] = {
    "empty": (lambda log: b"", r"does not begin with step,epoch,content"),
    "missing": (lambda log: None, r"missing; put it back, it has 3 rows"),
    "other separator": (lambda log: log.replace(b",", b";"), r"does not begin with step,epoch"),
    "cut": (lambda log: b"\r\n".join(log.splitlines()[:2]) + b"\r\n", r"row 2 of 3 is missing"),
    "cut in a row": (lambda log: log[: log.index(b"\r\n2,") + 20], r"row 2 of 3 is missing"),
    "a row twice": (lambda log: log.replace(b"\r\n2,", b"\r\n1,"), r"row 2 of 3 is missing"),
    "UTF-16": (lambda log: log.decode().encode("utf-16"), r"does not begin with step,epoch"),
}


@pytest.mark.parametrize("kind", BAD_LOGS)
def test_a_log_that_lost_rows_is_refused(kind: str, options: list[str], out: Path) -> None:
    spoil, message = BAD_LOGS[kind]
    path = out / "v4.csv"
    spoiled = spoil(path.read_bytes())
    path.unlink()
    if spoiled is not None:
        path.write_bytes(spoiled)
    with pytest.raises(CheckpointError, match=rf"v4\.csv: {message}"):
        train.command([*options, "--steps", "4", "--resume"])
    assert (path.read_bytes() if path.exists() else None) == spoiled
    assert saved_step(out, "v4") == 3


GOOD_LOGS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "byte order mark": (lambda log: b"\xef\xbb\xbf" + log, "took out the byte order mark"),
    "last row torn": (lambda log: log[:-9], "row 3 was torn or missing; the training state has it"),
    "last row missing": (lambda log: log[: log.index(b"\r\n3,") + 2], "row 3 was torn or missing"),
    "torn row behind": (lambda log: log + b"4,1,0.5", "cut back to step 3"),
    "rows behind": (lambda log: log + b"4,1\r\n5,1\r\n", "cut back to step 3"),
}


@pytest.mark.parametrize("kind", GOOD_LOGS)
def test_a_log_is_repaired_with_a_word(
    kind: str, options: list[str], out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, message = GOOD_LOGS[kind]
    path = out / "v4.csv"
    rows = read_log(path)
    path.write_bytes(spoil(path.read_bytes()))
    train.command([*options, "--steps", "4", "--resume"])
    assert f"{path}: {message}" in capsys.readouterr().out
    assert read_log(path)[:3] == rows
    assert len(read_log(path)) == 4


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """No file may become larger, in bytes."""
    resource = pytest.importorskip("resource", reason="POSIX's limits")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("capsys")  # what is printed would go into a file
@pytest.mark.parametrize("limit", [100, 100_000, 1_000_000])  # of log, checkpoint, state
def test_a_full_disk_is_one_sentence_and_earlier_files_are_whole(
    limit: int, options: list[str], out: Path
) -> None:
    before = {path: path.read_bytes() for path in out.iterdir()}
    arguments = [*options, "--steps", "9", "--resume"]
    with full_disk(limit):
        said = said_of(*arguments)
    assert said.startswith(f"train.py: {out}")
    assert said.endswith("File too large")  # what the limit says for a full disk
    assert "\n" not in said
    for path in out.glob("*.pt"):
        assert path.read_bytes() == before[path]
    load_checkpoint(out / "v4.safetensors")
    train.command(arguments)
    assert [int(row["step"]) for row in read_log(out / "v4.csv")] == list(range(1, 10))


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="POSIX's signal")
def test_a_hangup_stops_but_not_under_nohup() -> None:
    with stop_signal() as stopping:
        os.kill(os.getpid(), signal.SIGHUP)
        assert stopping.is_set()
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_signal() as stopping:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stopping.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)

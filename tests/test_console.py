"""What a command prints is not its work; Ctrl-C ends it with one line and whole files only."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from nst.console import STOPPED
from nst.models import VARIANTS
from tests.helpers import ROOT, random_picture, run_python

COMMANDS = ("nst.stylize", "nst.export", "nst.benchmark")


def program(folder: Path, text: str) -> tuple[str, ...]:
    """A module with this text in its `main`, and Python's arguments that run it."""
    lines = text.strip().splitlines()
    body = "\n".join(["import os, signal, sys, time", "def main():", *(f"    {x}" for x in lines)])
    (folder / "its_module.py").write_text(body, encoding="utf-8")
    start = f"import sys; sys.path.insert(0, {str(folder)!r}); from nst.console import run"
    return "-c", f"{start}; run('its_module')"


def shell(command: str, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess:
    """A line of a shell, in which "$@" is Python with the arguments."""
    line = ["bash", "-o", "pipefail", "-c", command, "bash", sys.executable, *map(str, arguments)]
    environment = {**os.environ, **environment}
    return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, check=False)


@pytest.mark.parametrize("encoding", ["ascii", "cp1251", "cp1252", "utf-8"])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_cannot_be_printed_is_replaced(encoding: str, stream: str, tmp_path: Path) -> None:
    text = f"print('a × 🌻 caf\\udce9 b', file=sys.{stream})\nreturn 7"
    done = shell('"$@"', *program(tmp_path, text), PYTHONIOENCODING=encoding)
    assert done.returncode == 7
    printed = getattr(done, stream).decode(encoding)
    assert printed.startswith("a ")
    assert printed.endswith(" b\n")
    assert ("×" in printed) == (encoding in ("cp1252", "utf-8"))
    assert done.stdout == b"" or done.stderr == b""


@pytest.mark.parametrize(
    "line",
    [
        '"$@" | head -1',
        '"$@" 2>&1 | head -1',
        '"$@" | true',
        '"$@" >&-',
        '"$@" 2>&-',
        '"$@" >&- 2>&- <&-',
        '"$@" > /dev/full',
    ],
)
def test_nobody_has_to_listen(line: str, tmp_path: Path) -> None:
    if "/dev/full" in line and not Path("/dev/full").exists():
        pytest.skip("Linux's full device")
    text = f"""
for number in range(2000):
    print("a line of some length", number)
    print("another", number, file=sys.stderr)
    sys.stdout.flush()
open({str(tmp_path / "done")!r}, "w").write("done")
"""
    done = shell(line, *program(tmp_path, text))
    assert done.returncode == 0
    assert (tmp_path / "done").read_text() == "done"
    assert b"Error" not in done.stderr
    assert b"Exception" not in done.stderr


def test_lines_can_be_read_while_it_works(tmp_path: Path) -> None:
    arguments = program(tmp_path, "print('one line')\ntime.sleep(60)")
    with subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE) as one:
        end = threading.Timer(20, one.kill)
        end.start()
        assert one.stdout.readline() == b"one line\n"
        assert one.poll() is None  # it was not the end that brought it
        end.cancel()
        one.kill()


def test_the_exit_code_is_that_of_main(tmp_path: Path) -> None:
    for text, code in (("return 3", 3), ("pass", 0), ("sys.exit(5)", 5), ("1 / 0", 1)):
        assert shell('"$@"', *program(tmp_path, text)).returncode == code


@pytest.mark.skipif(os.name != "posix", reason="POSIX's signals")
@pytest.mark.parametrize("when", ["importing", "working"])
def test_control_c_is_one_line(when: str, tmp_path: Path) -> None:
    text = "os.kill(os.getpid(), signal.SIGINT)\ntime.sleep(30)"
    arguments = program(tmp_path, text)
    if when == "importing":  # also where a library holds on to its exceptions
        module = tmp_path / "its_module.py"
        text = "try:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept BaseException:\n    pass\n"
        module.write_text(f"import os, signal\n{text}\n{module.read_text()}")
    done = shell('"$@"', *arguments)
    assert done.returncode == 130
    assert done.stderr.decode() == f"{STOPPED}\n"


@pytest.mark.skipif(os.name != "posix", reason="POSIX's signals")
def test_an_ignored_control_c_stays_ignored(tmp_path: Path) -> None:
    """As under `nohup`, or in the background of a script."""
    text = "os.kill(os.getpid(), signal.SIGINT)\nreturn 4"
    done = shell("trap '' INT; \"$@\"", *program(tmp_path, text))
    assert (done.returncode, done.stderr) == (4, b"")


# The commands themselves


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_help_can_be_printed_anywhere(command: str) -> None:
    done = run_python("-m", command, "--help", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert f"python -m {command}" in done.stdout


@pytest.mark.slow
def test_pictures_do_not_depend_on_what_can_be_printed(tmp_path: Path) -> None:
    names = ["plain.jpg", "emoji 🌻.jpg", os.fsdecode(b"caf\xe9.jpg")]
    for name in names:
        random_picture(40, 30).save(tmp_path / "photo.png")
        shutil.copy(tmp_path / "photo.png", tmp_path / name)
    arguments = ["-m", "nst.stylize", *(tmp_path / name for name in names), "--engine", "eager"]
    for line, encoding in (('"$@"', "cp1251"), ('"$@" | head -1', "cp1252")):
        out = tmp_path / f"{encoding}"
        command = [*arguments, "--variant", "all", "-o", out]
        done = shell(line, *command, PYTHONIOENCODING=encoding)
        assert done.returncode == 0, done.stderr
        assert len(list(out.iterdir())) == len(names) * len(VARIANTS)
        assert b"Error" not in done.stderr


@pytest.mark.slow
def test_the_benchmarks_file_does_not_depend_on_what_can_be_printed(tmp_path: Path) -> None:
    command = ["-m", "nst.benchmark", "--size", "32", "--repeats", "2"]
    command += ["--csv", tmp_path / "a.csv"]
    done = shell('"$@" | true', *command, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert len((tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()) == 1 + len(VARIANTS)


def interrupted(command: Sequence[str | Path], wait_for: Path | float | str) -> tuple[int, str]:
    """Run Python until a file is there, some seconds, or words are printed.

    Then press Ctrl-C; the exit code and stderr.
    """
    process = subprocess.Popen(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Tests may themselves run in the background, where it would be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 120
    if isinstance(wait_for, float):
        time.sleep(wait_for)
    elif isinstance(wait_for, str):
        assert any(wait_for in line for line in process.stdout)
    else:
        while not wait_for.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="POSIX's signals")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_control_c_while_starting(command: str, seconds: float, tmp_path: Path) -> None:
    random_picture(40, 30).save(tmp_path / "photo.png")
    arguments = {
        "nst.stylize": [tmp_path / "photo.png", "-o", tmp_path / "out.png"],
        "nst.export": ["--variant", "v3", "--format", "openvino", "-o", tmp_path],
        "nst.benchmark": ["--csv", tmp_path / "a.csv"],
    }[command]
    code, errors = interrupted(["-m", command, *arguments], seconds)
    assert (code, errors) == (130, f"{STOPPED}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="POSIX's signals")
def test_a_batch_is_stopped_and_goes_on(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(40):
        random_picture(150, 140, seed=number).save(photos / f"{number}.png")
    out = tmp_path / "out"
    command = ["-m", "nst.stylize", photos, "-o", out, "--engine", "eager"]
    code, errors = interrupted(command, out / "1-v3.png")
    assert code == 130
    assert errors.splitlines()[-1] == STOPPED
    assert "Traceback" not in errors
    made = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert 0 < len(made) < 40
    for path in made:
        assert Image.open(path).convert("RGB").size == (150, 140)
    done = run_python(*command, "--skip-existing")
    assert done.returncode == 0, done.stderr
    assert f"{len(made)} results were there already" in done.stderr
    assert len(list(out.iterdir())) == 40
    assert {path: path.stat().st_mtime_ns for path in made} == made


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="POSIX's signals")
def test_control_c_while_measuring(tmp_path: Path) -> None:
    command = ["-m", "nst.benchmark", "--size", "256", "--repeats", "1000"]
    code, errors = interrupted([*command, "--csv", tmp_path / "a.csv"], "eager PyTorch")
    assert (code, errors) == (130, f"{STOPPED}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_openvino_that_cannot_be_loaded_costs_one_line(tmp_path: Path) -> None:
    (tmp_path / "openvino.py").write_text("raise ImportError('libopenvino.so: too old a CPU')")
    random_picture(40, 30).save(tmp_path / "photo.png")
    arguments = ("-m", "nst.stylize", tmp_path / "photo.png", "-o", tmp_path / "out.png")
    done = run_python(*arguments, PYTHONPATH=str(tmp_path))
    assert done.returncode == 0
    assert Image.open(tmp_path / "out.png").size == (40, 30)
    first, *others = [line for line in done.stderr.splitlines() if line.strip()]
    assert first.startswith("OpenVINO is installed but cannot be loaded (libopenvino.so: too old")
    assert all("/1 [" in line for line in others)  # the bar

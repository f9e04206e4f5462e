"""`kill -9` at random moments: no half-written file under a final name, and the next start works.

Few times by default; NST_KILLS=50 for each command.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst.export import load_exported
from tests.helpers import ROOT, random_picture, run_python

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="POSIX's signals"),
]
KILLS = int(os.environ.get("NST_KILLS", "3"))


def kill_again_and_again(command: list[str | Path], check: Callable[[], None]) -> float:
    """Kill the command at random moments of the time that it takes, and look at what is left.

    Returns the seconds that it takes.
    """
    started = time.monotonic()
    done = run_python(*command)
    seconds = time.monotonic() - started
    assert done.returncode == 0, done.stderr
    moments = random.Random(KILLS)
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(seconds * moments.uniform(0.3, 1.0))  # importing takes the first third
        process.send_signal(signal.SIGKILL)
        process.wait()
        check()
    done = run_python(*command)
    assert done.returncode == 0, done.stderr
    return seconds


def test_a_batch(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    for number in range(8):  # that of them takes a while to write
        Image.fromarray(np.roll(noise, number)).save(photos / f"{number}.png")

    def check() -> None:
        for path in out.glob("[!.]*"):
            with Image.open(path) as picture:
                assert picture.size == (300, 300)
                picture.load()

    kill_again_and_again(["-m", "nst.stylize", photos, "-o", out, "--engine", "eager"], check)
    check()
    assert len(list(out.iterdir())) == 8  # and nothing that a kill has left


def test_an_export(tmp_path: Path) -> None:
    random_picture(40, 30).save(tmp_path / "photo.png")
    path = tmp_path / "out" / "baseline.xml"
    black = np.zeros((1, 3, 32, 32), np.float32)
    expected = []

    def check() -> None:
        if path.exists():
            result = load_exported(path)(black)
            expected.append(result)
            np.testing.assert_array_equal(result, expected[0])

    command = ["-m", "nst.export", "--variant", "baseline", "--format", "openvino"]
    options = ["-o", tmp_path / "out", "--photos", tmp_path / "photo.png"]
    kill_again_and_again([*command, *options], check)
    check()
    assert expected
    assert {path.name for path in path.parent.iterdir()} == {"baseline.xml", "baseline.bin"}

"""Two processes of torchrun share a folder; one of them is killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers import ROOT

COUNT = 9  # photos


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_kill_and_a_bad_photo_lose_nothing_else(tmp_path: Path) -> None:
    photos, out, log = tmp_path / "photos", tmp_path / "out", tmp_path / "log"
    photos.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    for number in range(COUNT):
        Image.fromarray(np.roll(noise, number)).save(photos / f"{number}.png")
    (photos / "bad.png").write_bytes(b"no picture")
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    options = ["--max-restarts=1", "-m", "nst.stylize", photos, "-o", out, "--skip-existing"]
    command = [sys.executable, *torchrun, *options, "--engine=eager", "--variant=v4"]
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file)
    while not list(out.glob("*.png")) and process.poll() is None:
        time.sleep(0.02)
    ranks = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(ranks) == 2
    os.kill(int(ranks[0]), signal.SIGKILL)
    assert process.wait() == 1  # for the bad one
    results = sorted(path for path in out.iterdir())
    assert [path.name for path in results] == [f"{number}-v4.png" for number in range(COUNT)]
    for path in results:
        with Image.open(path) as picture:
            picture.load()
    written = re.findall(r"(\d-v4\.png): 300×300 px", log.read_text(encoding="utf-8"))
    assert len(written) == len(set(written))  # each once at most: who is killed says nothing
    assert "bad.png: This file is not a picture" in log.read_text(encoding="utf-8")

"""`kill -9` at random moments: no half-written file under a final name, and the next start works.

Few times by default; NST_KILLS=50 for each of page, batch, export and training.
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

import httpx
import numpy as np
import pytest
from PIL import Image

from nst.checkpoint import load_checkpoint, load_state
from nst.export import load_exported
from nst.models import VARIANTS
from nst.training.log import read_log
from tests.helpers import ROOT, encoded, random_picture, run_python
from tests.load import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="POSIX's signals"),
]
KILLS = int(os.environ.get("NST_KILLS", "2"))


moments = random.Random(KILLS)


def start(*command: str | Path, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_again_and_again(command: list[str | Path], check: Callable[[], None]) -> None:
    """Kill the command at random moments of the time that it takes, and look at what is left."""
    started = time.monotonic()
    done = run_python(*command)
    seconds = time.monotonic() - started
    assert done.returncode == 0, done.stderr
    for _ in range(KILLS):
        process = start(*command)
        time.sleep(seconds * moments.uniform(0.3, 1.0))  # importing takes the first third
        process.send_signal(signal.SIGKILL)
        process.wait()
        check()
    done = run_python(*command)
    assert done.returncode == 0, done.stderr


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


def test_a_training(tmp_path: Path, photos: Path, painting: Path, tiny_vgg_file: Path) -> None:
    out = tmp_path / "out"
    command = ["train.py", "--variant", "v3", "v4", "--photos", photos, "--style", painting]
    command += ["--vgg-weights", tiny_vgg_file, "--style-layers", "relu1_2", "relu2_2"]
    command += ["--photo-side", "32", "--batch-size", "2", "--validate-every", "2"]
    command += ["--snapshot-step", "2", "--save-every", "1", "--device", "cpu", "--no-compile"]
    command += ["--out", out]
    last = 0  # steps, of the last save that was seen
    for _ in range(KILLS):
        going_on = ["--resume"] if list(out.glob("*.state.pt")) else []
        process = start(*command, *going_on, "--steps", "100000")
        before = saves(out)
        while saves(out) == before:  # importing takes its time
            time.sleep(0.02)
            assert process.poll() is None, "the next start does not work"
        time.sleep(moments.uniform(0, 1))
        assert process.poll() is None, "the next start does not work"
        process.kill()
        process.wait()
        for path in out.glob("*.safetensors"):
            load_checkpoint(path)
        for path in out.glob("*.png"):
            Image.open(path).load()
        for name in ("v3", "v4"):
            if (state := out / f"{name}.state.pt").exists():
                step = load_state(state)["step"]
                rows = [int(row["step"]) for row in read_log(out / f"{name}.csv")]
                assert rows[:step] == list(range(1, step + 1))
                last = max(last, step)
    done = run_python(*command, "--resume", "--steps", str(last + 2))
    assert done.returncode == 0, done.stderr
    assert last > 0
    assert not list(out.glob(".*"))
    for name in ("v3", "v4"):
        assert load_state(out / f"{name}.state.pt")["step"] == last + 2


PAGE = """
from nst.web.server.environment import prepare
prepared = prepare()
import app
from nst.checkpoint import load_networks
from nst.models import VARIANTS
app.examples = lambda: {"lamps": app.ASSETS / "lamps.png"}
nothing = dict.fromkeys(VARIANTS, lambda photo: photo)
app.load_engines = lambda: (load_networks(), {"eager": nothing})
app.main(*prepared)
"""


def test_the_page(tmp_path: Path) -> None:
    """With networks that do nothing, so that it writes all the time."""
    temporary = tmp_path / "temporary"
    photo = encoded(random_picture(400, 300))
    for number in range(KILLS):  # each is the next start of the one before
        address = f"http://127.0.0.1:{(port := free_port())}/gradio_api"
        process = start("-c", PAGE, GRADIO_SERVER_PORT=str(port), GRADIO_TEMP_DIR=str(temporary))
        while not answers(f"{address}/info"):
            assert process.poll() is None, "the next start does not work"
        end = time.monotonic() + moments.uniform(0.2, 2)
        while time.monotonic() < end:
            files = {"files": ("photo.png", photo)}
            sent = httpx.post(f"{address}/upload", files=files, timeout=60).json()[0]
            file = {"path": sent, "meta": {"_type": "gradio.FileData"}}
            wishes = [file, 300 - len(list(temporary.rglob("*"))) % 200, ["v3", "v4"]]
            asked = {"data": [*wishes, "eager", 50, False]}
            httpx.post(f"{address}/call/stylize", json=asked, timeout=60)
        process.kill()
        process.wait()
        written = [path for path in temporary.rglob("*.png") if not path.name.startswith(".")]
        assert len(written) > len(VARIANTS)  # the example's, which are there before it answers
        for path in written:
            with Image.open(path) as picture:
                picture.load()
        for path in [*temporary.rglob("*"), *temporary.iterdir()]:
            os.utime(path, (0, 0))  # so that the next page finds it old
        if number:  # this one has deleted what those before it left
            assert len(list(temporary.iterdir())) <= 2


def answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=60).is_success
    except httpx.HTTPError:
        time.sleep(0.1)
        return False


def saves(out: Path) -> dict[Path, int]:
    """When each training state was written."""
    return {path: path.stat().st_mtime_ns for path in out.glob("*.state.pt")}

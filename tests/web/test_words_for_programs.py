"""The examples for programmers, run as the page shows them."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from nst.web.page import texts
from tests.helpers import random_picture, run_python

THERE = "http://127.0.0.1:7860"
PYTHON, SHELL = map(
    html.unescape, re.findall(r"<pre.*?><code>(.*?)</code>", texts.ABOUT, re.DOTALL)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random_picture(60, 40).save(tmp_path / "photo.jpg")
    return tmp_path


@pytest.mark.slow
def test_the_python_example(url: str, folder: Path) -> None:
    (folder / "example.py").write_text(PYTHON.replace(THERE, url))
    done = run_python("example.py", folder=folder)
    assert done.returncode == 0, done.stderr
    path, _, times = done.stdout.strip().splitlines()[-1].partition(" ")
    with Image.open(path) as picture:
        assert (picture.format, picture.size) == ("PNG", (60, 40))
    assert "'v4'" in times


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="there is no curl")
@pytest.mark.parametrize("name", ["photo.jpg", "photo [1] of two.jpg", "夏の海.jpg"])
def test_the_shell_example(url: str, folder: Path, name: str) -> None:
    (folder / "photo.jpg").rename(folder / name)
    example = SHELL.replace(THERE, url).replace("photo.jpg", name)
    done = subprocess.run(["bash", "-e", "-c", example], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with Image.open(folder / "v4.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (60, 40))

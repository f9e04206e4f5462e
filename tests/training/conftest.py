"""What the tests of train.py share: its arguments for a small training, and running it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import train
from tests.helpers import run_python

LAYERS = ("relu1_2", "relu2_2")


@pytest.fixture
def arguments(photos: Path, painting: Path, tiny_vgg_file: Path) -> list[str]:
    """Small photos and VGG, in fp32 and not compiled, so that numbers compare on every machine."""
    return [
        *("--photos", str(photos), "--style", str(painting), "--vgg-weights", str(tiny_vgg_file)),
        *("--photo-side", "32", "--batch-size", "2", "--validate-every", "2"),
        *("--style-layers", *LAYERS, "--snapshot-step", "2", "--device", "cpu"),
        *("--precision", "fp32", "--no-compile"),
    ]


def run_script(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """train.py in a process of its own."""
    return run_python("train.py", *arguments, **environment)


def said_of(*arguments: str) -> str | None:
    """The sentence with which train.py would end, in this process: PyTorch is imported already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train.py", *arguments])
        return train.main()

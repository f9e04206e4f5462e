"""Where the files lie that come with the program: beside it, or inside of an installed package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _shipped(folder: str) -> Path:
    inside = _PACKAGE / folder  # where `pip install .` puts it
    return inside if inside.is_dir() else _PACKAGE.parent / folder


ASSETS = _shipped("assets")
CHECKPOINTS = _shipped("checkpoints")
PAINTINGS = CHECKPOINTS / "paintings"  # others than The Starry Night

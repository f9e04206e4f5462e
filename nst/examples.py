"""The pictures that ship with the page: one drawn by `assets.draw_lamps`, two of Gradio's."""

from __future__ import annotations

from pathlib import Path

from nst.paths import ASSETS

LAMPS = ASSETS / "lamps.png"  # the page opens with it


def example_pictures() -> list[Path]:
    """All of them, the first one first."""
    from gradio.media import get_image  # here: only what shows them needs Gradio

    return [LAMPS, Path(get_image("tower.jpg")), Path(get_image("lion.jpg"))]

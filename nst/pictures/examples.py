"""The pictures that ship with the page: drawn by assets/draw_*.py, and Gradio's own."""

from __future__ import annotations

from pathlib import Path

from nst.paths import ASSETS

LAMPS = ASSETS / "lamps.png"  # the page opens with it ...
FIRST_SIDE = 512  # ... in px, until another size is chosen


def examples() -> dict[str, Path]:
    """All of them by name, the first one first."""
    from gradio.media import get_image  # here: only what shows them needs Gradio

    return {
        "lamps": LAMPS,  # orbs on a dark sky
        "tower": Path(get_image("tower.jpg")),  # lit, with fine branches
        "face": ASSETS / "face.png",
        "lion": Path(get_image("lion.jpg")),
        "cheetah": Path(get_image("cheetah1.jpg")),
        "circles": ASSETS / "circles.png",  # what is plain and round
        "pebbles": ASSETS / "pebbles.png",  # ever finer
    }


def example_pictures() -> list[Path]:
    """Three of them, for figures."""
    return [path for name, path in examples().items() if name in ("lamps", "tower", "lion")]

"""The tab "Your painting": the training where the page is one's own, else how to do it at home."""

from __future__ import annotations

from typing import Any

import gradio as gr

from nst.models import VARIANTS
from nst.vgg import DOWNLOAD_SIZE
from nst.web.page.components import OwnHTML, accepted_types
from nst.web.painting.trainer import ROUTE

STEPS = (100, 200, 400, 800)
FIRST_STEPS = 400
ELSEWHERE = """
<h2>A painting of your own</h2>
<p>v4 learns another painting in minutes, from the weights that paint after The Starry Night. It
trains for as long on two processors, so not on this page, which is everybody’s. On a machine of
your own, <code>python app.py</code> has the training in this tab. In a shell:</p>
<pre tabindex="0"><code>python train.py --variant v4 --style mine.jpg --steps 400 \\
    --start checkpoints/v4.safetensors
python -m nst.stylize photo.jpg -o out.png --weights runs/v4.safetensors</code></pre>
"""


class PaintingTab(OwnHTML):
    """A training that is asked for, watched and kept; `nst.web.painting.trainer` answers."""

    folder = "painting"

    def __init__(self, value: Any = None, **settings: Any) -> None:
        choices = {
            "route": ROUTE,
            "networks": sorted(VARIANTS, reverse=True),  # v4 first
            "steps": STEPS,
            "first_steps": FIRST_STEPS,
            "accept": f"{accepted_types()},.safetensors",
            "download_size": DOWNLOAD_SIZE,
        }
        super().__init__(value, **choices, **settings)


def painting_tab(is_ones_own: bool) -> None:
    if is_ones_own:
        PaintingTab(label="your painting")
    else:
        gr.HTML(ELSEWHERE, elem_classes="words")

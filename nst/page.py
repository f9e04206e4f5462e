"""What the page says, as HTML, and what it remembers of one visitor; no Gradio in here."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
from PIL import Image

from nst.benchmark import PAPER_LATENCY_MS, PAPER_SIDE, circumstances, speed_ups
from nst.models import TransformerNet, count_parameters

MEASURE_REPEATS = 10
ORIGINAL = "original"
PARTS = {
    "baseline": "Johnson et al.",
    "v1": "light residual blocks",
    "v2": "+ light encoder",
    "v3": "+ light decoder",
}


@dataclass
class Session:
    """What one visitor's page shows."""

    pictures: dict[str, Image.Image] = field(default_factory=dict)
    place: tuple[float, float, int] = (50, 50, 4)  # magnified: x and y in percent, zoom
    seconds: dict[str, float] = field(default_factory=dict)  # of this picture, one run each
    milliseconds: dict[str, float] = field(default_factory=dict)  # medians at the paper's size


def heading(title: str, hint: str) -> str:
    return f'<h2 class="section">{title}</h2><p class="hint">{hint}</p>'


def message(text: str, error: bool = False) -> str:
    """A line that screen readers announce."""
    role, kind = ("alert", "error") if error else ("status", "plain")
    return f'<p role="{role}" class="{kind}">{html.escape(text)}</p>'


def caption(
    name: str,
    networks: Mapping[str, TransformerNet],
    size: tuple[int, int] | None = None,
    seconds: Mapping[str, float] | None = None,
) -> str:
    """What stands below a picture: its name, parameters, and its time on this photo."""
    if name == ORIGINAL:
        facts = [f"{size[0]}×{size[1]} px" if size else "your photo"]
    else:
        facts = [PARTS[name], f"{count_parameters(networks[name]):,} parameters"]
        if seconds:
            facts.append(f"{1000 * seconds[name]:.0f} ms")
    lines = "".join(f'<div class="fact">{fact}</div>' for fact in facts)
    return f'<div class="caption"><div class="name">{name}</div>{lines}</div>'


def latency_html(networks: Mapping[str, TransformerNet], shown: Session) -> str:
    """This photo's times and the measured medians beside the paper's."""
    size = f"{PAPER_SIDE}×{PAPER_SIDE}"
    measured = shown.milliseconds
    ours = speed_ups(measured)
    papers = speed_ups(PAPER_LATENCY_MS)
    rows = [
        {
            "network": name,
            "parameters": f"{count_parameters(network):,}",
            "this photo, one cold run": (
                f"{1000 * shown.seconds[name]:.0f} ms" if name in shown.seconds else "–"
            ),
            f"measured at {size}": f"{measured[name]:.1f} ms" if measured else "–",
            "speed-up": f"{ours[name]:.2f}×" if measured else "–",
            f"paper at {size}": f"{PAPER_LATENCY_MS[name]:.2f} ms",
            "paper's speed-up": f"{papers[name]:.2f}×",
        }
        for name, network in networks.items()
    ]
    table = pd.DataFrame(rows).to_html(index=False, border=0, classes="latency", justify="unset")
    how = f"Measured: the median of {MEASURE_REPEATS} interleaved repeats after warm-up."
    note = f"{how} {circumstances()}." if measured else how
    return f'<div class="table-frame">{table}</div><p class="hint">{html.escape(note)}</p>'


INTRODUCTION = """
<h1>How light can style transfer be?</h1>
<p>One photo, painted after van Gogh's <em>The Starry Night</em> by Johnson's network and by three
variants of it in which depthwise separable convolutions replace more and more of the layers.</p>
"""

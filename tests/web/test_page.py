from __future__ import annotations

import re
from pathlib import Path

import pytest

from nst.checkpoint import load_networks
from nst.models import VARIANTS
from nst.web.page import FIGURES, latency_html, message, missing_figures, present_figures, tick_step
from nst.web.session import Latency, Session


@pytest.mark.parametrize(("longest", "step"), [(71.31, 20), (9, 2), (640, 200), (1.2, 1), (33, 10)])
def test_ticks_are_round_and_few(longest: float, step: float) -> None:
    assert tick_step(longest) == step


def test_bars_start_at_zero_and_are_as_long_as_their_numbers() -> None:
    times = {name: [10.0 * (4 - index)] * 3 for index, name in enumerate(VARIANTS)}
    text = latency_html(load_networks(), Session(measured=Latency(512, times, "a CPU")))
    widths = [float(width) for width in re.findall(r'here"><i style="width:([\d.]+)%', text)]
    assert widths == [100, 75, 50, 25]
    assert "1.33×" in text
    assert "512×512 px. a CPU." in text
    assert 'class="bar paper"' not in text  # its times are those of 256×256


def test_messages_are_escaped() -> None:
    assert "<b>" not in message("<b>", error=True)
    assert 'role="alert"' in message("no", error=True)


def test_what_has_not_been_drawn_is_named(tmp_path: Path) -> None:
    first, *others = FIGURES
    (tmp_path / first).write_bytes(b"")
    assert [path.name for path, *_ in present_figures(tmp_path)] == [first]
    assert all(name in missing_figures(tmp_path) for name in [*others, "claims.md"])
    for name in [*others, "claims.md"]:
        (tmp_path / name).write_bytes(b"")
    assert missing_figures(tmp_path) == ""

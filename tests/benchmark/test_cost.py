"""How cost grows: measured on real pictures of real sizes, and fitted right."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from nst.benchmark import cost
from nst.benchmark.cost import FIGURE, TABLE, draw, main, slopes
from nst.inference import picture
from nst.models import VARIANTS
from nst.paths import ASSETS


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.3])
def test_the_slope_is_the_exponent(exponent: float) -> None:
    sides = [(256, 256), (640, 480), (6000, 4000)]
    rows = pd.DataFrame(
        {"network": name, "width": width, "height": height, "seconds": factor * pixels**exponent}
        for name, factor in (("baseline", 1e-6), ("v4", 1e-7))
        for width, height in sides
        for pixels in [width * height]
    )
    assert slopes(rows) == pytest.approx({"baseline": exponent, "v4": exponent})
    one_size = rows[rows.width == 256]
    assert slopes(one_size) == {}
    assert draw(one_size).axes[0].get_legend().get_texts()[0].get_text() == "baseline"


def test_the_command_measures_at_once_and_in_tiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(picture, "UNTILED_PIXELS", 64 * 48 - 1)
    monkeypatch.setattr(cost, "UNTILED_PIXELS", 64 * 48 - 1)
    monkeypatch.setattr(cost, "REPEATED_PIXELS", 1)
    assert main(["--size", "32", "64x48", "--out", str(tmp_path)]) == 0
    rows = pd.read_csv(tmp_path / TABLE)
    assert list(rows.network) == [*VARIANTS, *VARIANTS]
    assert list(rows.tiled) == [False] * 5 + [True] * 5
    assert (rows.seconds > 0).all()
    assert Image.open(tmp_path / FIGURE).size == (700, 420)
    assert "slopes: baseline" in capsys.readouterr().out


def test_what_is_published_can_be_drawn_again() -> None:
    rows = pd.read_csv(ASSETS / TABLE)
    assert list(dict.fromkeys(rows.network)) == list(VARIANTS)
    (axis,) = draw(rows).axes
    assert [line.get_label().partition(",")[0] for line in axis.get_lines()[:5]] == list(VARIANTS)
    assert rows.width.mul(rows.height).max() == 24_000_000

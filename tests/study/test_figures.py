"""The figures show what their names say, from logs and checkpoints alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nst.artifacts.yellow import yellowest_place
from nst.checkpoint import load_networks
from nst.inference.picture import stylize
from nst.pictures.examples import LAMPS
from nst.pictures.reading import read_picture
from nst.reporting import DETAIL, GAP, HEADING, MARGIN, SHOWN, draw_grid
from nst.study import figures
from nst.study.common import read_logs
from nst.study.figures import SIDE, draw_learning_rates
from nst.training.data import crop_square
from tests.helpers import random_picture


def square(shown: NDArray[np.uint8], row: int, column: int) -> NDArray[np.uint8]:
    top, left = HEADING + row * (SHOWN + GAP), column * (SHOWN + GAP)
    return shown[top : top + SHOWN, left : left + SHOWN]


def test_a_grid_shows_exact_pixels_in_order() -> None:
    small = [random_picture(DETAIL, DETAIL, seed) for seed in range(4)]
    shown = np.asarray(draw_grid({"left": small[:2], "right": small[2:]}))
    times = SHOWN // DETAIL
    for number, picture in enumerate(small):
        repeated = np.asarray(picture).repeat(times, axis=0).repeat(times, axis=1)
        assert np.array_equal(square(shown, number % 2, number // 2), repeated)
    for column in range(2):
        left = column * (SHOWN + GAP)
        assert shown[:HEADING, left : left + SHOWN].min() < 100  # the heading
    large = random_picture(SIDE, SIDE)
    reduced = np.asarray(large.resize((SHOWN, SHOWN), Image.Resampling.LANCZOS))
    assert np.array_equal(square(np.asarray(draw_grid({"one": [large]})), 0, 0), reduced)


def test_rows_have_headings_beside_the_pictures() -> None:
    columns = {"one": [random_picture(DETAIL, DETAIL, seed) for seed in range(2)]}
    plain = np.asarray(draw_grid(columns))
    labelled = np.asarray(draw_grid(columns, ["above", "below"]))
    assert np.array_equal(labelled[HEADING:, MARGIN:], plain[HEADING:])
    for row in range(2):
        top = HEADING + row * (SHOWN + GAP)
        assert labelled[top : top + SHOWN, :MARGIN].min() < 100


def test_the_logs_are_drawn_in_full() -> None:
    (axis,) = draw_learning_rates(read_logs()).axes
    for line, (name, log) in zip(axis.get_lines(), read_logs().items(), strict=True):
        assert line.get_label() == name
        assert list(line.get_ydata()) == list(log["lr"])


def test_the_command_draws_all_six(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    style = tmp_path / "style.png"
    random_picture(90, 60, seed=5).save(style)
    monkeypatch.setattr(figures, "SIDE", 128)
    options = ["--photos", str(LAMPS), "--style", str(style), "--out", str(tmp_path / "out")]
    assert figures.main(options) == 0
    drawn = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert drawn == [
        "figure-1-inputs.png",
        "figure-2-losses.png",
        "figure-3-learning-rate.png",
        "figure-4-step-800.png",
        "figure-5-results.png",
        "figure-6-yellow-details.png",
    ]
    photo = crop_square(read_picture(LAMPS), 128)
    for file, step in (("figure-4-step-800.png", 800), ("figure-5-results.png", None)):
        shown = np.asarray(Image.open(tmp_path / "out" / file).convert("RGB"))
        for column, network in enumerate(load_networks(step=step).values(), 1):
            picture = stylize(network, photo).picture.resize((SHOWN, SHOWN), 0)
            assert np.array_equal(square(shown, 0, column), np.asarray(picture))
    shown = np.asarray(Image.open(tmp_path / "out" / "figure-6-yellow-details.png").convert("RGB"))
    for column, network in enumerate(load_networks().values(), 1):
        picture = stylize(network, photo).picture
        x, y = yellowest_place(picture, DETAIL)
        detail = np.asarray(picture)[y - 15 : y + 15, x - 15 : x + 15]
        times = SHOWN // DETAIL
        assert times == 8
        assert np.array_equal(square(shown, 0, column), detail.repeat(times, 0).repeat(times, 1))
    inputs = np.asarray(Image.open(tmp_path / "out" / "figure-1-inputs.png").convert("RGB"))
    assert inputs.shape[1] == 2 * (SHOWN + GAP) - GAP

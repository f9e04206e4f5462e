"""Steadier films: less flicker whether the camera moves or not, and nothing carried over a cut."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image

from nst.checkpoint import load_networks
from nst.inference.engines import EagerEngine
from nst.inference.picture import film_painter
from nst.inference.steady import Steady
from nst.pictures.examples import LAMPS, example_pictures
from nst.pictures.reading import limit_side, read_picture

SIDE, MARGIN, COUNT = 128, 24, 6  # px, px, frames


def noisy_pan(step: int) -> list[np.ndarray]:
    """A camera with some noise that looks so many px further to the right in each frame."""
    photo = np.asarray(limit_side(read_picture(example_pictures()[1]), 300), np.float32)
    noise = np.random.default_rng(0)
    frames = []
    for number in range(COUNT):
        left = 10 + step * number
        seen = photo[40 : 40 + SIDE, left : left + SIDE]
        frames.append((seen + noise.normal(0, 2, seen.shape)).clip(0, 255).astype(np.uint8))
    return frames


def stylized(frames: list[np.ndarray]) -> list[np.ndarray]:
    network = load_networks(variants=["v4"])["v4"]
    paint = film_painter(network, EagerEngine(network), (SIDE, SIDE))
    return [np.asarray(paint(Image.fromarray(frame))) for frame in frames]


def flicker(frames: list[np.ndarray], step: int) -> float:
    """Mean square of what changes but for the camera's movement."""
    pairs = itertools.pairwise(frames[2:])
    differences = [
        after[:, : SIDE - step] - before[:, step:].astype(float) for before, after in pairs
    ]
    inside = np.stack(differences)[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    return np.square(inside).mean()


@pytest.mark.parametrize("step", [0, 3])
def test_there_is_less_flicker(step: int) -> None:
    photos = noisy_pan(step)
    plain, steady = stylized(photos), Steady()
    settled = [steady(photo, result) for photo, result in zip(photos, plain, strict=True)]
    assert np.array_equal(settled[0], plain[0])
    assert flicker(plain, step) > 10 * flicker(photos, step)  # why it is needed
    assert flicker(settled, step) < flicker(plain, step) / 4


def test_nothing_is_carried_over_a_cut() -> None:
    photos = [noisy_pan(0)[0], np.asarray(read_picture(LAMPS).resize((SIDE, SIDE)))]
    plain, steady = stylized(photos), Steady()
    steady(photos[0], plain[0])
    assert np.abs(steady(photos[1], plain[1]) - plain[1].astype(float)).mean() < 1

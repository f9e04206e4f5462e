"""Draws assets/lamps.png, the example with round warm lights on a dark ground.

    python -m assets.draw_lamps

A harbour at night: where a network paints red spots into its yellow orbs, it does so here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from nst.images import to_picture

WIDTH, HEIGHT, HORIZON = 768, 576, 360  # px
LAMPS = [
    (70, 250, 10),
    (190, 205, 15),
    (335, 240, 11),
    (470, 190, 18),
    (610, 235, 12),
    (715, 215, 15),
]
MOON = (560, 85, 38)


def draw() -> np.ndarray:
    """(HEIGHT, WIDTH, 3), float in [0, 1]."""
    noise = np.random.default_rng(1889)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)

    depth = (y / HORIZON).clip(0, 1)[..., None]
    sky = (1 - depth) * [0.02, 0.04, 0.13] + depth * [0.12, 0.17, 0.33]
    clouds = sum(
        np.sin(x / 90 * k + y / 35 * k + phase) / k
        for k, phase in zip((1, 2, 3.5), (0, 2.1, 4.4), strict=True)
    )
    picture = sky + 0.02 * clouds[..., None] * (1 - depth)
    for star_x, star_y in noise.uniform((0, 0), (WIDTH, 190), (60, 2)):
        picture += disc(x, y, star_x, star_y, 1.1, edge=1.0)[..., None] * noise.uniform(0.3, 0.9)
    picture = light(picture, x, y, *MOON, colour=(1.0, 0.96, 0.8), glow=0.35)

    hills = HORIZON - 55 - 28 * np.sin(x / 120) - 14 * np.sin(x / 47 + 1)
    picture = np.where((y > hills)[..., None], [0.035, 0.05, 0.09], picture)

    for left, top, width in [(20, 285, 90), (150, 265, 70), (255, 300, 110), (400, 255, 60),
                             (500, 290, 95), (640, 270, 100)]:  # fmt: skip
        house = (x >= left) & (x < left + width) & (y >= top) & (y < HORIZON)
        picture = np.where(house[..., None], [0.06, 0.06, 0.08], picture)
        for window_x in range(left + 10, left + width - 12, 22):
            for window_y in range(top + 12, HORIZON - 18, 26):
                if noise.random() < 0.45:
                    pane = (abs(x - window_x - 4) < 4) & (abs(y - window_y - 6) < 6)
                    picture = np.where(pane[..., None], [0.95, 0.72, 0.32], picture)

    for lamp_x, lamp_y, _ in LAMPS:
        post = (abs(x - lamp_x) < 2) & (y > lamp_y) & (y < HORIZON + 14)
        picture = np.where(post[..., None], [0.02, 0.02, 0.03], picture)
    for lamp in LAMPS:
        picture = light(picture, x, y, *lamp, colour=(1.0, 0.83, 0.38), glow=0.55)

    ripple = np.round(5 * np.sin(y / 2.6 + 1.5 * np.sin(x / 31)) * (y - HORIZON) / 130).astype(int)
    mirror_y = np.clip(2 * HORIZON - y, 0, HORIZON - 1).astype(int)
    mirror_x = np.clip(x.astype(int) + ripple, 0, WIDTH - 1)
    water = 0.62 * picture[mirror_y, mirror_x] + [0.0, 0.012, 0.04]
    picture = np.where((y >= HORIZON)[..., None], water, picture)
    quay = (y >= HORIZON) & (y < HORIZON + 14)
    picture = np.where(quay[..., None], [0.09, 0.08, 0.08], picture)

    return (picture + noise.normal(0, 0.006, picture.shape)).clip(0, 1)


def disc(
    x: np.ndarray, y: np.ndarray, at_x: float, at_y: float, radius: float, edge: float
) -> np.ndarray:
    """1 inside, 0 outside, with a soft edge of `edge` px."""
    return ((radius - np.hypot(x - at_x, y - at_y)) / edge + 0.5).clip(0, 1)


def light(
    picture: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    at_x: float,
    at_y: float,
    radius: float,
    colour: tuple[float, float, float],
    glow: float,
) -> np.ndarray:
    """A bright disc with a halo that falls off with distance."""
    distance = np.hypot(x - at_x, y - at_y)
    halo = glow * np.exp(-((distance / (3.2 * radius)) ** 1.2))
    core = disc(x, y, at_x, at_y, radius, edge=2.0)
    return picture + (np.maximum(halo, core))[..., None] * (np.array(colour) - picture * 0.6)


if __name__ == "__main__":
    pixels = torch.from_numpy(draw()).permute(2, 0, 1)
    to_picture(pixels).save(Path(__file__).parent / "lamps.png", optimize=True)

"""Draws the page's own examples into assets/: lamps, circles and pebbles; draw_face.py the face.

    python -m assets.drawing.draw_examples

Each shows something else of a network: what it makes of lights in the dark, of what is plain, of
what is fine.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from nst.pictures.tensors import to_picture

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


def lamps() -> np.ndarray:
    """A harbour at night: where a network paints red spots into its yellow orbs, it does so here.

    All drawings are (H, W, 3), float in [0, 1].
    """
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


def circles() -> np.ndarray:
    """Flat and shaded discs and rings on a plain gradient: whatever else is seen is the network's.

    Drawn at twice its size, so that edges are smooth, and dithered, so that the gradient is, too.
    """
    y, x = np.mgrid[0:960, 0:1280] / 2
    dither = np.random.default_rng(1891).uniform(-0.5, 0.5, (480, 640, 1)) / 255
    picture = blend([0.22, 0.42, 0.72], [0.97, 0.90, 0.76], (y / 480)[..., None])
    for at_x, at_y, radius, colour in [
        (150, 150, 92, (0.97, 0.79, 0.25)),
        (330, 300, 70, (0.83, 0.29, 0.22)),
        (520, 120, 58, (0.95, 0.94, 0.90)),
        (490, 350, 96, (0.17, 0.45, 0.47)),
        (120, 385, 52, (0.14, 0.17, 0.34)),
    ]:
        right, down = (x - at_x) / radius, (y - at_y) / radius
        towards_us = np.sqrt((1 - right**2 - down**2).clip(0))
        lit = 0.3 + 0.75 * (0.7 * towards_us - 0.5 * (right + down))[..., None].clip(0)
        flat = at_x in (520, 120)
        picture = blend(picture, np.array(colour) * (1 if flat else lit),
                        disc(x, y, at_x, at_y, radius, 0.5)[..., None])  # fmt: skip
    for radius in range(16, 49, 8):
        ring = disc(x, y, 330, 130, radius, 0.5) - disc(x, y, 330, 130, radius - 4, 0.5)
        picture = blend(picture, [0.98, 0.96, 0.92], ring[..., None])
    return half_size(picture) + dither


def pebbles() -> np.ndarray:
    """A beach of pebbles from 60 px to below 2 px: where does a network stop to see them?

    Each is the cell of its own point (Voronoi), higher in the middle than at the rim.
    """
    noise = np.random.default_rng(1890)
    width, height, horizon = 640, 480, 70
    y, x = np.mgrid[0:height, 0:width].astype(float)
    distance = 140 / (y - horizon + 12).clip(9)  # of the ground from the eye
    ground = np.stack([(x - width / 2) * distance / 45, 12 * distance], -1)

    column, row = (np.floor(ground[..., axis]).astype(int) for axis in (0, 1))
    jitter = noise.uniform(0.1, 0.9, (64, 64, 2))  # of a point in each square, repeated
    shades = noise.uniform(0.25, 0.85, (64, 64, 1)) * blend(
        [1.0, 0.90, 0.76], [0.72, 0.84, 1.0], noise.uniform(0, 1, (64, 64, 1))
    )
    first = np.full(x.shape, np.inf)  # distance to the nearest point
    second, towards, colour = first.copy(), np.zeros((*x.shape, 2)), np.zeros((*x.shape, 3))
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            cell = (row + down) % 64, (column + right) % 64
            point = np.stack([column + right, row + down], -1) + jitter[cell]
            away = ground - point
            length = np.hypot(*np.moveaxis(away, -1, 0))
            nearer = length < first
            second = np.where(nearer, first, np.minimum(second, length))
            first = np.where(nearer, length, first)
            towards = np.where(nearer[..., None], away, towards)
            colour = np.where(nearer[..., None], shades[cell], colour)
    dome = (3 * (second - first)).clip(0, 1)[..., None]  # 0 at the rim
    lit = 1.1 - 0.8 * (towards @ [0.8, 0.6])[..., None]
    beach = colour * lit * (0.1 + 0.9 * np.sqrt(1 - (1 - dome) ** 2))
    sea = blend([0.55, 0.70, 0.82], [0.16, 0.34, 0.46], (y / horizon).clip(0, 1)[..., None] ** 2)
    sky_above = (y < 34)[..., None]
    sea = np.where(sky_above, blend([0.62, 0.76, 0.92], [0.95, 0.90, 0.82], y[..., None] / 34), sea)
    waves = 0.05 * np.sin(x / 9 + 3 * np.sin(x / 57) + 400 / (y - 30).clip(2))
    sea = sea + np.where(sky_above, 0, waves[..., None])
    return blend(sea, beach, ((y - horizon) / 4).clip(0, 1)[..., None]).clip(0, 1)


def blend(below: object, above: object, share: np.ndarray) -> np.ndarray:
    return np.asarray(below) * (1 - share) + np.asarray(above) * share


def half_size(picture: np.ndarray) -> np.ndarray:
    """(2H, 2W, 3) -> (H, W, 3), the mean of each 2×2."""
    height, width, _ = picture.shape
    return picture.reshape(height // 2, 2, width // 2, 2, 3).mean((1, 3))


def save(name: str, picture: np.ndarray) -> None:
    """(H, W, 3), float in [0, 1] -> assets/NAME.png."""
    pixels = torch.from_numpy(picture).permute(2, 0, 1)
    to_picture(pixels).save(Path(__file__).parents[1] / f"{name}.png", optimize=True)


if __name__ == "__main__":
    for drawing in (lamps, circles, pebbles):
        save(drawing.__name__, drawing())

"""Draws assets/face.png, the page's example with a face that is nobody's.

python -m assets.drawing.draw_face
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gradio.media import get_model3d

from assets.drawing.draw_examples import blend, half_size, save

KEY, RIM = np.array([-0.7, 0.5, 0.75]), np.array([0.95, 0.1, 0.15])  # where the two lamps are


def face() -> np.ndarray:
    """A woman in a headscarf, a warm lamp to the left of her and a cold one to the right.

    The face is Gradio's model "face.obj", seen from a little aside; mouth, eyes and brows are
    painted onto it, by the model's own coordinates.  Drawn at twice its size.
    """
    width, height = 1024, 1280
    y, x = np.mgrid[0:height, 0:width].astype(float)
    points, triangles = read_model(Path(get_model3d("face.obj")))
    points *= [-1, 1, -1]  # mm: right, up, towards us
    turn = np.radians(-20)
    turned = (points - [0, 8, -40]) @ np.array(
        [[np.cos(turn), 0, -np.sin(turn)], [0, 1, 0], [np.sin(turn), 0, np.cos(turn)]]
    )
    on_screen = turned * [4.18, -4.18, 1] + [width / 2, height / 2, 0]
    towards = normals(turned, triangles)
    drawn, seen = rasterise(
        on_screen, triangles, np.concatenate([towards, points], 1), height, width
    )
    right, up = drawn[..., 3], drawn[..., 4]
    skin, eyes, glints = painted_skin(right, up)
    facing = unit(drawn[..., :3])
    head = skin * lamplight(facing) + 0.14 * (1 - eyes) * shine(facing, 24) * [1, 0.9, 0.7]
    head = blend(head, [1, 1, 0.95], glints)

    wall = np.exp(-(((x - 120) / 460) ** 2) - ((y - 240) / 520) ** 2)[..., None]
    picture = [0.05, 0.07, 0.13] + wall * [0.20, 0.17, 0.10]
    for middle, half_axes, colour, folds in [
        ((580, 1520), (600, 520, 400), (0.72, 0.50, 0.20), 9),  # shoulders
        ((584, 600), (356, 460, 340), (0.20, 0.36, 0.66), 14),  # scarf
    ]:
        across, along = (x - middle[0]) / half_axes[0], (middle[1] - y) / half_axes[1]
        depth = np.sqrt((1 - across**2 - along**2).clip(0))
        angle = np.arctan2(along + 0.2, across - 0.05)
        crease = 0.3 * np.sin(folds * angle + 5 * np.hypot(across, along))
        ellipsoid = unit(np.stack([across, along, depth], -1) / half_axes)
        slope = np.stack([-crease * np.sin(angle), crease * np.cos(angle), 0 * crease], -1)
        facing = unit(ellipsoid + slope)
        cloth = colour * lamplight(facing) + 0.08 * shine(facing, 16)
        picture = np.where((depth > 0)[..., None], cloth, picture)
    inside = 1 - np.hypot(right / 66, (up - 2) / 84)  # of the scarf's opening
    shadow = (0.45 + 0.55 * (5 * inside).clip(0, 1))[..., None]
    return half_size(blend(picture, head * shadow, within(70 * inside, 3) * seen[..., None]))


def painted_skin(right: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Colours by the place on the model in mm; where eyes are, and where light glints in them."""
    side = np.abs(right)
    cheeks = np.exp(-((side - 42) ** 2 + (up + 6) ** 2) / 300)[..., None]
    skin = blend(np.full((*right.shape, 3), [0.88, 0.68, 0.54]), [0.85, 0.45, 0.38], 0.35 * cheeks)
    bow = 0.9 * np.cos(right / 3.2) * np.exp(-((right / 9) ** 2))
    lips = np.where(up > -35, 6.2 - bow - 6.2 * (right / 26) ** 2, 7.6 * (1 - (right / 25) ** 2))
    skin = blend(skin, [0.70, 0.22, 0.22], 0.85 * within(lips - np.abs(up + 35), 1.5))
    parting = within(0.6 - np.abs(up + 35), 1) * within(24 - side, 2)
    skin = blend(skin, [0.25, 0.08, 0.08], 0.8 * parting)
    brows = 2.3 * (1 - ((side - 31) / 23) ** 4) - np.abs(up - 47 - 4 * np.cos((side - 33) / 12))
    skin = blend(skin, [0.22, 0.13, 0.09], 0.8 * within(brows, 2))
    lid = 5.2 * (1 - ((side - 30) / 12.5) ** 2)
    eyes = within(lid - np.abs(up - 28.5), 0.8)
    centre = np.where(right > 0, 29, -31)  # they look to their right
    iris = np.hypot(right - centre, up - 29)
    eye = blend([0.93, 0.92, 0.88], [0.18, 0.30, 0.36], within(5.4 - iris, 0.8))
    eye = blend(eye, [0.02, 0.02, 0.03], within(2.6 - iris, 0.8))
    lashes = within(1 - np.abs(up - 28.5 - lid), 1) * within(13 - np.abs(side - 30), 1)
    skin = blend(blend(skin, eye, eyes), [0.12, 0.06, 0.05], 0.9 * lashes)
    return skin, eyes, within(1.1 - np.hypot(right - centre + 2, up - 31), 0.6)


def lamplight(facing: np.ndarray) -> np.ndarray:
    """(H, W, 3) unit vectors -> colour of the light that falls there."""
    key, rim = ((facing @ unit(lamp)).clip(0)[..., None] for lamp in (KEY, RIM))
    return key * [1.12, 0.95, 0.70] + rim * [0.22, 0.36, 0.8] + [0.07, 0.08, 0.12]


def shine(facing: np.ndarray, sharpness: float) -> np.ndarray:
    """The key lamp's mirror image."""
    halfway = unit(unit(KEY) + np.array([0, 0, 1]))
    return (facing @ halfway).clip(0)[..., None] ** sharpness


def within(distance: np.ndarray, edge: float) -> np.ndarray:
    """(H, W) -> (H, W, 1): 1 where it is positive, 0 where negative, softly."""
    return (distance / edge + 0.5).clip(0, 1)[..., None]


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True).clip(1e-9)


def read_model(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """A Wavefront OBJ file of triangles -> (N, 3) points and (M, 3) their numbers."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line]
    points = np.array([line[1:4] for line in lines if line[0] == "v"], dtype=float)
    return points, np.array([line[1:4] for line in lines if line[0] == "f"], dtype=int) - 1


def normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(N, 3): at each point the mean of its triangles', weighted by their areas."""
    first, second, third = (points[triangles[:, corner]] for corner in range(3))
    of_triangles, of_points = np.cross(second - first, third - first), np.zeros_like(points)
    for corner in range(3):
        np.add.at(of_points, triangles[:, corner], of_triangles)
    return unit(of_points)


def rasterise(
    points: np.ndarray, triangles: np.ndarray, values: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Triangles with a depth buffer.

    Args:
        points: (N, 3), px to the right, px down, and towards us.
        triangles: (M, 3) numbers of points.
        values: (N, C), what is interpolated.

    Returns:
        (H, W, C), and (H, W), whether there is a triangle.
    """
    drawn, depth = np.zeros((height, width, values.shape[1])), np.full((height, width), -np.inf)
    for corners in triangles:
        place = points[corners]
        left, top = np.floor(place[:, :2].min(0)).astype(int)
        right, bottom = np.ceil(place[:, :2].max(0)).astype(int) + 1
        y, x = np.mgrid[top:bottom, left:right]
        system = np.vstack([place[:, :2].T, np.ones(3)])
        if abs(np.linalg.det(system)) < 1e-9:
            continue
        shares = np.linalg.solve(system, np.stack([x.ravel(), y.ravel(), np.ones(x.size)]))
        near, part = place[:, 2] @ shares, np.s_[top:bottom, left:right]
        ahead = ((shares > -1e-6).all(0) & (near > depth[part].ravel())).reshape(x.shape)
        depth[part][ahead] = near.reshape(x.shape)[ahead]
        drawn[part][ahead] = (shares.T @ values[corners]).reshape(*x.shape, -1)[ahead]
    return drawn, depth > -np.inf


if __name__ == "__main__":
    save("face", face())

"""Operations of OpenVINO that `nst.inference.openvino_graph` makes layers of.

Shapes in comments are (N, C, H, W).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import openvino
import openvino.opset15 as ops
from openvino import Node
from torch import Tensor

from nst.models import MEAN, STD, STRIDE

ROWS, COLUMNS = 2, 3  # axes of a picture
LAST = np.iinfo(np.int32).max  # the end of an axis, for slices

# Every inference asks for this.  Where two threads are the first to do so at once, OpenVINO 2026.4
# never answers: one holds Python's interpreter and waits for the table of types, the other makes
# the table and waits for the interpreter.
openvino.Type.f32.to_dtype()


def normalise(x: Node) -> Node:
    return ops.divide(ops.subtract(x, per_channel(MEAN)), per_channel(STD))


def denormalise(x: Node) -> Node:
    return scale_and_shift(x, STD, MEAN)


def instance_norm(
    x: Node, weight: Tensor, bias: Tensor, eps: float, *, centred: bool = False
) -> Node:
    """Its statistics are sums in float32, in which a large picture's lose digits.

    Args:
        centred: they lose fewer, for each channel's mean over every 16th row and column is taken
            away before.
    """
    if centred:
        every = integers(16, 16)
        some = ops.slice(x, integers(0, 0), integers(LAST, LAST), every, integers(ROWS, COLUMNS))
        x = ops.subtract(x, ops.reduce_mean(some, integers(ROWS, COLUMNS), True))
    x = ops.mvn(x, integers(ROWS, COLUMNS), True, eps, "inside_sqrt")
    return scale_and_shift(x, weight, bias)


def scale_and_shift(
    x: Node, scale: Tensor | Sequence[float], shift: Tensor | Sequence[float]
) -> Node:
    return ops.add(ops.multiply(x, per_channel(scale)), per_channel(shift))


def double_in_phases(x: Node, weight: Tensor) -> Node:
    """A depthwise 3×3 convolution, transposed: stride 2, padding 1, output padding 1.

    As four ordinary ones, each of which makes one pixel of every 2×2.

    Args:
        x: (1, C, H, W), which becomes (1, C, 2H, 2W).
        weight: (C, 1, 3, 3).
    """
    taps = ([1], [2, 0])  # of the kernel, that an even and an odd pixel see
    pixels = []
    for row, column in itertools.product((0, 1), repeat=2):
        kernel = weight[:, None, :, taps[row]][..., taps[column]]
        pixels.append(
            ops.group_convolution(x, to_array(kernel), [1, 1], [0, 0], [row, column], [1, 1])
        )
    return ops.depth_to_space(ops.concat(pixels, 1), "blocks_first", 2)


def repeat_pixels(x: Node, factor: int) -> Node:
    return ops.interpolate(
        x,
        np.float32([factor, factor]),
        "nearest",
        "scales",
        axes=integers(ROWS, COLUMNS),
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def pad_to_stride(x: Node) -> Node:
    """Reflection at the right and the bottom, up to a multiple of the encoder's stride."""
    sides = sides_of(x)
    missing = ops.floor_mod(ops.multiply(sides, integers(-1)), integers(STRIDE))
    ends = ops.concat([integers(0, 0), missing], 0)
    return ops.pad(x, integers(0, 0, 0, 0), ends, "reflect")


def crop_like(x: Node, picture: Node) -> Node:
    sides = sides_of(picture)
    return ops.slice(x, integers(0, 0), sides, integers(1, 1), integers(ROWS, COLUMNS))


def sides_of(x: Node) -> Node:
    return ops.gather(ops.shape_of(x), integers(ROWS, COLUMNS), np.int64(0))


def add_all(terms: Iterator[Node] | Sequence[Node]) -> Node:
    total, *others = terms
    for term in others:
        total = ops.add(total, term)
    return total


def add_bias(x: Node, bias: Tensor | None, channels: slice = slice(None)) -> Node:
    return x if bias is None else ops.add(x, per_channel(bias[channels]))


def per_channel(values: Tensor | Sequence[float]) -> np.ndarray:
    """One value for each channel, (1, C, 1, 1)."""
    array = to_array(values) if isinstance(values, Tensor) else np.float32(values)
    return array.reshape(1, -1, 1, 1)


def to_array(values: Tensor) -> np.ndarray:
    return np.ascontiguousarray(values.detach().cpu().float().numpy())


def integers(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)

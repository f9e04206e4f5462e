"""Operations of OpenVINO that `nst.inference.openvino_graph` makes layers of: nodes -> a node.

Shapes in comments are (N, C, H, W), with N = 1.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

import numpy as np
import openvino
import openvino.opset15 as ops
from openvino import Node
from torch import Tensor, nn

from nst.fast import is_narrow, kernel_rows
from nst.models import STRIDE

FEW_CHANNELS = 8  # fewer leave most of a vector of a CPU empty
ROWS, COLUMNS = 2, 3  # axes of a picture
LAST = np.iinfo(np.int32).max  # the end of an axis, for slices

# Every inference asks for this.  Where two threads are the first to do so at once, OpenVINO 2026.4
# never answers: each waits for what the other holds.
openvino.Type.f32.to_dtype()


def instance_norm(x: Node, eps: float, centred: bool) -> Node:
    """Its statistics are sums in float32, in which a large picture's lose digits.

    Args:
        centred: they lose fewer, for each channel's mean over every 16th row and column is taken
            away before.
    """
    if centred:
        every = integers(16, 16)
        some = ops.slice(x, integers(0, 0), integers(LAST, LAST), every, integers(ROWS, COLUMNS))
        x = ops.subtract(x, ops.reduce_mean(some, integers(ROWS, COLUMNS), True))
    return ops.mvn(x, integers(ROWS, COLUMNS), True, eps, "inside_sqrt")


def convolution(x: Node, module: nn.Conv2d, weight: Tensor) -> Node:
    settings = (list(module.stride), [0, 0], [0, 0], list(module.dilation))  # padded before
    if module.groups > 1:  # depthwise: (groups, 1, 1, k, k)
        return ops.group_convolution(x, to_array(weight[:, None]), *settings)
    if is_narrow(module) and module.out_channels < FEW_CHANNELS:
        return _convolution_by_rows(x, weight)
    return ops.convolution(x, to_array(weight), *settings)


def _convolution_by_rows(x: Node, weight: Tensor) -> Node:
    """As `nst.fast.NarrowConv2d` trains; 27 output channels fill a CPU's vectors, 3 do not."""
    out_channels, _, rows, _ = weight.shape
    kernels = to_array(kernel_rows(weight))
    results = ops.convolution(x, kernels, [1, 1], [0, 0], [0, 0], [1, 1])
    shifted = []
    for row in range(rows):
        start = integers(row * out_channels, row)
        end = integers((row + 1) * out_channels, row + 1 - rows if row + 1 < rows else LAST)
        shifted.append(ops.slice(results, start, end, integers(1, 1), integers(1, ROWS)))
    return functools.reduce(ops.add, shifted)


def transposed_convolution(x: Node, module: nn.ConvTranspose2d, weight: Tensor) -> Node:
    depthwise = module.groups > 1  # (groups, 1, 1, k, k)
    convolve = ops.group_convolution_backprop_data if depthwise else ops.convolution_backprop_data
    return convolve(
        x,
        to_array(weight[:, None] if depthwise else weight),
        strides=list(module.stride),
        pads_begin=list(module.padding),
        pads_end=list(module.padding),
        dilations=list(module.dilation),
        output_padding=list(module.output_padding),
    )


def double_in_phases(x: Node, _: nn.ConvTranspose2d, weight: Tensor) -> Node:
    """A depthwise 3×3 convolution, transposed: stride 2, padding 1, output padding 1.

    As four ordinary ones, each of which makes one pixel of every 2×2; for OpenVINO has a slow
    kernel for it in bf16 (v3 at 512²: 282 ms with that kernel, 116 so).

    (1, C, H, W) -> (1, C, 2H, 2W)
    """
    taps = ([1], [2, 0])  # of the kernel, that an even and an odd pixel see
    pixels = []
    for row, column in itertools.product((0, 1), repeat=2):
        kernel = to_array(weight[:, None, :, taps[row]][..., taps[column]])
        pixels.append(ops.group_convolution(x, kernel, [1, 1], [0, 0], [row, column], [1, 1]))
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


def pad(x: Node, before: Sequence[int], after: Sequence[int]) -> Node:
    """Reflection by so many rows and columns."""
    return ops.pad(x, integers(0, 0, *before), integers(0, 0, *after), "reflect")


def pad_to_stride(picture: Node) -> Node:
    """Reflection at the right and the bottom, up to a multiple of the encoder's stride."""
    missing = ops.floor_mod(ops.multiply(sides(picture), integers(-1)), integers(STRIDE))
    ends = ops.concat([integers(0, 0), missing], 0)
    return ops.pad(picture, integers(0, 0, 0, 0), ends, "reflect")


def sides(x: Node) -> Node:
    return ops.gather(ops.shape_of(x), integers(ROWS, COLUMNS), np.int64(0))


def scale_and_shift(
    x: Node, scale: Tensor | Sequence[float], shift: Tensor | Sequence[float]
) -> Node:
    return ops.add(ops.multiply(x, per_channel(scale)), per_channel(shift))


def add_bias(x: Node, bias: Tensor | None) -> Node:
    return x if bias is None else ops.add(x, per_channel(bias))


def per_channel(values: Tensor | Sequence[float]) -> np.ndarray:
    """One value for each channel, (1, C, 1, 1)."""
    array = to_array(values) if isinstance(values, Tensor) else np.float32(values)
    return array.reshape(1, -1, 1, 1)


def to_array(values: Tensor) -> np.ndarray:
    return np.ascontiguousarray(values.detach().cpu().float().numpy())


def integers(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)

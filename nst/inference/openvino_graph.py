"""A `TransformerNet` as an OpenVINO model, built layer by layer, for one size or for any.

OpenVINO could convert the module itself, but needs ten seconds for it, and then takes norms into
another memory layout and back, around every one of them.  Here a norm is OpenVINO's MVN over height
and width, which stays in the layout of the convolutions, and building takes milliseconds.

Shapes in comments are (N, C, H, W), with N = 1.
"""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Iterable, Sequence

import numpy as np
import openvino
import openvino.opset15 as ops
import torch
from openvino import Node
from torch import Tensor, nn

from nst.fast import is_narrow, kernel_rows
from nst.inference.activation import FromLevels, FrozenNorm, ToLevels
from nst.models import MEAN, STD, STRIDE, Architecture, ResidualBlock, TransformerNet

FEW_CHANNELS = 8  # fewer leave most of a vector of a CPU empty
ROWS, COLUMNS = 2, 3  # axes of a picture
LAST = np.iinfo(np.int32).max  # the end of an axis, for slices

# Every inference asks for this.  Where two threads are the first to do so at once, OpenVINO 2026.4
# never answers: one holds Python's interpreter and waits for the table of types, the other makes
# the table and waits for the interpreter.
openvino.Type.f32.to_dtype()


def openvino_model(
    network: nn.Module,
    size: tuple[int, int] | None = None,
    *,
    centred: bool = False,
    for_bf16: bool = False,
) -> openvino.Model:
    """The network with its weights as one OpenVINO model, fp32, inference only.

    It takes and gives what `TransformerNet` does: (1, 3, H, W) RGB, H and W of at least 16.

    Args:
        network: a `TransformerNet`, or a sequence that contains one.
        size: width and height of its pictures; None: they may have any.
        centred, for_bf16: see `Graph`.

    Raises:
        TypeError: it has a layer of a kind that has no form here.
    """
    width, height = size or (-1, -1)
    picture = ops.parameter([1, 3, height, width], np.float32, name="picture")
    picture.output(0).set_names({"picture"})
    y = Graph(centred, for_bf16).layer(network, picture)
    y.output(0).set_names({"stylized"})
    return openvino.Model([y], [picture], "TransformerNet")


class Graph:
    """Makes operations of layers.

    Args:
        centred: with norms that keep their digits in large pictures, in networks where that shows.
        for_bf16: for a compiler that is told to use bf16.
    """

    def __init__(self, centred: bool = False, for_bf16: bool = False) -> None:
        self.centred, self.for_bf16 = centred, for_bf16

    def layer(self, module: nn.Module, x: Node) -> Node:
        """What a module of `nst.models`, or one that they consist of, makes of x.

        Raises:
            TypeError: another kind of module.
        """
        match module:
            case TransformerNet():
                return self._transformer_net(module, x)
            case ResidualBlock():
                return ops.add(self._layers(module.children(), x), x)
            case nn.Sequential():
                return self._layers(module, x)
            case nn.InstanceNorm2d():
                x = _instance_norm(x, module.eps, self.centred)
                return _scale_and_shift(x, module.weight, module.bias)
            case FrozenNorm():
                return _scale_and_shift(x, module.scale, module.shift)
            case nn.Conv2d():
                return _add_bias(_convolution(x, module), module.bias)
            case nn.ConvTranspose2d():
                in_phases = self.for_bf16 and module.groups > 1 and module.kernel_size == (3, 3)
                convolve = _double_in_phases if in_phases else _transposed_convolution
                return _add_bias(convolve(x, module), module.bias)
            case nn.ReLU():
                return ops.relu(x)
            case nn.PixelShuffle():
                return ops.depth_to_space(x, "depth_first", module.upscale_factor)
            case nn.Hardtanh():
                return ops.clamp(x, module.min_val, module.max_val)
            case nn.ReflectionPad2d():
                left, right, top, bottom = module.padding
                return pad(x, (top, left), (bottom, right))
            case nn.Upsample():
                return _repeat_pixels(x, int(module.scale_factor))
            case FromLevels():
                levels = ops.divide(ops.convert(x, "f32"), np.float32(255))
                return ops.divide(ops.subtract(levels, _per_channel(MEAN)), _per_channel(STD))
            case ToLevels():
                levels = ops.clamp(_scale_and_shift(x, STD, MEAN), 0, 1)
                levels = ops.round(ops.multiply(levels, np.float32(255)), "half_to_even")
                return ops.convert(levels, "u8")
        raise TypeError(f"no OpenVINO form of {type(module).__name__}")

    def _layers(self, modules: Iterable[nn.Module], x: Node) -> Node:
        """One after the other."""
        return functools.reduce(lambda y, module: self.layer(module, y), modules, x)

    def _transformer_net(self, network: TransformerNet, picture: Node) -> Node:
        self.centred = self.centred and _norms_are_sensitive(network.architecture)
        y = self._layers(_between_pictures(network).children(), _pad_to_stride(picture))
        return ops.slice(
            y, integers(0, 0), _sides(picture), integers(1, 1), integers(ROWS, COLUMNS)
        )


def _norms_are_sensitive(architecture: Architecture) -> bool:
    """Whether norms are centred in large pictures: where the encoder has some inside of its layers.

    At 1448×1448 px, largest difference in levels of 255 from the picture made in tiles, whose sums
    are in float64, and values that differ by more than 1, without / with it: v3 4 and 0.02 % / 3
    and 0.0007 %, in 2.4 / 3.1 s; v2 3 and 0.01 % / 1 and none.  The others differ by 1.
    """
    return "encoder" in architecture.lightweight and "norm" in architecture.inner


@torch.no_grad()
def _between_pictures(network: TransformerNet) -> TransformerNet:
    """A copy whose encoder takes and whose decoder gives RGB in [0, 1], within rounding.

    The first and the last convolution scale and shift, so that no operation of its own does.
    """
    network = copy.deepcopy(network)
    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    first, last = _convolutions(network.encoder)[0], _convolutions(network.decoder)[-1]
    inputs = (-1, 1, 1, 1) if first.groups > 1 else (1, -1, 1, 1)
    first.weight /= std.view(inputs)
    shift = -(first.weight * mean.view(inputs)).sum((1, 2, 3))
    first.bias = nn.Parameter(shift if first.bias is None else first.bias + shift)
    # Several outputs in a row for each colour, where they become pixels.
    mean, std = (values.repeat_interleave(last.out_channels // 3) for values in (mean, std))
    last.weight *= std.view(-1, 1, 1, 1)
    last.bias = nn.Parameter(mean if last.bias is None else last.bias * std + mean)
    return network


def _convolutions(module: nn.Module) -> list[nn.Conv2d]:
    return [part for part in module.modules() if isinstance(part, nn.Conv2d)]


def _instance_norm(x: Node, eps: float, centred: bool) -> Node:
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


def _convolution(x: Node, module: nn.Conv2d) -> Node:
    settings = (list(module.stride), [0, 0], [0, 0], list(module.dilation))  # padded before
    if module.groups > 1:  # depthwise: (groups, 1, 1, k, k)
        return ops.group_convolution(x, to_array(module.weight[:, None]), *settings)
    if is_narrow(module) and module.out_channels < FEW_CHANNELS:
        return _convolution_by_rows(x, module)
    return ops.convolution(x, to_array(module.weight), *settings)


def _convolution_by_rows(x: Node, module: nn.Conv2d) -> Node:
    """As `nst.fast.NarrowConv2d` trains; 27 output channels fill a CPU's vectors, 3 do not."""
    out_channels, rows = module.out_channels, module.kernel_size[0]
    kernels = to_array(kernel_rows(module.weight))
    results = ops.convolution(x, kernels, [1, 1], [0, 0], [0, 0], [1, 1])
    shifted = []
    for row in range(rows):
        start = integers(row * out_channels, row)
        end = integers((row + 1) * out_channels, row + 1 - rows if row + 1 < rows else LAST)
        shifted.append(ops.slice(results, start, end, integers(1, 1), integers(1, ROWS)))
    return functools.reduce(ops.add, shifted)


def _transposed_convolution(x: Node, module: nn.ConvTranspose2d) -> Node:
    depthwise = module.groups > 1  # (groups, 1, 1, k, k)
    convolve = ops.group_convolution_backprop_data if depthwise else ops.convolution_backprop_data
    return convolve(
        x,
        to_array(module.weight[:, None] if depthwise else module.weight),
        strides=list(module.stride),
        pads_begin=list(module.padding),
        pads_end=list(module.padding),
        dilations=list(module.dilation),
        output_padding=list(module.output_padding),
    )


def _double_in_phases(x: Node, module: nn.ConvTranspose2d) -> Node:
    """A depthwise 3×3 convolution, transposed: stride 2, padding 1, output padding 1.

    As four ordinary ones, each of which makes one pixel of every 2×2; for OpenVINO has a slow
    kernel for it in bf16.  v3 in bf16 on two cores with AMX, at 256² and 512² (fp32 42 and 185 ms,
    the baseline in bf16 36 and 144): 71 and 282 ms with that kernel, 25 and 116 in phases.

    (1, C, H, W) -> (1, C, 2H, 2W)
    """
    taps = ([1], [2, 0])  # of the kernel, that an even and an odd pixel see
    pixels = []
    for row, column in itertools.product((0, 1), repeat=2):
        kernel = to_array(module.weight[:, None, :, taps[row]][..., taps[column]])
        pixels.append(ops.group_convolution(x, kernel, [1, 1], [0, 0], [row, column], [1, 1]))
    return ops.depth_to_space(ops.concat(pixels, 1), "blocks_first", 2)


def _repeat_pixels(x: Node, factor: int) -> Node:
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


def _pad_to_stride(picture: Node) -> Node:
    """Reflection at the right and the bottom, up to a multiple of the encoder's stride."""
    missing = ops.floor_mod(ops.multiply(_sides(picture), integers(-1)), integers(STRIDE))
    ends = ops.concat([integers(0, 0), missing], 0)
    return ops.pad(picture, integers(0, 0, 0, 0), ends, "reflect")


def _sides(x: Node) -> Node:
    return ops.gather(ops.shape_of(x), integers(ROWS, COLUMNS), np.int64(0))


def _scale_and_shift(
    x: Node, scale: Tensor | Sequence[float], shift: Tensor | Sequence[float]
) -> Node:
    return ops.add(ops.multiply(x, _per_channel(scale)), _per_channel(shift))


def _add_bias(x: Node, bias: Tensor | None) -> Node:
    return x if bias is None else ops.add(x, _per_channel(bias))


def _per_channel(values: Tensor | Sequence[float]) -> np.ndarray:
    """One value for each channel, (1, C, 1, 1)."""
    array = to_array(values) if isinstance(values, Tensor) else np.float32(values)
    return array.reshape(1, -1, 1, 1)


def to_array(values: Tensor) -> np.ndarray:
    return np.ascontiguousarray(values.detach().cpu().float().numpy())


def integers(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)

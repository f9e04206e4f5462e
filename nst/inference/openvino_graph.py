"""A `TransformerNet` as an OpenVINO model, built layer by layer, for one size or for any.

OpenVINO could convert the module itself, but needs ten seconds for it, and takes every norm into
another memory layout and back.  Here a norm is OpenVINO's MVN, in the layout of the convolutions.

An activation may be several nodes, each of some of its channels: what lies between two convolutions
across channels stays within a channel, so that a group passes through all of it before the next one
does, and is still in the processor's cache.

Shapes in comments are (N, C, H, W), with N = 1.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import openvino
import openvino.opset15 as ops
from openvino import Node
from torch import nn

from nst.folding import between_pictures
from nst.inference.activation import FromLevels, FrozenNorm, ToLevels
from nst.inference.openvino_operations import (
    COLUMNS,
    ROWS,
    add_bias,
    convolution,
    double_in_phases,
    instance_norm,
    integers,
    pad,
    pad_to_stride,
    per_channel,
    repeat_pixels,
    scale_and_shift,
    sides,
    transposed_convolution,
)
from nst.models import MEAN, STD, Architecture, ResidualBlock, TransformerNet

GROUPED, GROUP = (64, 128), 32  # channels of activations in groups, and of a group

GROUPED_PIXELS = 160_000  # from here on quarter-size activations do not fit into a core's cache ...
SMALL_CACHE = 2 * 2**20  # bytes; ... if it has less

Groups = list[Node]  # an activation: (N, C, H, W) as one or more (N, c, H, W)


def openvino_model(
    network: nn.Module,
    size: tuple[int, int] | None = None,
    *,
    centred: bool = False,
    for_bf16: bool = False,
    grouped: bool = False,
) -> openvino.Model:
    """The network with its weights as one OpenVINO model, fp32, inference only.

    It takes and gives what `TransformerNet` does: (1, 3, H, W) RGB, H and W of at least 16.

    Args:
        network: a `TransformerNet`, or a sequence that contains one.
        size: width and height of its pictures; None: they may have any.
        centred: with norms that keep their digits in large pictures, in networks where that shows.
        for_bf16: for a compiler that is told to use bf16.
        grouped: activations of `GROUPED` channels are groups.

    Raises:
        TypeError: it has a layer of a kind that has no form here.
    """
    width, height = size or (-1, -1)
    picture = ops.parameter([1, 3, height, width], np.float32, name="picture")
    picture.output(0).set_names({"picture"})
    (y,) = Graph(centred, for_bf16, grouped).layer(network, [picture])
    y.output(0).set_names({"stylized"})
    return openvino.Model([y], [picture], "TransformerNet")


class Graph:
    """Makes operations of layers; the arguments are those of `openvino_model`."""

    def __init__(
        self, centred: bool = False, for_bf16: bool = False, grouped: bool = False
    ) -> None:
        self.centred, self.for_bf16, self.grouped = centred, for_bf16, grouped

    def layer(self, module: nn.Module, x: Groups) -> Groups:
        """What a module of `nst.models`, or one that they consist of, makes of x.

        Raises:
            TypeError: another kind of module.
        """
        match module:
            case TransformerNet():
                return self._transformer_net(module, x)
            case ResidualBlock():
                y = self._layers(module.children(), x)
                return [ops.add(*parts) for parts in zip(y, x, strict=True)]
            case nn.Sequential():
                return self._layers(module, x)
            case nn.Conv2d(groups=1) | nn.ConvTranspose2d(groups=1):
                return self._across_channels(module, x)
        return [self._within_channels(_of_channels(module, own), part) for part, own in _owned(x)]

    def _within_channels(self, module: nn.Module, x: Node) -> Node:
        match module:
            case nn.InstanceNorm2d():
                x = instance_norm(x, module.eps, self.centred)
                return scale_and_shift(x, module.weight, module.bias)
            case FrozenNorm():
                return scale_and_shift(x, module.scale, module.shift)
            case nn.Conv2d():
                return add_bias(convolution(x, module, module.weight), module.bias)
            case nn.ConvTranspose2d():
                in_phases = self.for_bf16 and module.kernel_size == (3, 3)
                convolve = double_in_phases if in_phases else transposed_convolution
                return add_bias(convolve(x, module, module.weight), module.bias)
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
                return repeat_pixels(x, int(module.scale_factor))
            case FromLevels():
                levels = ops.divide(ops.convert(x, "f32"), np.float32(255))
                return ops.divide(ops.subtract(levels, per_channel(MEAN)), per_channel(STD))
            case ToLevels():
                levels = ops.clamp(scale_and_shift(x, STD, MEAN), 0, 1)
                levels = ops.round(ops.multiply(levels, np.float32(255)), "half_to_even")
                return ops.convert(levels, "u8")
        raise TypeError(f"no OpenVINO form of {type(module).__name__}")

    def _across_channels(self, module: nn.Conv2d | nn.ConvTranspose2d, x: Groups) -> Groups:
        transposed = isinstance(module, nn.ConvTranspose2d)
        convolve = transposed_convolution if transposed else convolution
        channels = module.out_channels
        size = GROUP if self.grouped and channels in GROUPED else channels
        groups = []
        for first in range(0, channels, size):
            made = slice(first, first + size)
            terms = [
                convolve(part, module, module.weight[(own, made) if transposed else (made, own)])
                for part, own in _owned(x)
            ]
            bias = None if module.bias is None else module.bias[made]
            groups.append(add_bias(functools.reduce(ops.add, terms), bias))
        return groups

    def _layers(self, modules: Iterable[nn.Module], x: Groups) -> Groups:
        """One after the other."""
        return functools.reduce(lambda y, module: self.layer(module, y), modules, x)

    def _transformer_net(self, network: TransformerNet, x: Groups) -> Groups:
        self.centred = self.centred and _norms_are_sensitive(network.architecture)
        (picture,) = x
        (y,) = self._layers(between_pictures(network).children(), [pad_to_stride(picture)])
        axes = integers(ROWS, COLUMNS)
        return [ops.slice(y, integers(0, 0), sides(picture), integers(1, 1), axes)]


def groups_pay(architecture: Architecture, pixels: int) -> bool:
    """Whether activations should be groups, in pictures of a size that is told.

    With 1 MiB of cache they save 5 to 13 % of v3 and v4 from 512×512 px on; v1 they cost 3 %, and
    all of them time at 256×256 px.
    """
    lightweight = "decoder" in architecture.lightweight
    return lightweight and pixels >= GROUPED_PIXELS and cache_of_a_core() < SMALL_CACHE


@functools.cache
def cache_of_a_core() -> int:
    """Bytes of its second level; 0 where the system does not tell."""
    try:
        text = Path("/sys/devices/system/cpu/cpu0/cache/index2/size").read_text()
        return int(text.strip().removesuffix("K")) * 1024
    except (OSError, ValueError):  # only Linux has the file
        return 0


def _owned(x: Groups) -> Iterator[tuple[Node, slice]]:
    """Each group with those of the activation's channels that it has."""
    if len(x) == 1:  # whose number OpenVINO may not know
        yield x[0], slice(None)
    else:
        yield from ((part, slice(n * GROUP, (n + 1) * GROUP)) for n, part in enumerate(x))


def _of_channels(module: nn.Module, own: slice) -> nn.Module:
    """A layer that keeps channels apart, of some of them."""
    part = copy.copy(module)
    part._parameters = {
        name: None if values is None else values[own] for name, values in module._parameters.items()
    }
    return part


def _norms_are_sensitive(architecture: Architecture) -> bool:
    """Whether norms are centred in large pictures: where the encoder has some inside of its layers.

    Without it v3 is off by 4 levels of 255 at 1448×1448 px; the others differ by 1.
    """
    return "encoder" in architecture.lightweight and "norm" in architecture.inner

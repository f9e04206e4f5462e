"""A `TransformerNet` as an OpenVINO model of any height and width, built layer by layer.

OpenVINO could convert the module itself, but then takes its norms into another memory layout and
back, around every one of them.  Here a norm is OpenVINO's MVN over height and width, which stays
in the layout of the convolutions.  Building takes milliseconds, and one model serves all sizes.

An activation may be several tensors, each of some of its channels: everything between two
convolutions across channels stays within a channel, so that a group passes through all of it
before the next one does, and is still in the processor's cache.  MVN is also twice as fast at 32
channels as at 64 or 128.

Shapes in comments are (N, C, H, W), with N = 1.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import openvino
import openvino.opset15 as ops
from openvino import Node
from torch import nn

from nst.fast import is_narrow, kernel_rows
from nst.folding import between_pictures
from nst.inference.activation import FromLevels, FrozenNorm, ToLevels
from nst.inference.openvino_form import Form
from nst.inference.openvino_operations import (
    LAST,
    ROWS,
    add_all,
    add_bias,
    crop_like,
    denormalise,
    double_in_phases,
    instance_norm,
    integers,
    normalise,
    pad_to_stride,
    repeat_pixels,
    scale_and_shift,
    to_array,
)
from nst.models import ResidualBlock, TransformerNet

FEW_CHANNELS = 8  # fewer leave most of a vector of a CPU empty


Groups = list[Node]  # an activation: (N, C, H, W) as one or more tensors (N, c, H, W)


def openvino_model(network: nn.Module, form: Form | None = None) -> openvino.Model:
    """The network with its weights as one OpenVINO model, fp32, inference only.

    It takes and gives what `TransformerNet` does: (1, 3, H, W) RGB, any H, W of at least 16.

    Args:
        network: a `TransformerNet`, or a sequence that contains one.
        form: None: the plain one.

    Raises:
        TypeError: it has a layer of a kind that has no form here.
    """
    side = openvino.Dimension(-1)
    picture = ops.parameter([1, 3, side, side], np.float32, name="picture")
    picture.output(0).set_names({"picture"})
    (x,) = Graph(form or Form()).layer(network, [picture])
    x.output(0).set_names({"stylized"})
    return openvino.Model([x], [picture], "TransformerNet")


class Graph:
    """Makes operations of layers, in one form.

    In bf16 OpenVINO has a slow kernel for depthwise transposed convolutions.  v3 in bf16 on two
    cores with AMX, at 256² and 512² (fp32 42 and 185 ms, the baseline in bf16 36 and 144): 71 and
    282 ms with it; in phases 25 and 116; as an ordinary convolution of an activation with zeros
    between its values 26 and 111; as ordinary transposed convolutions of 32 channels, whose kernels
    are zero between channels, 33 and 125; with these layers alone in fp32 39 and 166.
    """

    def __init__(self, form: Form) -> None:
        self.form = form

    def layer(self, module: nn.Module, x: Groups) -> Groups:
        """What a module of `nst.models`, or one that they consist of, makes of x.

        Raises:
            TypeError: another kind of module.
        """
        match module:
            case nn.Sequential():
                for part in module:
                    x = self.layer(part, x)
                return x
            case TransformerNet():
                return self._transformer_net(module, x)
            case ResidualBlock():
                return self._residual_block(module, x)
            case nn.InstanceNorm2d():
                return [
                    instance_norm(
                        part,
                        module.weight[own],
                        module.bias[own],
                        module.eps,
                        centred=self.form.centred,
                    )
                    for part, own in _with_channels(x)
                ]
            case FrozenNorm():
                return [
                    scale_and_shift(part, module.scale[own], module.shift[own])
                    for part, own in _with_channels(x)
                ]
            case nn.Conv2d():
                return self._convolution(module, x)
            case nn.ConvTranspose2d():
                return self._transposed_convolution(module, x)
        return [_same_for_each_channel(module, part) for part in x]

    def _transformer_net(self, network: TransformerNet, x: Groups) -> Groups:
        (picture,) = x
        network = between_pictures(network)
        x = [pad_to_stride(picture)]
        for part in (network.encoder, network.residual, network.decoder):
            x = self.layer(part, x)
        (y,) = x
        return [crop_like(y, picture)]

    def _residual_block(self, block: ResidualBlock, x: Groups) -> Groups:
        y = self.layer(block.norm1, self.layer(block.conv1, x))
        y = self.layer(block.norm2, self.layer(block.conv2, self.layer(block.relu, y)))
        return [ops.add(*parts) for parts in zip(y, x, strict=True)]

    def _convolution(self, module: nn.Conv2d, x: Groups) -> Groups:
        settings = (list(module.stride), [0, 0], [0, 0], list(module.dilation))  # padded before
        if module.groups > 1:  # depthwise: (groups, 1, 1, k, k)
            return [
                add_bias(
                    ops.group_convolution(part, to_array(module.weight[own, None]), *settings),
                    module.bias,
                    own,
                )
                for part, own in _with_channels(x)
            ]
        if is_narrow(module) and module.out_channels < FEW_CHANNELS:
            return [_convolution_by_rows(module, x)]
        return [
            add_bias(
                add_all(
                    ops.convolution(part, to_array(module.weight[results, own]), *settings)
                    for part, own in _with_channels(x)
                ),
                module.bias,
                results,
            )
            for results in self._groups_of(module.out_channels)
        ]

    def _transposed_convolution(self, module: nn.ConvTranspose2d, x: Groups) -> Groups:
        settings = {
            "strides": list(module.stride),
            "pads_begin": list(module.padding),
            "pads_end": list(module.padding),
            "dilations": list(module.dilation),
            "output_padding": list(module.output_padding),
        }
        if self.form.for_bf16 and module.groups > 1 and module.kernel_size == (3, 3):
            return [
                add_bias(double_in_phases(part, module.weight[own]), module.bias, own)
                for part, own in _with_channels(x)
            ]
        if module.groups > 1:  # depthwise: (groups, 1, 1, k, k)
            convolve, weight = ops.group_convolution_backprop_data, module.weight[:, None]
            return [
                add_bias(convolve(part, to_array(weight[own]), **settings), module.bias, own)
                for part, own in _with_channels(x)
            ]
        convolve, weight = ops.convolution_backprop_data, module.weight
        return [
            add_bias(
                add_all(
                    convolve(part, to_array(weight[own, results]), **settings)
                    for part, own in _with_channels(x)
                ),
                module.bias,
                results,
            )
            for results in self._groups_of(module.out_channels)
        ]

    def _groups_of(self, channels: int) -> list[slice]:
        size = self.form.group_sizes.get(channels, channels)
        return [slice(first, first + size) for first in range(0, channels, size)]


def _same_for_each_channel(module: nn.Module, x: Node) -> Node:
    match module:
        case nn.ReLU():
            return ops.relu(x)
        case nn.PixelShuffle():
            return ops.depth_to_space(x, "depth_first", module.upscale_factor)
        case nn.Hardtanh():
            return ops.clamp(x, module.min_val, module.max_val)
        case FromLevels():
            return normalise(ops.divide(ops.convert(x, "f32"), np.float32(255)))
        case ToLevels():
            x = ops.multiply(ops.clamp(denormalise(x), 0, 1), np.float32(255))
            return ops.convert(ops.round(x, "half_to_even"), "u8")
        case nn.ReflectionPad2d():
            left, right, top, bottom = module.padding
            return ops.pad(x, integers(0, 0, top, left), integers(0, 0, bottom, right), "reflect")
        case nn.Upsample():
            return repeat_pixels(x, int(module.scale_factor))
    raise TypeError(f"no OpenVINO form of {type(module).__name__}")


def _convolution_by_rows(module: nn.Conv2d, x: Groups) -> Node:
    """As `nst.fast.NarrowConv2d` trains; 27 output channels fill a CPU's vectors, 3 do not."""
    out_channels, rows = module.out_channels, module.kernel_size[0]
    kernels = kernel_rows(module.weight)
    results = add_all(
        ops.convolution(part, to_array(kernels[:, own]), [1, 1], [0, 0], [0, 0], [1, 1])
        for part, own in _with_channels(x)
    )
    shifted = []
    for row in range(rows):
        start = integers(row * out_channels, row)
        end = integers((row + 1) * out_channels, row + 1 - rows if row + 1 < rows else LAST)
        shifted.append(ops.slice(results, start, end, integers(1, 1), integers(1, ROWS)))
    return add_bias(add_all(shifted), module.bias)


def _with_channels(x: Groups) -> Iterator[tuple[Node, slice]]:
    """Each group with the channels of the whole activation that it has."""
    if len(x) == 1:  # whose number OpenVINO may not know
        yield x[0], slice(None)
        return
    first = 0
    for part in x:
        end = first + part.get_output_partial_shape(0)[1].get_length()
        yield part, slice(first, end)
        first = end

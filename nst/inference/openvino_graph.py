"""A `TransformerNet` as an OpenVINO model of any height and width, built layer by layer.

OpenVINO could convert the module itself, but then takes its norms into another memory layout and
back, around every one of them.  Here a norm is OpenVINO's MVN over height and width, which stays
in the layout of the convolutions.  Building takes milliseconds, and one model serves all sizes.

Shapes in comments are (N, C, H, W), with N = 1.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import openvino
import openvino.opset15 as ops
from openvino import Node, Output
from torch import Tensor, nn

from nst.fast import is_narrow, kernel_rows
from nst.images import MEAN, STD
from nst.inference.activation import Edges, FromLevels, FrozenNorm, ToLevels
from nst.models import STRIDE, ResidualBlock, TransformerNet

ROWS, COLUMNS = 2, 3  # axes of a picture
LAST = np.iinfo(np.int32).max  # the end of an axis, for slices

Value = Node | Output


def openvino_model(network: nn.Module) -> openvino.Model:
    """The network with its weights as one OpenVINO model, fp32, inference only.

    It takes and gives what `TransformerNet` does: (1, 3, H, W) RGB, any H, W of at least 16.

    Args:
        network: a `TransformerNet`, or a sequence that contains one.

    Raises:
        TypeError: it has a layer of a kind that has no form here.
    """
    side = openvino.Dimension(-1)
    picture = ops.parameter([1, 3, side, side], np.float32, name="picture")
    picture.output(0).set_names({"picture"})
    x = layer(network, picture)
    x.output(0).set_names({"stylized"})
    return openvino.Model([x], [picture], "TransformerNet")


class OpenVinoChain:
    """Layers in OpenVINO: an `nst.inference.activation.Chain`, for so many threads at a time."""

    def __init__(self, layers: Sequence[nn.Module], channels: int, threads: int) -> None:
        settings = {
            "NUM_STREAMS": threads,  # one thread for each
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "f32",
        }
        model = _tile_model(layers, channels)
        self._compiled = openvino.Core().compile_model(model, "CPU", settings)
        self._of_thread = threading.local()

    def __call__(self, values: np.ndarray, edges: Edges) -> np.ndarray:
        if not hasattr(self._of_thread, "request"):
            self._of_thread.request = self._compiled.create_infer_request()
        inputs = {0: values[None], 1: np.int64(edges)}
        result = self._of_thread.request.infer(inputs, share_inputs=True, share_outputs=True)
        return result[0][0]


def _tile_model(layers: Sequence[nn.Module], channels: int) -> openvino.Model:
    """Layers of a part of a picture, (1, C, h, w), which is padded at some of its edges only."""
    side = openvino.Dimension(-1)
    kind = np.uint8 if layers and isinstance(layers[0], FromLevels) else np.float32
    tile = ops.parameter([1, channels, side, side], kind, name="tile")
    edges = ops.parameter([4], np.int64, name="edges")  # top, left, bottom, right: 0 or 1
    x = tile
    for module in layers:
        if isinstance(module, nn.ReflectionPad2d):
            widths = ops.multiply(edges, _integers(module.padding[0]))
            begin, end = (
                ops.gather(widths, _integers(*sides), np.int64(0)) for sides in ((0, 1), (2, 3))
            )
            none = _integers(0, 0)
            x = ops.pad(x, ops.concat([none, begin], 0), ops.concat([none, end], 0), "reflect")
        else:
            x = layer(module, x)
    return openvino.Model([x], [tile, edges], "Tile")


def layer(module: nn.Module, x: Value) -> Value:
    """What a module of `nst.models`, or one that they consist of, makes of x.

    Raises:
        TypeError: another kind of module.
    """
    match module:
        case nn.Sequential():
            for part in module:
                x = layer(part, x)
            return x
        case TransformerNet():
            return _transformer_net(module, x)
        case ResidualBlock():
            y = ops.relu(layer(module.norm1, layer(module.conv1, x)))
            return ops.add(layer(module.norm2, layer(module.conv2, y)), x)
        case nn.ReLU():
            return ops.relu(x)
        case nn.PixelShuffle():
            return ops.depth_to_space(x, "depth_first", module.upscale_factor)
        case nn.Hardtanh():
            return ops.clamp(x, module.min_val, module.max_val)
        case nn.InstanceNorm2d():
            return _instance_norm(module, x)
        case FrozenNorm():
            return ops.add(ops.multiply(x, _per_channel(module.scale)), _per_channel(module.shift))
        case FromLevels():
            return _normalise(ops.divide(ops.convert(x, "f32"), np.float32(255)))
        case ToLevels():
            x = ops.multiply(ops.clamp(_denormalise(x), 0, 1), np.float32(255))
            return ops.convert(ops.round(x, "half_to_even"), "u8")
        case nn.ReflectionPad2d():
            left, right, top, bottom = module.padding
            return ops.pad(x, _integers(0, 0, top, left), _integers(0, 0, bottom, right), "reflect")
        case nn.Upsample():
            return _repeat_pixels(x, int(module.scale_factor))
        case nn.Conv2d():
            convolve = _convolution_by_rows if is_narrow(module) else _convolution
            return convolve(module, x)
        case nn.ConvTranspose2d():
            return _transposed_convolution(module, x)
    raise TypeError(f"no OpenVINO form of {type(module).__name__}")


def _transformer_net(network: TransformerNet, picture: Value) -> Value:
    x = _pad_to_stride(_normalise(picture))
    for part in (network.encoder, network.residual, network.decoder):
        x = layer(part, x)
    return _denormalise(_crop_like(x, picture))


def _normalise(x: Value) -> Value:
    return ops.divide(ops.subtract(x, _per_channel(MEAN)), _per_channel(STD))


def _denormalise(x: Value) -> Value:
    return ops.add(ops.multiply(x, _per_channel(STD)), _per_channel(MEAN))


def _instance_norm(module: nn.InstanceNorm2d, x: Value) -> Value:
    x = ops.mvn(x, _integers(ROWS, COLUMNS), True, module.eps, "inside_sqrt")
    return ops.add(ops.multiply(x, _per_channel(module.weight)), _per_channel(module.bias))


def _convolution(module: nn.Conv2d, x: Value) -> Value:
    settings = (list(module.stride), [0, 0], [0, 0], list(module.dilation))  # padded before
    weight = _array(module.weight)
    if module.groups > 1:  # depthwise: (groups, 1, 1, k, k)
        return _add_bias(ops.group_convolution(x, weight[:, None], *settings), module.bias)
    return _add_bias(ops.convolution(x, weight, *settings), module.bias)


def _convolution_by_rows(module: nn.Conv2d, x: Value) -> Value:
    """As `nst.fast.NarrowConv2d` trains; 27 output channels fill a CPU's vectors, 3 do not."""
    out_channels, rows = module.out_channels, module.kernel_size[0]
    kernels = _array(kernel_rows(module.weight))
    results = ops.convolution(x, kernels, [1, 1], [0, 0], [0, 0], [1, 1])
    terms = []
    for row in range(rows):
        start = _integers(row * out_channels, row)
        end = _integers((row + 1) * out_channels, row + 1 - rows if row + 1 < rows else LAST)
        terms.append(ops.slice(results, start, end, _integers(1, 1), _integers(1, ROWS)))
    total = terms[0]
    for term in terms[1:]:
        total = ops.add(total, term)
    return _add_bias(total, module.bias)


def _transposed_convolution(module: nn.ConvTranspose2d, x: Value) -> Value:
    convolve, weight = ops.convolution_backprop_data, _array(module.weight)
    if module.groups > 1:  # depthwise: (groups, 1, 1, k, k)
        convolve, weight = ops.group_convolution_backprop_data, weight[:, None]
    x = convolve(
        x,
        weight,
        list(module.stride),
        pads_begin=list(module.padding),
        pads_end=list(module.padding),
        dilations=list(module.dilation),
        output_padding=list(module.output_padding),
    )
    return _add_bias(x, module.bias)


def _repeat_pixels(x: Value, factor: int) -> Value:
    return ops.interpolate(
        x,
        np.float32([factor, factor]),
        "nearest",
        "scales",
        axes=_integers(ROWS, COLUMNS),
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _pad_to_stride(x: Value) -> Value:
    """Reflection at the right and the bottom, up to a multiple of the encoder's stride."""
    sides = _sides(x)
    missing = ops.floor_mod(ops.multiply(sides, _integers(-1)), _integers(STRIDE))
    ends = ops.concat([_integers(0, 0), missing], 0)
    return ops.pad(x, _integers(0, 0, 0, 0), ends, "reflect")


def _crop_like(x: Value, picture: Value) -> Value:
    sides = _sides(picture)
    return ops.slice(x, _integers(0, 0), sides, _integers(1, 1), _integers(ROWS, COLUMNS))


def _sides(x: Value) -> Value:
    return ops.gather(ops.shape_of(x), _integers(ROWS, COLUMNS), np.int64(0))


def _add_bias(x: Value, bias: Tensor | None) -> Value:
    return x if bias is None else ops.add(x, _per_channel(bias))


def _per_channel(values: Tensor | Sequence[float]) -> np.ndarray:
    """One value for each channel, (1, C, 1, 1)."""
    array = _array(values) if isinstance(values, Tensor) else np.float32(values)
    return array.reshape(1, -1, 1, 1)


def _array(values: Tensor) -> np.ndarray:
    return np.ascontiguousarray(values.detach().cpu().float().numpy())


def _integers(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)

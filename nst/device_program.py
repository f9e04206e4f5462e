"""A `TransformerNet` as a program for the visitor's own device; assets/device/ runs it by WebGPU.

A program is a list of operations and one block of weights.  Nothing about any network is written
down in JavaScript: an operation says all that its kernel has to know.

    convolution  of any kind; takes the norm before it and its ReLU along while it reads, and reads
                 by reflection, repeats pixels or transposes by indexing; where a norm follows, it
                 also adds up its results' means and squares; the last one writes pixels
    norm         makes a scale and a shift for each channel of those sums
    sum          of a residual block

Activations lie in a few buffers, four channels of a pixel together.  Weights are fp32, and fp16 in
large convolutions of the networks that this changes little: baseline and v4 by 0.26 and 0.12 levels
at most on 17 pictures; v1, v2 and v3 by 0.51, 0.54 and 0.63, to which rounding to bytes adds 0.5.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import Tensor, nn

from nst.folding import between_pictures
from nst.models import STRIDE, ResidualBlock, TransformerNet

LANES = 4  # channels that lie together
ALIGNED = 64  # values; a device reads an operation's weights from a multiple of 256 bytes on
HALF_FROM = 4096  # weights of one convolution, which may be fp16 from here on
IN_HALF = ("baseline", "v4")  # networks in which they are, as trained here

Operation = dict[str, Any]


@dataclass(frozen=True)
class Program:
    """What a device needs to paint pictures of any size.

    Attributes:
        operations: in their order; JSON.
        buffers: the size of each: how many values of four channels for every 4×4 pixels.
        pieces: runs of the weights: how many values, and whether in fp16, else in fp32.
        weights: little-endian.
    """

    operations: list[Operation]
    buffers: list[int]
    pieces: list[tuple[int, bool]]
    weights: bytes

    def to_bytes(self) -> bytes:
        """One file: the length of what follows (four bytes), JSON, weights."""
        names = ("operations", "buffers", "pieces")
        text = json.dumps({name: getattr(self, name) for name in names}, separators=(",", ":"))
        text += " " * (-len(text) % 4)  # so that the weights are aligned
        return len(text).to_bytes(4, "little") + text.encode("ascii") + self.weights


def device_program(network: TransformerNet, *, half: bool = False) -> Program:
    """The network as a program: RGB in [0, 1] -> the same, sides multiples of 4.

    Args:
        half: weights of large convolutions are fp16.

    Raises:
        TypeError: it has a layer of a kind that has no form here.
    """
    network = between_pictures(network)
    writer = _Writer(half)
    for part in (network.encoder, network.residual, network.decoder):
        writer.layer(part)
    writer.operations[-1]["output"] = None  # pixels
    buffers = _share_buffers(writer.operations, writer.sizes)
    return Program(writer.operations, buffers, writer.pieces, b"".join(writer.blocks))


@dataclass(frozen=True)
class _View:
    """An activation as the next layer sees it."""

    value: int  # its number; 0 is the picture
    channels: int
    scale: int  # the picture's side divided by its own
    norm: int | None = None  # not applied yet
    relu: bool = False  # not applied yet

    def read(self) -> Operation:
        return {"value": self.value, "norm": self.norm, "relu": self.relu}


@dataclass
class _Writer:
    """Writes operations of layers; `view` is the result so far."""

    half: bool  # weights of large convolutions are fp16
    view: _View = _View(0, channels=3, scale=1)
    operations: list[Operation] = field(default_factory=list)
    sizes: list[int] = field(default_factory=lambda: [_size(3, 1)])  # of each value
    pieces: list[tuple[int, bool]] = field(default_factory=list)
    blocks: list[bytes] = field(default_factory=list)
    norms: int = 0
    written: int = 0  # weights
    repeats: bool = False  # pixels 2×2, before the next convolution

    def layer(self, module: nn.Module) -> None:
        match module:
            case nn.Sequential():
                for part in module:
                    self.layer(part)
            case ResidualBlock():
                self._residual_block(module)
            case nn.Conv2d() | nn.ConvTranspose2d():
                self._convolution(module)
            case nn.InstanceNorm2d():
                self._norm(module)
            case nn.ReLU():
                self.view = replace(self.view, relu=True)
            case nn.Upsample(scale_factor=2, mode="nearest"):
                self.repeats = True
            case nn.ReflectionPad2d():  # as wide as the convolution after it needs
                pass
            case nn.PixelShuffle(upscale_factor=2):
                self.operations[-1]["shuffle"] = True
            case _:
                raise TypeError(f"no form of {type(module).__name__} for devices")

    def _residual_block(self, block: ResidualBlock) -> None:
        carried = self.view
        for part in (block.conv1, block.norm1, block.relu, block.conv2, block.norm2):
            self.layer(part)
        value = self._new_value(carried.channels, carried.scale)
        inputs = [self.view.read(), carried.read()]
        place = {"channels": carried.channels, "scale": carried.scale}
        self.operations.append({"kind": "sum", "inputs": inputs, "output": value, **place})
        self.view = _View(value, carried.channels, carried.scale)

    def _convolution(self, module: nn.Conv2d | nn.ConvTranspose2d) -> None:
        transposed, depthwise = isinstance(module, nn.ConvTranspose2d), module.groups > 1
        before = self.view
        doubles = 2 if transposed or self.repeats else 1
        stride = 1 if transposed else module.stride[0]
        after = before.scale * stride // doubles
        value = self._new_value(module.out_channels, after)
        self.operations.append(
            {
                "kind": "convolution",
                "inputs": [before.read()],
                "output": value,
                "scales": [before.scale, after],
                "channels": [before.channels, module.out_channels],
                "kernel": module.kernel_size[0],
                "padding": module.padding[0] if transposed else module.kernel_size[0] // 2,
                "stride": stride,
                "depthwise": depthwise,
                "upsampling": "transposed" if transposed else "nearest" if self.repeats else None,
                "statistics": False,
                "shuffle": False,
                "weights": self._write(
                    _lanes(module.bias, module.out_channels),
                    _in_reading_order(module.weight, swapped=transposed and not depthwise),
                ),
            }
        )
        self.repeats = False
        self.view = _View(value, module.out_channels, after)

    def _norm(self, module: nn.InstanceNorm2d) -> None:
        self.operations[-1]["statistics"] = True
        channels = module.num_features
        weights = self._write(_lanes(module.weight, channels), _lanes(module.bias, channels))
        settings = {"channels": channels, "eps": module.eps, "weights": weights}
        self.operations.append({"kind": "norm", "norm": self.norms, **settings})
        self.view = replace(self.view, norm=self.norms)
        self.norms += 1

    def _new_value(self, channels: int, scale: int) -> int:
        self.sizes.append(_size(channels, scale))
        return len(self.sizes) - 1

    def _write(self, *arrays: np.ndarray) -> int:
        """Where these weights, one after the other, begin."""
        start = self.written
        missing = -sum(values.size for values in arrays) % ALIGNED
        *others, last = (values.ravel() for values in arrays)
        for values in (*others, np.pad(last, (0, missing))):
            half = self.half and values.size >= HALF_FROM
            self.blocks.append(values.astype("<f2" if half else "<f4").tobytes())
            self.pieces.append((values.size, half))
            self.written += values.size
        return start


def _size(channels: int, scale: int) -> int:
    return -(-channels // LANES) * (STRIDE // scale) ** 2


def _lanes(values: Tensor | None, channels: int) -> np.ndarray:
    """One value for each channel, up to a multiple of four; zeros where there are none."""
    array = np.zeros(-(-channels // LANES) * LANES, np.float32)
    if values is not None:
        array[:channels] = values.detach().numpy()
    return array


def _in_reading_order(weight: Tensor, *, swapped: bool) -> np.ndarray:
    """Kernels -> (D/4, C/4, columns, rows, 4 of C, 4 of D); with fewer than 4 of C where C is less.

    Args:
        weight: (D, C, rows, columns), where `swapped` (C, D, rows, columns).
    """
    array = weight.detach().numpy()
    if swapped:
        array = array.swapaxes(0, 1)
    out_channels, in_channels, *kernel = array.shape
    array = np.pad(array, ((0, -out_channels % LANES), (0, 0), (0, 0), (0, 0)))
    lanes = min(in_channels, LANES)
    array = array.reshape(-1, LANES, in_channels // lanes, lanes, *kernel)
    return array.transpose(0, 2, 5, 4, 3, 1)


def _share_buffers(operations: list[Operation], sizes: list[int]) -> list[int]:
    """Values get buffers in place of numbers, one that nobody reads any more again; their sizes."""
    inputs = [operation.get("inputs", []) for operation in operations]
    last = {view["value"]: at for at, views in enumerate(inputs) for view in views}
    buffers, free, place = [sizes[0]], [], {0: 0}
    for at, operation in enumerate(operations):
        if (value := operation.get("output")) is not None:
            if not free:
                free.append(len(buffers))
                buffers.append(0)
            # the one that fits best: it grows least, then it wastes least
            need = sizes[value]
            best = min(free, key=lambda one: (max(need - buffers[one], 0), buffers[one]))
            free.remove(best)
            buffers[best] = max(buffers[best], need)
            place[value] = operation["output"] = best
        for view in inputs[at]:
            if last[view["value"]] == at:
                free.append(place[view["value"]])
            view["value"] = place[view["value"]]
    return buffers

"""What lies between two layers of a network, for a whole picture, computed part by part.

`Activation.part` says which part of what is kept a part of the result needs (`source_span`), and
where it lies in what the layers make of it (`first_result`).  Reflection at the picture's border is
real there and left out elsewhere, so that nothing is computed only to be cut off again, apart from
what the layers look at around a part.  The first reflection is done while a part is read, so that
to most layers all parts look alike.

Arrays have their channels last, (H, W, C): a picture's own order, that of the fastest convolutions,
and one in which a part of a row lies together on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst.models import denormalise, normalise

Span = tuple[int, int]  # of rows or columns: the first, and the one after the last
# Whether a part, once it is reflected, begins or ends where the whole picture does: at its top,
# left, bottom, right.  There later layers pad it.
Edges = tuple[bool, bool, bool, bool]
# What layers make of a part, (h, w, C) -> (h', w', C').  It holds until the thread calls the chain
# again.  They must not change what they are given, which without layers is what they give.
Chain = Callable[[np.ndarray, Edges], np.ndarray]


class Kept(Protocol):
    """An activation or picture that is there: (H, W, C)."""

    shape: tuple[int, ...]

    def __getitem__(self, part: tuple[slice, slice]) -> np.ndarray: ...


class FromLevels(nn.Module):
    """Bytes -> what a network's first layer takes."""

    def forward(self, levels: Tensor) -> Tensor:
        return normalise(levels.float() / 255)


class ToLevels(nn.Module):
    """What a network's last layer gives -> bytes."""

    def forward(self, values: Tensor) -> Tensor:
        return (denormalise(values).clamp(0, 1) * 255).round().byte()


class FrozenNorm(nn.Module):
    """An instance norm whose statistics are given: (N, C, H, W) -> the same, scaled and shifted."""

    def __init__(
        self, norm: nn.GroupNorm | nn.InstanceNorm2d, mean: np.ndarray, variance: np.ndarray
    ) -> None:
        super().__init__()
        scale = norm.weight.detach().double() / torch.tensor(variance + norm.eps).sqrt()
        shift = norm.bias.detach().double() - torch.tensor(mean) * scale
        self.register_buffer("scale", scale.float()[:, None, None])
        self.register_buffer("shift", shift.float()[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.shift, x, self.scale)


class EagerChain:
    """Layers in PyTorch, operation by operation: a `Chain`."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        self.layers = layers

    def __call__(self, values: np.ndarray, edges: Edges) -> np.ndarray:
        top, left, bottom, right = edges
        x = torch.from_numpy(values).permute(2, 0, 1)[None]
        for layer in self.layers:
            if isinstance(layer, nn.ReflectionPad2d):
                sides = [layer.padding[0] * edge for edge in (left, right, top, bottom)]
                x = F.pad(x, sides, mode="reflect")
            else:
                x = layer(x)
        return x[0].permute(1, 2, 0).numpy()


class Activation(NamedTuple):
    """What `layers`, none of which has parts of its own, make of what is `kept`."""

    kept: Kept
    kept_stride: int = 1  # px of the picture for one value of `kept`
    layers: tuple[nn.Module, ...] = ()

    def then(self, layer: nn.Module) -> Activation:
        return self._replace(layers=(*self.layers, layer))

    @property
    def stride(self) -> int:
        """Px of the picture for one value of the activation."""
        stride = self.kept_stride
        for layer in self.layers:
            stride = _stride_after(layer, stride)
        return stride

    @property
    def channels(self) -> int:
        channels = self.kept.shape[2]
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                channels = layer.out_channels
            elif isinstance(layer, nn.PixelShuffle):
                channels //= layer.upscale_factor**2
        return channels

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the activation."""
        height, width = (side * self.kept_stride // self.stride for side in self.kept.shape[:2])
        return height, width

    @property
    def chained(self) -> tuple[nn.Module, ...]:
        """The layers that a `Chain` is made of: without a reflection that `part` does itself."""
        return _split_reflection(self.layers)[1]

    @property
    def mixed(self) -> bool:
        """Whether its last convolution goes across channels, which is the most work there is."""
        convolutions = [x for x in self.layers if isinstance(x, nn.Conv2d | nn.ConvTranspose2d)]
        return bool(convolutions) and convolutions[-1].groups == 1

    def part(self, chain: Chain, rows: Span, columns: Span) -> np.ndarray:
        """Some rows and columns of the activation, (rows, columns, C), by a chain of `chained`."""
        margin, layers = _split_reflection(self.layers)
        sources, outside, cuts, starts, ends = [], [], [], [], []
        for span, length in zip((rows, columns), self.kept.shape[:2], strict=True):
            start, stop = source_span(layers, span)  # of what is reflected already
            start, stop = max(0, start), min(length + 2 * margin, stop)
            before = first_result(layers, start)
            cuts.append(slice(span[0] - before, span[1] - before))
            starts.append(start == 0)
            ends.append(stop == length + 2 * margin)
            start, stop = start - margin, stop - margin
            sources.append(slice(max(0, start), min(length, stop)))
            outside.append((max(0, -start), max(0, stop - length)))
        values = np.ascontiguousarray(self.kept[*sources])
        if np.any(outside):
            values = np.pad(values, (*outside, (0, 0)), mode="reflect")
        return chain(values, (*starts, *ends))[*cuts]


def _split_reflection(layers: Sequence[nn.Module]) -> tuple[int, tuple[nn.Module, ...]]:
    """The padding of the first layer that looks around, if it is a reflection; and all others."""
    for place, layer in enumerate(layers):
        if isinstance(layer, nn.ReflectionPad2d):
            return layer.padding[0], (*layers[:place], *layers[place + 1 :])
        if not is_pointwise(layer):
            break
    return 0, tuple(layers)


def is_pointwise(layer: nn.Module) -> bool:
    """Whether each value depends on the one at its place alone."""
    return isinstance(layer, FromLevels | FrozenNorm | ToLevels | nn.ReLU)


def _stride_after(layer: nn.Module, stride: int) -> int:
    if isinstance(layer, nn.Conv2d):
        return stride * layer.stride[0]
    return stride // 2 if _doubles(layer) else stride


def _doubles(layer: nn.Module) -> bool:
    return isinstance(layer, nn.ConvTranspose2d | nn.Upsample | nn.PixelShuffle)


def source_span(layers: Iterable[nn.Module], span: Span) -> Span:
    """Which rows (or columns) of the first layer's input those of the last one's result depend on.

    They may lie outside the picture: there it is reflected at its border, never further than the
    span reaches inside.
    """
    start, stop = span
    for layer in reversed(leaves(layers)):
        if isinstance(layer, nn.ReflectionPad2d):
            start, stop = start - layer.padding[0], stop - layer.padding[0]
        elif isinstance(layer, nn.Conv2d):  # i comes from i·stride … i·stride + kernel − 1
            stride, kernel = layer.stride[0], layer.kernel_size[0]
            start, stop = start * stride, (stop - 1) * stride + kernel
        elif isinstance(layer, nn.ConvTranspose2d):  # i goes to i·2 − padding … + kernel − 1
            kernel, padding = layer.kernel_size[0], layer.padding[0]
            start, stop = (start + padding - kernel + 2) // 2, (stop - 1 + padding) // 2 + 1
        elif _doubles(layer):
            start, stop = start // 2, (stop - 1) // 2 + 1
    return start, stop


def first_result(layers: Iterable[nn.Module], start: int) -> int:
    """The first row (or column) that the layers make of a part that begins with row `start`.

    At the picture's border, row 0, they pad it, elsewhere not.
    """
    at_border = start == 0
    for layer in layers:
        if isinstance(layer, nn.ReflectionPad2d):
            start = 0 if at_border else start + layer.padding[0]
        elif isinstance(layer, nn.Conv2d):
            start //= layer.stride[0]
        elif _doubles(layer):
            start *= 2
    return start


def leaves(layers: Iterable[nn.Module]) -> list[nn.Module]:
    """The layers without parts of their own, in their order; of a residual block its longer way."""
    modules = (module for layer in layers for module in layer.modules())
    return [module for module in modules if next(module.children(), None) is None]

"""Large pictures in bounded memory: a network computed tile by tile, without seams.

Two things tie a pixel of the result to the rest of the picture.  Convolutions look at a
neighbourhood, so every tile is computed from as much more of its source as its layers see
(`source_span`), and what the tile's own edge spoilt is cut off.  Instance norms look at the whole
picture, so all tiles must share its means and variances: layer by layer, each norm's input is
computed in tiles for the whole picture and its statistics are gathered; only then does the next
layer begin.  The result is the untiled network's, but for rounding.  (Statistics of the picture
made smaller, as in Chen et al., AAAI 2022, are other statistics: 24-32 dB from the untiled result.)
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from nst.fast import fast
from nst.images import denormalise, normalise
from nst.models import MIN_SIDE, STRIDE, ResidualBlock, TransformerNet

Progress = Callable[[int, int], None]  # tiles done, tiles in all
Span = tuple[int, int]  # of rows or columns: the first, and the one after the last

# glibc maps and clears fresh memory for each block above 32 MB, which takes several times as long
# as a norm does; the widest activation of a tile, 64 channels in v3's decoder, stays below.
TILE = 256  # px a side
KEPT_VALUES = 16  # a pixel of the picture; a wider activation is computed again when it is needed


def run_tiled(
    network: TransformerNet,
    picture: Image.Image,
    *,
    tile: int = TILE,
    progress: Progress | None = None,
) -> Image.Image:
    """Stylize an RGB picture of at least 16×16 px tile by tile; the result has its size.

    Beside the tiles it takes about 100 bytes of memory for each pixel of the picture (two
    activations).  Time is proportional to the number of pixels.

    Args:
        network: in eval mode, on the CPU.
        tile: a tile's side in px, rounded up to a multiple of 4.
        progress: called after each tile.

    Raises:
        ValueError: a side is below 16 px, or the tile's side is below 1 px.
    """
    width, height = picture.size
    if min(width, height) < MIN_SIDE:
        raise ValueError(f"{width}×{height} px is too small: {MIN_SIDE} px a side at least")
    if tile < 1:
        raise ValueError(f"a tile of {tile} px: 1 px at least")
    source = Activation(_padded_levels(picture)).then(_FromLevels())
    network = fast(copy.deepcopy(network))
    norms = sum(isinstance(module, nn.GroupNorm) for module in network.modules())
    blocks = sum(isinstance(module, ResidualBlock) for module in network.modules())
    tiles = _Tiles(tile, norms + 2 * blocks + 1, progress)
    with torch.inference_mode():
        for part in _parts(network):
            source = _apply(part, source, tiles)
        levels = tiles.whole(source.then(_ToLevels()))
    return Image.fromarray(levels[:, :height, :width].permute(1, 2, 0).numpy())


def _padded_levels(picture: Image.Image) -> Tensor:
    """(3, H, W) bytes; sides that are no multiple of 4 are reflected as the network does it."""
    width, height = picture.size
    padding = ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0))
    levels = np.pad(np.asarray(picture, dtype=np.uint8), padding, mode="reflect")
    return torch.from_numpy(levels).permute(2, 0, 1)


class _FromLevels(nn.Module):
    def forward(self, levels: Tensor) -> Tensor:
        return normalise(levels.float() / 255)


class _ToLevels(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return (denormalise(values).clamp(0, 1) * 255).round().byte()


class ChannelStatistics:
    """Mean and variance of each channel, gathered from parts: Chan et al., 1979, in float64."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = torch.zeros(1, dtype=torch.float64)  # (C)
        self._squares = torch.zeros(1, dtype=torch.float64)  # (C), of the deviations from it

    def add(self, values: Tensor) -> None:
        """Take in a part of the picture, (1, C, h, w)."""
        mean = values.mean((0, 2, 3), keepdim=True)
        squares = (values - mean).square_().sum((0, 2, 3)).double()
        count = values.shape[2] * values.shape[3]
        total = self.count + count
        difference = mean.flatten().double() - self.mean
        self.mean = self.mean + difference * (count / total)
        self._squares = self._squares + squares + difference**2 * (self.count * count / total)
        self.count = total

    @property
    def variance(self) -> Tensor:
        """(C), of the values themselves, not an estimate for more of them."""
        return self._squares / self.count


class FrozenNorm(nn.Module):
    """An instance norm whose statistics are given: (N, C, H, W) -> the same, scaled and shifted."""

    def __init__(self, norm: nn.GroupNorm, statistics: ChannelStatistics) -> None:
        super().__init__()
        scale = norm.weight.double() / (statistics.variance + norm.eps).sqrt()
        shift = norm.bias.double() - statistics.mean * scale
        self.register_buffer("scale", scale.float()[:, None, None])
        self.register_buffer("shift", shift.float()[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.shift, x, self.scale)


class Activation(NamedTuple):
    """What lies between two layers of a network for a whole picture, computed where asked for.

    `kept` is in memory, and `layers` are still to be applied to it.
    """

    kept: Tensor  # (C, H, W)
    kept_stride: int = 1  # px of the picture for one value of `kept`
    layers: tuple[nn.Module, ...] = ()

    def then(self, layer: nn.Module) -> Activation:
        return self._replace(layers=(*self.layers, layer))

    @property
    def stride(self) -> int:
        """Px of the picture for one value of the activation."""
        stride = self.kept_stride
        for layer in _leaves(self.layers):
            if isinstance(layer, nn.Conv2d):
                stride *= layer.stride[0]
            elif isinstance(layer, nn.ConvTranspose2d | nn.Upsample | nn.PixelShuffle):
                stride //= 2
        return stride

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the activation."""
        height, width = (side * self.kept_stride // self.stride for side in self.kept.shape[1:])
        return height, width

    def part(self, rows: Span, columns: Span) -> Tensor:
        """Some rows and columns of the activation, (1, C, rows, columns)."""
        align = STRIDE // self.kept_stride  # so that strides count from where they always do
        sources, cuts = [], []
        for span, length in zip((rows, columns), self.kept.shape[1:], strict=True):
            start, stop = source_span(self.layers, span)
            start, stop = max(0, start // align * align), min(length, stop + -stop % align)
            sources.append(slice(start, stop))
            before = start * self.kept_stride // self.stride
            cuts.append(slice(span[0] - before, span[1] - before))
        values = self.kept[None, :, *sources]
        for layer in self.layers:
            values = layer(values)
        return values[:, :, *cuts]


def source_span(layers: Iterable[nn.Module], span: Span) -> Span:
    """Which rows (or columns) of the first layer's input those of the last one's result depend on.

    They may lie outside the picture: there it is reflected at its border, never further than the
    span reaches inside.
    """
    start, stop = span
    for layer in reversed(_leaves(layers)):
        if isinstance(layer, nn.ReflectionPad2d):
            start, stop = start - layer.padding[0], stop - layer.padding[0]
        elif isinstance(layer, nn.Conv2d):  # i comes from i·stride … i·stride + kernel − 1
            stride, kernel = layer.stride[0], layer.kernel_size[0]
            start, stop = start * stride, (stop - 1) * stride + kernel
        elif isinstance(layer, nn.ConvTranspose2d):  # i goes to i·2 − padding … + kernel − 1
            kernel, padding = layer.kernel_size[0], layer.padding[0]
            start, stop = (start + padding - kernel + 2) // 2, (stop - 1 + padding) // 2 + 1
        elif isinstance(layer, nn.Upsample | nn.PixelShuffle):
            start, stop = start // 2, (stop - 1) // 2 + 1
    return start, stop


def _leaves(layers: Iterable[nn.Module]) -> list[nn.Module]:
    """The layers without parts of their own, in their order; of a residual block its longer way."""
    modules = (module for layer in layers for module in layer.modules())
    return [module for module in modules if next(module.children(), None) is None]


class _Tiles:
    """Passes over the whole picture, tile by tile."""

    def __init__(self, side: int, passes: int, progress: Progress | None) -> None:
        self.side = side + -side % STRIDE
        self.passes = passes
        self.progress = progress
        self.done = 0

    def of(self, activation: Activation) -> Iterator[tuple[slice, slice, Tensor]]:
        """One pass: rows, columns and values (1, C, rows, columns) of each tile."""
        height, width = activation.size
        side = self.side // activation.stride
        tiles = [
            (rows, columns) for rows in _spans(height, side) for columns in _spans(width, side)
        ]
        for rows, columns in tiles:
            yield slice(*rows), slice(*columns), activation.part(rows, columns)
            self.done += 1
            if self.progress:
                self.progress(self.done, self.passes * len(tiles))

    def whole(self, activation: Activation) -> Tensor:
        """The whole activation, (C, H, W)."""
        values = torch.empty(0)
        for rows, columns, part in self.of(activation):
            if not values.numel():
                values = part.new_empty(part.shape[1], *activation.size)
            values[:, rows, columns] = part[0]
        return values


def _spans(length: int, step: int) -> list[Span]:
    return [(start, min(start + step, length)) for start in range(0, length, step)]


def _parts(module: nn.Module) -> Iterator[nn.Module]:
    """The layers and residual blocks of a network in the order in which they are applied."""
    if isinstance(module, ResidualBlock) or next(module.children(), None) is None:
        yield module
    else:
        for child in module.children():
            yield from _parts(child)


def _apply(part: nn.Module, source: Activation, tiles: _Tiles) -> Activation:
    if isinstance(part, nn.GroupNorm):
        return _apply_norm(part, source, tiles)
    if isinstance(part, ResidualBlock):
        return _apply_block(part, source, tiles)
    return source.then(part)


def _apply_norm(norm: nn.GroupNorm, source: Activation, tiles: _Tiles) -> Activation:
    kept = None
    if norm.num_channels <= KEPT_VALUES * source.stride**2:
        kept = torch.empty(norm.num_channels, *source.size)
    statistics = ChannelStatistics()
    for rows, columns, values in tiles.of(source):
        statistics.add(values)
        if kept is not None:
            kept[:, rows, columns] = values[0]
    if kept is not None:
        source = Activation(kept, source.stride)
    return source.then(FrozenNorm(norm, statistics))


def _apply_block(block: ResidualBlock, source: Activation, tiles: _Tiles) -> Activation:
    """The source's memory is used for the result: two more activations are in use meanwhile."""
    total = source.kept
    for rows, columns, values in tiles.of(source):  # only a norm and ReLU may be left to do
        total[:, rows, columns] = values[0]
    source = Activation(total, source.kept_stride)
    way = source
    for layer in block.children():  # in the order in which it applies them
        for part in _parts(layer):
            way = _apply(part, way, tiles)
    for rows, columns, values in tiles.of(way):
        total[:, rows, columns] += values[0]
    return source

"""Large pictures in bounded memory: a network computed part by part, without seams.

Two things tie a pixel of the result to the rest of the picture.  Convolutions look at a
neighbourhood, so every tile is computed from as much more of its source as its layers see
(`nst.inference.activation`).  Instance norms look at the whole picture, so all tiles must share its
means and variances: layer by layer, each norm's input is computed in tiles for the whole picture
and its statistics are gathered; only then does the next layer begin.  The result is the untiled
network's, but for rounding.  (Statistics of the picture made smaller, as in Chen et al., AAAI 2022,
are other statistics: 24-32 dB from the untiled result.)

Between two passes over the picture activations lie on disk (`nst.inference.disk`), or are computed
again where that is quicker.
"""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from PIL import Image
from torch import nn

from nst.fast import fast
from nst.inference.activation import (
    Activation,
    Chain,
    EagerChain,
    FromLevels,
    FrozenNorm,
    Span,
    ToLevels,
)
from nst.inference.disk import Disk, DiskArray
from nst.inference.engines import EngineName
from nst.models import MIN_SIDE, STRIDE, ResidualBlock, TransformerNet

Result = TypeVar("Result")
Progress = Callable[[int, int], None]  # tiles done, tiles in all

# A tile is as wide as the picture, so that what belongs to it lies together on disk, if that is
# not more than so many px; and so high that a thread's activations stay near the CPU.
WIDEST = 16_384
TILE_PIXELS = 200_000
LOWEST = 32  # px
# Keeping a value costs as much time as so many multiply-accumulates; wider ones cost too much room.
KEPT_MACS = 100
KEPT_VALUES = 16  # a pixel of the picture
FEW_CHANNELS = 8


def run_tiled(
    network: TransformerNet,
    picture: Image.Image,
    engine: EngineName = "eager",
    *,
    tile: int | None = None,
    progress: Progress | None = None,
) -> Image.Image:
    """Stylize an RGB picture of at least 16×16 px tile by tile; the result has its size.

    Memory does not grow with the picture, apart from picture and result; on disk it takes about
    100 bytes for each pixel meanwhile.  Time is proportional to the number of pixels.

    Args:
        network: in eval mode, on the CPU.
        engine: what runs the layers of a tile; all but "openvino" is eager PyTorch.
        tile: a tile's side in px, rounded up to a multiple of 4; None: what is quick.
        progress: called after each tile.

    Raises:
        ValueError: a side is below 16 px, or the tile's side is below 1 px.
        OSError: there is not enough room on the disk.
    """
    width, height = picture.size
    if min(width, height) < MIN_SIDE:
        raise ValueError(f"{width}×{height} px is too small: {MIN_SIDE} px a side at least")
    if tile is not None and tile < 1:
        raise ValueError(f"a tile of {tile} px: 1 px at least")
    source = Activation(_padded_levels(picture)).then(FromLevels())
    network = fast(copy.deepcopy(network))
    norms = sum(isinstance(module, nn.GroupNorm) for module in network.modules())
    blocks = sum(isinstance(module, ResidualBlock) for module in network.modules())
    with _Tiles(tile_sides(width, tile), engine, norms + blocks + 2, progress) as tiles:
        for part in _parts(network):
            source = _apply(part, source, tiles)
        result = np.empty((*source.size, 3), dtype=np.uint8).transpose(2, 0, 1)
        tiles.write(source.then(ToLevels()), result)
    return Image.fromarray(result[:, :height, :width].transpose(1, 2, 0))


def _padded_levels(picture: Image.Image) -> np.ndarray:
    """(3, H, W) bytes; sides that are no multiple of 4 are reflected as the network does it."""
    width, height = picture.size
    padding = ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0))
    levels = np.pad(np.asarray(picture, dtype=np.uint8), padding, mode="reflect")
    return levels.transpose(2, 0, 1)


@dataclass
class ChannelStatistics:
    """Mean and variance of each channel of a part of a picture: Chan et al., 1979, in float64."""

    count: int
    mean: np.ndarray  # (C)
    squares: np.ndarray  # (C), the sum of those of the deviations from it

    @classmethod
    def of(cls, values: np.ndarray) -> ChannelStatistics:
        """Of (C, h, w)."""
        flat = values.reshape(len(values), -1)
        mean, squares = np.empty((2, len(flat)))
        for few in range(0, len(flat), FEW_CHANNELS):  # so that they stay in the CPU's cache
            channels = slice(few, few + FEW_CHANNELS)
            mean[channels] = flat[channels].mean(1)
            deviation = flat[channels] - mean[channels, None].astype(np.float32)
            squares[channels] = np.vecdot(deviation, deviation)
        return cls(flat.shape[1], mean, squares)

    def merge(self, other: ChannelStatistics) -> ChannelStatistics:
        """Of both parts together."""
        count = self.count + other.count
        difference = other.mean - self.mean
        between = difference**2 * (self.count * other.count / count)
        mean = self.mean + difference * (other.count / count)
        return ChannelStatistics(count, mean, self.squares + other.squares + between)

    @property
    def variance(self) -> np.ndarray:
        """(C), of the values themselves, not an estimate for more of them."""
        return self.squares / self.count


def tile_sides(width: int, tile: int | None) -> tuple[int, int]:
    """Height and width of tiles in px, multiples of 4, for a picture of that width."""
    if tile is not None:
        side = tile + -tile % STRIDE
        return side, side
    columns = min(width + -width % STRIDE, WIDEST)
    return max(LOWEST, TILE_PIXELS // columns // STRIDE * STRIDE), columns


class _Tiles:
    """Passes over the whole picture, tile by tile, on as many threads as PyTorch has."""

    def __init__(
        self, sides: tuple[int, int], engine: EngineName, passes: int, progress: Progress | None
    ) -> None:
        self.sides = sides
        self.passes = passes
        self.progress = progress
        self.done = 0
        self.disk = Disk()
        self._fast = engine == "openvino"
        # Eager PyTorch has threads of its own.
        self._workers = ThreadPoolExecutor(torch.get_num_threads() if self._fast else 1)

    def __enter__(self) -> _Tiles:
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.shutdown(cancel_futures=True)

    def of(
        self, activation: Activation, use: Callable[[slice, slice, np.ndarray], Result]
    ) -> Iterator[Result]:
        """One pass: what `use` makes of rows, columns and values (C, rows, columns) of each tile.

        In the order of the tiles, but several are computed at the same time.
        """
        sides = [side // activation.stride for side in self.sides]
        rows, columns = map(_spans, activation.size, sides)
        chain = self._chain(activation)

        @torch.inference_mode()
        def compute(tile: tuple[Span, Span]) -> Result:
            return use(slice(*tile[0]), slice(*tile[1]), activation.part(chain, *tile))

        for result in self._workers.map(compute, itertools.product(rows, columns)):
            self.done += 1
            if self.progress:
                self.progress(self.done, self.passes * len(rows) * len(columns))
            yield result

    def _chain(self, activation: Activation) -> Chain:
        if self._fast:
            from nst.inference.openvino_tiles import OpenVinoChain

            return OpenVinoChain(
                activation.layers, activation.kept.shape[0], torch.get_num_threads()
            )
        return EagerChain(activation.layers)

    def write(self, activation: Activation, into: DiskArray | np.ndarray) -> None:
        """The whole activation."""

        def use(rows: slice, columns: slice, values: np.ndarray) -> None:
            into[:, rows, columns] = values

        for _ in self.of(activation, use):
            pass


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
    narrow = source.channels <= KEPT_VALUES * source.stride**2
    keep = narrow and source.macs() >= KEPT_MACS
    kept = tiles.disk.array(source.channels, *source.size) if keep else None

    def use(rows: slice, columns: slice, values: np.ndarray) -> ChannelStatistics:
        if kept is not None:
            kept[:, rows, columns] = values
        return ChannelStatistics.of(values)

    statistics = functools.reduce(ChannelStatistics.merge, tiles.of(source, use))
    if kept is not None:
        source = Activation(kept, source.stride)
    return source.then(FrozenNorm(norm, statistics.mean, statistics.variance))


def _apply_block(block: ResidualBlock, source: Activation, tiles: _Tiles) -> Activation:
    if source.layers:
        kept = tiles.disk.array(source.channels, *source.size)
        tiles.write(source, kept)
        source = Activation(kept, source.stride)
    way = source
    for layer in block.children():  # in the order in which it applies them
        for part in _parts(layer):
            way = _apply(part, way, tiles)

    def add(rows: slice, columns: slice, values: np.ndarray) -> None:
        total = source.kept[:, rows, columns]
        total += values
        source.kept[:, rows, columns] = total  # where no other tile looks any more

    for _ in tiles.of(way, add):
        pass
    return source

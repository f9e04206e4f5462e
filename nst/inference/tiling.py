"""Large pictures in bounded memory: a network computed part by part, without seams.

Two things tie a pixel of the result to the rest of the picture.  Convolutions look at a
neighbourhood, so every tile is computed from as much more of its source as its layers see
(`nst.inference.activation`).  Instance norms look at the whole picture, so all tiles must share its
means and variances: layer by layer, each norm's input is computed in tiles for the whole picture
and its statistics are gathered; only then does the next layer begin.  The result is the untiled
network's, but for rounding.
Between two passes over the picture activations lie on disk (`nst.inference.disk`), or are computed
again where that is quicker.
"""

from __future__ import annotations

import copy
import functools
import itertools
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

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
    is_pointwise,
)
from nst.inference.disk import Disk, DiskArray
from nst.inference.engines import EngineName
from nst.models import MIN_SIDE, STRIDE, ResidualBlock, TransformerNet

Result = TypeVar("Result")
Progress = Callable[[int, int], None]  # px of the picture done, as shares of all passes; in all

# Px a side: activations stay in the CPU's cache, unlike with a power of two, whose rows would take
# each other's places there.
TILE = 224
# Between layers that keep the size a tile is as wide as the picture, if that is not too wide, so
# that what belongs to it lies together on disk; it is so high:
STRIP_PIXELS = 400_000
LOWEST, WIDEST = 8, 4096  # values, not px
KEPT_VALUES = 16  # a pixel of the picture; more would take too much room on the disk


def run_tiled(
    network: TransformerNet,
    picture: Image.Image,
    engine: EngineName = "eager",
    *,
    tile: int | None = None,
    progress: Progress | None = None,
) -> Image.Image:
    """Stylize an RGB picture of at least 16×16 px tile by tile; the result has its size.

    Memory does not grow with the picture, apart from picture and result; on disk it takes up to
    130 bytes for each pixel meanwhile.  Time is proportional to the number of pixels.

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
    # One at each norm and each sum, one before the first block, and one for the result.
    with _Tiles(tile, engine, norms + blocks + 2, progress) as tiles:
        for part in _parts(network):
            source = _apply(part, source, tiles)
        result = np.empty((*source.size, 3), dtype=np.uint8)
        tiles.write(source.then(ToLevels()), result)
    return Image.fromarray(result[:height, :width])


def _padded_levels(picture: Image.Image) -> np.ndarray:
    """(H, W, 3) bytes; sides that are no multiple of 4 are reflected as the network does it."""
    width, height = picture.size
    padding = ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0))
    return np.pad(np.asarray(picture, dtype=np.uint8), padding, mode="reflect")


@dataclass
class ChannelStatistics:
    """Mean and variance of each channel of a part of a picture: Chan et al., 1979, in float64."""

    count: int
    mean: np.ndarray  # (C)
    squares: np.ndarray  # (C), the sum of those of the deviations from it

    @classmethod
    def of(cls, values: np.ndarray) -> ChannelStatistics:
        """Of (h, w, C)."""
        height, width, _ = values.shape
        # Each column first: the sums of few values in float32, of long rows at a time.
        mean = values.sum(0).sum(0, dtype=np.float64) / (height * width)
        lines = values.reshape(height, -1)
        deviations = lines - np.tile(mean.astype(np.float32), width)
        squares = np.einsum("hx,hx->x", deviations, deviations).reshape(width, -1)
        return cls(height * width, mean, squares.sum(0, dtype=np.float64))

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


def tile_sides(activation: Activation, tile: int | None = None) -> tuple[int, int]:
    """Height and width of its tiles, in its values; `tile` as in `run_tiled`."""
    stride = activation.stride
    if tile is None and stride == activation.kept_stride > 1:
        width = min(activation.size[1], WIDEST)
        return max(LOWEST, STRIP_PIXELS // (width * stride**2)), width
    side = TILE if tile is None else tile + -tile % STRIDE
    return side // stride, side // stride


class _Tiles:
    """Passes over the whole picture, tile by tile, on as many threads as PyTorch has."""

    def __init__(
        self, tile: int | None, engine: EngineName, passes: int, progress: Progress | None
    ) -> None:
        self.tile = tile
        self.passes = passes
        self.progress = progress
        self.passes_done = 0
        self.disk = Disk()
        self._on_openvino = engine == "openvino"
        # Eager PyTorch has threads of its own.
        self._workers = ThreadPoolExecutor(torch.get_num_threads() if self._on_openvino else 1)

    def __enter__(self) -> _Tiles:
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.shutdown(cancel_futures=True)

    def of(
        self, activation: Activation, use: Callable[[slice, slice, np.ndarray], Result]
    ) -> Iterator[Result]:
        """One pass: what `use` makes of rows, columns and values (rows, columns, C) of each tile.

        In the order of the tiles, but several are computed at the same time.
        """
        sides = tile_sides(activation, self.tile)
        tiles = list(itertools.product(*map(_ranges, activation.size, sides)))
        chain = self.chain(activation)

        @torch.inference_mode()
        def compute(tile: tuple[_Range, _Range]) -> Result:
            rows, columns = tile
            values = activation.part(chain, rows.computed, columns.computed)
            return use(rows.used, columns.used, values[rows.cut, columns.cut])

        pixels = math.prod(activation.size) * activation.stride**2
        done = self.passes_done * pixels
        for tile, result in zip(tiles, self._workers.map(compute, tiles), strict=True):
            done += math.prod(map(_Range.length, tile)) * activation.stride**2
            if self.progress:
                self.progress(done // self.passes, pixels)
            yield result
        self.passes_done += 1

    def chain(self, activation: Activation) -> Chain:
        """What computes parts of it."""
        if self._on_openvino and activation.layers:
            from nst.inference.openvino_tiles import OpenVinoChain

            return OpenVinoChain(activation.chained, torch.get_num_threads())
        return EagerChain(activation.chained)

    def write(self, activation: Activation, into: DiskArray | np.ndarray) -> None:
        """The whole activation."""

        def use(rows: slice, columns: slice, values: np.ndarray) -> None:
            into[rows, columns] = values

        for _ in self.of(activation, use):
            pass


class _Range(NamedTuple):
    """Rows (or columns) of a tile."""

    computed: Span
    used: slice  # those that count as this tile's: each belongs to one tile
    cut: slice  # the same, counted from the first computed one

    def length(self) -> int:
        return self.used.stop - self.used.start


def _ranges(length: int, step: int) -> list[_Range]:
    """Tiles of one size, `step` at most, side by side.

    The last one is moved back so as to end with the picture: what it shares with the one before it
    is computed twice and used once.
    """
    even = math.ceil(length / math.ceil(length / step))
    step = min(step, even + -even % STRIDE)  # or nearly all of the last one could be shared
    ranges = []
    for start in range(0, length, step):
        stop = min(start + step, length)
        first = max(0, stop - step)
        ranges.append(_Range((first, stop), slice(start, stop), slice(start - first, None)))
    return ranges


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
    keep = source.mixed and source.channels <= KEPT_VALUES * source.stride**2
    kept = tiles.disk.array(*source.size, source.channels) if keep else None

    def use(rows: slice, columns: slice, values: np.ndarray) -> ChannelStatistics:
        if kept is not None:
            kept[rows, columns] = values
        return ChannelStatistics.of(values)

    statistics = functools.reduce(ChannelStatistics.merge, tiles.of(source, use))
    if kept is not None:
        source = Activation(kept, source.stride)
    return source.then(FrozenNorm(norm, statistics.mean, statistics.variance))


def _apply_block(block: ResidualBlock, source: Activation, tiles: _Tiles) -> Activation:
    if not (isinstance(source.kept, DiskArray) and all(map(is_pointwise, source.layers))):
        kept = tiles.disk.array(*source.size, source.channels)
        tiles.write(source, kept)
        source = Activation(kept, source.stride)
    elif source.layers:
        tiles.passes_done += 1  # it is computed again where it is needed
    way = source
    for layer in block.children():  # in the order in which it applies them
        for part in _parts(layer):
            way = _apply(part, way, tiles)

    assert way.kept is not source.kept  # or tiles would see sums of their neighbours
    chain = tiles.chain(source)

    def add(rows: slice, columns: slice, values: np.ndarray) -> None:
        values += source.part(chain, (rows.start, rows.stop), (columns.start, columns.stop))
        source.kept[rows, columns] = values  # where no other tile looks any more

    for _ in tiles.of(way, add):
        pass
    return Activation(source.kept, source.stride)

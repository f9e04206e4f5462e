"""One picture through one network, large ones tile by tile (`nst.inference.tiling`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from PIL import Image

from nst.fast import give_back_freed_memory
from nst.inference.engines import RELEASE_PIXELS, Engine, OpenVinoEngine, Size
from nst.inference.tiling import Progress, run_tiled
from nst.models import TransformerNet
from nst.pictures.tensors import to_picture, to_tensor

UNTILED_PIXELS = 2_100_000  # up to 1920×1080 at once, in about 2 GB


class Stylized(NamedTuple):
    picture: Image.Image
    seconds: float  # in the network alone; of tiles, with taking the picture apart and together


@torch.inference_mode()
def stylize(network: TransformerNet | Engine, picture: Image.Image) -> Stylized:
    """Stylize an RGB picture of at least 16×16 px at once; the result has its size.

    Raises:
        ValueError: a side is below 16 px.
    """
    photo = to_tensor(picture)[None]  # (1, 3, H, W)
    if isinstance(network, OpenVinoEngine):
        network.prepare(picture.size)
    started = time.perf_counter()
    result = network(photo)
    seconds = time.perf_counter() - started
    if picture.width * picture.height > RELEASE_PIXELS:
        give_back_freed_memory()
    return Stylized(to_picture(result[0]), seconds)


def stylize_any_size(
    network: TransformerNet,
    picture: Image.Image,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Stylized:
    """`stylize`, or above `UNTILED_PIXELS` the same result tile by tile in bounded memory.

    Args:
        engine: of this network; None: the network itself.
        progress: called after each tile; not at all where there are none.

    Raises:
        ValueError: a side is below 16 px.
    """
    width, height = picture.size
    if width * height <= UNTILED_PIXELS:
        return stylize(engine or network, picture)
    started = time.perf_counter()
    result = run_tiled(network, picture, engine.name if engine else "eager", progress=progress)
    return Stylized(result, time.perf_counter() - started)


def film_painter(
    network: TransformerNet, engine: Engine, size: Size
) -> Callable[[Image.Image], Image.Image]:
    """What stylizes pictures of one size, one after the other, in memory that it keeps."""
    if size[0] * size[1] > UNTILED_PIXELS:
        return lambda picture: stylize_any_size(network, picture, engine).picture
    if isinstance(engine, OpenVinoEngine):
        engine.keep(size)
    return lambda picture: to_picture(engine(to_tensor(picture)[None])[0])

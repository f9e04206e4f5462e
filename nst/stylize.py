"""One picture through one network.

    python -m nst.stylize photo.jpg -o out.png                  with v3
    python -m nst.stylize photos/ more.jpg --variant all -o results/

Pictures of any size up to 50 megapixels: large ones go through tile by tile (`nst.tiling`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image

from nst.checkpoint import CheckpointError, load_checkpoint
from nst.engines import Engine
from nst.images import denormalise, normalise, to_picture, to_tensor
from nst.models import VARIANTS, TransformerNet
from nst.tiling import Progress, run_tiled

CHECKPOINTS = Path(__file__).resolve().parent.parent / "checkpoints"
UNTILED_PIXELS = 2_100_000  # up to 1920×1080 at once, in about 2 GB


class Stylized(NamedTuple):
    picture: Image.Image
    seconds: float  # in the network alone; of tiles, with taking the picture apart and together


def load_networks(
    folder: Path = CHECKPOINTS, step: int | None = None, variants: Iterable[str] = VARIANTS
) -> dict[str, TransformerNet]:
    """Trained networks by name, the four in the order of `VARIANTS` if no others are named.

    Args:
        folder: of the checkpoints.
        step: of the snapshots to take, such as 800; None: the final weights.

    Raises:
        CheckpointError: one is missing, damaged, or holds another variant than its name says.
    """
    networks = {}
    for name in variants:
        path = folder / (
            f"{name}.safetensors" if step is None else f"{name}-step{step}.safetensors"
        )
        network, metadata = load_checkpoint(path)
        if metadata["variant"] != name:
            raise CheckpointError(f"{path.name}: holds {metadata['variant']}, not {name}")
        networks[name] = network
    return networks


@torch.inference_mode()
def stylize(network: TransformerNet | Engine, picture: Image.Image) -> Stylized:
    """Stylize an RGB picture of at least 16×16 px at once; the result has its size.

    Raises:
        ValueError: a side is below 16 px.
    """
    photo = normalise(to_tensor(picture)[None])  # (1, 3, H, W)
    started = time.perf_counter()
    result = network(photo)
    seconds = time.perf_counter() - started
    return Stylized(to_picture(denormalise(result)[0]), seconds)


def stylize_any_size(
    network: TransformerNet,
    picture: Image.Image,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Stylized:
    """`stylize`, or above `UNTILED_PIXELS` the same result tile by tile in bounded memory.

    Args:
        engine: of this network, for pictures that are taken at once; None: the network itself.
        progress: called after each tile; not at all where there are none.

    Raises:
        ValueError: a side is below 16 px.
    """
    width, height = picture.size
    if width * height <= UNTILED_PIXELS:
        return stylize(engine or network, picture)
    started = time.perf_counter()
    result = run_tiled(network, picture, progress=progress)
    return Stylized(result, time.perf_counter() - started)


if __name__ == "__main__":
    from nst.batch import main

    sys.exit(main())

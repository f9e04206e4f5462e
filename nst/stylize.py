"""One picture through one network."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image

from nst.checkpoint import CheckpointError, load_checkpoint
from nst.images import denormalise, normalise, to_picture, to_tensor
from nst.models import VARIANTS, TransformerNet

CHECKPOINTS = Path(__file__).resolve().parent.parent / "checkpoints"


class Stylized(NamedTuple):
    picture: Image.Image
    seconds: float  # in the network alone, from tensor to tensor


def load_networks(folder: Path = CHECKPOINTS, step: int | None = None) -> dict[str, TransformerNet]:
    """The four trained networks by name, in the order of `VARIANTS`.

    Args:
        folder: of the checkpoints.
        step: of the snapshots to take, such as 800; None: the final weights.

    Raises:
        CheckpointError: one is missing, damaged, or holds another variant than its name says.
    """
    networks = {}
    for name in VARIANTS:
        path = folder / (
            f"{name}.safetensors" if step is None else f"{name}-step{step}.safetensors"
        )
        network, metadata = load_checkpoint(path)
        if metadata["variant"] != name:
            raise CheckpointError(f"{path.name}: holds {metadata['variant']}, not {name}")
        networks[name] = network
    return networks


@torch.inference_mode()
def stylize(network: TransformerNet, picture: Image.Image) -> Stylized:
    """Stylize an RGB picture of at least 16×16 px; the result has its size.

    Raises:
        ValueError: a side is below 16 px.
    """
    photo = normalise(to_tensor(picture)[None])  # (1, 3, H, W)
    started = time.perf_counter()
    result = network(photo)
    seconds = time.perf_counter() - started
    return Stylized(to_picture(denormalise(result)[0]), seconds)

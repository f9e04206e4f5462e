"""A network's weights with what made them in one safetensors file, and the training state.

The file's metadata is text: variant, decoder, and what `train.py` adds (its settings, step, epoch,
validation losses, the style picture's sha256, the code's version), JSON where it is no plain text.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from nst import __version__
from nst.models import TransformerNet, build_model

FORMAT = "nst-1"


class CheckpointError(ValueError):
    """A file that is no usable checkpoint or training state; the message says what is wrong."""


def save_checkpoint(
    path: Path, model: TransformerNet, variant: str, decoder: str, **metadata: str
) -> None:
    """Write weights and metadata; the file appears complete or not at all.

    Raises:
        CheckpointError: a weight is not finite, so the network is broken.
    """
    weights = {
        name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()
    }
    for name, value in weights.items():
        if not value.isfinite().all():
            raise CheckpointError(f"not saved: {name} holds NaN or infinity")
    made_by = {"format": FORMAT, "code_version": __version__, "variant": variant}
    metadata = {**made_by, "decoder": decoder, **metadata}
    write_then_rename(path, lambda temporary: save_file(weights, temporary, metadata))


def load_checkpoint(path: Path | str) -> tuple[TransformerNet, dict[str, str]]:
    """The network, in eval mode on the CPU, and its metadata.

    Raises:
        CheckpointError: no such file, not of this format, or not the weights of its own variant.
    """
    path = Path(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError(f"{path.name}: no such checkpoint") from None
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path.name}: damaged or no safetensors file ({error})") from None
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path.name}: not a checkpoint of this project")
    try:
        model = build_model(metadata["variant"], metadata["decoder"])
        model.load_state_dict(weights, strict=True)
    except (KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path.name}: {error}") from None
    return model.eval().requires_grad_(False), metadata


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write a training state; the file appears complete or not at all."""
    write_then_rename(path, lambda temporary: torch.save(dict(state), temporary))


def load_state(path: Path) -> dict[str, Any]:
    """A training state written by `save_state`.

    Raises:
        CheckpointError: no such file, or it is damaged.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: nothing to resume from") from None
    except Exception as error:
        raise CheckpointError(f"{path}: damaged training state ({error})") from None


def sha256(path: Path | str) -> str:
    """The hexadecimal SHA-256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_then_rename(path: Path, write: Callable[[str], None]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in its place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    os.close(handle)
    try:
        write(temporary)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise

"""VGG-16, through which the loss looks: its convolutions, and where their weights come from."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst.files import sha256
from nst.models import normalise

Pooling = Literal["max", "average"]
DOWNLOAD = "vgg16-397923af.pth"  # torchvision's weights, as their file is called
DOWNLOAD_BYTES = 553_433_881
DOWNLOAD_SIZE = f"{DOWNLOAD_BYTES / 2**20:.0f} MB"


class VGGFeatures(nn.Module):
    """The convolutions of VGG-16, frozen; gives the activations of the layers that are asked for.

    Args:
        layers: convolutions, ReLUs and poolings in VGG's order.  A ReLU is named relu<block>_<n>.
        margin: px of reflection around the picture that are taken off the features again, so that
            these do not see the zeros beyond its border; each pooling on the way halves them.
    """

    def __init__(self, layers: Iterable[nn.Module], margin: int = 0) -> None:
        super().__init__()
        self.margin = margin
        self.layers = nn.Sequential(*layers).requires_grad_(False).eval()
        self.positions: dict[str, int] = {}
        block = number = 1
        for position, layer in enumerate(self.layers):
            if isinstance(layer, nn.ReLU):
                self.positions[f"relu{block}_{number}"] = position
                number += 1
            elif _is_pooling(layer):
                block, number = block + 1, 1

    @property
    def is_plain(self) -> bool:
        """Whether it is VGG as it was trained, and nothing around the picture."""
        return not self.margin and not any(isinstance(x, nn.AvgPool2d) for x in self.layers)

    def forward(self, pixels: Tensor, names: Iterable[str]) -> dict[str, Tensor]:
        """(N, 3, H, W) in [0, 1] -> name: (N, C, H', W'), computed no further than needed.

        Raises:
            ValueError: the margin is negative, or cannot be halved at each pooling.
        """
        wanted = {self.positions[name]: name for name in names}
        activations = {}
        x = normalise(pixels).contiguous(memory_format=torch.channels_last)
        margin = self.margin
        poolings = sum(map(_is_pooling, self.layers[: max(wanted)]))
        if margin < 0 or margin % 2**poolings:
            raise ValueError(f"loss margin {margin} px: must be a multiple of {2**poolings}")
        if margin:
            x = F.pad(x, (margin,) * 4, mode="reflect")
        for position, layer in enumerate(self.layers[: max(wanted) + 1]):
            x = layer(x)
            if _is_pooling(layer):
                margin //= 2
            if position in wanted:
                height, width = (side - 2 * margin for side in x.shape[2:])
                activations[wanted[position]] = x[..., margin:, margin:][..., :height, :width]
        return activations


def _is_pooling(layer: nn.Module) -> bool:
    return isinstance(layer, nn.MaxPool2d | nn.AvgPool2d)


def load_vgg16(
    weights: Path | str | None = None, pooling: Pooling = "max", margin: int = 0
) -> VGGFeatures:
    """VGG-16 trained on ImageNet, as far as the weights reach.

    Args:
        weights: a .safetensors or .pth file with torchvision's keys (`features.0.weight`, ...),
            complete or only up to a layer; the widths are the file's.  None: torchvision's own,
            downloaded on first use, whose hash is checked each time.
        pooling: VGG-16 was trained with "max".
        margin: see `VGGFeatures`.

    Raises:
        ValueError: the file holds no VGG-16 weights, or others than it should.
    """
    import torchvision  # here, so that the inference side never needs it

    path = _torchvisions_weights() if weights is None else Path(weights)
    state = _read_weights(path)
    with torch.device("meta"):  # only for its order of layers, so nothing is allocated
        order = torchvision.models.vgg16(weights=None).features

    layers: list[nn.Module] = []
    channels = 3
    used = set()
    for position, layer in enumerate(order):
        if isinstance(layer, nn.Conv2d):
            names = f"features.{position}.weight", f"features.{position}.bias"
            if not used.union(names) <= state.keys():
                break
            used.update(names)
            weight, bias = (state[name] for name in names)
            width = weight.shape[0] if weight.ndim else 0
            if not width or weight.shape != (width, channels, 3, 3) or bias.shape != (width,):
                raise ValueError(f"{path}: {names[0]} has a shape that VGG-16 has not")
            if not (weight.isfinite().all() and bias.isfinite().all()):
                raise ValueError(f"{path}: {names[0]} or its bias holds NaN or infinity")
            conv = nn.Conv2d(channels, width, kernel_size=3, padding=1)
            conv.load_state_dict({"weight": weight.float(), "bias": bias.float()})
            layers.append(conv.to(memory_format=torch.channels_last))
            channels = width
        elif isinstance(layer, nn.ReLU):
            layers.append(nn.ReLU())  # not in place: activations are kept
        else:
            layers.append((nn.AvgPool2d if pooling == "average" else nn.MaxPool2d)(2))
    if not layers:
        raise ValueError(f"{path}: no VGG-16 weights (features.0.weight, ...) in this file")
    foreign = sorted(name for name in state if name.startswith("features.") and name not in used)
    if foreign:
        raise ValueError(f"{path}: {foreign[0]} does not belong to VGG-16, or a layer before lacks")
    return VGGFeatures(layers, margin)


def downloaded() -> float:
    """How much of torchvision's weights is here already, from 0 to 1."""
    path = Path(torch.hub.get_dir(), "checkpoints", DOWNLOAD)
    if path.exists():
        return 1.0
    parts = [part.stat().st_size for part in path.parent.glob(f"{DOWNLOAD}.*.partial")]
    return min(max(parts, default=0) / DOWNLOAD_BYTES, 0.99)


def _torchvisions_weights() -> Path:
    """The file with torchvision's weights, downloaded where it is not yet there.

    Raises:
        ValueError: it could not be downloaded, or the file there is another than torchvision's.
    """
    from torchvision.models import VGG16_Weights

    url = VGG16_Weights.IMAGENET1K_V1.url  # .../vgg16-397923af.pth: the hash's first digits
    path = Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2])
    beginning = path.stem.rpartition("-")[2]
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        print(f"VGG-16's weights are downloaded, once: {DOWNLOAD_SIZE}", file=sys.stderr)
        try:
            torch.hub.download_url_to_file(url, str(path), hash_prefix=beginning)
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"VGG-16's weights could not be downloaded ({error}); download {url} elsewhere and "
                f"put it at {path}, or name a file with --vgg-weights"
            ) from None
    if not sha256(path).startswith(beginning):
        raise ValueError(
            f"{path}: not torchvision's VGG-16 weights, or damaged; delete it, so that it is "
            "downloaded again, or name another file with --vgg-weights"
        )
    return path


def _read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file by name."""
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except Exception as error:
        reason = (str(error).strip() or repr(error)).splitlines()[0]  # PyTorch adds advice
        raise ValueError(f"{path}: not a readable weights file ({reason})") from error
    if not isinstance(state, dict):
        raise ValueError(f"{path}: holds a {type(state).__name__}, not weights by name")
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}

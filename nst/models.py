"""The four networks of "Can Depthwise Separable Convolution Make Neural Style Transfer More
Lightweight?": one `TransformerNet`, and for each name the parts of it that are lightweight.

    name      lightweight parts               parameters
    baseline  none (Johnson et al., 2016)      1,679,235
    v1        residual blocks                    381,315
    v2        encoder, residual blocks           292,796
    v3        encoder, residual blocks, decoder  207,865

Decided where the paper is silent: reflection padding, and a decoder of transposed convolutions
(its text says "transposed"); `decoder="resize"` is the other form with the same parameter count.
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst.layers import (
    ConvLayer,
    LightweightConvLayer,
    ResidualBlock,
    Upsampling,
    instance_norm,
)

Part = Literal["encoder", "residual", "decoder"]

VARIANTS: dict[str, tuple[Part, ...]] = {
    "baseline": (),
    "v1": ("residual",),
    "v2": ("encoder", "residual"),
    "v3": ("encoder", "residual", "decoder"),
}
DECODERS: tuple[Upsampling, ...] = ("transposed", "resize")

MIN_SIDE = 16  # px; below it the reflection at quarter size has too little to reflect
STRIDE = 4  # the encoder halves the picture twice


class TransformerNet(nn.Module):
    """Johnson's feed-forward style-transfer network.

    Encoder 9×9×32, 3×3×64 stride 2, 3×3×128 stride 2; five residual blocks of 128 channels;
    decoder ×2 to 64, ×2 to 32, 9×9×3.  Instance norm and ReLU follow each layer but the last.
    """

    def __init__(
        self, lightweight: Collection[Part] = (), decoder: Upsampling = "transposed"
    ) -> None:
        super().__init__()
        if decoder not in DECODERS:
            raise ValueError(f"unknown decoder {decoder!r}; known: {', '.join(DECODERS)}")

        def layer(part: Part) -> type[ConvLayer] | type[LightweightConvLayer]:
            return LightweightConvLayer if part in lightweight else ConvLayer

        conv = layer("encoder")
        self.encoder = nn.Sequential(
            *(conv(3, 32, kernel_size=9), instance_norm(32), nn.ReLU(inplace=True)),
            *(conv(32, 64, kernel_size=3, stride=2), instance_norm(64), nn.ReLU(inplace=True)),
            *(conv(64, 128, kernel_size=3, stride=2), instance_norm(128), nn.ReLU(inplace=True)),
        )
        conv = layer("residual")
        self.residual = nn.Sequential(*(ResidualBlock(128, conv) for _ in range(5)))
        conv = layer("decoder")
        self.decoder = nn.Sequential(
            *(
                conv(128, 64, kernel_size=3, upsampling=decoder),
                instance_norm(64),
                nn.ReLU(inplace=True),
            ),
            *(
                conv(64, 32, kernel_size=3, upsampling=decoder),
                instance_norm(32),
                nn.ReLU(inplace=True),
            ),
            conv(32, 3, kernel_size=9),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Stylize normalised pictures: (N, 3, H, W) -> (N, 3, H, W), any H, W of at least 16.

        Input and output are RGB with ImageNet's mean and standard deviation taken out (see
        `nst.images.normalise`).  Sides that are no multiple of 4 are padded by reflection at the
        right and the bottom, and the result is cropped back.

        Raises:
            ValueError: a side is below 16 px.
        """
        height, width = x.shape[-2:]
        if min(height, width) < MIN_SIDE:
            raise ValueError(f"{width}×{height} px is too small: {MIN_SIDE} px a side at least")
        padding = (0, -width % STRIDE, 0, -height % STRIDE)
        if any(padding):
            x = F.pad(x, padding, mode="reflect")
        x = self.encoder(x)  # (N, 128, H/4, W/4)
        x = self.residual(x)
        x = self.decoder(x)
        return x[..., :height, :width]


def build_model(name: str, decoder: Upsampling = "transposed") -> TransformerNet:
    """An untrained network by its name in `VARIANTS`.

    Raises:
        ValueError: no such variant or decoder.
    """
    if name not in VARIANTS:
        raise ValueError(f"unknown variant {name!r}; known: {', '.join(VARIANTS)}")
    return TransformerNet(VARIANTS[name], decoder)


def plain(network: TransformerNet) -> TransformerNet:
    """A copy as one would first write it: PyTorch's own layers, channels first in memory.

    ReLUs between layers give a fresh tensor; those inside lightweight and residual layers do not.
    """
    network = copy.deepcopy(network)
    for parent in list(network.modules()):
        for name, layer in parent.named_children():
            if isinstance(layer, nn.GroupNorm):
                norm = nn.InstanceNorm2d(layer.num_channels, layer.eps, affine=True)
                norm.load_state_dict(layer.state_dict())
                setattr(parent, name, norm)
            elif isinstance(layer, nn.ReLU):
                setattr(parent, name, nn.ReLU())
            elif isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                transposed = isinstance(layer, nn.ConvTranspose2d)
                layer.__class__ = nn.ConvTranspose2d if transposed else nn.Conv2d  # data as ours
    return network.to(memory_format=torch.contiguous_format)


def count_parameters(model: nn.Module) -> int:
    """The number of learned values, all of which are trained."""
    return sum(parameter.numel() for parameter in model.parameters())
